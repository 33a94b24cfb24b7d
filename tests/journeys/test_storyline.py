"""The demo's three nights through the whole loop: every order that was designed to end in a status or reason ends there, and nowhere else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from include.demo.story_types import Case
from tests.demo_nights import Live, Played, demo_shop


@pytest.mark.parametrize("case", demo_shop().story.cases, ids=lambda case: case.name)
def test_every_designed_order_ends_where_it_was_meant_to(played: Played, case: Case) -> None:
    for order_id in case.order_ids:
        rows = played.rows[case.table].get(order_id, [])
        assert _word(case, rows, played.last_run) in {(case.state, reason) for reason in case.reasons or (None,)}, (order_id, rows)


def _word(case: Case, rows: list[dict[str, Any]], last_run: str) -> tuple[Any, Any]:
    if case.table == "reconciliation":
        rows = [r for r in rows if case.updated_before is None or r["updated_at"] < case.updated_before]
        newest = max(rows, key=lambda row: row["updated_at"])
        return newest["status"], newest["reason"] if case.reasons else None
    mine = [row for row in rows if row["run_id"] == last_run]
    assert len(mine) == 1
    column, reason = {"quarantine": ("stage", "reason"), "skipped": ("reason", ""), "submissions": ("operation", "outcome")}[case.table]
    return mine[0][column], mine[0][reason] if case.reasons else None


def test_every_status_is_on_show(played: Played) -> None:
    shown = {row["status"] for rows in played.rows["reconciliation"].values() for row in rows}
    assert shown == {"awaiting", "late", "matched", "mismatched", "missing", "superseded"}


def test_each_order_a_run_picked_is_in_exactly_one_table(played: Played) -> None:
    seen: dict[tuple[str, str, int | None, str], int] = {}
    for table in ("submissions", "quarantine", "skipped"):
        for order_id, rows in played.rows[table].items():
            for row in rows:
                key = (row["run_id"], row["enterprise_id"], row["action_tracker_id"], order_id)
                seen[key] = seen.get(key, 0) + 1
    duplicated = {key for key, count in seen.items() if count != 1 and key[3] != "None" and "sha256" not in key[3]}
    assert not duplicated


def test_cj_got_each_live_submission_once(played: Played) -> None:
    """The tables' word against CJ's: every order of every live request that the sandbox took in, by its call and its time."""
    sent = [
        Live(*(row[name] for name in Live._fields)) for rows in played.rows["submissions"].values() for row in rows if row["mode"] == "live"
    ]
    ours = Counter(live._replace(updated_at=None) if live.operation == "create" else live for live in sent)
    assert ours == played.received
    assert set(ours.values()) == {1}
    assert played.live_orders == len(sent) > 300
