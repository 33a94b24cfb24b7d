"""CJ's Commission Detail endpoint, `/query`: pages of records, only the fields asked for.

Bounds: `since` inclusive, `before` exclusive; one bound implies 24 hours, none the past 24 hours by posting date, more
than 31 days is an error.
A page holds records with ids above `sinceCommissionId`, in order of id; one that is hidden for a while shows behind the cursor afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from include.sandbox import answers
from include.sandbox.accounts import Account, Accounts
from include.sandbox.answers import Answer
from include.sandbox.clock import Clock, next_second, parse_instant, second
from include.sandbox.documents import Documents, Prepared, Refused, Selected, collect
from include.sandbox.faults import Faults
from include.sandbox.held import status_sql
from include.sandbox.knobs import Knobs
from include.sandbox.ledger import IN_ORDER
from include.sandbox.processing import Processing
from include.sandbox.requests import authenticate, read_body
from include.sandbox.store import Store

MAX_SPAN = timedelta(days=31)
ONE_DAY = timedelta(days=1)
InUsd = Callable[[str | None, str], str | None]
"""An amount in the advertiser's currency, and the advertiser."""

_DATES = {"PostingDate": "r.posting_date", "EventDate": "o.event_date", "LockingDate": "coalesce(r.locking_date, o.locking_date)"}

_FROM = (
    " FROM records r JOIN orders o ON o.ref = r.ref"
    " LEFT JOIN trackers t ON t.enterprise_id = o.enterprise_id AND t.id = o.action_tracker_id"
    " LEFT JOIN publishers p ON p.enterprise_id = o.enterprise_id AND p.id = o.publisher_id"
    " LEFT JOIN accounts a ON a.enterprise_id = o.enterprise_id"
)


def _usd(column: str) -> str:
    return f"usd({column}, r.advertiser_id)"


def _said(figure: str) -> str:
    """What the advertiser pays: null on a record that leaves it unsaid, as CJ's schema allows."""
    return f"CASE WHEN r.unsaid THEN NULL ELSE {figure} END"


_ACTION_TYPE = (
    "coalesce(r.action_type, CASE WHEN t.reports_items = 0 AND o.action_type = 'item_sale' THEN 'sim_sale' ELSE o.action_type END)"
)


def _status(now: datetime, knobs: Knobs) -> str:
    """`actionStatus`: the order's, or that of an action beside it."""
    own, sale = (status_sql(table, second(now), knobs.close_after_days) for table in ("r", "o"))
    return f"CASE WHEN r.action_type IS NULL THEN {sale} ELSE {own} END"


_COLUMNS = {
    "commissionId": "CAST(r.id AS TEXT)",
    "orderId": "o.order_id",
    "actionTrackerId": "CAST(o.action_tracker_id AS TEXT)",
    "actionTrackerName": "t.name",
    "actionType": _ACTION_TYPE,
    "advertiserId": "r.advertiser_id",
    "advertiserName": "a.advertiser_name",
    "publisherId": "o.publisher_id",
    "publisherName": "coalesce(p.name, 'Publisher ' || o.publisher_id)",
    "eventDate": "o.event_date",
    "postingDate": "r.posting_date",
    "lockingDate": _DATES["LockingDate"],
    "lockingMethod": "t.locking_method",
    "validationStatus": "r.validation_status",
    "original": "r.original",
    "originalActionId": "CAST(coalesce(r.original_id, o.original_id) AS TEXT)",
    "correctionReason": "r.correction_reason",
    "saleAmountAdvCurrency": "r.sale",
    "orderDiscountAdvCurrency": "r.discount",
    "orderDiscountOrigCurrency": "r.discount_orig",
    "advCommissionAmountAdvCurrency": _said("r.commission"),
    "cjFeeAdvCurrency": _said("r.fee"),
    "coupon": "r.coupon",
    "items": "CASE WHEN t.reports_items = 0 THEN '[]' ELSE r.items END",
    # Publishers here are paid in USD, so their currency's figures are the USD ones.
    **{name: _usd("r.sale") for name in ("saleAmountPubCurrency", "saleAmountUsd")},
    **{name: _usd("r.discount") for name in ("orderDiscountPubCurrency", "orderDiscountUsd")},
    **{name: _usd("r.commission") for name in ("pubCommissionAmountPubCurrency", "pubCommissionAmountUsd")},
    "advCommissionAmountUsd": _said(_usd("r.commission")),
    "cjFeeUsd": _said(_usd("r.fee")),
    **dict.fromkeys(("websiteId", "aid", "clickDate", "country", "newToFile", "reviewedStatus", "source"), "NULL"),
}


