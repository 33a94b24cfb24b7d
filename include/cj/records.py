"""From Commission Detail's bytes to Arrow: CJ's records as the warehouse keeps them, no float in between.

One page becomes a table, COMMISSIONS: the columns of `cj.commissions` in `include/sql/schema/` (without `ingested_at`). A record's items are text in it, of
which the view `cj.commission_items` makes rows again. Arrow's JSON reader is given the whole schema, so a field of another type, an answer cut
short or anything behind it is an error, and fields nobody asked for are left aside. Where a page has a record that cannot be kept as it came,
its records are looked at one by one (`set_aside`), and the others are read as ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from include.cj import set_aside
from include.cj.columns import inside_quotes, joined, lists_joined, shortest_texts, whole
from include.cj.errors import CJAnswerMalformed, CJNotJson, RequestProblem
from include.cj.set_aside import Columns, Examined
from include.domain.marks import items_marks
from include.domain.money import LARGEST_AMOUNT
from include.domain.shapes import INSTANT, MARK, MONEY

_TEXT = pa.string()
_COMMA = pa.scalar(",")
_EMPTY = pa.scalar("", _TEXT)
"""Given a plain text instead, Arrow would first import pandas to see whether it is one of its columns."""

#: cj.commissions: (column, CJ's field, type, may be null).
_RECORD_COLUMNS: Columns = (
    ("commission_id", "commissionId", _TEXT, False),
    ("advertiser_id", "advertiserId", _TEXT, False),
    ("action_tracker_id", "actionTrackerId", pa.int64(), False),
    ("action_tracker_name", "actionTrackerName", _TEXT, True),
    ("order_id", "orderId", _TEXT, True),
    ("action_type", "actionType", _TEXT, False),
    ("action_status", "actionStatus", _TEXT, False),
    ("publisher_id", "publisherId", _TEXT, False),
    ("publisher_name", "publisherName", _TEXT, True),
    ("event_date", "eventDate", INSTANT, True),
    ("posting_date", "postingDate", INSTANT, False),
    ("locking_date", "lockingDate", INSTANT, True),
    ("locking_method", "lockingMethod", _TEXT, True),
    ("validation_status", "validationStatus", _TEXT, True),
    ("original", "original", pa.bool_(), False),
    ("original_action_id", "originalActionId", _TEXT, True),
    ("correction_reason", "correctionReason", _TEXT, True),
    ("sale_amount", "saleAmountAdvCurrency", MONEY, True),
    ("order_discount", "orderDiscountAdvCurrency", MONEY, True),
    ("order_discount_orig_currency", "orderDiscountOrigCurrency", MONEY, True),
    ("adv_commission_amount", "advCommissionAmountAdvCurrency", MONEY, True),
    ("cj_fee", "cjFeeAdvCurrency", MONEY, True),
    ("coupon", "coupon", _TEXT, True),
    # What the publisher sees and earns. CJ's schema never leaves the two commissions out; here they may be null, as in records read before they were kept.
    ("sale_amount_pub_currency", "saleAmountPubCurrency", MONEY, True),
    ("sale_amount_usd", "saleAmountUsd", MONEY, True),
    ("pub_commission_amount_pub_currency", "pubCommissionAmountPubCurrency", MONEY, True),
    ("pub_commission_amount_usd", "pubCommissionAmountUsd", MONEY, True),
)
#: What is kept of an item. `sale_amount` is CJ's per-item figure, `discount` a line total.
_ITEM_COLUMNS: Columns = (
    ("commission_item_id", "commissionItemId", _TEXT, False),
    ("sku", "sku", _TEXT, False),
    ("quantity", "quantity", pa.int64(), False),
    ("sale_amount", "perItemSaleAmountAdvCurrency", MONEY, True),
    ("discount", "discountAdvCurrency", MONEY, True),
    ("commission", "totalCommissionAdvCurrency", MONEY, True),
)

COMMISSIONS = pa.schema([(name, kind) for name, _, kind, _ in _RECORD_COLUMNS] + [("items_mark", MARK), ("items", _TEXT)])

_JSON_TYPES = {"original": pa.bool_(), "quantity": pa.int64()}


def _json_struct(columns: Columns, *more: tuple[str, pa.DataType]) -> pa.StructType:
    return pa.struct([(field, _JSON_TYPES.get(field, _TEXT)) for _, field, _, _ in columns] + list(more))


_ITEM_JSON = _json_struct(_ITEM_COLUMNS)
_MARKED_ITEMS = pa.list_(pa.struct([("sku", _TEXT), ("quantity", pa.int64())]))
_PAGE_JSON = pa.struct(
    [
        ("count", pa.int64()),
        ("payloadComplete", pa.bool_()),
        ("maxCommissionId", _TEXT),
        ("records", pa.list_(_json_struct(_RECORD_COLUMNS, ("items", pa.list_(_ITEM_JSON))))),
    ]
)
_ANSWER_JSON = pa.schema(
    [("data", pa.struct([("advertiserCommissions", _PAGE_JSON)])), ("errors", pa.list_(pa.struct([("message", _TEXT)])))]
)


@dataclass(frozen=True)
class CommissionPage:
    """One page of Commission Detail. `table` has the shape COMMISSIONS, `count` is the records in it.

    `max_commission_id` is CJ's cursor; empty if CJ gave none. `set_aside` says which records are not as they came, or not there (SET_ASIDE).
    """

    table: pa.Table
    payload_complete: bool
    max_commission_id: str
    count: int
    set_aside: pa.Table = field(default_factory=set_aside.SET_ASIDE.empty_table)
    gone: int = 0
    """Records that are not in `table`."""


@dataclass(frozen=True)
class Seam:
    """How a page ends: whether it is the last, and otherwise the cursor the next one begins at."""

    payload_complete: bool
    max_commission_id: str


def seam_of(body: bytes) -> Seam | None:
    """The seam in an answer of Commission Detail, without looking at its records; None if it is no page, or there are errors in it.

    Good for asking ahead, and no proof that the page is whole: only `decode_page` is. Other than None it does prove that `body` is one object.
    """
    try:
        answer = msgspec.json.decode(body, type=_SeamJson)
    except (ValueError, RecursionError):
        return None
    if answer.errors or answer.data is None or answer.data.advertiserCommissions is None:
        return None
    page = answer.data.advertiserCommissions
    return Seam(page.payloadComplete, page.maxCommissionId or "")


class _PageSeamJson(msgspec.Struct):
    payloadComplete: bool
    maxCommissionId: str | None = None


class _DataSeamJson(msgspec.Struct):
    advertiserCommissions: _PageSeamJson | None = None


class _SeamJson(msgspec.Struct):
    """An answer with everything but its seam left aside."""

    data: _DataSeamJson | None = None
    errors: list[msgspec.Raw] | None = None


MANY_SET_ASIDE = 20
"""Up to so many records are set aside whatever their share; where there are more and they are most of the page, CJ has another shape."""


class _NotAsItCame(Exception):
    """A page has a record that the warehouse cannot keep as it came."""


def decode_page(body: bytes, host: str, *, known_object: bool = False) -> CommissionPage | tuple[RequestProblem, ...]:
    """The page in an answer of Commission Detail, or the problems CJ answered instead. `known_object`: `seam_of` found something in it.

    Raises CJNotJson for bytes that are no JSON text, CJAnswerMalformed for JSON of another shape, never for a record.
    """
    try:
        answer = _read(body, known_object)
        if problems := _problems(answer.column("errors")[0].as_py()):
            return problems
        page = pc.struct_field(_only(answer.column("data")), "advertiserCommissions")
        complete, cursor, lists = (pc.struct_field(page, name) for name in ("payloadComplete", "maxCommissionId", "records"))
        if not complete[0].is_valid or not lists[0].is_valid:
            raise _malformed(host, "payloadComplete or records is missing")
        if b"\\u0000" in body:
            raise _NotAsItCame
        table = _with_items(lists.flatten())
        return CommissionPage(table, complete[0].as_py(), cursor[0].as_py() or "", table.num_rows)
    except _NotAsItCame:
        pass  # and not from inside here: an error's context would carry the answer along
    return _looked_at_one_by_one(body, host)


def _looked_at_one_by_one(body: bytes, host: str) -> CommissionPage | tuple[RequestProblem, ...]:
    """The same of a page with records that cannot be kept as they came. Takes seconds for a large page."""
    answer = None
    with suppress(ValueError, RecursionError):
        answer = set_aside.loads(body)
    if answer is None:
        raise _unreadable(body, host)
    if not isinstance(answer, dict) or not isinstance(answer.get("errors"), (list, type(None))):
        raise _malformed(host, "it is no object with data")
    if problems := _problems(answer.get("errors")):
        return problems
    data = answer.get("data")
    page = data.get("advertiserCommissions") if isinstance(data, dict) else None
    complete, cursor, records = (page.get(n) if isinstance(page, dict) else None for n in ("payloadComplete", "maxCommissionId", "records"))
    if not isinstance(complete, bool) or not isinstance(records, list):
        raise _malformed(host, "payloadComplete or records is missing")
    if cursor is not None and not (type(cursor) is str and set_aside.is_storable(cursor)):
        raise _malformed(host, "its cursor, maxCommissionId, is no text")
    looked_at = [set_aside.examined(one, _RECORD_COLUMNS, _ITEM_COLUMNS) for one in records]
    taken = list(_taken([one for one in looked_at if one.record is not None]))
    gone = sum(one.record is None for one in looked_at)
    if gone > MANY_SET_ASIDE and 2 * gone > len(records):
        raise _malformed(host, f"of {len(records)} records {gone} cannot be read")
    table = pa.concat_tables([COMMISSIONS.empty_table(), *taken])
    told = set_aside.rows(looked_at, _RECORD_COLUMNS, _ITEM_COLUMNS)
    return CommissionPage(table, complete, cursor or "", table.num_rows, told, gone)


def _taken(ones: list[Examined]) -> Iterator[pa.Table]:
    """The records in their order, read as those of any page are. What Arrow's reader refuses all the same is found by halves and set aside."""
    if not ones:
        return
    page = {"payloadComplete": True, "records": [one.record for one in ones]}
    try:
        answer = _read(json.dumps({"data": {"advertiserCommissions": page}}).encode(), known_object=True)
        table = _with_items(pc.struct_field(pc.struct_field(_only(answer.column("data")), "advertiserCommissions"), "records").flatten())
    except _NotAsItCame:
        if len(ones) == 1:
            ones[0].give_up("record", "not_readable")
            return
        middle = len(ones) // 2
        yield from _taken(ones[:middle])
        yield from _taken(ones[middle:])
        return
    yield _with_true_marks(table, ones)


