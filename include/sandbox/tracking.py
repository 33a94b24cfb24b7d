"""CJ's tracking endpoints: `/graphql` (live) and `/graphqltest` (Test Mode).

A request fails at the first stage it does not pass: authentication, schema, authorization, fields. Live orders that pass are stored with
the moment they fall due (`processing` does the rest); Test Mode checks the same and stores nothing. A fault may make the answer say less, or
something else, than was done.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from include.sandbox import answers
from include.sandbox.accounts import Account, Accounts
from include.sandbox.acts import Acts
from include.sandbox.answers import Answer
from include.sandbox.clock import Clock, instant, next_second
from include.sandbox.documents import Documents, Prepared, Refused, Selected, collect, projector
from include.sandbox.faults import BROKEN, REFUSAL, Faults, Mark, mark
from include.sandbox.knobs import Knobs
from include.sandbox.order_checks import field_errors
from include.sandbox.requests import authenticate, read_body
from include.sandbox.store import Store
from include.sandbox.weather import Weather

MAX_ORDERS = 10_000
"""CJ: "limit submissions to a maximum of 10,000 orders at a time"; more answers HTTP 504."""

BUILD_NUMBER = "sandbox-1"


@dataclass(frozen=True)
class _Mutation:
    argument: str
    operation: str


MUTATIONS = {
    "createOrders": _Mutation("newOrders", "create"),
    "restateOrders": _Mutation("restatedOrders", "restate"),
    "cancelOrders": _Mutation("cancelledOrders", "cancel"),
}


class Tracking:
    """The tracking endpoint: createOrders, restateOrders, cancelOrders, live and in Test Mode."""

    def __init__(self, store: Store, clock: Clock, accounts: Accounts, faults: Faults, acts: Acts, weather: Weather) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._faults = faults
        self._acts = acts
        self._weather = weather
        self._documents = Documents("tracking.graphql")

    def answer(
        self, authorization: str | None, raw: bytes, live: bool, knobs: Knobs, fault: Mapping[str, Any] | None = None
    ) -> Answer:  # fmt: skip
        """One request, from its raw body to its answer. With `live`, accepted orders are durable before this returns. `fault` is an answer fault."""
        operation: str | None = None
        count = 0
        try:
            held = authenticate(self._accounts, authorization)
            body = read_body(raw)
            count = max((len(v) for v in body.variables.values() if isinstance(v, list)), default=0)
            if count > MAX_ORDERS:
                return answers.gateway_timeout(None, count)
            prepared = self._documents.prepare(body.query, body.operation_name)
            variables = self._documents.coerce_variables(prepared, body.variables)
            fields = collect(prepared, tuple(prepared.operation.selection_set.selections), prepared.root.name, variables)
            operation = ",".join(f.name for f in fields)
            if any(f.name in ("__schema", "__type") for f in fields):
                return Answer(200, orjson.dumps(self._documents.introspect(prepared, variables)), operation=operation)
            result: dict[str, Any] = {}
            count = 0
            for field in fields:
                if field.name in MUTATIONS:
                    orders = self._documents.arguments(prepared, field.node, variables)[MUTATIONS[field.name].argument]
                    count += len(orders)
                    if count > MAX_ORDERS:
                        return answers.gateway_timeout(operation, count)
                    result[field.key] = self._mutate(prepared, field, variables, orders, held, live, knobs, fault or {})
                    if fault and fault["kind"] == "execution_error":
                        return answers.broken(field.key, fault.get("message", BROKEN), operation, count)
                else:
                    result[field.key] = prepared.root.name if field.name == "__typename" else BUILD_NUMBER
            return answers.data(result, operation, count)
        except Refused as refused:
            return answers.refusal(refused, operation, count)

    def _mutate(
        self, prepared: Prepared, field: Selected, variables: Mapping[str, Any], orders: list[dict[str, Any]],
        held: tuple[Account, ...], live: bool, knobs: Knobs, fault: Mapping[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        mutation = MUTATIONS[field.name]
        if not {order["enterpriseId"] for order in orders} <= {account.enterprise_id for account in held}:
            raise Refused("Unauthorized", classification="Authorization")
        now = self._clock.now()
        good, errors = _checked(orders, mutation.argument, now, knobs, self._faults.refusals())
        if errors and knobs.partial_rejection == "whole":
            good = []
        batch = str(uuid4())
        done, named, more = _faulty(good, fault)
        echoed = [_echo(order, batch, now) for order in named]
        errors += more
        if live and done:
            self._receive(mutation.operation, done, now, knobs)
        project = projector(prepared, field.below, prepared.root.fields[field.name].type.of_type, variables)
        return project({"orders": echoed, "errors": errors or None})

    def _receive(self, operation: str, orders: list[dict[str, Any]], now: datetime, knobs: Knobs) -> None:
        """Makes live orders durable, each with the second it falls due."""
        received = instant(now)
        usual = next_second(now + timedelta(seconds=knobs.delay_seconds))
        rows = []
        nth: Counter[str] = Counter()
        with self._store.writing() as db:
            for order in orders:
                found = self._faults.for_order(order["orderId"]) or chance(order, knobs)
                if knobs.weather and not found:
                    found = self._meet(db, order, usual, knobs, nth)
                due = next_second(now + timedelta(seconds=knobs.delay_seconds + found["seconds"])) if found and found["seconds"] else usual
                updated = order.get("updateTime") or order.get("eventTime")
                rows.append(
                    (order["enterpriseId"], order["actionTrackerId"], order["orderId"], operation,
                     instant(datetime.fromisoformat(updated)) if updated else received, received, due,
                     orjson.dumps(order).decode(), orjson.dumps(found).decode() if found else None)
                )  # fmt: skip
            db.executemany(
                "INSERT INTO submissions (enterprise_id, action_tracker_id, order_id, operation, update_time, received_at, due_at, payload,"
                " fault) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._faults.remember()

    def _meet(self, db: sqlite3.Connection, order: dict[str, Any], due_at: str, knobs: Knobs, here: Counter[str]) -> Mark | None:
        """The weather's mark for an update; what else it brings is planned. `here` counts the updates of this request, by order."""
        key = order["enterpriseId"], order["orderId"], order["actionTrackerId"]
        sql = "SELECT count(*) FROM submissions WHERE enterprise_id = ? AND order_id = ? AND action_tracker_id = ?"
        fate = self._weather.of_update(order, int(db.execute(sql, key).fetchone()[0]) + here[str(key)], due_at, knobs)
        here[str(key)] += 1
        self._acts.plan(fate.acts, since=due_at, of_weather=True)
        return fate.mark


