"""A real HTTP server on loopback that answers as it is told, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest

from include.cj.client import CJClient
from include.cj.limits import SlidingWindow
from include.domain.account import Account, Token
from include.domain.states import Mode

TOKEN = "secret-token-4711"


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Scripted:
    """What to answer next: entries are used in order, the last one stays. `cut` closes the connection instead of answering."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    cut_within: bool = False
    silence: float = 0.0
    drip: float = 0.0
    """Seconds between the bytes of the body."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Scripted] = [Scripted()]
        self.asked: list[Asked] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answers(self, *script: Scripted | dict[str, Any]) -> None:
        self.script = [s if isinstance(s, Scripted) else Scripted(body=orjson.dumps(s)) for s in script]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        server = self.server
        server.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        now = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        if now.silence:
            server.closing.wait(now.silence)
        if now.cut:
            self.close_connection = True
            return
        self.send_response_only(now.status)
        if "date" not in {name.lower() for name in now.headers}:
            self.send_header("Date", self.date_time_string())
        for name, value in now.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(now.body)))
        self.end_headers()
        if now.drip:
            for byte in now.body:
                self.wfile.write(bytes([byte]))
                if server.closing.wait(now.drip):
                    break
            return
        self.wfile.write(now.body[: len(now.body) // 2] if now.cut_within else now.body)
        self.close_connection = self.close_connection or now.cut_within

    do_GET = do_POST

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def servers() -> Iterator[Callable[[], Server]]:
    started: list[tuple[Server, threading.Thread]] = []

    def start() -> Server:
        server = Server()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def cj(servers: Callable[[], Server]) -> Server:
    """CJ, as far as the client can tell."""
    return servers()


def account_at(tracking: str, commissions: str | None = None) -> Account:
    return Account(
        conn_id="cj",
        enterprise_id="1501",
        advertiser_id="5501",
        token=Token(TOKEN),
        mode=Mode.LIVE,
        tracking_url=tracking,
        commissions_url=commissions or tracking + "/query",
    )


@pytest.fixture
def connect() -> Iterator[Callable[..., CJClient]]:
    """Opens clients that do not wait between attempts, and closes them."""
    opened: list[CJClient] = []

    def open_client(server: Server | str, **options: Any) -> CJClient:
        url = server if isinstance(server, str) else server.url
        given: dict[str, Any] = {"first_wait": 0.001, "longest_wait": 0.01, "attempts": 3, "limits": SlidingWindow(1_000, 1.0)} | options
        client = CJClient(account_at(url), **given)
        opened.append(client)
        return client

    yield open_client
    for client in opened:
        client.close()


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def token() -> str:
    return TOKEN


def echo(order_id: str, **changes: Any) -> dict[str, Any]:
    given = {
        "orderId": order_id,
        "submissionId": "sub-1",
        "batchId": "batch-1",
        "advertiser": {"enterpriseId": "1501"},
        "actionTracker": {"id": 4001},
    }
    return given | changes


@pytest.fixture
def echoes() -> Callable[..., dict[str, Any]]:
    """The answer to createOrders that names these orders."""

    def answer(*order_ids: str, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        return {"data": {"createOrders": {"orders": [echo(o) for o in order_ids], "errors": errors or []}}}

    return answer


def record(commission_id: str, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "commissionId": commission_id,
        "advertiserId": "5501",
        "actionTrackerId": "4001",
        "actionTrackerName": "Sale",
        "orderId": "ORD-1",
        "actionType": "item_sale",
        "actionStatus": "new",
        "publisherId": "7108602",
        "publisherName": "Aspire",
        "eventDate": "2026-03-01T09:00:00Z",
        "postingDate": "2026-03-01T10:03:00.25Z",
        "lockingDate": "2026-04-10T09:00:00Z",
        "lockingMethod": "FIXED_DATE",
        "validationStatus": "PENDING",
        "original": True,
        "originalActionId": "77",
        "correctionReason": None,
        "saleAmountAdvCurrency": "122.94",
        "orderDiscountAdvCurrency": "-0.10",
        "orderDiscountOrigCurrency": None,
        "advCommissionAmountAdvCurrency": "6.147",
        "cjFeeAdvCurrency": "1.8441",
        "coupon": "SPRING",
        "saleAmountPubCurrency": "96.80",
        "saleAmountUsd": "122.94",
        "pubCommissionAmountPubCurrency": "4.84",
        "pubCommissionAmountUsd": "6.147",
        "items": [
            {
                "commissionItemId": commission_id + "-1",
                "sku": "SKU-1",
                "quantity": 2,
                "perItemSaleAmountAdvCurrency": "22.99",
                "discountAdvCurrency": "5.00",
                "totalCommissionAdvCurrency": "2.05",
            }
        ],
    }
    return given | changes


@pytest.fixture
def records() -> Callable[..., dict[str, Any]]:
    return record


@pytest.fixture
def page() -> Callable[..., dict[str, Any]]:
    """An answer of Commission Detail."""

    def answer(*found: dict[str, Any], complete: bool = True, cursor: str | None = None) -> dict[str, Any]:
        last = cursor or (found[-1]["commissionId"] if found else None)
        return {
            "data": {
                "advertiserCommissions": {
                    "count": len(found),
                    "payloadComplete": complete,
                    "maxCommissionId": last,
                    "records": list(found),
                }
            }
        }

    return answer
