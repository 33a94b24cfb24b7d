"""The fault matrix: at which step of the loop what goes wrong, and how the result is written down.

A cell's word in the table: `ok` and how often CJ received each order that was to be sent, and how many of them had an unknown outcome on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WAYS = (
    "exception", "kill", "disk full", "cut before", "cut after", "503", "504", "429+wait", "429", "HTML", "slow", "clock",
    "broke before", "broke after", "half done", "half named", "stranger", "shown late", "half shown", "no warehouse",
)  # fmt: skip
"""The columns. `cut after`, `504`, `slow`, `broke after` (an execution error) and `half named` (the rest beside an error): CJ had done, or was yet to do,
the work. `clock`: the answers are whole, and dated ten minutes back. `stranger`: an order that was not sent, in the place of one that was.
`shown late`, `half shown`: CJ did it at once, and Commission Detail shows it four hours later, or until then the reversals alone."""

PROCESS = {"exception": "raise", "kill": "kill", "disk full": "full"}
"""What the driver does at a checkpoint."""

HTTP: Mapping[str, dict[str, Any]] = {
    "cut before": {"kind": "cut_before"},
    "cut after": {"kind": "cut_after"},
    "503": {"kind": "status", "status": 503},
    "504": {"kind": "status", "status": 504, "done": True},
    "429+wait": {"kind": "status", "status": 429, "retry_after": 1},
    "429": {"kind": "status", "status": 429},
    "HTML": {"kind": "html"},
    "slow": {"kind": "slow", "seconds": 0.9},
    "clock": {"kind": "date", "seconds": -600},
}
ANSWERS: Mapping[str, dict[str, Any]] = {
    "broke before": {"kind": "execution_error"},
    "broke after": {"kind": "execution_error", "done": True},
    "half done": {"kind": "partial_echo"},
    "half named": {"kind": "partial_echo", "done": True},
    "stranger": {"kind": "stranger", "instead": True},
}
"""What an answer that is GraphQL can say of orders that were sent live. (Test Mode does nothing: it is asked again.)"""
SHOWN: Mapping[str, dict[str, Any]] = {
    "shown late": {"kind": "hide", "seconds": 4 * 3600},
    "half shown": {"kind": "hide", "seconds": 4 * 3600, "half": True},
}
"""How what was sent live comes to be seen."""
TIMEOUT = 0.4
"""Seconds the client waits for an answer while CJ is slow."""

NO_VERDICT = frozenset({"cut before", "cut after", "503", "504", "HTML", "slow", *ANSWERS})
"""After these a live call has an unknown outcome; after a 429 it certainly was not done."""

PREPARE_STEPS = ("before_ledger", "window_read", "after_ledger", "chunk_written", "before_manifest", "before_commit", "after_commit")
SUBMIT_STEPS = ("before_test", "after_test", "before_intent", "after_intent", "before_answer", "after_answer")
PUBLISH_STEPS = ("chunk_loaded", "before_publish_commit", "before_pages")
RECONCILE_STEPS = ("window_read", "after_ledger", "before_verdicts_commit", "after_verdicts_commit", "after_report", "before_cases_commit")

REPEATED = {"window_read": 1, "chunk_written": 3, "chunk_loaded": 3}
"""Steps a verb passes several times, and at which time the fault comes; 4 on a chunk's way through `submit`, amid eight; else at once."""

CALLS = {
    "prepare": {"ping": "/graphqltest", "commission detail": "/query"},
    "submit": {"Test Mode": "/graphqltest", "live": "/graphql"},
    "reconcile": {"ping": "/graphqltest", "commission detail": "/query"},
}
"""Where each verb talks to CJ."""

FREE_FILE_STEPS = {"prepare": ("start", "after_ledger"), "publish": ("start",), "reconcile": ("start", "after_ledger")}
"""Where a verb has yet to open the warehouse, so that another process can take the file."""


@dataclass(frozen=True)
class Cell:
    verb: str
    step: str
    way: str

    def __str__(self) -> str:
        return f"{self.verb}-{self.step}-{self.way}".replace(" ", "_")

    @property
    def row(self) -> tuple[str, str]:
        return self.verb, self.step


def cells(verb: str) -> list[Cell]:
    """Every fault that can happen to this verb."""
    steps = {"prepare": PREPARE_STEPS, "submit": SUBMIT_STEPS, "publish": PUBLISH_STEPS, "reconcile": RECONCILE_STEPS}[verb]
    found = [Cell(verb, step, way) for step in steps for way in PROCESS]
    found += [Cell(verb, call, way) for call in CALLS.get(verb, {}) for way in (*HTTP, *((*ANSWERS, *SHOWN) if call == "live" else ()))]
    return found + [Cell(verb, step, "no warehouse") for step in FREE_FILE_STEPS.get(verb, ())]


def nth(cell: Cell) -> int:
    return 4 if cell.verb == "submit" else REPEATED.get(cell.step, 1)


def http_faults(cell: Cell) -> list[dict[str, Any]]:
    """Faults that outlast the client's own repetitions; on the live call one chunk of each operation meets them."""
    fault = {**HTTP, **ANSWERS}[cell.way] | {"path": CALLS[cell.verb][cell.step]}
    if cell.step == "live":
        return [fault | {"operation": f"{operation}Orders", "times": 1} for operation in ("create", "restate", "cancel")]
    return [fault | {"times": 4 if cell.verb == "submit" else 2}]


def table(told: Mapping[Cell, str]) -> Iterator[str]:
    """Rows are steps in the order of the loop, columns are faults; a dot is a fault that cannot happen there."""
    rows = list(dict.fromkeys(cell.row for verb in ("prepare", "submit", "publish", "reconcile") for cell in cells(verb)))
    by_place = {(cell.row, cell.way): words for cell, words in told.items()}
    first = max(len(" ".join(row)) for row in rows)
    widths = {way: max([len(way)] + [len(w) for (_, other), w in by_place.items() if other == way]) for way in WAYS}
    yield " " * first + "  " + "  ".join(way.ljust(widths[way]) for way in WAYS)
    for row in rows:
        words = (by_place.get((row, way), "·").ljust(widths[way]) for way in WAYS)
        yield " ".join(row).ljust(first) + "  " + "  ".join(words).rstrip()
    bad = sum(not words.startswith("ok") for words in told.values())
    yield f"{len(told)} faults, {len(told) - bad} ok, {bad} not"
    yield "ok n = CJ received each order n times; +u = u orders had an unknown outcome on the way and were settled"