def _checked(
    orders: list[dict[str, Any]], argument: str, now: datetime, knobs: Knobs, refusals: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The orders without a field error, and the errors of the others as CJ's `RequestError`s."""
    good, errors = [], []
    for index, order in enumerate(orders):
        found = field_errors(order, now)
        if order["orderId"] in refusals:
            found.append((refusals[order["orderId"]], "orderId"))
        if not found:
            good.append(order)
        prefix = f"{argument}[{index}]." if knobs.index_in_fields else ""
        errors += [{"message": message, "fields": [prefix + field]} for message, field in found]
    return good, errors


def _faulty(
    good: list[dict[str, Any]], fault: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Of orders that pass: those that are worked off, those that the answer names, and the errors it has beside them."""
    kind, half = fault.get("kind"), (len(good) + 1) // 2
    if kind == "execution_error":
        return (good if fault.get("done") else []), [], []
    if kind == "partial_echo":
        return (good if fault.get("done") else good[:half]), good[:half], [{"message": fault.get("message", REFUSAL), "fields": []}]
    if kind == "stranger" and good:
        stranger = good[0] | {"orderId": fault.get("order_id", "somebody-elses")}
        return good, [stranger, *(good[1:] if fault.get("instead") else good)], []
    return good, good, []


def _echo(order: dict[str, Any], batch: str, now: datetime) -> dict[str, Any]:
    return order | {
        "submissionId": str(uuid4()),
        "batchId": batch,
        "orderReceivedTime": instant(now),
        "advertiser": {"enterpriseId": order["enterpriseId"]},
        "actionTracker": {"id": order["actionTrackerId"]},
    }


def chance(order: Mapping[str, Any], knobs: Knobs) -> Mark | None:
    """Whether an order is lost or late by `lost_share` and `late_share`: the same order, the same fate, whatever else is sent."""
    if not knobs.lost_share and not knobs.late_share:
        return None
    identity = f"{knobs.chance_seed}/{order['enterpriseId']}/{order['actionTrackerId']}/{order['orderId']}"
    digest = hashlib.blake2b(identity.encode(), digest_size=16).digest()
    lost, late = (int.from_bytes(part) / 2**64 for part in (digest[:8], digest[8:]))
    if lost < knobs.lost_share:
        return mark(drop=True)
    if late < knobs.late_share:
        return mark(seconds=knobs.late_seconds)
    return None
