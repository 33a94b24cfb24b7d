"""The process: what it keeps over a restart, how it starts and stops, its clock, its seeds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.sandbox.accounts import DEFAULT
from include.sandbox.control import ControlError
from include.sandbox.process import ROOT, SandboxFailed, SandboxProcess, start_sandbox
from tests.sandbox.shop import HOUR, TOKEN, Shop, quantities, total

POSTED = datetime(2027, 1, 5, 8, tzinfo=UTC)


def test_the_date_header_of_every_answer_is_the_sandboxs_clock(sandbox: SandboxProcess) -> None:
    moment = datetime(2028, 2, 29, 12, tzinfo=UTC)
    with httpx.Client(base_url=sandbox.url, trust_env=False) as http:
        for move in (lambda: sandbox.control.set_clock(moment), lambda: sandbox.control.advance(86_400)):
            now = move()
            for answer in (http.post("/graphql"), http.get("/query"), http.get("/nowhere"), http.get("/_sandbox/health")):
                (date,) = answer.headers.get_list("date")
                assert timedelta(seconds=-1) < parsedate_to_datetime(date) - now < timedelta(seconds=60)


def test_killed_and_started_again_it_knows_everything(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "state.sqlite", rate_limit=False, delay_seconds=600, page_size=7) as sandbox:
        shop = Shop(sandbox.url, sandbox.control)
        sandbox.control.advance(40 * 86_400)
        sandbox.control.configure(close_after_days=3)
        shop.send("create", [shop.order("create", "posted", amount="1.00")])
        sandbox.control.advance(602)
        before = shop.records("posted")
        shop.send("create", [shop.order("create", "pending", amount="2.00")])
        sandbox.control.add_faults([{"kind": "status", "path": "/graphql", "status": 500, "after_calls": 1}])
        url, clock, knobs = sandbox.url, sandbox.control.clock(), sandbox.control.config()
        sandbox.restart()
        assert sandbox.url == url
        assert sandbox.control.config() == knobs
        assert timedelta(0) <= sandbox.control.clock() - clock < timedelta(minutes=5)
        shop = Shop(sandbox.url, sandbox.control)
        assert shop.records("posted") == before
        assert shop.fate("pending")["posted"] is None
        sandbox.control.advance(602)
        (record,) = shop.records("pending")
        assert int(record["commissionId"]) == int(before[-1]["commissionId"]) + 1
        assert [shop.send_raw("cancel", []).status_code for _ in range(3)] == [200, 500, 200]
        assert len(list(sandbox.control.calls())) > 5


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to_and_frees_its_port(tmp_path: Path, how: signal.Signals) -> None:
    with start_sandbox(tmp_path / "state.sqlite") as sandbox:
        os.kill(sandbox.pid, how)
        sandbox._process.wait(10)  # type: ignore[union-attr]
        with pytest.raises(httpx.ConnectError):
            httpx.get(sandbox.url)
        assert "Traceback" not in sandbox.log.read_text()


def test_a_port_that_is_taken_is_said_in_a_sentence(sandbox: SandboxProcess, tmp_path: Path) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(SandboxFailed, match=f"cannot listen on 127.0.0.1:{port}"):
        start_sandbox(tmp_path / "state.sqlite", port=port)


def test_the_state_gives_no_token_away(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "state.sqlite") as sandbox:
        shop = Shop(sandbox.url, sandbox.control)
        shop.post("create", "one", amount="1.00")
    assert all(TOKEN.encode() not in file.read_bytes() for file in tmp_path.iterdir())


def seed_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "accounts.json").write_text(json.dumps([DEFAULT]))
    items = json.dumps([{"sku": "tea", "quantity": 3, "unit_price": "10.00", "discount": "5.00"}])
    common: dict[str, Any] = {"enterprise_id": "1500001", "action_tracker_id": 401, "currency": "USD", "coupon": None, "items": items}
    common |= {
        "amount": "25.00",
        "discount": "2.50",
        "event_time": POSTED - timedelta(hours=1),
        "posted_at": POSTED,
        "publisher_id": "7108602",
    }
    common |= {"locking_date": None, "action_status": None, "commissionable": True}
    rows = [
        common | {"order_id": "plain"},
        common | {"order_id": "set-lock", "locking_date": POSTED + timedelta(days=90)},
        common | {"order_id": "closed", "action_status": "closed"},
        common | {"order_id": "unpaid", "commissionable": False},
        common | {"order_id": "pounds", "currency": "GBP", "items": None, "discount": None},
    ]
    schema = pa.schema(
        [("enterprise_id", pa.string()), ("action_tracker_id", pa.int64()), ("order_id", pa.string()), ("amount", pa.string()),
         ("discount", pa.string()), ("currency", pa.string()), ("coupon", pa.string()), ("items", pa.string()),
         ("event_time", pa.timestamp("us", "UTC")), ("posted_at", pa.timestamp("us", "UTC")), ("publisher_id", pa.string()),
         ("locking_date", pa.timestamp("us", "UTC")), ("action_status", pa.string()), ("commissionable", pa.bool_())]
    )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "orders.parquet")
    return folder


def test_seeded_orders_are_what_cj_holds_and_seeding_twice_changes_nothing(tmp_path: Path) -> None:
    folder = seed_folder(tmp_path / "seed")
    with start_sandbox(tmp_path / "state.sqlite", seed=folder, rate_limit=False) as sandbox:
        sandbox.control.set_clock(POSTED + timedelta(hours=2))
        shop = Shop(sandbox.url, sandbox.control)
        held = list(sandbox.control.orders())
        assert {o["order_id"]: o["action_status"] for o in held} == {
            "plain": "new", "set-lock": "new", "closed": "closed", "unpaid": "new", "pounds": "new",
        }  # fmt: skip
        (plain,) = shop.records("plain")
        assert (plain["saleAmountAdvCurrency"], plain["lockingDate"], plain["postingDate"]) == (
            "22.50",
            "2027-02-10T00:00:00Z",
            "2027-01-05T08:00:00Z",
        )
        assert shop.records("set-lock")[0]["lockingDate"] == "2027-04-05T08:00:00Z"
        assert shop.records("pounds")[0]["saleAmountAdvCurrency"] == "31.75"
        assert sandbox.control.seed(folder) == {"accounts": 1, "orders_added": 0}
        assert list(sandbox.control.orders()) == held
        sandbox.restart()
        assert list(sandbox.control.orders()) == held
        shop = Shop(sandbox.url, sandbox.control)
        shop.post("restate", "plain", amount="20.00")
        assert total(shop.records("plain"), "saleAmountAdvCurrency") == Decimal("20.00")
        assert quantities(shop.records("plain")) == {}
        for order_id, reason in (("closed", "closed"), ("unpaid", "not_commissionable")):
            shop.post("restate", order_id, amount="20.00")
            assert shop.fate(order_id)["drop_reason"] == reason


def test_a_seed_that_cannot_be_used_is_refused_in_a_sentence(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"has no accounts\.json"):
        sandbox.control.seed(tmp_path)
    with pytest.raises(ControlError, match="which no account has"):
        sandbox.control.seed(
            orders=[
                {"enterprise_id": "1", "action_tracker_id": 1, "order_id": "x", "amount": "1", "event_time": POSTED, "posted_at": POSTED}
            ]
        )
    with pytest.raises(ControlError, match="There is no knob 'colour'"):
        sandbox.control.configure(colour="red")
    with pytest.raises(ControlError, match="must be between 1 and 10000"):
        sandbox.control.configure(page_size=20_000)


def test_it_binds_loopback_unless_told_otherwise() -> None:
    said = subprocess.run([sys.executable, "-m", "include.sandbox", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "loopback by default" in said.stdout


def test_due_orders_post_though_nobody_reads(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "state.sqlite", delay_seconds=0) as sandbox:
        shop = Shop(sandbox.url, sandbox.control)
        shop.send("create", [shop.order("create", "quiet", amount="1.00")])
        sandbox.control.advance(HOUR)
        assert shop.fate("quiet")["posted"] is True
