"""A night that cancels half the orders stops in a running Airflow, waits, and goes on or not by a person's answer; a canary waits outside the workers."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.running import CANARY, HALVES, HELD, LEFT, SCENES, Running, airflow_with_the_shop

pytestmark = pytest.mark.timeout(1_500)

FIRST, SECOND, THIRD = (end - begin for begin, end in HALVES)


@pytest.fixture(scope="module")
def airflow() -> Iterator[Running]:
    """Every scene of `tests.journeys.running`, one after the other."""
    with tempfile.TemporaryDirectory(prefix="cj-running-") as place, airflow_with_the_shop(Path(place)) as running:
        for scene in SCENES:
            running.seen[scene.__name__] = scene(running)
        yield running


def digest(question: dict[str, Any]) -> str:
    found = re.search(r"Plan \*\*([0-9a-f]{16})\*\*", question["body"])
    assert found
    return found[1]


def test_half_of_what_is_open_is_asked_about_and_sent_once_it_is_approved(airflow: Running) -> None:
    seen = airflow.seen["approved"]
    assert (
        f"{FIRST} orders would be restated or cancelled, 50 % of the {HELD} that are open at CJ; the limit is 5 %." in seen["asked"]["body"]
    )
    assert (seen["sent_unasked"], seen["ended"], seen["sent"]) == (0, "success", FIRST)


def test_the_question_leads_to_the_plans_page(airflow: Running) -> None:
    assert f"[The plan's page](http://127.0.0.1:{airflow.port}/plugin/cj/cj/runs/night_0)" in airflow.seen["approved"]["asked"]["body"]


def test_what_is_rejected_is_not_sent_and_fails_the_night(airflow: Running) -> None:
    seen = airflow.seen["rejected_and_planned_anew"]
    assert (seen["ended"], seen["sent"]) == ("failed", 0)


def test_planned_anew_it_asks_about_the_new_figures_and_an_answer_to_the_old_ones_sends_nothing(airflow: Running) -> None:
    seen = airflow.seen["rejected_and_planned_anew"]
    assert f"cancel {SECOND}," in seen["first"]["body"]
    assert f"cancel {SECOND - len(LEFT)}," in seen["second"]["body"]
    assert digest(seen["first"]) != digest(seen["second"])
    assert seen["old"].startswith("refused"), seen["old"]
    assert seen["sent_by_it"] == 0
    assert (seen["in_the_end"], seen["sent_in_the_end"]) == ("success", SECOND - len(LEFT))


def test_without_an_answer_nothing_is_sent(airflow: Running) -> None:
    seen = airflow.seen["unanswered"]
    assert (seen["ended"], seen["sent"], seen["tasks"]["approve[0]"], seen["tasks"]["publish"]) == ("failed", 0, "failed", "failed")


def test_who_decided_what_on_which_plan_is_in_the_table(airflow: Running) -> None:
    kept = airflow.rows("SELECT run_id, question, plan_digest, answer, answered_by IS NOT NULL FROM cj.approvals ORDER BY run_id, question")
    seen = airflow.seen
    assert kept == [
        ("night_0", 1, digest(seen["approved"]["asked"]), "approved", True),
        ("night_1", 1, digest(seen["rejected_and_planned_anew"]["first"]), "rejected", True),
        ("night_1", 2, digest(seen["rejected_and_planned_anew"]["second"]), "approved", True),
        ("night_2", 1, kept[3][2], "unanswered", False),
    ]


def test_a_canary_goes_first_and_the_rest_waits_outside_the_workers_until_cj_shows_it(airflow: Running) -> None:
    seen = airflow.seen["canary"]
    assert (seen["waiting"]["submit[0]"], seen["waiting"]["submit[1]"]) == ("deferred", "deferred")
    assert seen["sent_first"] == CANARY
    assert (seen["ended"], seen["sent"]) == ("success", 10)
