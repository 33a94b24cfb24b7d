"""From a chunk of orders to the bytes of one request.

Column by column: Arrow turns amounts and times into text without ever passing through a float, and joins the columns into JSON, in exactly the bytes
that orjson would write. No order is ever an object of Python's. CJ removes what a restatement leaves out, so which nulls are left out is a rule per operation (`_ORDER_FIELDS`), not an encoder's default.
Field rules: CJ's tracking schema (`OrderCreateRequest`, `OrderRestateRequest`, `OrderCancelRequest`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from include.cj.columns import inside_quotes, joined, lists_joined, money_texts, offsets_of, whole
from include.cj.errors import CJRequestTooLarge, CJTooManyOrders, CJUnsendable
from include.cj.limits import MAX_ORDERS_PER_REQUEST, MAX_REQUEST_BYTES
from include.cj.parameters import NotParameters, canonical, custom_parameters, vertical_parameters
from include.domain.money import ZERO
from include.domain.shapes import ITEM, MONEY
from include.domain.states import Operation

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
_COMMA, _NONE = pa.scalar(","), pa.scalar(0, pa.int32())


def request_body(operation: Operation, chunk: pa.Table) -> bytes:
    """The JSON body of one request for the orders of `chunk` (shapes.CHUNK), in their order. The same for Test Mode and live.

    Raises CJTooManyOrders over 10,000 orders, CJRequestTooLarge over 100 MB, CJUnsendable for a value that CJ's types cannot carry.
    """
    if chunk.num_rows > MAX_ORDERS_PER_REQUEST:
        raise CJTooManyOrders(
            f"A request of {chunk.num_rows} orders was asked for; CJ takes at most {MAX_ORDERS_PER_REQUEST}. Make the chunks smaller."
        )
    head, tail = orjson.dumps(
        {"query": query(f"{operation}_orders"), "variables": {"orders": [0]}, "operationName": _OPERATION_NAME[operation]}
    ).rsplit(b"0", 1)
    body = head + _orders(operation, chunk) + tail
    if len(body) > MAX_REQUEST_BYTES:
        raise _too_large(len(body))
    return body


def body_hash(body: bytes) -> str:
    """Names a request body: blake2b, 16 bytes, hex. Two bodies with one name are the same body."""
    return blake2b(body, digest_size=16).hexdigest()


def content_hashes(table: pa.Table, cancelled: pa.Array | pa.ChunkedArray, own_currency: pa.Array | pa.Scalar) -> pa.Array:
    """Names the desired state of each order: blake2b, 16 bytes, hex; one text a row of `table` (CHANGES or CHUNK columns).

    Two rows have one name exactly when CJ would hold the same after either was processed. For a cancelled order only `status` and
    `correction_reason` count; otherwise also amount, discount, currency, coupon, items in any order, and parameters in any spelling.
    No currency is `own_currency`, the advertiser's at CJ; no discount, of the order or of a line, is 0.00; no items and an empty list are one.
    `updated_at` and attribution do not count: the one is when, the other cannot change at CJ.
    """
    changed = {
        "discount": pc.fill_null(table["discount"], pa.scalar(ZERO, MONEY)),
        "currency": pc.coalesce(table["currency"], own_currency),
        "items": _alike_items(whole(table["items"])),
    }
    for name, column in changed.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return former_hashes(table, cancelled)


def former_hashes(table: pa.Table, cancelled: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The names of the same states as they were given before null and what it stands for were one: what was sent then is known by them."""
    hashes: list[str] = []
    for start in range(0, table.num_rows, _HASHED_ROWS_AT_ONCE):
        part = table.slice(start, _HASHED_ROWS_AT_ONCE)
        texts = _canonical_texts(part, whole(cancelled.slice(start, _HASHED_ROWS_AT_ONCE)))
        hashes += [blake2b(text, digest_size=16).hexdigest() for text in texts.cast(pa.binary()).to_pylist()]
    return pa.array(hashes, pa.string())


def _alike_items(lists: pa.Array) -> pa.Array:
    """Null for an empty list, and 0.00 for a line without a discount."""
    sku, quantity, unit_price, discount = lists.flatten().flatten()
    discount = pc.fill_null(discount, pa.scalar(ZERO, MONEY))
    lengths = pc.fill_null(pc.list_value_length(lists), _NONE)
    offsets = pc.if_else(pa.concat_arrays([pc.greater(lengths, 0), pa.array([True])]), offsets_of(lengths), None)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([sku, quantity, unit_price, discount], fields=list(ITEM)))


@cache
def query(name: str) -> str:
    """The GraphQL document `queries/<name>.graphql`."""
    return files("include.cj").joinpath("queries", f"{name}.graphql").read_text(encoding="utf-8")


