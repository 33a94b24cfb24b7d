"""What was told before: cj.notices. A state of things is open from when it was told to when it was seen to be over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from include.restatements.notices.kinds import Notice
from include.warehouse.base import Session

_OPEN = "SELECT kind, about, told_by FROM cj.notices WHERE over_at IS NULL"


def untold(session: Session, found: Sequence[Notice], ways: Iterable[str]) -> list[tuple[Notice, str]]:
    """Each of `found` with each of the `ways` (a name each) that it was not told by since it began."""
    told = {(row["kind"], row["about"], row["told_by"]) for row in session.rows(_OPEN)}
    return [(one, way) for one in found for way in ways if (one.kind.value, one.about, way) not in told]


def keep_told(session: Session, one: Notice, way: str, now: datetime) -> None:
    """It was told this way."""
    session.execute(
        "INSERT INTO cj.notices (kind, about, told_by, subject, words, told_at) VALUES (:kind, :about, :way, :subject, :words, :now)",
        {"kind": one.kind.value, "about": one.about, "way": way, "subject": one.subject, "words": one.words, "now": now},
    )


def close_over(session: Session, found: Sequence[Notice], now: datetime, looked_at: Iterable[str]) -> int:
    """What is not so any more is over, so that the next time is told anew; of the kinds in `looked_at` alone. Returns how many."""
    still, asked = {(one.kind.value, one.about) for one in found}, set(looked_at)
    over = {(row["kind"], row["about"]) for row in session.rows(_OPEN) if row["kind"] in asked} - still
    for kind, about in sorted(over, key=str):
        session.execute(
            "UPDATE cj.notices SET over_at = :now WHERE kind = :kind AND about = :about AND over_at IS NULL",
            {"now": now, "kind": kind, "about": about},
        )
    return len(over)
