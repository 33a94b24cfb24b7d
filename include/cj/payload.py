"""From a chunk of orders to the bytes of one request.

Column by column: Arrow turns amounts and times into text without ever passing through a float, orjson writes the JSON. CJ removes what a
restatement leaves out, so which nulls are left out is a rule per operation (`_ORDER_FIELDS`), not an encoder's default.
Field rules: CJ's tracking schema (`OrderCreateRequest`, `OrderRestateRequest`, `OrderCancelRequest`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from include.cj.errors import CJRequestTooLarge, CJTooManyOrders, CJUnsendable
from include.cj.limits import MAX_ORDERS_PER_REQUEST, MAX_REQUEST_BYTES
from include.cj.parameters import NotParameters, canonical, custom_parameters, vertical_parameters
from include.restatements.money import money_text
from include.restatements.shapes import INSTANT, MONEY
from include.restatements.states import Operation

_KEY_FIELDS = (("enterpriseId", "enterprise_id"), ("actionTrackerId", "action_tracker_id"), ("orderId", "order_id"))
_STATE_FIELDS = (
    ("amount", "amount"),
    ("discount", "discount"),
    ("currency", "currency"),
    ("coupon", "coupon"),
    ("items", "items"),
    ("customParameters", "custom_parameters"),
    ("verticalParameters", "vertical_parameters"),
)
#: What each operation sends, as (CJ's field, our column). A null is left out; only the fields of `_REQUIRED` may not be null.
_ORDER_FIELDS: dict[Operation, tuple[tuple[str, str], ...]] = {
    Operation.CREATE: (
        *_KEY_FIELDS,
        ("eventTime", "event_time"),
        ("cjEvent", "cj_event"),
        ("adId", "ad_id"),
        ("promotionalPropertyId", "promotional_property_id"),
        ("sid", "sid"),
        *_STATE_FIELDS,
    ),
    Operation.RESTATE: (
        *_KEY_FIELDS,
        ("updateTime", "updated_at"),
        ("cjEvent", "cj_event"),
        *_STATE_FIELDS,
        ("status", "status"),
        ("correctionReason", "correction_reason"),
    ),
    Operation.CANCEL: (
        *_KEY_FIELDS,
        ("updateTime", "updated_at"),
        ("status", "status"),
        ("correctionReason", "correction_reason"),
    ),
}
_REQUIRED = frozenset({"enterpriseId", "actionTrackerId", "orderId", "updateTime"})
_OPERATION_NAME = {Operation.CREATE: "CreateOrders", Operation.RESTATE: "RestateOrders", Operation.CANCEL: "CancelOrders"}
_HASHED_ROWS_AT_ONCE = 50_000


def request_body(operation: Operation, chunk: pa.Table) -> bytes:
    """The JSON body of one request for the orders of `chunk` (shapes.CHUNK), in their order. The same for Test Mode and live.

    Raises CJTooManyOrders over 10,000 orders, CJRequestTooLarge over 100 MB, CJUnsendable for a value that CJ's types cannot carry.
    """
    if chunk.num_rows > MAX_ORDERS_PER_REQUEST:
        raise CJTooManyOrders(
            f"A request of {chunk.num_rows} orders was asked for; CJ takes at most {MAX_ORDERS_PER_REQUEST}. Make the chunks smaller."
        )
    body = orjson.dumps(
        {
            "query": query(f"{operation}_orders"),
            "variables": {"orders": _orders(operation, chunk)},
            "operationName": _OPERATION_NAME[operation],
        }
    )
    if len(body) > MAX_REQUEST_BYTES:
        raise CJRequestTooLarge(f"A request of {len(body)} bytes is over CJ's {MAX_REQUEST_BYTES}. Make the chunks smaller.")
    return body


def body_hash(body: bytes) -> str:
    """Names a request body: blake2b, 16 bytes, hex. Two bodies with one name are the same body."""
    return blake2b(body, digest_size=16).hexdigest()


def content_hashes(table: pa.Table, cancelled: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Names the desired state of each order: blake2b, 16 bytes, hex; one text a row of `table` (CHANGES or CHUNK columns).

    Two rows have one name exactly when CJ would hold the same after either was processed. For a cancelled order only `status` and
    `correction_reason` count; otherwise also amount, discount, currency, coupon, items in any order, and parameters in any spelling.
    `updated_at` and attribution do not count: the one is when, the other cannot change at CJ.
    """
    hashes: list[str] = []
    for start in range(0, table.num_rows, _HASHED_ROWS_AT_ONCE):
        part = table.slice(start, _HASHED_ROWS_AT_ONCE)
        texts = _canonical_texts(part, _whole(cancelled.slice(start, _HASHED_ROWS_AT_ONCE)))
        hashes += [blake2b(text.encode(), digest_size=16).hexdigest() for text in texts]
    return pa.array(hashes, pa.string())


