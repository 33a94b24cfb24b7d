"""An advertiser that talks to the sandbox as a client would, and sums over what it reads."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

import httpx

from include.sandbox.control import SandboxControl

HOUR = 3600
TOKEN = "sandbox-token"
MUTATIONS = {
    "create": ("createOrders", "newOrders", "OrderCreateRequest"),
    "restate": ("restateOrders", "restatedOrders", "OrderRestateRequest"),
    "cancel": ("cancelOrders", "cancelledOrders", "OrderCancelRequest"),
}
RECORD = (
    "commissionId orderId actionTrackerId actionType actionStatus postingDate lockingDate lockingMethod validationStatus original originalActionId"
    " correctionReason saleAmountAdvCurrency orderDiscountAdvCurrency orderDiscountOrigCurrency advCommissionAmountAdvCurrency"
    " cjFeeAdvCurrency coupon items { commissionItemId sku quantity perItemSaleAmountAdvCurrency discountAdvCurrency }"
)
_numbers = count()

OTHER_ACCOUNT = {
    "token": "other-token",
    "enterprise_id": "1500002",
    "advertiser_id": "5500002",
    "advertiser_name": "Gross Shop",
    "currency": "EUR",
    "sale_amount_basis": "gross",
    "rates": {"USD": "0.90", "GBP": "1.15"},
    "action_trackers": [
        {"id": 501, "name": "Shop", "locking_method": "FIXED_DATE", "commission_rate": "0.10", "fee_rate": "0.03"},
        {"id": 502, "name": "Now", "locking_method": "IMMEDIATE", "commission_rate": "0.10", "fee_rate": "0.03"},
        {"id": 503, "name": "Totals", "commission_rate": "0.10", "fee_rate": "0.03", "reports_items": False},
    ],
    "publishers": [{"id": "7108602", "name": "Aspire"}],
    "excluded_coupons": ["STAFF"],
}


class Shop:
    """An advertiser that talks to the sandbox as a client would: over HTTP, with a token."""

    def __init__(
        self, url: str, control: SandboxControl, token: str | None = TOKEN, enterprise: str = "1500001", advertiser: str = "5500001"
    ):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)
        self.control, self.enterprise, self.advertiser = control, enterprise, advertiser

    def new_id(self, name: str = "order") -> str:
        return f"{name}-{next(_numbers)}"

    def now(self) -> str:
        return self.control.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def order(self, operation: str, order_id: str, tracker: int = 401, **fields: Any) -> dict[str, Any]:
        order: dict[str, Any] = {"enterpriseId": self.enterprise, "actionTrackerId": tracker, "orderId": order_id}
        order |= {"eventTime": self.now(), "cjEvent": f"click-{order_id}"} if operation == "create" else {"updateTime": self.now()}
        return {name: value for name, value in (order | fields).items() if value is not None}

    def send_raw(
        self, operation: str, orders: Any, path: str = "/graphql", selection: str = "orders { orderId } errors { message fields }"
    ) -> httpx.Response:
        mutation, argument, type_ = MUTATIONS[operation]
        query = f"mutation M($orders: [{type_}!]!) {{ {mutation}({argument}: $orders) {{ {selection} }} }}"
        return self.http.post(path, json={"query": query, "variables": {"orders": orders}})

    def send(self, operation: str, orders: list[dict[str, Any]], path: str = "/graphql") -> dict[str, Any]:
        """The payload of a request that got as far as the field checks."""
        answer = self.send_raw(operation, orders, path).json()
        assert "errors" not in answer, answer
        return answer["data"][MUTATIONS[operation][0]]

    def post(self, operation: str, order_id: str, tracker: int = 401, **fields: Any) -> None:
        """One live update, accepted and processed."""
        payload = self.send(operation, [self.order(operation, order_id, tracker, **fields)])
        assert payload["errors"] is None, payload
        self.control.advance(HOUR + 2)

    def query(self, arguments: str = "", selection: str = f"count limit maxCommissionId payloadComplete records {{ {RECORD} }}") -> Any:
        query = f'{{ advertiserCommissions(forAdvertisers: ["{self.advertiser}"] {arguments}) {{ {selection} }} }}'
        return self.http.post("/query", json={"query": query}).json()

    def records(self, order_id: str, arguments: str = "") -> list[dict[str, Any]]:
        """The order's records, over as many pages as it takes."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.query(arguments + cursor)["data"]["advertiserCommissions"]
            found += [r for r in page["records"] if r["orderId"] == order_id]
            if page["payloadComplete"]:
                return found
            cursor = f', sinceCommissionId: "{page["maxCommissionId"]}"'

    def state(self, order_id: str) -> dict[str, Any]:
        return next(o for o in self.control.orders() if o["order_id"] == order_id)

    def fate(self, order_id: str) -> dict[str, Any]:
        """What became of the newest live update of an order."""
        return [s for s in self.control.submissions() if s["order_id"] == order_id][-1]


def total(records: list[dict[str, Any]], field: str) -> Decimal:
    return sum((Decimal(r[field]) for r in records if r[field] is not None), Decimal(0))


def quantities(records: list[dict[str, Any]]) -> dict[str, int]:
    """Quantity by SKU over all records; what came to nothing is left out."""
    sums: dict[str, int] = {}
    for record in records:
        for item in record["items"]:
            sums[item["sku"]] = sums.get(item["sku"], 0) + item["quantity"]
    return {sku: quantity for sku, quantity in sums.items() if quantity}