def _with_true_marks(table: pa.Table, ones: list[Examined]) -> pa.Table:
    """A SKU that was changed to be stored counts as CJ gave it: what was sent is compared with that."""
    if all(one.items is None for one in ones):
        return table
    lists = pa.array([None if one.items is None else [{"sku": s, "quantity": q} for s, q in one.items] for one in ones], _MARKED_ITEMS)
    marks = pc.coalesce(items_marks(lists), table["items_mark"].combine_chunks())
    return table.set_column(table.schema.get_field_index("items_mark"), COMMISSIONS.field("items_mark"), marks)


def _problems(errors: Any) -> tuple[RequestProblem, ...]:
    messages = [problem.get("message") if isinstance(problem, dict) else None for problem in errors or ()]
    return tuple(RequestProblem(message if type(message) is str and message else "CJ gave no message") for message in messages)


class _AnyObject(msgspec.Struct):
    """One JSON object with anything in it: decoding into it checks the text and builds nothing."""


def _read(body: bytes, known_object: bool) -> pa.Table:
    """The answer as Arrow has it. Raises _NotAsItCame for what Arrow's reader does not take."""
    try:
        # Arrow's reader crashes the process on a bare `null`; it is only given what is certainly one object of sane depth.
        if not known_object:
            msgspec.json.decode(body, type=_AnyObject)
        answer = pyarrow.json.read_json(
            pa.BufferReader(body),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=_ANSWER_JSON, newlines_in_values=True, unexpected_field_behavior="ignore"
            ),
        )
        answer.validate(full=True)
    except (pa.ArrowException, ValueError, RecursionError):  # its text may quote the answer, so it goes no further
        pass
    else:
        if answer.num_rows == 1:
            return answer
    raise _NotAsItCame


