"""A plan's figures as they are kept in `cj.plans.figures`: the ones that the preview of a backfill shows, to be held beside what came of them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from include.restatements.journal.documents import Manifest


@dataclass(frozen=True)
class PlanFigures:
    """A plan in numbers of orders; `at_stake` is money as text, in the advertiser's currency, of all but the `unpriced` orders to be sent."""

    picked: int
    to_send: int
    create: int
    restate: int
    cancel: int
    quarantined: int
    skipped: int
    chunks: int
    at_stake: str
    unpriced: int = 0
    turn: int = 1
    """Which plan of its run it is."""


def figures_of_plan(manifest: Manifest) -> str:
    """What is kept of a plan, as JSON."""
    counts = manifest.summary
    figures = PlanFigures(
        counts.picked, counts.to_send, counts.create, counts.restate, counts.cancel, counts.quarantined, counts.skipped, counts.chunks,
        manifest.at_stake, manifest.unpriced, manifest.turn,
    )  # fmt: skip
    return msgspec.json.encode(figures).decode()


def plan_figures(text: str | None) -> PlanFigures | None:
    """What `figures_of_plan` kept; None where nothing is, or what a package of another version wrote."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=PlanFigures)
    except msgspec.MsgspecError:
        return None
