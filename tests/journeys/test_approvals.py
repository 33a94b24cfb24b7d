"""A person approves what was shown, and only that is sent: on a real Airflow, whose table of questions is what a person reads.

Airflow shows a cleared task's first question for ever and wipes only its answer; no clearing makes it ask anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from include.airflow.environment import ROOT, project_environment
from tests.journeys.shop import CANCELLED, MISSED, RESTATED, open_cj, write_shop

SENT = RESTATED + CANCELLED + MISSED
AGAIN = "Clear task prepare with its downstream: it plans the night again and asks"


@dataclass(frozen=True)
class Played:
    seen: dict[str, list[Any]]
    kept: dict[str, list[dict[str, Any]]]
    place: Path

    def output(self, scene: str) -> str:
        return (self.place / f"{scene}.log").read_text()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Every scene of `tests.journeys.approvals`, each with a warehouse and a journal of its own."""
    shop, place = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("approvals")
    write_shop(shop)
    given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = project_environment(given | {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("home"))})
    with open_cj(shop, tmp_path_factory.mktemp("cj")) as cj:
        command = [sys.executable, "-m", "tests.journeys.approvals", str(shop), str(place), cj.url]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return Played(**json.loads(done.stdout), place=place)


def digest(question: dict[str, Any]) -> str:
    found = re.search(r"Plan \*\*([0-9a-f]{16})\*\*", question["body"])
    assert found
    assert found[1] in question["subject"]
    return found[1]


def test_the_question_names_the_plan_and_its_figures_and_nothing_answers_it(played: Played) -> None:
    states, question = played.seen["planned_anew_before_the_answer"][0]
    assert (states["approve[0]"], states["submit"], question["answer"], question["defaults"]) == ("awaiting_input", "None", None, None)
    assert digest(question)
    assert f"to_send {SENT}, create {MISSED}, restate {RESTATED}, cancel {CANCELLED}" in question["body"]
    assert "the limit is 0" in question["body"]
    assert "cj live" in question["body"]


def test_the_question_says_what_moves_by_operation_and_partner_why_it_is_asked_and_where_to_look(played: Played) -> None:
    body = played.seen["planned_anew_before_the_answer"][0][1]["body"]
    assert re.search(rf"\| create \| not known before it posts \| {MISSED} \|", body)
    rows = re.findall(r"\| (restate|cancel) \| ([^|]+) \| (\d+) \|", body)
    assert sum(int(orders) for operation, _, orders in rows if operation == "restate") == RESTATED
    assert sum(int(orders) for operation, _, orders in rows if operation == "cancel") == CANCELLED
    assert any(re.fullmatch(r"\S.* \(\d+\)", partner) for _, partner, _ in rows)
    assert re.search(r"\*\*Why you are asked\*\*\n\n(- .*\n)*- Money at stake is [\d.]+; the limit is 0.00 \(`approve_above`\)\.", body)
    assert re.search(r"\[The plan's page\]\(\S*/plugin/cj/cj/runs/manual__\S+\)", body)


def test_who_answered_what_and_what_they_were_told_is_in_the_table(played: Played) -> None:
    answers = {scene: [(row["answer"], row["answered_by"]) for row in rows] for scene, rows in played.kept.items()}
    assert answers == {
        "planned_anew_before_the_answer": [("withdrawn", None), ("approved", "ana")],
        "planned_anew_after_the_answer": [("approved", "ana"), (None, None)],
        "plan_alone_cleared_while_the_question_stands": [("outdated", "ana")],
        "plan_alone_cleared_after_the_answer": [("approved", "ana")],
        "question_alone_cleared": [("approved", "ana"), ("approved", "ana")],
        "question_alone_cleared_under_another_limit": [("withdrawn", None)],
        "rejected": [("rejected", "ana")],
        "unanswered": [("unanswered", None)],
        "the_gate_alone": [("approved", "ana")],
    }
    _, new, _ = played.seen["planned_anew_before_the_answer"][1]
    second = played.kept["planned_anew_before_the_answer"][1]
    assert second["shown"] == f"{new['subject']}\n\n{new['body']}"
    assert second["plan_digest"] == digest(new)
    assert second["reasons"]
    assert [line for line in second["reasons"].splitlines() if f"- {line}\n" not in new["body"]] == []
    assert second["asked_at"] < second["answered_at"]