@cache
def query(name: str) -> str:
    """The GraphQL document `queries/<name>.graphql`."""
    return files("include.cj").joinpath("queries", f"{name}.graphql").read_text(encoding="utf-8")


def money_texts(amounts: pa.Array) -> pa.Array:
    """`money_text` for a column: plain digits, at least two decimals, none gained or lost. Null stays null."""
    amounts = amounts.cast(MONEY)
    try:
        return amounts.cast(pa.decimal128(38, 2)).cast(pa.string())
    except pa.ArrowInvalid:  # more than two decimals somewhere
        pass
    texts = amounts.cast(pa.string())
    texts = pc.binary_join_element_wise(pc.utf8_slice_codeunits(texts, 0, -8), pc.ascii_rtrim(pc.utf8_slice_codeunits(texts, -8), "0"), "")
    # Arrow writes an exponent below a millionth, zero included.
    small = pc.and_(pc.less(amounts, pa.scalar(1, MONEY)), pc.greater(amounts, pa.scalar(-1, MONEY)))
    rewritten = [money_text(amount.as_py()) for amount in amounts.filter(small)]
    return pc.replace_with_mask(texts, pc.fill_null(small, False), pa.array(rewritten, pa.string()))


def instant_texts(times: pa.Array) -> pa.Array:
    """ISO 8601 in UTC with `Z`, microseconds exact, no zeros behind them: `2026-03-01T12:00:00.25Z`. Null stays null."""
    texts = times.cast(INSTANT).cast(pa.timestamp("us")).cast(pa.string())
    texts = pc.utf8_replace_slice(texts, 10, 11, "T")
    return pc.binary_join_element_wise(pc.ascii_rtrim(pc.ascii_rtrim(texts, "0"), "."), pa.scalar("Z"), "")


