"""A Tracking API that answers as it is told and remembers what it was asked: CJ's side of posting, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.limits import SlidingWindow
from include.domain.account import Account, Token
from include.domain.money import money
from include.domain.shapes import CHUNK
from include.domain.states import Mode, Operation
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.chunks import content_hash
from include.restatements.journal.journal import ChunkRef, Journal
from include.restatements.posting.poster import Poster, Submitted
from include.storage.local import LocalFolder

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNT = Account(
    "cj", "1501", "5501", Token("secret"), tracking_url="https://tracking.example", commissions_url="https://detail.example/query"
)
REF = ChunkRef("night", Operation.CREATE, "0f" * 8)
TEST, LIVE = "/graphqltest", "/graphql"

Answering = Callable[[list[str]], httpx.Response]


def echoes(orders: Sequence[str], errors: Sequence[str] = (), strangers: Sequence[str] = ()) -> httpx.Response:
    """An answer that names these orders, and besides them some that nobody sent."""
    named = [
        {"orderId": order, "submissionId": "s", "batchId": "b", "advertiser": {"enterpriseId": "1501"}, "actionTracker": {"id": 401}}
        for order in (*orders, *strangers)
    ]
    problems = [{"message": words, "fields": []} for words in errors]
    return httpx.Response(200, json={"data": {"createOrders": {"orders": named, "errors": problems}}})


def refusal(words: str) -> httpx.Response:
    return httpx.Response(200, json={"data": {"createOrders": {"orders": None, "errors": [{"message": words, "fields": []}]}}})


def broken(words: str) -> httpx.Response:
    """The execution of the field failed, as graphql-java says it."""
    return httpx.Response(200, json={"data": {"createOrders": None}, "errors": [{"message": words, "path": ["createOrders"]}]})


class StandingClient(CJClient):
    """A client whose clock is moved by hand."""

    at = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class Stage:
    """One chunk, planned, and the CJ it is sent to."""

    place: Path
    orders: Sequence[str] = ("A", "B", "C")
    mode: Mode = Mode.LIVE
    in_test: Answering = echoes
    live: Answering = echoes
    asked: list[tuple[str, list[str]]] = field(default_factory=list)
    checkpoint: Checkpoint = no_checkpoint

    def __post_init__(self) -> None:
        row = {"enterprise_id": "1501", "action_tracker_id": 401, "event_time": NOON, "updated_at": NOON, "amount": money("1.00")}
        rows = [row | {"order_id": order, "payload_hash": "x", "attempt": 1} for order in self.orders]
        table = pa.Table.from_pylist(rows, CHUNK)
        self.journal = Journal(LocalFolder(self.place))
        self.journal.put_table(f"{REF}.parquet", table)
        self.content = content_hash("1501", REF.operation, table)
        self.client = StandingClient(ACCOUNT, transport=httpx.MockTransport(self._answer), limits=SlidingWindow(10_000, 1.0), attempts=1)
        self.breaker = Breaker(LocalFolder(self.place), "breaker.json", lambda: NOON, threshold=1)

    def submit(self) -> Submitted:
        done = Submitted()
        Poster(self.client, self.breaker, self.mode, self.journal, self.checkpoint).submit(REF, self.content, done)
        return done

    def calls(self, path: str) -> list[list[str]]:
        """The orders of each call there."""
        return [orders for asked, orders in self.asked if asked == path]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body: dict[str, Any] = orjson.loads(request.content)
        if "variables" not in body:
            return httpx.Response(200, json={"data": {"getBuildNumber": "1"}})
        orders = [order["orderId"] for order in body["variables"]["orders"]]
        self.asked.append((request.url.path, orders))
        return self.live(orders) if request.url.path == LIVE else self.in_test(orders)
