"""The hourly watch on a real Airflow: a night that never began is told over a real mail server, once; the reconciliation's figures reach a real StatsD."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from include.airflow.environment import ROOT, gate_off, project_environment
from tests.journeys.shop import RUNS_AT, connection_of, open_cj, rows, warehouse_at, write_shop
from tests.servers import mail_server, statsd

NOTIFIERS = [
    {"notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "from_email": "airflow@example.org", "to": "orders@example.org"},
    {"notifier": "no.such.Notifier"},
]

SAID = {
    "asked": {"act": "requested", "case": "extension"},
    "filed": {"act": "filed", "case": "1500001-extension-1", "number": "05512345", "at": "2026-01-05T12:00:00+00:00"},
}
"""What a person says of a case: filed in January, and never answered."""


@dataclass(frozen=True)
class Watched:
    ended: dict[str, Any]
    mails: list[Message]
    metrics: list[str]
    place: Path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A night of another day, then the watch three times, the last with a refused token, then the reconciliation."""
    shop, place = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("watch")
    write_shop(shop)
    shutil.copy(shop / "warehouse.duckdb", place / "warehouse.duckdb")
    with mail_server() as mails, statsd() as (port, metrics), open_cj(shop, place) as cj:
        extra = {"disable_ssl": True, "disable_tls": True, "retry_limit": 1, "timeout": 5}
        environment = {
            "AIRFLOW_CONN_CJ": connection_of(cj.url, "live"),
            "AIRFLOW_CONN_WAREHOUSE": warehouse_at(place / "warehouse.duckdb"),
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": mails.port, "extra": extra}),
            "AIRFLOW_VAR_CJ_STORAGE": (place / "storage").as_uri(),
            "AIRFLOW_VAR_CJ_NOTIFIERS": json.dumps(NOTIFIERS),
            "AIRFLOW_VAR_CJ_NIGHT_HOURS": "0",
            **gate_off(),
        }
        refused = environment | {"AIRFLOW_CONN_CJ": connection_of(cj.url, "live", "another-token")}
        runs = [
            ("night", "cj_restatements", environment, RUNS_AT),
            ("asked", "cj_case", environment, datetime(2026, 11, 20, 22, tzinfo=UTC)),
            ("filed", "cj_case", environment, datetime(2026, 11, 20, 23, tzinfo=UTC)),
            ("first", "cj_watch", environment, datetime(2026, 11, 21, 1, tzinfo=UTC)),
            ("second", "cj_watch", environment, datetime(2026, 11, 21, 2, tzinfo=UTC)),
            ("refused", "cj_watch", refused, datetime(2026, 11, 21, 3, tzinfo=UTC)),
            ("reconciliation", "cj_reconciliation", environment, datetime(2026, 11, 21, 4, tzinfo=UTC)),
        ]
        scenarios = [
            {
                "name": name,
                "dag_id": dag,
                "conf": SAID.get(name, {}),
                "environment": env,
                "at": at.isoformat(),
                "output": str(place / f"{name}.log"),
            }
            for name, dag, env, at in runs
        ]
        given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        own = project_environment(
            given
            | {
                "AIRFLOW_HOME": str(tmp_path_factory.mktemp("home")),
                "AIRFLOW__METRICS__STATSD_ON": "True",
                "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
                "AIRFLOW__METRICS__STATSD_PORT": str(port),
            }
        )
        command = [sys.executable, "-m", "tests.journeys.driver", cj.url]
        done = subprocess.run(
            command, env=own, cwd=ROOT, input=json.dumps(scenarios), capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return Watched(json.loads(done.stdout), list(mails.received), list(metrics), place)


def subjects(watched: Watched) -> list[str]:
    return [str(mail["Subject"]) for mail in watched.mails]


def test_every_run_is_a_success_though_one_notifier_is_none(watched: Watched) -> None:
    assert {name: run["state"] for name, run in watched.ended.items()} == dict.fromkeys(watched.ended, "success")
    assert "Notifier no.such.Notifier did not take" in (watched.place / "first.log").read_text()


def test_a_night_that_never_began_is_told_once(watched: Watched) -> None:
    absent = [subject for subject in subjects(watched) if "never began" in subject]
    assert len(absent) == 1


def test_a_refused_token_is_told_and_what_is_told_is_in_the_table(watched: Watched) -> None:
    assert "CJ: CJ refuses the token of account cj" in subjects(watched)
    kept = rows(watched.place / "warehouse.duckdb", "SELECT kind, split_part(told_by, ' ', 1) FROM cj.notices ORDER BY 1, 2")
    assert kept == [
        ("account_refused", "SmtpNotifier"),
        ("account_refused", "the"),
        ("case_due", "SmtpNotifier"),
        ("case_due", "the"),
        ("night_absent", "SmtpNotifier"),
        ("night_absent", "the"),
    ]


def test_a_case_whose_answer_is_late_is_told_once_with_its_page(watched: Watched) -> None:
    (mail,) = [mail for mail in watched.mails if "05512345" in str(mail["Subject"])]
    assert str(mail["Subject"]) == "CJ: CJ's answer to case 05512345 is late"
    body = "".join(bytes(part.get_payload(decode=True) or b"").decode() for part in mail.walk())
    assert "1-800-761-1072" in body and "/plugin/cj/cj/cases/1500001-extension-1" in body
    kept = rows(watched.place / "warehouse.duckdb", "SELECT case_id, state, case_number, due_early < due_late FROM cj.cases")
    assert kept == [("1500001-extension-1", "filed", "05512345", True)]


def test_no_message_holds_the_token(watched: Watched) -> None:
    assert not [mail for mail in watched.mails if "another-token" in mail.as_string()]


def test_the_figures_of_the_reconciliation_reach_statsd(watched: Watched) -> None:
    gauges = {line.partition(":")[0] for line in watched.metrics if line.endswith("|g")}
    assert {"airflow.cj.breaks", "airflow.cj.orders.awaiting", "airflow.cj.orders.missing", "airflow.cj.money_at_risk"} <= gauges
