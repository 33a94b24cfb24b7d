"""The client and the sandbox, two processes that share nothing but CJ's schemas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.cj import errors as e
from include.cj.client import CJClient
from include.cj.limits import SlidingWindow
from include.cj.payload import request_body
from include.domain.account import Account, Token
from include.domain.marks import items_marks
from include.domain.shapes import CHUNK
from include.domain.states import Mode, Operation
from include.sandbox.process import SandboxProcess, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    state: Path = tmp_path_factory.mktemp("sandbox") / "state.sqlite"
    with start_sandbox(state, delay_seconds=3600.0, page_size=2, rate_limit=False) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults(sandbox: SandboxProcess) -> Iterator[None]:
    yield
    sandbox.control.clear_faults()


def account(sandbox: SandboxProcess, **changes: Any) -> Account:
    given = {
        "conn_id": "cj",
        "enterprise_id": "1500001",
        "advertiser_id": "5500001",
        "token": Token("sandbox-token"),
        "mode": Mode.LIVE,
        "tracking_url": sandbox.url,
        "commissions_url": sandbox.url + "/query",
    }
    return Account(**(given | changes))


def open_client(sandbox: SandboxProcess, **changes: Any) -> CJClient:
    return CJClient(account(sandbox, **changes), limits=SlidingWindow(10_000, 1.0), first_wait=0.001, longest_wait=0.01, attempts=3)


@pytest.fixture
def client(sandbox: SandboxProcess) -> Iterator[CJClient]:
    with open_client(sandbox) as opened:
        opened.ping()
        yield opened


def orders(client: CJClient, prefix: str, count: int = 1, **changes: Any) -> pa.Table:
    now = client.now()
    items = [
        {"sku": "BOOT-7", "quantity": 2, "unit_price": Decimal("22.99"), "discount": Decimal("5")},
        {"sku": 'SOCK é"\\', "quantity": 3, "unit_price": Decimal("1.0125"), "discount": None},
    ]
    given = {
        "enterprise_id": "1500001",
        "action_tracker_id": 401,
        "event_time": now - timedelta(hours=1, microseconds=1),
        "updated_at": now - timedelta(minutes=1),
        "amount": Decimal("44.02"),
        "discount": Decimal("0"),
        "currency": "USD",
        "items": items,
        "cj_event": "event-1",
        "custom_parameters": '{"store": 7}',
        "vertical_parameters": '{"city": "Paris", "advertiserVertical": "Retail"}',
    }
    return pa.Table.from_pylist([given | {"order_id": f"{prefix}-{n}"} | changes for n in range(count)], CHUNK)


def posted(client: CJClient, prefix: str) -> dict[str, Any]:
    """The sum of CJ's records of the orders with this prefix, as the ledger would see it."""
    now = client.now()
    pages = list(client.commission_pages("5500001", since_posting=now - timedelta(days=2), before_posting=now + timedelta(days=1)))
    tables = [page.table for page in pages]
    rows = {row["commission_id"]: row for row in pa.concat_tables(tables).to_pylist() if row["order_id"].startswith(prefix + "-")}
    return {
        "amount": sum(r["sale_amount"] for r in rows.values()),
        "mark": sum(r["items_mark"] for r in rows.values()),
        "records": len(rows),
    }


def test_create_restate_and_cancel_arrive_exactly_as_they_were_sent(client: CJClient, sandbox: SandboxProcess) -> None:
    made = orders(client, "LIFE", 3)
    answer = client.submit(Operation.CREATE, Mode.LIVE, request_body(Operation.CREATE, made))
    assert [(o.order_id, o.enterprise_id, o.action_tracker_id) for o in answer.orders] == [(f"LIFE-{n}", "1500001", 401) for n in range(3)]
    assert answer.errors == []
    assert posted(client, "LIFE")["records"] == 0
    sandbox.control.advance(3700)
    client.ping()
    assert posted(client, "LIFE") == {
        "amount": Decimal("132.06"),
        "mark": 3 * items_marks(made["items"])[0].as_py(),
        "records": 3,
    }

    fewer = [{"sku": "BOOT-7", "quantity": 1, "unit_price": Decimal("22.99"), "discount": None}]
    changed = orders(client, "LIFE", 3, items=fewer, amount=Decimal("22.99"), correction_reason="ReturnedMerchandise")
    assert len(client.submit(Operation.RESTATE, Mode.LIVE, request_body(Operation.RESTATE, changed)).orders) == 3
    sandbox.control.advance(3700)
    client.ping()
    assert posted(client, "LIFE") == {"amount": Decimal("68.97"), "mark": 3 * items_marks(changed["items"])[0].as_py(), "records": 9}

    undone = orders(client, "LIFE", 3, correction_reason="Other")
    assert len(client.submit(Operation.CANCEL, Mode.LIVE, request_body(Operation.CANCEL, undone)).orders) == 3
    sandbox.control.advance(3700)
    client.ping()
    final = posted(client, "LIFE")
    assert (final["amount"], final["mark"]) == (0, 0)


