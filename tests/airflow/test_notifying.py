"""Notices over real servers on loopback, through Airflow's own notifiers: each once by each way, and a server that fails fails nothing else."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.airflow import notifying
from include.airflow.notifying import LOG, tell
from include.restatements.notices.kinds import Notice, NoticeKind, notice
from include.restatements.settings import Settings
from tests.servers import Mails, Posts, mail_server, webhook

SMTP = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"
SLACK = "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier"
BOTH = ({"notifier": SMTP, "from_email": "airflow@example.org", "to": "orders@example.org"}, {"notifier": SLACK})
PAGE = "http://127.0.0.1:8080/dags/cj_restatements"


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mails]:
    with mail_server() as server:
        connection = {
            "conn_type": "smtp", "host": "127.0.0.1", "port": server.port,
            "extra": {"disable_ssl": True, "disable_tls": True, "retry_limit": 1, "timeout": 5},
        }  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        yield server


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Posts]:
    with webhook() as server:
        connection = {"conn_type": "slackwebhook", "password": server.url}
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_DEFAULT", json.dumps(connection))
        yield server


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(path)}))
    return path


def settings(*notifiers: dict[str, Any]) -> Settings:
    return Settings(accounts=(), storage="file:///nowhere", notifiers=notifiers)


def failed(night: str = "2026-03-02") -> Notice:
    return notice(NoticeKind.NIGHT_FAILED, night, f"The night of {night} failed", "The run <b>failed</b>.", PAGE)


def told(warehouse: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(
            "SELECT about, split_part(told_by, ' ', 1), over_at IS NULL FROM cj.notices ORDER BY told_at, told_by"
        ).fetchall()


def test_a_notice_goes_out_by_mail_and_slack_once_with_its_advice_and_a_link(mails: Mails, posts: Posts, warehouse: Path) -> None:
    for _ in range(3):
        tell([failed()], NoticeKind, settings(*BOTH))
    (mail,), (post,) = mails.received, posts.received
    assert (mail["Subject"], mail["To"], mail["From"]) == (
        "CJ: The night of 2026-03-02 failed",
        "orders@example.org",
        "airflow@example.org",
    )
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    html = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "The run &lt;b&gt;failed&lt;/b&gt;. The failed task" in html
    assert f'href="{PAGE}"' in html
    assert json.loads(post)["text"].startswith("*The night of 2026-03-02 failed*\nThe run <b>failed</b>.")
    assert json.loads(post)["text"].endswith(PAGE)
    assert sorted(told(warehouse)) == [
        ("2026-03-02", "SlackWebhookNotifier", True),
        ("2026-03-02", "SmtpNotifier", True),
        ("2026-03-02", "the", True),
    ]


def test_each_event_is_told_once_by_mail_though_the_webhook_fails_every_time(mails: Mails, posts: Posts, warehouse: Path) -> None:
    posts.status = 500
    found = [notice(kind, f"about {kind}", f"Of {kind}", "So it is.", f"{PAGE}/{kind}") for kind in NoticeKind]
    for _ in range(3):
        counts = tell(found, NoticeKind, settings(*BOTH))
        assert counts["not_told"] == len(NoticeKind)
    assert sorted(str(mail["Subject"]) for mail in mails.received) == sorted(f"CJ: Of {kind}" for kind in NoticeKind)
    assert {way for _, way, _ in told(warehouse)} == {"SmtpNotifier", "the"}
    posts.status = 200
    assert tell(found, NoticeKind, settings(*BOTH))["told"] == len(NoticeKind)
    assert len(mails.received) == len(NoticeKind)


def test_what_is_over_and_comes_back_is_told_again(mails: Mails, warehouse: Path) -> None:
    found = [failed()]
    for now in (found, [], found, found):
        tell(now, NoticeKind, settings(BOTH[0]))
    assert len(mails.received) == 2
    assert [still for _, way, still in told(warehouse) if way == "SmtpNotifier"] == [False, True]


def test_what_was_not_looked_at_is_not_over(mails: Mails, warehouse: Path) -> None:
    tell([failed()], NoticeKind, settings(BOTH[0]))
    tell([], [NoticeKind.APPROVAL_WAITS], settings(BOTH[0]))
    tell([failed()], NoticeKind, settings(BOTH[0]))
    assert len(mails.received) == 1


def test_a_server_that_fails_holds_no_other_and_is_tried_again(
    mails: Mails, posts: Posts, warehouse: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mails.refuses = True
    assert tell([failed()], NoticeKind, settings(*BOTH)) == {"found": 1, "told": 2, "not_told": 1, "over": 0}
    assert (len(mails.received), len(posts.received)) == (0, 1)
    assert "did not take 'The night of 2026-03-02 failed' and is tried again in an hour" in caplog.text
    mails.refuses = False
    assert tell([failed()], NoticeKind, settings(*BOTH))["told"] == 1
    assert (len(mails.received), len(posts.received)) == (1, 1)


@pytest.mark.parametrize("dotted", ["no.such.Notifier", "json.JSONDecoder", "airflow.sdk.DAG"])
def test_a_name_that_is_no_notifier_fails_nothing_else(
    dotted: str, mails: Mails, warehouse: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counts = tell([failed()], NoticeKind, settings({"notifier": dotted}, BOTH[0]))
    assert (counts["told"], counts["not_told"], len(mails.received)) == (2, 1, 1)
    assert f"Notifier {dotted} did not take" in caplog.text


def test_any_other_notifier_is_made_with_what_its_row_says(posts: Posts, warehouse: Path) -> None:
    row = {"notifier": SLACK, "text": "{{ notice.kind }} | {{ notice.page }}"}
    tell([failed("{{ 1 + 1 }}")], NoticeKind, settings(row))
    assert json.loads(posts.received[0])["text"] == f"night_failed | {PAGE}"
    assert {way for _, way, _ in told(warehouse)} == {"SlackWebhookNotifier", LOG.split()[0]}


def test_what_a_notice_says_is_never_taken_for_a_template(posts: Posts, warehouse: Path) -> None:
    tell([failed("{{ 1 + 1 }}")], NoticeKind, settings({"notifier": SLACK}))
    assert "The night of {{ 1 + 1 }} failed" in json.loads(posts.received[0])["text"]


def test_a_server_that_never_answers_holds_nobody(posts: Posts, warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "LONGEST_SENDING", timedelta(seconds=1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": silent.getsockname()[1],
            "extra": {"disable_ssl": True, "timeout": 600},
        }
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        counts = tell([failed()], NoticeKind, settings(*BOTH))
    assert (counts["told"], counts["not_told"], len(posts.received)) == (2, 1, 1)
