"""Every mistake in a connection or Variable gives one sentence that names it; what is right becomes Settings."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from include.airflow.connections import READ_APART, approval_limit, settings_from_airflow
from include.airflow.environment import ROOT
from include.airflow.warehouse import warehouse_location
from include.domain.errors import SettingError
from include.domain.states import Mode
from include.restatements.settings import TOLD, Settings, variable_of

TOKEN = "pat-9f3c-not-to-be-seen"
GOOD = {"enterprise_id": "1500001", "advertiser_id": "5500001"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No connection and no Variable but those a test sets; Airflow reads them from the environment, as in production."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_"))]:
        monkeypatch.delenv(name)
    yield


def connect(monkeypatch: pytest.MonkeyPatch, extra: Mapping[str, Any] | None = None, conn_id: str = "cj", **fields: Any) -> None:
    entry = {"conn_type": "http", "password": TOKEN, "extra": {**GOOD, **(extra or {})}} | fields
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(entry))


def sentence(said: Mapping[str, Any] | None = None) -> str:
    with pytest.raises(SettingError) as caught:
        settings_from_airflow(said)
    text = str(caught.value)
    assert TOKEN not in text
    assert text.endswith(".")
    return text


def test_a_good_connection_becomes_an_account_in_test_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    settings = settings_from_airflow()
    (account,) = settings.accounts
    assert (account.conn_id, account.enterprise_id, account.advertiser_id) == ("cj", "1500001", "5500001")
    assert (account.currency, account.mode, account.sale_amount_basis) == ("USD", Mode.TEST, "net")
    assert account.token.reveal() == TOKEN
    assert settings.storage == f"file://{os.environ['AIRFLOW_HOME']}/cj_data"
    assert (settings.chunk_size, settings.max_quarantine_ratio, settings.approve_above) == (10_000, Decimal("0.05"), None)
    assert (settings.processing_minutes, settings.deadline_hours, settings.mode) == (60, 36, None)


def test_the_token_is_masked_in_logs_and_printed_as_stars(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from airflow.sdk._shared.secrets_masker import redact

    connect(monkeypatch)
    with caplog.at_level(logging.DEBUG):
        settings = settings_from_airflow()
    assert TOKEN not in f"{settings!r} {settings.accounts[0]!s}" + caplog.text
    assert TOKEN not in str(redact(f"a line with {TOKEN} in it"))


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ({"enterprise_id": ""}, ["'cj'", "enterprise_id"]),
        ({"advertiser_id": None}, ["'cj'", "advertiser_id"]),
        ({"advertiser_id": "CJ-55"}, ["'cj'", "advertiser_id", "number"]),
        ({"mode": "production"}, ["'cj'", "mode", "'production'", "'test' or 'live'"]),
        ({"currency": "dollar"}, ["'cj'", "currency", "'dollar'", "USD"]),
        ({"tracking_url": "http://tracking.api.cj.com"}, ["'cj'", "tracking_url", "https"]),
        ({"commissions_url": "ftp://commissions.api.cj.com"}, ["'cj'", "commissions_url", "https"]),
        ({"tracking_url": "https://tracking.api.cj.com/graphql"}, ["'cj'", "tracking_url", "what follows the host"]),
        ({"tracking_url": "http://[bad"}, ["'cj'", "tracking_url", "cannot be read"]),
        ({"commissions_url": "https://host:99999/query"}, ["'cj'", "commissions_url", "cannot be read"]),
        ({"commissions_url": "https://two words/query"}, ["'cj'", "commissions_url", "cannot be read"]),
        ({"sale_amount_basis": "brutto"}, ["'cj'", "sale_amount_basis", "'net' or 'gross'"]),
        ({"enterprise": "1500001", "Mode": "live"}, ["'cj'", "Mode, enterprise", "Known keys"]),
    ],
)
def test_a_mistake_in_extra_is_named(monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], names: list[str]) -> None:
    connect(monkeypatch, extra)
    text = sentence()
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("url", [f"https://user:{TOKEN}@host", f"user:{TOKEN}@host", f"http://user:{TOKEN}@[bad"])
def test_a_password_in_an_address_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("tracking_url", "commissions_url"):
        connect(monkeypatch, {name: url})
        assert f"'cj': extra {name} holds an '@'" in sentence()


def test_a_missing_connection_a_missing_token_and_a_broken_extra_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no connection 'cj'" in sentence()
    monkeypatch.setenv("AIRFLOW_CONN_CJ", '{"conn_type": "http",')
    assert "'cj' that Airflow can read. Create it (in AIRFLOW_CONN_CJ: whole JSON" in sentence()
    connect(monkeypatch, password="")
    assert "'cj' has no password" in sentence()
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": TOKEN, "extra": "{not json"}))
    assert "'cj': extra is not JSON" in sentence()


@pytest.mark.parametrize("text", ["cj", "[]", '{"cj": 1}', "[1]", '["cj", "cj"]'])
def test_a_wrong_list_of_accounts_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    connect(monkeypatch)
    monkeypatch.setenv("AIRFLOW_VAR_CJ_CONN_IDS", text)
    assert "Variable cj_conn_ids" in sentence()


def test_two_accounts_are_read_and_one_may_be_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    connect(monkeypatch, {"enterprise_id": "1500002", "mode": "live"}, conn_id="cj_uk")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_CONN_IDS", '["cj", "cj_uk"]')
    assert [(a.conn_id, a.mode) for a in settings_from_airflow().accounts] == [("cj", Mode.TEST), ("cj_uk", Mode.LIVE)]
    monkeypatch.delenv("AIRFLOW_CONN_CJ")
    assert [a.conn_id for a in settings_from_airflow(only=["cj_uk"]).accounts] == ["cj_uk"]


def test_two_connections_for_one_enterprise_are_refused_because_orders_would_go_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    connect(monkeypatch, conn_id="cj_again")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_CONN_IDS", '["cj", "cj_again"]')
    assert "'cj' and 'cj_again'" in sentence()


def test_a_run_may_be_more_careful_than_its_connection_and_never_less(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, {"mode": "live"})
    settings = settings_from_airflow({"mode": "test"})
    assert settings.effective_mode(settings.accounts[0]) is Mode.TEST
    connect(monkeypatch)
    assert "The run's param mode asks for mode 'live', but connection 'cj' says 'test'" in sentence({"mode": "live"})
    monkeypatch.setenv("AIRFLOW_VAR_CJ_MODE", "live")
    assert "Variable cj_mode asks for mode 'live', but connection 'cj' says 'test'" in sentence()
    assert settings_from_airflow({"mode": "test"}).mode is Mode.TEST


def test_a_param_wins_over_the_variable_and_an_empty_one_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    monkeypatch.setenv("AIRFLOW_VAR_CJ_CHUNK_SIZE", "500")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_PROCESSING_MINUTES", "0.5")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_LATE_HOURS", "6")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_ALLOW_FIELD_LOSS", '["coupon"]')
    monkeypatch.setenv("AIRFLOW_VAR_CJ_COMBINE_ITEMS", "true")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_GATE_TOUCHED", "off")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_GATE_TIMES_USUAL", "2.5")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_GATE_NEW_TRACKER", "false")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_STORAGE", "s3://bucket/cj/")
    settings = settings_from_airflow({"chunk_size": None, "max_quarantine_ratio": 0.1})
    assert (settings.chunk_size, settings.processing_minutes, settings.storage) == (500, 0.5, "s3://bucket/cj")
    assert settings.late_hours == 6
    assert (settings.gate_touched, settings.gate_taken_back, settings.gate_times_usual) == (None, Decimal("0.05"), Decimal("2.5"))
    assert settings.gate_new_tracker is False
    assert (settings.allow_field_loss, settings.combine_items) == (frozenset({"coupon"}), True)
    assert settings.max_quarantine_ratio == Decimal("0.1")
    assert settings_from_airflow({"chunk_size": 20}).chunk_size == 20


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chunk_size", "10001"),
        ("chunk_size", "many"),
        ("chunk_size", "0.5"),
        ("max_quarantine_ratio", "5"),
        ("max_quarantine_ratio", "nan"),
        ("processing_minutes", "-1"),
        ("deadline_hours", "soon"),
        ("late_hours", "-6"),
        ("combine_items", "maybe"),
        ("gate_touched", "5 %"),
        ("gate_touched", "5"),
        ("gate_times_usual", "0.5"),
        ("gate_fewest", "0"),
        ("never_above", "-1"),
        ("canary_orders", "0"),
        ("notifiers", "mail"),
        ("case_region", "fr"),
        ("case_desk_hours", "9 to 5"),
        ("case_days_closed", '["24.12.2026"]'),
        ("case_cc", "a@example.org"),
        ("notifiers", '[{"to": "x"}]'),
        ("notifiers", '["a.B"]'),
        ("notice_break_above", "-1"),
        ("allow_field_loss", '["amount"]'),
        ("allow_field_loss", "coupon"),
        ("open_ended_status", "accepted"),
        ("approve_above", "1.000,00"),
        ("approve_above", "-5"),
        ("storage", "/var/cj"),
        ("storage", "file://relative/x"),
        ("storage", "file:///"),
        ("storage", "file://"),
        ("processing_minutes", "99999999"),
        ("deadline_hours", "99999999"),
        ("late_hours", "99999999"),
        ("ledger_days", "3651"),
        ("keep_skipped_days", "99999999"),
        ("keep_settled_days", "364"),
        ("partner_payment_day", "29"),
        ("mode", "dry"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    connect(monkeypatch)
    monkeypatch.setenv(f"AIRFLOW_VAR_CJ_{name.upper()}", value)
    assert f"Variable cj_{name}" in sentence()


def test_ten_years_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    assert settings_from_airflow({"ledger_days": 3650, "late_hours": 87_600, "processing_minutes": 5_256_000}).ledger_days == 3650


def test_the_approval_limit_can_be_lowered_by_a_run_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    assert approval_limit() is None
    assert approval_limit({"approve_above": 0.1}) == Decimal("0.1")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_APPROVE_ABOVE", "1000.50")
    assert approval_limit({"approve_above": None}) == Decimal("1000.50")
    assert approval_limit({"approve_above": 10}) == Decimal("10")
    assert approval_limit({"approve_above": "99999"}) == Decimal("1000.50")


def test_no_run_loosens_the_money_gate_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch)
    monkeypatch.setenv("AIRFLOW_VAR_CJ_NEVER_ABOVE", "100")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_CANARY_ORDERS", "20")
    monkeypatch.setenv("AIRFLOW_VAR_CJ_SEND_FOUND", "false")
    settings = settings_from_airflow(
        {
            "gate_touched": "off",
            "gate_fewest": 9999,
            "gate_new_tracker": False,
            "never_above": 10**9,
            "canary_orders": "off",
            "send_found": True,
        }
    )
    assert (settings.gate_touched, settings.gate_fewest, settings.gate_new_tracker) == (Decimal("0.05"), 20, True)
    assert (settings.never_above, settings.canary_orders, settings.send_found) == (Decimal("100"), 20, False)


def warehouse(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(fields))


def test_a_duckdb_warehouse_is_the_file_in_host(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse(monkeypatch, conn_type="duckdb", host="/data/w.duckdb")
    location = warehouse_location()
    assert (location.kind, location.path) == ("duckdb", "/data/w.duckdb")


def test_a_postgres_warehouse_keeps_odd_passwords_sockets_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse(
        monkeypatch,
        conn_type="postgres",
        host="db",
        port=5433,
        login="cj",
        password="p@ss/w:rd",
        schema="shop",
        extra={"sslmode": "require"},
    )
    location = warehouse_location()
    assert location.uri == "postgresql://cj:p%40ss%2Fw%3Ard@db:5433/shop?sslmode=require"
    assert "p@ss" not in repr(location) + str(location)
    warehouse(monkeypatch, conn_type="postgres", host="/run/pg", login="postgres", schema="shop")
    assert warehouse_location().uri == "postgresql://postgres@/shop?host=%2Frun%2Fpg"


@pytest.mark.parametrize("conn_type", ["postgresql", "pg"])
def test_other_names_of_postgres_mean_it(monkeypatch: pytest.MonkeyPatch, conn_type: str) -> None:
    warehouse(
        monkeypatch,
        conn_type=conn_type,
        host="db",
        port=5433,
        schema="shop",
        extra={"connect_timeout": 5, "keepalives": "", "cursor": "dictcursor"},
    )
    location = warehouse_location()
    assert (location.kind, location.uri) == ("postgres", "postgresql://db:5433/shop?connect_timeout=5")


def test_a_relative_duckdb_file_lies_in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse(monkeypatch, conn_type="duckdb", host="data/w.duckdb")
    assert warehouse_location().path == str(ROOT / "data/w.duckdb")


def test_a_warehouses_password_is_masked_in_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk._shared.secrets_masker import redact

    warehouse(monkeypatch, conn_type="postgres", host="db", password="pass-4711-of-the-warehouse")
    location = warehouse_location()
    assert "pass-4711" in location.uri
    assert "pass-4711" not in str(redact(f"connecting to {location.uri}"))


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (None, "no connection 'warehouse'.*: .*type duckdb with the file in host, or .*type postgres"),
        ({"conn_type": "sqlite", "host": "x"}, "'sqlite', which is not supported"),
        ({"conn_type": "duckdb"}, "has no host: put the path of the DuckDB file there"),
        ({"conn_type": "duckdb", "host": ":memory:"}, "begins with ':memory:'"),
        ({"conn_type": "duckdb", "host": f"md:shop?motherduck_token={TOKEN}"}, "begins with 'md:'"),
        ({"conn_type": "postgres", "schema": "shop"}, "has no host: put the server's name, or the folder of its socket, there"),
        ({"conn_type": "pg"}, "has no host"),
        ({"conn_type": "postgres", "host": "db", "extra": "[1]"}, "extra must be a JSON object"),
    ],
)
def test_a_warehouse_that_cannot_work_is_named(monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any] | None, names: str) -> None:
    if fields is not None:
        warehouse(monkeypatch, **fields)
    with pytest.raises(SettingError, match=names) as caught:
        warehouse_location()
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("accounts", '["cj_uk"]', ("cj_uk",)),
        ("storage", "s3://bucket/other", "s3://bucket/other"),
        ("storage_conn_id", "bucket", "bucket"),
        ("mode", "test", Mode.TEST),
        ("order_changes_sql", "/etc/orders.sql", "/etc/orders.sql"),
        ("chunk_size", "7", 7),
        ("chunks_per_task", "9", 9),
        ("max_quarantine_ratio", "0.5", Decimal("0.5")),
        ("approve_above", "12.50", Decimal("12.50")),
        ("gate_touched", "off", None),
        ("gate_taken_back", "0.5", Decimal("0.5")),
        ("gate_times_usual", "1.5", Decimal("1.5")),
        ("gate_new_cancelled", "1", Decimal(1)),
        ("gate_new_tracker", "no", False),
        ("gate_fewest", "5", 5),
        ("gate_fewest_cancelled", "6", 6),
        ("never_above", "9.99", Decimal("9.99")),
        ("send_found", "no", False),
        ("canary_orders", "20", 20),
        ("late_hours", "2.5", 2.5),
        ("processing_minutes", "61", 61),
        ("deadline_hours", "37", 37),
        ("open_ended_status", "Accepted", "Accepted"),
        ("combine_items", "yes", True),
        ("allow_field_loss", '["items"]', frozenset({"items"})),
        ("currency_band", "0.1", Decimal("0.1")),
        ("ids_must_meet", "0", Decimal(0)),
        ("night_hours", "4", 4),
        ("notice_break_above", "off", None),
        ("notice_lock_days", "2", 2),
        ("days_before_lock", "5", 5),
        ("return_days", "45", 45),
        ("notifiers", '[{"notifier": "a.B", "to": "x"}]', ({"notifier": "a.B", "to": "x"},)),
        ("case_after_attempts", "3", 3),
        ("case_region", "uk", "uk"),
        ("case_line", "+44 1", "+44 1"),
        ("case_desk_hours", "09:00-17:30", (time(9), time(17, 30))),
        ("case_days_closed", '["2026-12-24"]', frozenset({date(2026, 12, 24)})),
        ("case_days_open", '["2026-10-12"]', frozenset({date(2026, 10, 12)})),
        ("case_reason", "Tracking", "Tracking"),
        ("case_sub_reason", " API  use ", "API use"),
        ("case_cc", '["a@example.org"]', ("a@example.org",)),
        ("ledger_days", "30", 30),
        ("partner_mappings", "/data/partners", "/data/partners"),
        ("partner_days", "400", 400),
        ("partner_payment_day", "20", 20),
        ("keep_skipped_days", "31", 31),
        ("keep_settled_days", "730", 730),
    ],
)
def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    connect(monkeypatch)
    connect(monkeypatch, conn_id="cj_uk")
    monkeypatch.setenv(f"AIRFLOW_VAR_{variable_of(name).upper()}", text)
    settings = settings_from_airflow()
    found = tuple(account.conn_id for account in settings.accounts) if name == "accounts" else getattr(settings, name)
    assert found == value


def test_no_setting_was_left_out_of_the_test_above() -> None:
    (cases,) = (mark.args[1] for mark in test_every_setting_is_read_from_its_variable.pytestmark if mark.name == "parametrize")
    assert {name for name, _, _ in cases} == {field.name for field in fields(Settings)} == set(TOLD)
    assert set(TOLD) >= READ_APART