def _orders(operation: Operation, chunk: pa.Table) -> bytes:
    """The orders as JSON objects with commas in between."""
    if not chunk.num_rows:
        return b""
    members = [
        _member(field, column, chunk)
        for field, column in _ORDER_FIELDS[operation]
        if field in _REQUIRED or chunk.column(column).null_count < chunk.num_rows
    ]
    orders = joined("{", pc.binary_join_element_wise(*members, _COMMA, null_handling="skip"), "}")
    if (size := pc.sum(pc.binary_length(orders)).as_py()) > MAX_REQUEST_BYTES:  # before they are all copied into one text
        raise _too_large(size)
    one_list = pa.ListArray.from_arrays(offsets_of(pa.repeat(pa.scalar(len(orders), pa.int32()), 1)), orders)
    text: bytes = pc.binary_join(one_list, _COMMA)[0].as_buffer().to_pybytes()
    return text


def _too_large(size: int) -> CJRequestTooLarge:
    return CJRequestTooLarge(f"A request of {size} bytes is over CJ's {MAX_REQUEST_BYTES}. Make the chunks smaller.")


def _member(field: str, name: str, chunk: pa.Table) -> pa.Array:
    """`"field":value` for each order; null where the order leaves it out."""
    column = whole(chunk.column(name))
    if field in _REQUIRED and column.null_count:
        raise CJUnsendable(f"{name} is null in {column.null_count} of {len(column)} orders, and CJ requires it. Nothing was sent.")
    key = f'"{field}":'
    if field == "items":
        return joined(key + "[", _items(column), "]")
    if field == "customParameters":
        return joined(key, _parsed(column, lambda text: _json([{"name": n, "value": v} for n, v in custom_parameters(text)])))
    if field == "verticalParameters":
        return joined(key, _parsed(column, lambda text: _json(dict(vertical_parameters(text)))))
    if field in ("adId", "promotionalPropertyId"):  # CJ: a cjEvent wins over them
        column = pc.if_else(whole(chunk.column("cj_event")).is_valid(), pa.scalar(None, column.type), column)
    if pa.types.is_integer(column.type):
        return joined(key, column.cast(pa.string()))
    return joined(key + '"', inside_quotes(column), '"')


def _items(lists: pa.Array) -> pa.Array:
    flat = lists.flatten()
    skus, quantities = (pc.struct_field(flat, name) for name in ("sku", "quantity"))
    prices, discounts = (money_texts(pc.struct_field(flat, name)) for name in ("unit_price", "discount"))
    for name, column in (("sku", skus), ("quantity", quantities), ("unit_price", prices)):
        if column.null_count:
            raise CJUnsendable(f"An item's {name} is null in {column.null_count} items, and CJ requires it. Nothing was sent.")
    items = joined(
        '{"unitPrice":"', prices, '","quantity":', quantities.cast(pa.string()), ',"sku":"', inside_quotes(skus),
        pc.fill_null(joined('","discount":"', discounts, '"}'), pa.scalar('"}')),
    )  # fmt: skip
    return lists_joined(lists, items, _COMMA)


def _json(value: list[Any] | dict[str, Any]) -> str | None:
    return orjson.dumps(value).decode() if value else None


def _parsed(column: pa.Array, parse: Callable[[str], str | None]) -> pa.Array:
    """What `parse` makes of each text, asked once a different text."""
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())
    encoded = column.dictionary_encode()
    try:
        distinct = [parse(text) for text in encoded.dictionary.to_pylist()]
    except NotParameters as problem:
        raise CJUnsendable(f"{problem}. Nothing was sent; correct it in the warehouse.") from None
    return pa.array(distinct, pa.string()).take(encoded.indices)


def _canonical_texts(table: pa.Table, cancelled: pa.Array) -> pa.Array:
    column = {name: whole(table.column(name)) for name in table.column_names}
    decided = _framed([column["status"], column["correction_reason"]])
    state = _framed(
        [
            money_texts(column["amount"]),
            money_texts(column["discount"]),
            column["currency"],
            column["coupon"],
            _parsed(column["custom_parameters"], canonical),
            _parsed(column["vertical_parameters"], canonical),
        ]
    )
    return pc.if_else(
        pc.fill_null(cancelled, False), joined("cancelled", decided), joined("order", decided, state, _items_texts(column["items"]))
    )


def _framed(columns: list[pa.Array]) -> pa.Array:
    """The columns as one text a row. Each value carries its length, so that no two rows can run together into the same text."""
    parts = []
    for column in columns:
        length = pc.binary_length(column).cast(pa.string())
        parts.append(pc.fill_null(pc.binary_join_element_wise(length, column, ":"), "~"))
    return pc.binary_join_element_wise(*parts, ",")


def _items_texts(lists: pa.Array) -> pa.Array:
    flat = lists.flatten()
    money = [money_texts(pc.struct_field(flat, name)) for name in ("unit_price", "discount")]
    texts = _framed([pc.struct_field(flat, "sku"), money[0], pc.struct_field(flat, "quantity").cast(pa.string()), money[1]])
    # Sorted within each list: by list first, so each keeps its position. The texts are compared by bytes, which is by code points.
    positions = pc.sort_indices(
        pa.table({"list": pc.list_parent_indices(lists), "text": texts}), [("list", "ascending"), ("text", "ascending")]
    )
    return pc.fill_null(joined("[", lists_joined(lists, texts.take(positions), pa.scalar(";")), "]"), pa.scalar("~"))
