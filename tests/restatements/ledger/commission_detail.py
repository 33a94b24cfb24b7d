"""A Commission Detail that answers from a list and remembers what it was asked: CJ's side of the ledger, with a clock that stands still."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import orjson

from include.cj.client import CJClient
from include.cj.limits import SlidingWindow
from include.domain.account import Account, Token

ACCOUNT = Account(
    "cj", "1501", "5501", Token("secret"), tracking_url="https://tracking.example", commissions_url="https://detail.example/query"
)
NOW = datetime(2031, 3, 14, 12, tzinfo=UTC)
"""Far from the machine's own clock, so that one taken for the other would show. Whole seconds, as a `Date` header has them."""
NEAR = timedelta(seconds=30)
"""CJ's clock goes on from what its last answer said: what is measured from it is known to the seconds a test takes."""


class StandingClient(CJClient):
    """A client whose clock does not go on."""

    def now(self) -> datetime:
        return NOW


_ARGUMENT = re.compile(r"(\w+): (\[.*\]|\".*\")\n")


def record(commission_id: str, posted: datetime, **fields: Any) -> dict[str, Any]:
    """A record of an order of its own, worth 10.00."""
    plain = {
        "commissionId": commission_id, "advertiserId": ACCOUNT.advertiser_id, "actionTrackerId": "401", "orderId": f"o-{commission_id}",
        "actionType": "sim_sale", "actionStatus": "new", "publisherId": "7108602", "originalActionId": commission_id,
        "postingDate": text(posted), "original": True, "saleAmountAdvCurrency": "10.00", "items": [],
    }  # fmt: skip
    return plain | fields


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Asked:
    """One question: from when (inclusive) to when (exclusive), past which id, or which ids alone."""

    since: datetime | None
    before: datetime | None
    cursor: str | None
    ids: list[str] | None


@dataclass
class CommissionDetail:
    """`now` is its clock, `records` what it shows, `asked` every question so far."""

    now: datetime = NOW
    records: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    hidden_by_id: set[str] = field(default_factory=set)
    """Records that are not shown to who asks for them by their id."""
    fails_by_id: bool = False
    most_on_a_page: int = 10_000
    before_answer: Callable[[Asked], None] = lambda _: None
    """What happens while it is asked for a page. An httpx error is what came instead of an answer."""

    def client(self, kind: type[CJClient] = CJClient) -> CJClient:
        transport = httpx.MockTransport(self._answer)
        return kind(ACCOUNT, transport=transport, limits=SlidingWindow(10_000, 1.0), attempts=1)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        document = orjson.loads(request.content)["query"]
        if self.fails_by_id and "commissionIds" in document:
            return httpx.Response(503)
        if request.url.host == "tracking.example":
            found: dict[str, Any] = {"getBuildNumber": "1"}
        else:
            found_records = self._found(document)
            records = found_records[: self.most_on_a_page]
            last = records[-1]["commissionId"] if records else None
            whole = len(records) == len(found_records)
            page = {"count": len(records), "payloadComplete": whole, "maxCommissionId": last, "records": records}
            found = {"advertiserCommissions": page}
        return httpx.Response(200, json={"data": found}, headers={"Date": format_datetime(self.now, usegmt=True)})

    def _found(self, document: str) -> list[dict[str, Any]]:
        said = {name: orjson.loads(value) for name, value in _ARGUMENT.findall(document)}
        since, before = (datetime.fromisoformat(said[n]) if n in said else None for n in ("sincePostingDate", "beforePostingDate"))
        asked = Asked(since, before, said.get("sinceCommissionId"), said.get("commissionIds"))
        self.asked.append(asked)
        self.before_answer(asked)
        return sorted((r for r in self.records if self._shown(r, asked)), key=lambda r: int(r["commissionId"]))

    def _shown(self, record: dict[str, Any], asked: Asked) -> bool:
        """Without bounds CJ shows the past 24 hours by posting date, whatever else is asked."""
        posted = datetime.fromisoformat(record["postingDate"])
        since = asked.since or (self.now - timedelta(days=1) if asked.before is None else None)
        return (
            (since is None or since <= posted)
            and (asked.before is None or posted < asked.before)
            and (asked.cursor is None or int(record["commissionId"]) > int(asked.cursor))
            and (asked.ids is None or record["commissionId"] in set(asked.ids) - self.hidden_by_id)
        )
