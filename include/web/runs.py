"""Nights: from the plan to the verdicts, with counts and times; what was planned beside what came of it; the calls of one night."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.domain.money import ZERO, money
from include.domain.states import BREAKS, Mode, Outcome, Status
from include.restatements.plan.kept import PlanFigures, plan_figures
from include.restatements.report.advice import SKIPS, quarantine_advice
from include.restatements.report.collect import without_addresses
from include.restatements.report.figures import Amount, amounts_by_currency
from include.sql import filled
from include.warehouse.base import Session
from include.web.asked import WALK, Asked, place_after
from include.web.common import Freshness, freshness, own_currencies, rows
from include.web.gate import CONDITIONS, Compared, Question, compared, questions
from include.web.page import Listing, NoSuchThing, Page
from include.web.shown import Money

NIGHTS_SHOWN = 20


@dataclass(frozen=True)
class Count:
    """Orders under one word."""

    word: str
    orders: int


@dataclass(frozen=True)
class Held:
    """Orders a night held back, by one rule."""

    stage: str
    rule: str
    reason: str
    orders: int
    meaning: str


@dataclass(frozen=True)
class Run:
    """One night. Counts are order states; times are UTC; None where nothing is known of it, or it has not come to that yet."""

    run_id: str
    plan_number: int
    planned_at: datetime
    interval_start: datetime | None
    interval_end: datetime | None
    planned: PlanFigures | None
    """What the plan came to, as the preview of a backfill shows it."""
    sent: tuple[Count, ...]
    """By what CJ answered live: accepted, rejected, unknown."""
    tested: tuple[Count, ...]
    """The same of orders that only Test Mode has seen."""
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    held: tuple[Held, ...]
    skipped: tuple[Count, ...]
    verdicts: tuple[Count, ...]
    at_risk: tuple[Money, ...]
    last_posted_at: datetime | None
    checked_at: datetime | None

    def total(self, counts: Iterable[Count | Held]) -> int:
        """Of all words together."""
        return sum(one.orders for one in counts)

    def with_word(self, *words: str) -> int:
        """Verdicts of these kinds."""
        return sum(one.orders for one in self.verdicts if one.word in words)


@dataclass(frozen=True)
class Runs:
    """One part of the nights, newest first."""

    fresh: Freshness
    runs: tuple[Run, ...]
    next: str | None


def look(session: Session, asked: Asked) -> Runs:
    """The nights, newest first."""
    many = min(asked.rows, NIGHTS_SHOWN)
    found = _runs(session, asked, many + 1)
    follows = place_after(found[many - 1].plan_number) if len(found) > many else None
    return Runs(freshness(session, asked.now), tuple(found[:many]), follows)


def newest(session: Session) -> Run | None:
    """The night that was planned last."""
    return next(iter(_told(session, rows(session, "page_runs", rows=1))), None)


def _runs(session: Session, asked: Asked, many: int) -> list[Run]:
    walks, place = asked.after("i", "plan")
    return _told(session, rows(session, "page_runs", walks, rows=many, **place))


def _told(session: Session, plans: list[dict[str, Any]]) -> list[Run]:
    if not plans:
        return []
    own = own_currencies(session)
    runs = [str(plan["run_id"]) for plan in plans]
    sent, held, skipped, verdicts = (
        _by_run(_about(session, f"page_runs_{what}", runs)) for what in ("sent", "held", "skipped", "verdicts")
    )
    return [_run(plan, *(found.get(str(plan["run_id"]), []) for found in (sent, held, skipped, verdicts)), own=own) for plan in plans]


def _about(session: Session, name: str, runs: list[str]) -> list[dict[str, Any]]:
    bound: dict[str, object] = {f"run_{number}": run for number, run in enumerate(runs)}
    return [dict(row) for row in session.rows(filled(name).replace("(:runs)", f"({', '.join(f':{name}' for name in bound)})"), bound)]


def _by_run(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        groups.setdefault(str(row["run_id"]), []).append(row)
    return groups


def _counts(found: Iterable[Mapping[str, Any]], column: str) -> tuple[Count, ...]:
    counts: dict[str, int] = {}
    for row in found:
        counts[str(row[column])] = counts.get(str(row[column]), 0) + int(row["orders"])
    return tuple(Count(word, orders) for word, orders in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _run(
    plan: Mapping[str, Any], sent: list[dict[str, Any]], held: list[dict[str, Any]], skipped: list[dict[str, Any]], verdicts: list[dict[str, Any]],
    *, own: Mapping[str, str],
) -> Run:  # fmt: skip
    live = [row for row in sent if row["mode"] == Mode.LIVE]
    broken = [row for row in verdicts if row["status"] in BREAKS and row["at_risk"] is not None]
    return Run(
        run_id=str(plan["run_id"]),
        plan_number=int(plan["plan_number"]),
        planned_at=plan["planned_at"],
        interval_start=plan["interval_start"],
        interval_end=plan["interval_end"],
        planned=plan_figures(plan["figures"]),
        sent=_counts(live, "outcome"),
        tested=_counts([row for row in sent if row["mode"] == Mode.TEST], "outcome"),
        first_sent_at=min((row["first_at"] for row in sent if row["first_at"]), default=None),
        last_sent_at=max((row["last_at"] for row in sent if row["last_at"]), default=None),
        held=tuple(
            Held(
                str(row["stage"]), str(row["rule"]), str(row["reason"]), int(row["orders"]),
                quarantine_advice(str(row["stage"]), str(row["rule"]), str(row["reason"])).meaning,
            )
            for row in held
        ),
        skipped=_counts(skipped, "reason"),
        verdicts=_counts(verdicts, "status"),
        at_risk=Money.told(amounts_by_currency(Amount(own.get(str(r["advertiser_id"]), ""), money(r["at_risk"] or ZERO)) for r in broken)),
        last_posted_at=max((row["last_posted_at"] for row in verdicts if row["last_posted_at"]), default=None),
        checked_at=max((row["checked_at"] for row in verdicts), default=None),
    )  # fmt: skip


@dataclass(frozen=True)
class Chunk:
    """The orders of one call with one outcome and one currency."""

    chunk_id: str
    operation: str
    mode: str
    outcome: str
    orders: int
    amount: Money | None
    submitted_at: datetime | None
    submission_id: str | None
    """One of them, where CJ gave several."""
    submissions: int
    batch_id: str | None
    message: str


@dataclass(frozen=True)
class Reconciliation:
    """What one run of cj_reconciliation looked at."""

    run_id: str
    checked_at: datetime
    verdicts: tuple[Count, ...]
    at_risk: str
    report: str


@dataclass(frozen=True)
class OneRun:
    """A night with its calls, or a reconciliation: whichever the id is of."""

    fresh: Freshness
    run_id: str
    run: Run | None
    chunks: tuple[Chunk, ...]
    reconciliation: Reconciliation | None
    compared: tuple[Compared, ...] = ()
    """What the money gate compared, an account each."""
    questions: tuple[Question, ...] = ()
    """What a person was asked before it went live, the last question first."""


def look_at_one(session: Session, asked: Asked) -> OneRun:
    """A night, or a reconciliation, by the id of its run. Raises NoSuchThing."""
    run_id = asked.path.get("run", "").replace("\x00", "")
    fresh = freshness(session, asked.now)
    found = _told(session, rows(session, "page_runs", frozenset({"run"}), run=run_id, rows=1))
    if found:
        return OneRun(fresh, run_id, found[0], _chunks(session, run_id), None, compared(session, run_id), questions(session, run_id))
    round_ = rows(session, "page_rounds", run=run_id)
    if not round_:
        raise NoSuchThing(f"Run {run_id} has planned nothing, and is no reconciliation that has finished.")
    return OneRun(fresh, run_id, None, (), _reconciliation(round_[0]))


def _chunks(session: Session, run_id: str) -> tuple[Chunk, ...]:
    return tuple(
        Chunk(
            str(row["chunk_id"]), str(row["operation"]), str(row["mode"]), str(row["outcome"]), int(row["orders"]), Money.of(row["amount"], row["currency"]),
            row["submitted_at"], row["submission_id"], int(row["submissions"]), row["batch_id"], without_addresses(row["message"] or ""),
        )
        for row in rows(session, "page_run_chunks", run=run_id)
    )  # fmt: skip


def _reconciliation(row: Mapping[str, Any]) -> Reconciliation:
    words = (Status.MISSING, Status.MISMATCHED, Status.LATE, Status.AWAITING, Status.MATCHED, Status.SUPERSEDED)
    counts = tuple(Count(str(word), int(row[str(word)])) for word in words if row[str(word)])
    told = Money.of(row["commission_at_risk"], "")
    return Reconciliation(
        str(row["reconciliation_run_id"]), row["checked_at"], counts, told.amount if told else "", str(row["report"] or "")
    )


COLUMNS = (
    "run_id", "interval_start", "interval_end", "planned_at", "picked", "to_send", "at_stake", "first_sent_at", "last_sent_at", *(str(o) for o in Outcome),
    "held_back", "nothing_to_send", *(str(s) for s in Status), "at_risk", "checked_at",
)  # fmt: skip


def listing(session: Session, asked: Asked) -> Listing:
    """The nights of this part of the list."""
    return Listing(COLUMNS, (_line(run) for run in _runs(session, asked, min(asked.rows, NIGHTS_SHOWN))))


def _line(run: Run) -> dict[str, Any]:
    sent = {one.word: one.orders for one in run.sent}
    verdicts = {one.word: one.orders for one in run.verdicts}
    planned = run.planned
    return {
        "run_id": run.run_id, "interval_start": run.interval_start, "interval_end": run.interval_end, "planned_at": run.planned_at,
        "picked": planned and planned.picked, "to_send": planned and planned.to_send, "at_stake": planned and money(planned.at_stake),
        "first_sent_at": run.first_sent_at, "last_sent_at": run.last_sent_at, **{str(o): sent.get(o, 0) for o in Outcome},
        "held_back": run.total(run.held), "nothing_to_send": run.total(run.skipped), **{str(s): verdicts.get(s, 0) for s in Status},
        "at_risk": " + ".join(f"{one.amount} {one.currency}".strip() for one in run.at_risk), "checked_at": run.checked_at,
    }  # fmt: skip


PAGE = Page(
    "runs", "/runs", look, Runs, "Each night, newest first: what was planned, sent, held back, and what became of it", "Runs", listing,
    {**WALK, "limit": f"nights, at most {NIGHTS_SHOWN}"},
)  # fmt: skip

ONE = Page(
    "run", "/runs/{run:path}", look_at_one, OneRun, "One night with its calls, or one reconciliation", part_of="runs",
    words={"skips": {str(skip): said for skip, said in SKIPS.items()}, "conditions": CONDITIONS},
)  # fmt: skip