def _unreadable(body: bytes, host: str) -> CJAnswerMalformed | CJNotJson:
    if body.lstrip()[:1] != b"{":
        return CJNotJson(
            f"{host} answered Commission Detail with something that is no JSON. Try again; if it stays, look at the address.", host=host
        )
    return _malformed(host, "it is cut short, or no JSON")


def _with_items(records: pa.Array) -> pa.Table:
    """Records as COMMISSIONS. Raises _NotAsItCame where one of them cannot be kept as it came."""
    table = _table(records, _RECORD_COLUMNS)
    lists = pc.struct_field(records, "items")
    items = _table(lists.flatten(), _ITEM_COLUMNS)
    try:
        marks = pc.fill_null(items_marks(lists), pa.scalar(0, MARK))
    except pa.ArrowException:
        raise _NotAsItCame from None
    return table.append_column(COMMISSIONS.field("items_mark"), marks).append_column(COMMISSIONS.field("items"), _items_text(lists, items))


def _items_text(lists: pa.Array, items: pa.Table) -> pa.Array:
    """The items of each record as one JSON text, null where there are none: what schema/0018_items_in_the_record.sql makes of rows, to the letter."""
    column = {name: whole(items[name]) for name in items.column_names}
    amounts = [pc.fill_null(joined(',"', shortest_texts(column[name]), '"'), ",null") for name in ("sale_amount", "discount", "commission")]
    names = joined('["', inside_quotes(column["commission_item_id"]), '","', inside_quotes(column["sku"]), '",')
    each = joined(names, column["quantity"].cast(_TEXT), *amounts, "]")
    there = pc.fill_null(pc.greater(pc.list_value_length(lists), 0), False)
    return pc.if_else(there, joined("[", lists_joined(lists, each, _COMMA), "]"), pa.scalar(None, _TEXT))


