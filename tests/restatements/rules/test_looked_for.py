"""What is given up was looked for without the cursor: until then neither the deadline nor the hour of a call without an answer is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.restatements.rules.ground import HOUR, SECOND, SENT, Ground


@pytest.mark.parametrize(("looked", "deadline"), [(36 * HOUR - SECOND, False), (36 * HOUR, True), (40 * HOUR, True)])
def test_the_deadline_is_over_where_cj_was_read_whole_since(ground: Ground, looked: timedelta, deadline: bool) -> None:
    """CJ's ids need not become visible in their order: a reading by the cursor passes over what a lost record looks like."""
    found = ground.sent().to_judge(read_whole_until=SENT + looked).verdicts(now=SENT + 38 * HOUR)[0]
    assert (found["hour_over"], found["deadline_over"]) == (True, deadline)


@pytest.mark.parametrize(
    ("outcome", "looked", "over"), [("accepted", 0 * HOUR, True), ("unknown", HOUR - SECOND, False), ("unknown", HOUR, True)]
)
def test_and_the_hour_of_a_call_without_an_answer(ground: Ground, outcome: str, looked: timedelta, over: bool) -> None:
    found = ground.sent(outcome=outcome).to_judge(read_whole_until=SENT + looked).verdicts()[0]
    assert found["hour_over"] is over


def test_no_reading_makes_it_later_than_it_is(ground: Ground) -> None:
    found = ground.sent(outcome="unknown").to_judge(read_whole_until=SENT + 40 * HOUR).verdicts(now=SENT + HOUR - SECOND)[0]
    assert (found["hour_over"], found["deadline_over"]) == (False, False)