def test_test_mode_names_the_orders_and_posts_nothing(client: CJClient, sandbox: SandboxProcess) -> None:
    answer = client.submit(Operation.CREATE, Mode.TEST, request_body(Operation.CREATE, orders(client, "TRIAL", 2)))
    assert len(answer.orders) == 2
    sandbox.control.advance(3700)
    client.ping()
    assert posted(client, "TRIAL")["records"] == 0


def test_a_field_error_comes_back_in_cjs_words_and_accepts_nothing(client: CJClient) -> None:
    late = orders(client, "AHEAD", 2, event_time=client.now() + timedelta(hours=3))
    answer = client.submit(Operation.CREATE, Mode.LIVE, request_body(Operation.CREATE, late))
    assert answer.orders == []
    assert any("in the future" in problem.message for problem in answer.errors)


def test_the_clock_of_the_loop_is_the_sandboxs(client: CJClient, sandbox: SandboxProcess) -> None:
    sandbox.control.advance(86_400)
    client.ping()
    assert abs(client.now() - sandbox.control.clock()) < timedelta(seconds=5)


def test_a_value_outside_the_schema_is_named_so_and_keeps_cjs_words_apart(client: CJClient) -> None:
    wrong = orders(client, "WRONG", amount=Decimal("-1"))
    with pytest.raises(e.CJWrongType) as raised:
        client.submit(Operation.CREATE, Mode.TEST, request_body(Operation.CREATE, wrong))
    assert raised.value.problems


def test_a_wrong_token_and_a_strange_enterprise_are_told_apart(client: CJClient, sandbox: SandboxProcess) -> None:
    body = request_body(Operation.CREATE, orders(client, "AUTH"))
    with open_client(sandbox, token=Token("wrong")) as stranger:
        with pytest.raises(e.CJInvalidToken):
            stranger.submit(Operation.CREATE, Mode.LIVE, body)
        with pytest.raises(e.CJAuthError):
            stranger.commission_page("5500001")
    strange = request_body(Operation.CREATE, orders(client, "AUTH", enterprise_id="999"))
    with pytest.raises(e.CJUnauthorized):
        client.submit(Operation.CREATE, Mode.LIVE, strange)


@pytest.mark.parametrize(
    ("fault", "kind", "maybe_done"),
    [
        ({"kind": "status", "status": 503}, e.CJOverloaded, True),
        ({"kind": "status", "status": 504}, e.CJGatewayError, True),
        ({"kind": "status", "status": 429, "retry_after": 7}, e.CJRateLimited, False),
        ({"kind": "html"}, e.CJNoVerdict, True),
        ({"kind": "cut_before"}, e.CJCut, True),
        ({"kind": "cut_after"}, e.CJCut, True),
        ({"kind": "truncate"}, e.CJNoVerdict, True),
    ],
    ids=lambda value: value.get("kind") if isinstance(value, dict) else None,
)
def test_every_fault_becomes_its_error_and_a_live_call_is_not_repeated(
    client: CJClient, sandbox: SandboxProcess, fault: dict[str, Any], kind: type[e.CJError], maybe_done: bool
) -> None:
    sandbox.control.add_faults([{"path": "/graphql", "times": 9} | fault])
    before = sum(1 for call in sandbox.control.calls() if call["path"] == "/graphql")
    with pytest.raises(kind) as raised:
        client.submit(Operation.CREATE, Mode.LIVE, request_body(Operation.CREATE, orders(client, "FAULT")))
    assert raised.value.maybe_done is maybe_done
    assert sum(1 for call in sandbox.control.calls() if call["path"] == "/graphql") == before + 1


def test_a_read_outlives_faults_that_pass(client: CJClient, sandbox: SandboxProcess) -> None:
    client.submit(Operation.CREATE, Mode.LIVE, request_body(Operation.CREATE, orders(client, "PATIENT", 5)))
    sandbox.control.advance(3700)
    client.ping()
    sandbox.control.add_faults([{"kind": "status", "status": 503, "path": "/query"}, {"kind": "truncate", "path": "/query"}])
    assert posted(client, "PATIENT")["records"] == 5