def _orders(operation: Operation, chunk: pa.Table) -> list[dict[str, Any]]:
    fields = [
        (field, column)
        for field, column in _ORDER_FIELDS[operation]
        if field in _REQUIRED or chunk.column(column).null_count < chunk.num_rows
    ]
    rows = zip(*(_values(field, column, chunk) for field, column in fields), strict=True)
    names = [field for field, _ in fields]
    return [{name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows]


def _values(field: str, name: str, chunk: pa.Table) -> list[Any]:
    column = _whole(chunk.column(name))
    if field in _REQUIRED and column.null_count:
        raise CJUnsendable(f"{name} is null in {column.null_count} of {len(column)} orders, and CJ requires it. Nothing was sent.")
    if field == "items":
        return _items(column, chunk)
    if field == "customParameters":
        return _parsed(column, lambda text: [{"name": n, "value": v} for n, v in custom_parameters(text)] or None)
    if field == "verticalParameters":
        return _parsed(column, lambda text: dict(vertical_parameters(text)) or None)
    if field in ("adId", "promotionalPropertyId"):  # CJ: a cjEvent wins over them
        column = pc.if_else(_whole(chunk.column("cj_event")).is_valid(), pa.scalar(None, column.type), column)
    if pa.types.is_decimal(column.type):
        column = money_texts(column)
    elif pa.types.is_timestamp(column.type):
        column = instant_texts(column)
    values: list[Any] = column.to_pylist()
    return values


def _items(lists: pa.Array, chunk: pa.Table) -> list[Any]:
    flat = lists.flatten()
    skus, quantities = (pc.struct_field(flat, name) for name in ("sku", "quantity"))
    prices, discounts = (money_texts(pc.struct_field(flat, name)) for name in ("unit_price", "discount"))
    for name, column in (("sku", skus), ("quantity", quantities), ("unit_price", prices)):
        if column.null_count:
            raise CJUnsendable(f"An item's {name} is null in {column.null_count} items, and CJ requires it. Nothing was sent.")
    items = [
        {"unitPrice": price, "quantity": quantity, "sku": sku}
        if discount is None
        else {"unitPrice": price, "quantity": quantity, "sku": sku, "discount": discount}
        for price, quantity, sku, discount in zip(*(c.to_pylist() for c in (prices, quantities, skus, discounts)), strict=True)
    ]
    return [None if bounds is None else items[bounds[0] : bounds[1]] for bounds in _bounds(lists)]


def _bounds(lists: pa.Array) -> Iterator[tuple[int, int] | None]:
    """Where each list's elements are in `lists.flatten()`; None for a null list."""
    end = 0
    for length in pc.list_value_length(lists).to_pylist():
        if length is None:
            yield None
        else:
            yield end, end + length
            end += length


def _parsed(column: pa.Array, parse: Any) -> list[Any]:
    if column.null_count == len(column):
        return [None] * len(column)
    encoded = column.dictionary_encode()
    try:
        distinct = [parse(text) for text in encoded.dictionary.to_pylist()]
    except NotParameters as problem:
        raise CJUnsendable(f"{problem}. Nothing was sent; correct it in the warehouse.") from None
    return [None if index is None else distinct[index] for index in encoded.indices.to_pylist()]


def _canonical_texts(table: pa.Table, cancelled: pa.Array) -> Iterable[str]:
    column = {name: _whole(table.column(name)) for name in table.column_names}
    decided = _framed([column["status"], column["correction_reason"]])
    state = _framed(
        [
            money_texts(column["amount"]),
            money_texts(column["discount"]),
            column["currency"],
            column["coupon"],
            pa.array(_parsed(column["custom_parameters"], canonical), pa.string()),
            pa.array(_parsed(column["vertical_parameters"], canonical), pa.string()),
        ]
    )
    rows = zip(cancelled.to_pylist(), decided.to_pylist(), state.to_pylist(), _items_texts(column["items"]), strict=True)
    return (f"cancelled{d}" if is_cancelled else f"order{d}{s}{items}" for is_cancelled, d, s, items in rows)


def _framed(columns: list[pa.Array]) -> pa.Array:
    """The columns as one text a row. Each value carries its length, so that no two rows can run together into the same text."""
    parts = []
    for column in columns:
        length = pc.binary_length(column).cast(pa.string())
        parts.append(pc.fill_null(pc.binary_join_element_wise(length, column, ":"), "~"))
    return pc.binary_join_element_wise(*parts, ",")


def _items_texts(lists: pa.Array) -> Iterator[str]:
    flat = lists.flatten()
    money = [money_texts(pc.struct_field(flat, name)) for name in ("unit_price", "discount")]
    texts = _framed([pc.struct_field(flat, "sku"), money[0], pc.struct_field(flat, "quantity").cast(pa.string()), money[1]]).to_pylist()
    for bounds in _bounds(lists):
        yield "~" if bounds is None else "[" + ";".join(sorted(texts[bounds[0] : bounds[1]])) + "]"


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
