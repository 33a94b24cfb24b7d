"""Runs nights by `dag.test`, one after another in one process: starting Airflow is slow, and its output is the person's to read.

    python -m tests.journeys.driver SANDBOX_URL < scenarios.json

Reads [{"name", "dag_id", "conf", "environment", "output"}] and writes {name: {"state", "retries", "live_calls", "test_calls"}}; the calls are those
that carry orders. What Airflow prints goes into the file `output`. A run that Airflow does not even create is `refused`.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from include.commands.demo import load_dags, output_into
from include.sandbox.control import SandboxControl


def decide_at_once(decided: list[str]) -> None:
    """`dag.test` sits out the minutes between two attempts; what was decided about them is enough here."""
    from airflow.sdk import RetryDecision

    from include.airflow.retries import ByKind

    decide = ByKind.evaluate

    def decide_and_end(policy: ByKind, *given: Any, **named: Any) -> RetryDecision:
        decided.append(decide(policy, *given, **named).action.value)
        return RetryDecision.fail("one attempt is enough")

    ByKind.evaluate = decide_and_end  # type: ignore[method-assign, assignment]


def main() -> None:
    from airflow.sdk.exceptions import ParamValidationError

    scenarios, control = json.load(sys.stdin), SandboxControl(sys.argv[1])
    dags = load_dags(Path(os.environ["AIRFLOW_HOME"]) / "start.log")
    decided: list[str] = []
    decide_at_once(decided)
    ended = {}
    for scenario in scenarios:
        decided.clear()
        seen = len(list(control.calls()))
        moment = datetime.fromisoformat(scenario["at"])
        environment = dict(os.environ)
        os.environ.update(scenario["environment"])
        with output_into(Path(scenario["output"])):
            try:
                state = str(dags[scenario["dag_id"]].test(logical_date=moment, run_after=moment, run_conf=scenario["conf"]).state)
            except ParamValidationError as error:
                state = "refused"
                print(error)
        os.environ.clear()
        os.environ.update(environment)
        calls = Counter(call["path"] for call in list(control.calls())[seen:] if call["orders"])
        ended[scenario["name"]] = {
            "state": state,
            "retries": list(decided),
            "live_calls": calls["/graphql"],
            "test_calls": calls["/graphqltest"],
        }
    json.dump(ended, sys.stdout)


if __name__ == "__main__":
    main()