def _table(structs: pa.Array, columns: Columns) -> pa.Table:
    arrays = [_typed(pc.struct_field(structs, field), field, kind, nullable) for _, field, kind, nullable in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema([(name, kind) for name, _, kind, _ in columns]))


def _typed(values: pa.Array, field: str, kind: pa.DataType, nullable: bool) -> pa.Array:
    if nullable and pa.types.is_string(values.type):
        empty = pc.equal(values, _EMPTY)
        if pc.any(empty).as_py():
            values = pc.if_else(empty, pa.scalar(None, _TEXT), values)
    if not nullable and values.null_count:
        raise _NotAsItCame
    try:
        typed = values if values.type == kind else values.cast(kind)
    except pa.ArrowInvalid:
        raise _NotAsItCame from None  # its text may quote the value
    if not _fits(typed, field):
        raise _NotAsItCame
    return typed


def _fits(values: pa.Array, field: str) -> bool:
    """Whether all of them can be stored, and summed up, in every warehouse."""
    low: int | Decimal
    high: int | Decimal
    if values.type == MONEY:
        low, high = -LARGEST_AMOUNT, LARGEST_AMOUNT
    elif values.type == INSTANT:
        values, low, high = values.cast(pa.int64()), set_aside.FIRST_TIME - 1, set_aside.LAST_TIME + 1
    elif field == "quantity":
        low, high = -set_aside.LARGEST_QUANTITY - 1, set_aside.LARGEST_QUANTITY + 1
    elif field in set_aside.KEYS:
        values, low, high = pc.utf8_length(values), -1, set_aside.LONGEST_KEY + 1
    else:
        return True
    ends = pc.min_max(values).as_py()
    return ends["min"] is None or (low < ends["min"] and ends["max"] < high)


def _only(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def _malformed(host: str, what: str) -> CJAnswerMalformed:
    return CJAnswerMalformed(
        f"{host} answered Commission Detail in a shape that CJ's schema does not have: {what}. Nothing was taken from it; try again.",
        host=host,
    )
