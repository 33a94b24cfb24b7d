"""What a round of verdicts leaves behind, from bare rows: the log, the newest verdicts, and what was sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.restatements.rules.ground import HOUR, SECOND, SENT, UPDATED, Ground

NOW = SENT + 5 * HOUR
MISSING, LOCKED = {"status": "missing", "reason": "unknown"}, {"status": "missing", "reason": "locked"}
LATE: dict[str, Any] = {"status": "late"}
OTHERS: list[dict[str, Any]] = [
    {"enterprise_id": "9"},
    {"action_tracker_id": 402},
    {"order_id": "p"},
    {"updated_at": UPDATED + SECOND},
]
"""Each part of a state's key, otherwise."""


# -- the log ---------------------------------------------------------------------------------------------------------------------------


def log(ground: Ground) -> list[tuple[Any, ...]]:
    """What the log has of the state: change, status and reason before, and now."""
    rows = ground.rows(
        "SELECT * FROM cj.verdicts_log WHERE enterprise_id = '1' AND action_tracker_id = 401 AND order_id = 'o' ORDER BY change"
    )
    names = ("change", "status_before", "reason_before", "status", "reason")
    return [tuple(row[name] for name in names) for row in rows if row["updated_at"] == UPDATED]


def all_logged(ground: Ground) -> int:
    return len(ground.rows("SELECT change FROM cj.verdicts_log"))


def test_the_first_verdict_of_a_state_is_the_first_change(ground: Ground) -> None:
    assert log(ground.judged(**LATE).kept(NOW)) == [(1, None, None, "late", None)]


@pytest.mark.parametrize(
    ("before", "now", "changes"),
    [
        (LATE, LATE, []),
        (MISSING, MISSING, []),
        (LATE, MISSING, [(1, None, None, "late", None), (2, "late", None, "missing", "unknown")]),
        (MISSING, LOCKED, [(1, None, None, "missing", "unknown"), (2, "missing", "unknown", "missing", "locked")]),
        (MISSING, {"status": "mismatched", "reason": "unknown"}, [(1, None, None, "missing", "unknown"), (2, "missing", "unknown", "mismatched", "unknown")]),
        (LATE, {"status": "awaiting"}, [(1, None, None, "late", None), (2, "late", None, "awaiting", None)]),
    ],
)  # fmt: skip
def test_where_there_was_no_log_it_begins_with_the_verdict_that_stood_before(
    ground: Ground, before: dict[str, Any], now: dict[str, Any], changes: list[tuple[Any, ...]]
) -> None:
    assert log(ground.verdict(**before).judged(**now).kept(NOW)) == changes


@pytest.mark.parametrize("stands", [True, False])
@pytest.mark.parametrize(
    ("now", "change"),
    [
        (MISSING, None),
        (LOCKED, (3, "missing", "unknown", "missing", "locked")),
        ({"status": "mismatched", "reason": "unknown"}, (3, "missing", "unknown", "mismatched", "unknown")),
        ({"status": "matched"}, (3, "missing", "unknown", "matched", None)),
        (LATE, (3, "missing", "unknown", "late", None)),
    ],
)
def test_a_change_is_told_against_the_newest_row_of_the_log(
    ground: Ground, stands: bool, now: dict[str, Any], change: tuple[Any, ...] | None
) -> None:
    """Whether or not the verdict of before stands: the tables may have been emptied and judged anew."""
    ground.logged(**LATE).logged(change=2, **MISSING)
    if stands:
        ground.verdict(**MISSING)
    assert log(ground.judged(**now).kept(NOW))[2:] == ([] if change is None else [change])


@pytest.mark.parametrize("other", OTHERS)
def test_the_log_of_another_state_is_another(ground: Ground, other: dict[str, Any]) -> None:
    ground.logged(change=8, **LATE | other).verdict(**LATE).verdict(**MISSING | other)
    assert log(ground.judged(**MISSING).kept(NOW)) == [(1, None, None, "late", None), (2, "late", None, "missing", "unknown")]
    assert all_logged(ground) == 3