class Commissions:
    """The Commission Detail endpoint."""

    def __init__(self, store: Store, clock: Clock, accounts: Accounts, processing: Processing, faults: Faults) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts
        self._processing = processing
        self._faults = faults
        self._documents = Documents("commissions.graphql")

    def answer(self, authorization: str | None, raw: bytes, knobs: Knobs) -> Answer:
        """One request. All that was due before it is processed first, so no record appears behind a page already read."""
        operation: str | None = None
        try:
            held = authenticate(self._accounts, authorization)
            body = read_body(raw)
            prepared = self._documents.prepare(body.query, body.operation_name)
            variables = self._documents.coerce_variables(prepared, body.variables)
            fields = collect(prepared, tuple(prepared.operation.selection_set.selections), prepared.root.name, variables)
            operation = ",".join(f.name for f in fields)
            if any(f.name in ("__schema", "__type") for f in fields):
                return Answer(200, orjson.dumps(self._documents.introspect(prepared, variables)), operation=operation)
            self._processing.run_due(knobs)
            now = self._clock.now()
            result: dict[str, Any] = {}
            for field in fields:
                if field.name == "__typename":
                    result[field.key] = prepared.root.name
                else:
                    arguments = self._documents.arguments(prepared, field.node, variables)
                    result[field.key] = self._page(prepared, field, variables, arguments, held, now, knobs)
            return answers.data(result, operation)
        except Refused as refused:
            return answers.refusal(refused, operation)

    def _page(
        self, prepared: Prepared, field: Selected, variables: Mapping[str, Any], arguments: Mapping[str, Any], held: tuple[Account, ...],
        now: datetime, knobs: Knobs,
    ) -> dict[str, Any]:  # fmt: skip
        kind = "Advertiser" if field.name == "advertiserCommissions" else "Publisher"
        conditions, values = self._conditions(arguments, kind, held, now, knobs)
        below = collect(prepared, field.below, f"{kind}Commissions", variables)
        wanted = {f.name: f for f in below}
        selected = collect(prepared, wanted["records"].below, f"{kind}Commission", variables) if "records" in wanted else []
        columns = [self._column(s.name, f"{kind}Commission", now, knobs) for s in selected]
        sql = f"SELECT {', '.join(['r.id', 'r.advertiser_id', 'o.order_id', *columns])}{_FROM} WHERE {' AND '.join(conditions)} ORDER BY r.id LIMIT ?"
        rows = self._store.reader.execute(sql, (*values, knobs.page_size + 1)).fetchall()
        complete = len(rows) <= knobs.page_size
        rows = rows[: knobs.page_size]
        page = {
            "count": len(rows),
            "limit": knobs.page_size,
            "maxCommissionId": str(rows[-1][0]) if rows else None,
            "payloadComplete": complete,
            "__typename": f"{kind}Commissions",
        }
        records = _records(prepared, selected, rows, variables, self._store.in_usd) if "records" in wanted else []
        if garbled := self._faults.garbled():
            _garble(selected, rows, records, garbled)
        return {f.key: records if f.name == "records" else page[f.name] for f in below}

    @staticmethod
    def _column(name: str, type_name: str, now: datetime, knobs: Knobs) -> str:
        if name == "actionStatus":
            return _status(now, knobs)
        return f"'{type_name}'" if name == "__typename" else _COLUMNS[name]

    def _conditions(
        self, arguments: Mapping[str, Any], kind: str, held: tuple[Account, ...], now: datetime, knobs: Knobs
    ) -> tuple[list[str], list[Any]]:  # fmt: skip
        """SQL and its values for who may see what, the date bounds, the cursor and the filters. Raises Refused."""
        conditions = ["(r.visible_at IS NULL OR r.visible_at <= ?)"]
        values: list[Any] = [second(now)]

        def among(expression: str, wanted: list[Any]) -> None:
            conditions.append(f"{expression} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)

        own = [a.advertiser_id for a in held]
        if kind == "Advertiser":
            asked = arguments["forAdvertisers"]
            if not set(asked) <= set(own):
                raise Refused("Unauthorized", classification="Authorization")
            among("r.advertiser_id", asked)
        else:
            among("r.advertiser_id", own)
            among("o.publisher_id", arguments["forPublishers"])
        bounds = date_bounds(arguments, now)
        for name, (since, before) in bounds.items():
            conditions += [f"{_DATES[name]} >= ?", f"{_DATES[name]} < ?"]
            values += [since, before]
        advertisers = asked if kind == "Advertiser" else own
        low, high = self._id_range(advertisers, bounds.get("PostingDate"))
        cursor = arguments.get("sinceCommissionId")
        if cursor is not None:
            if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
                raise Refused(f"sinceCommissionId is '{cursor[:50]}': it must be a commission id.", classification="DataFetchingException")
            low = max(low, int(cursor) + 1)
        conditions.append("r.id >= ?")
        values.append(low)
        if high is not None:
            conditions.append("r.id <= ?")
            values.append(high)
        for argument, expression in _FILTERS.items():
            wanted = arguments.get(argument)
            if wanted is None:
                continue
            if argument == "actionStatuses":
                expression = _status(now, knobs)
            among(expression, [int(w) if argument == "commissionIds" and w.isdigit() else w for w in wanted])
        return conditions, values

    def _id_range(self, advertisers: list[str], posted: tuple[str, str] | None) -> tuple[int, int | None]:
        """The ids a posting window can hold, found in the index while ids and posting dates rise together; else all."""
        if posted is None or len(advertisers) != 1 or not self._store.get_meta(IN_ORDER, True):
            return 0, None
        of_window = "FROM records WHERE advertiser_id = ? AND posting_date >= ? AND posting_date < ?"
        window = (advertisers[0], *posted)
        first = self._store.reader.execute(f"SELECT id {of_window} ORDER BY posting_date, id LIMIT 1", window).fetchone()
        last = self._store.reader.execute(f"SELECT id {of_window} ORDER BY posting_date DESC, id DESC LIMIT 1", window).fetchone()
        return (first[0], last[0]) if first and last else (0, -1)


_FILTERS = {
    "publisherIds": "o.publisher_id",
    "advertiserIds": "r.advertiser_id",
    "adIds": "NULL",
    "websiteIds": "NULL",
    "commissionIds": "r.id",
    "actionStatuses": "",
    "actionTypes": _ACTION_TYPE,
    "lockingMethods": "t.locking_method",
    "validationStatuses": "r.validation_status",
}


def date_bounds(arguments: Mapping[str, Any], now: datetime) -> dict[str, tuple[str, str]]:
    """The bounds in force, in whole seconds, by date: CJ's defaults filled in. Raises Refused."""
    bounds: dict[str, tuple[str, str]] = {}
    for name in _DATES:
        since, before = _moment(arguments, f"since{name}"), _moment(arguments, f"before{name}")
        if since is None and before is None:
            continue
        if since is None:
            assert before is not None
            since = before - ONE_DAY
        elif before is None:
            before = since + ONE_DAY
        if before - since > MAX_SPAN:
            raise Refused(
                f"The range of {name} is more than 31 days: ask for at most 31 days at a time.", classification="DataFetchingException"
            )
        bounds[name] = next_second(since), next_second(before)
    return bounds or {"PostingDate": (next_second(now - ONE_DAY), next_second(now + timedelta(seconds=1)))}


def _moment(arguments: Mapping[str, Any], name: str) -> datetime | None:
    text = arguments.get(name)
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        raise Refused(f"{name} is '{text[:50]}': it must be ISO 8601 in UTC with 'Z'.", classification="DataFetchingException") from None


_ITEM_PLACES = {"sku": 0, "quantity": 1, "perItemSaleAmount": 2, "discount": 3, "totalCommission": 4}
"""Where an item's figures are in `posting.PostedItem`."""

_ITEM_EXTRAS = {"commissionItemId": 5, "__typename": 6, "itemListId": 7}
_FIRST_CONVERTED = 8
"""Behind the stored figures come the extras, then the figures in USD that were asked for."""


def _records(
    prepared: Prepared, selected: list[Selected], rows: list[tuple[Any, ...]], variables: Mapping[str, Any], in_usd: InUsd
) -> list[dict[str, Any]]:  # fmt: skip
    """The rows as records. Works a column at a time, which is what makes a page of ten thousand cheap."""
    if not rows or not selected:
        return [{} for _ in rows]
    ids, advertisers, _, *columns = zip(*rows, strict=True)
    for index, field in enumerate(selected):
        if field.name == "original":
            columns[index] = tuple(map(bool, columns[index]))
        elif field.name == "items":
            build = _item_builder(collect(prepared, field.below, "Item", variables), in_usd)
            columns[index] = tuple(map(build, ids, advertisers, columns[index]))
    keys = [s.key for s in selected]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _garble(
    selected: list[Selected], rows: list[tuple[Any, ...]], records: list[dict[str, Any]], garbled: Mapping[str, Mapping[str, Any]]
) -> None:
    """Put what the faults say into the fields of the orders they name; a field nobody asked for stays away."""
    keys = {field.name: field.key for field in selected}
    for (_, _, order_id, *_), record in zip(rows, records, strict=True):
        for name, value in garbled.get(order_id, {}).items():
            field, _, below = name.partition(".")
            if field in keys and below:
                for item in record[keys[field]]:
                    item[below] = value
            elif field in keys:
                record[keys[field]] = value


def _item_builder(selected: list[Selected], in_usd: InUsd) -> Callable[[int, str, str], list[dict[str, Any]]]:
    """A function from a record's id, advertiser and stored items to the items asked for."""
    places: list[tuple[str, int]] = []
    converted: list[int] = []
    for field in selected:
        figure = field.name.removesuffix("AdvCurrency").removesuffix("PubCurrency").removesuffix("Usd")
        if field.name in ("commissionItemId", "__typename", "itemListId"):
            places.append((field.key, _ITEM_EXTRAS[field.name]))
        elif field.name.endswith(("PubCurrency", "Usd")):
            places.append((field.key, _FIRST_CONVERTED + len(converted)))
            converted.append(_ITEM_PLACES[figure])
        else:
            places.append((field.key, _ITEM_PLACES[figure]))

    def build(record: int, advertiser: str, text: str) -> list[dict[str, Any]]:
        items = []
        for position, stored in enumerate(orjson.loads(text)):
            values = [*stored, f"{record}{position:03d}", "Item", None]
            if converted:
                values += [in_usd(stored[place], advertiser) for place in converted]
            items.append({key: values[place] for key, place in places})
        return items

    return build