def test_a_night_out_of_the_ordinary_stops_without_a_limit_says_why_and_goes_on_by_an_answer(played: Played) -> None:
    (states, question, sent_unasked), (ended, sent) = played.seen["the_gate_alone"]
    assert (states["approve[0]"], sent_unasked) == ("awaiting_input", 0)
    touched = RESTATED + CANCELLED
    assert re.search(
        rf"\n- {touched} orders would be restated or cancelled, [\d.]+ % of the \d+ that are open at CJ; the limit is 5 %\.",
        question["body"],
    )
    assert "approve_above" not in question["body"]
    assert (ended["publish"], sent) == ("success", SENT)


def test_without_an_answer_nothing_is_sent_and_the_night_says_so(played: Played) -> None:
    ((ended, sent),) = played.seen["unanswered"]
    assert (ended["approve[0]"], ended["submit"], ended["publish"], sent) == ("failed", "upstream_failed", "failed", 0)
    assert re.search(
        r"Nobody answered whether plan [0-9a-f]{16} may be sent, for 20:00:00\. Nothing of it was sent\.", played.output("unanswered")
    )


def test_a_night_planned_anew_with_other_figures_asks_a_new_question_with_the_new_ones(played: Played) -> None:
    (_, old), (states, new, sent_unasked), (ended, sent) = played.seen["planned_anew_before_the_answer"]
    assert (states["approve[0]"], states["approve[1]"], sent_unasked) == ("success", "awaiting_input", 0)
    assert digest(new) != digest(old)
    assert f"restate {RESTATED}," not in new["body"]
    assert (ended["publish"], ended["submit[0]"]) == ("success", "success")
    assert f"to_send {sent}," in new["body"]


def test_an_answer_to_an_earlier_plan_is_no_answer_to_the_one_planned_since(played: Played) -> None:
    (approved, sent_before), (states, question, sent) = played.seen["planned_anew_after_the_answer"]
    assert (approved["approve[0]"], approved["submit[0]"], sent_before) == ("success", "scheduled", 0)
    assert (states["approve[1]"], question["answer"], sent) == ("awaiting_input", None, 0)


def test_an_answer_given_while_the_plan_was_replaced_sends_nothing_and_says_what_to_do(played: Played) -> None:
    _, (ended, sent) = played.seen["plan_alone_cleared_while_the_question_stands"]
    assert (ended["approve[0]"], ended["submit"], ended["publish"], sent) == ("failed", "upstream_failed", "failed", 0)
    assert re.search(
        rf"ana approved plan [0-9a-f]{{16}}, and the night was planned again since\. Nothing was sent\. {AGAIN} again",
        played.output("plan_alone_cleared_while_the_question_stands"),
    )


def test_a_plan_that_replaced_the_approved_one_is_not_submitted(played: Played) -> None:
    ((ended, sent),) = played.seen["plan_alone_cleared_after_the_answer"]
    assert (ended["approve[0]"], ended["submit[0]"], ended["publish"], sent) == ("success", "failed", "failed", 0)
    assert re.search(
        rf"The plan of run \S+ is [0-9a-f]{{16}} now, and plan [0-9a-f]{{16}} was approved\. Nothing was sent for it\. {AGAIN}",
        played.output("plan_alone_cleared_after_the_answer"),
    )


def test_the_question_of_the_same_plan_may_be_asked_and_answered_again(played: Played) -> None:
    (states, question, sent_unasked), (ended, sent) = played.seen["question_alone_cleared"]
    assert (states["approve[0]"], question["answer"], sent_unasked) == ("awaiting_input", None, 0)
    assert (ended["publish"], sent) == ("success", SENT)


def test_where_airflow_shows_another_question_than_is_asked_the_task_refuses(played: Played) -> None:
    ((states, question, sent),) = played.seen["question_alone_cleared_under_another_limit"]
    assert "the limit is 0" in question["body"]
    assert (states["approve[0]"], states["submit"], states["publish"], sent) == ("failed", "upstream_failed", "failed", 0)
    assert (
        "Airflow still shows the question of an earlier try of this task (its body differs), so an answer would approve what nobody has read. "
        f"Nothing was sent. {AGAIN} in a new instance of this task."
    ) in played.output("question_alone_cleared_under_another_limit")


def test_a_rejected_plan_is_not_sent_and_the_night_says_who_rejected_it(played: Played) -> None:
    ((ended, sent),) = played.seen["rejected"]
    assert (ended["submit"], ended["publish"], sent) == ("skipped", "failed", 0)
    assert re.search(r"ana rejected plan [0-9a-f]{16} of this night, so nothing of it was sent\.", played.output("rejected"))