@pytest.mark.parametrize("other", OTHERS)
def test_what_was_not_judged_has_no_row(ground: Ground, other: dict[str, Any]) -> None:
    ground.verdict(**LATE).verdict(**MISSING | other)
    ground.judged(**LATE).kept(NOW)
    assert all_logged(ground) == 0


# -- the newest verdict ----------------------------------------------------------------------------------------------------------------


def test_the_newest_verdict_takes_the_place_of_the_one_before(ground: Ground) -> None:
    ground.verdict(**LATE).judged(**MISSING).kept(NOW)
    assert [(row["status"], row["reason"]) for row in ground.rows("SELECT status, reason FROM cj.reconciliation")] == [
        ("missing", "unknown")
    ]


@pytest.mark.parametrize("other", OTHERS)
def test_the_verdict_of_another_state_stays(ground: Ground, other: dict[str, Any]) -> None:
    ground.verdict(**LATE | other).judged(**MISSING).kept(NOW)
    assert [row["status"] for row in ground.rows("SELECT status FROM cj.reconciliation ORDER BY status")] == ["late", "missing"]


# -- what was sent ---------------------------------------------------------------------------------------------------------------------

UNKNOWN: dict[str, Any] = {"outcome": "unknown", "plan_number": 7}
AS_IT_WAS = ("unknown", None)


def sent(ground: Ground) -> tuple[Any, Any]:
    (row,) = ground.rows("SELECT outcome, settled_at FROM cj.submissions")
    return row["outcome"], row["settled_at"]


@pytest.mark.parametrize(
    ("status", "settled"),
    [
        ("matched", ("accepted", NOW)),
        ("mismatched", ("accepted", NOW)),
        ("late", ("unknown", NOW)),
        ("missing", ("unknown", NOW)),
        ("superseded", ("unknown", NOW)),
        ("awaiting", AS_IT_WAS),
    ],
)
def test_an_unknown_outcome_that_posted_was_accepted_and_one_whose_hour_is_over_is_settled(
    ground: Ground, status: str, settled: tuple[Any, Any]
) -> None:
    assert sent(ground.sent(**UNKNOWN).judged(status=status, plan_number=7).kept(NOW)) == settled


@pytest.mark.parametrize("status", ["matched", "missing", "awaiting"])
def test_an_attempt_before_the_one_that_was_judged_did_not_post(ground: Ground, status: str) -> None:
    assert sent(ground.sent(**UNKNOWN).judged(status=status, plan_number=8).kept(NOW)) == ("unknown", NOW)


@pytest.mark.parametrize("status", ["matched", "mismatched", "awaiting"])
def test_an_attempt_after_the_one_that_was_judged_is_not_accepted_by_its_verdict(ground: Ground, status: str) -> None:
    assert sent(ground.sent(**UNKNOWN).judged(status=status, plan_number=6).kept(NOW)) == AS_IT_WAS


@pytest.mark.parametrize(("status", "settled"), [("matched", ("accepted", NOW)), ("missing", ("unknown", SENT))])
def test_what_was_settled_as_not_posted_is_settled_once_unless_it_posted_after_all(
    ground: Ground, status: str, settled: tuple[Any, Any]
) -> None:
    assert sent(ground.sent(settled_at=SENT, **UNKNOWN).judged(status=status, plan_number=7).kept(NOW)) == settled


@pytest.mark.parametrize("status", ["matched", "missing"])
@pytest.mark.parametrize("other", [{"outcome": "accepted"}, {"outcome": "rejected"}, {"mode": "test"}, *OTHERS])
def test_what_was_answered_what_was_a_test_and_what_is_of_another_state_stays_as_it_was(
    ground: Ground, other: dict[str, Any], status: str
) -> None:
    ground.sent(**UNKNOWN | other).judged(status=status, plan_number=7).kept(NOW)
    assert sent(ground) == (other.get("outcome", "unknown"), None)
