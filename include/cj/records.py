"""From Commission Detail's bytes to Arrow: CJ's records as the warehouse keeps them, no float in between.

One page becomes two tables, COMMISSIONS and COMMISSION_ITEMS: the columns of `cj.commissions` (without `ingested_at`) and
`cj.commission_items` in `include/sql/schema/`. Arrow's JSON reader is given the whole schema, so a field of another type, an answer cut
short or anything behind it is an error, and fields nobody asked for are left aside.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from include.cj.errors import CJAnswerMalformed, CJNotJson, RequestProblem
from include.domain.marks import items_marks
from include.domain.shapes import INSTANT, MARK, MONEY

_TEXT = pa.string()
_EMPTY = pa.scalar("", _TEXT)
"""Given a plain text instead, Arrow would first import pandas to see whether it is one of its columns."""

#: cj.commissions: (column, CJ's field, type, may be null).
_RECORD_COLUMNS: tuple[tuple[str, str, pa.DataType, bool], ...] = (
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
)
#: cj.commission_items, without the commission_id it belongs to. `sale_amount` is CJ's per-item figure, `discount` a line total.
_ITEM_COLUMNS: tuple[tuple[str, str, pa.DataType, bool], ...] = (
    ("commission_item_id", "commissionItemId", _TEXT, False),
    ("sku", "sku", _TEXT, False),
    ("quantity", "quantity", pa.int64(), False),
    ("sale_amount", "perItemSaleAmountAdvCurrency", MONEY, True),
    ("discount", "discountAdvCurrency", MONEY, True),
    ("commission", "totalCommissionAdvCurrency", MONEY, True),
)

COMMISSIONS = pa.schema([(name, kind) for name, _, kind, _ in _RECORD_COLUMNS] + [("items_mark", MARK)])
COMMISSION_ITEMS = pa.schema([("commission_id", _TEXT)] + [(name, kind) for name, _, kind, _ in _ITEM_COLUMNS])

_JSON_TYPES = {"original": pa.bool_(), "quantity": pa.int64()}


def _json_struct(columns: tuple[tuple[str, str, pa.DataType, bool], ...], *more: tuple[str, pa.DataType]) -> pa.StructType:
    return pa.struct([(field, _JSON_TYPES.get(field, _TEXT)) for _, field, _, _ in columns] + list(more))


_ITEM_JSON = _json_struct(_ITEM_COLUMNS)
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
    """One page of Commission Detail. `table` has the shape COMMISSIONS, `items` COMMISSION_ITEMS, `count` is the records in them.

    `max_commission_id` is CJ's cursor; empty if CJ gave none.
    """

    table: pa.Table
    items: pa.Table
    payload_complete: bool
    max_commission_id: str
    count: int


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


def decode_page(body: bytes, host: str, *, known_object: bool = False) -> CommissionPage | tuple[RequestProblem, ...]:
    """The page in an answer of Commission Detail, or the problems CJ answered instead. `known_object`: `seam_of` found something in it.

    Raises CJNotJson for bytes that are no JSON text, CJAnswerMalformed for JSON of another shape.
    """
    answer = _read(body, host, known_object)
    problems = answer.column("errors")[0].as_py() or []
    if problems:
        return tuple(RequestProblem((problem or {}).get("message") or "CJ gave no message") for problem in problems)
    page = pc.struct_field(_only(answer.column("data")), "advertiserCommissions")
    parts = {name: pc.struct_field(page, name) for name in ("payloadComplete", "maxCommissionId", "records")}
    if not parts["payloadComplete"][0].is_valid or not parts["records"][0].is_valid:
        raise _malformed(host, "payloadComplete or records is missing")
    records = parts["records"].flatten()
    table = _table(records, _RECORD_COLUMNS, host)
    lists = pc.struct_field(records, "items")
    marks = pc.fill_null(items_marks(lists), pa.scalar(0, MARK))
    return CommissionPage(
        table=table.append_column(COMMISSIONS.field("items_mark"), marks),
        items=_items(lists, table.column("commission_id"), host),
        payload_complete=parts["payloadComplete"][0].as_py(),
        max_commission_id=parts["maxCommissionId"][0].as_py() or "",
        count=table.num_rows,
    )


class _AnyObject(msgspec.Struct):
    """One JSON object with anything in it: decoding into it checks the text and builds nothing."""


def _read(body: bytes, host: str, known_object: bool) -> pa.Table:
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
    if body.lstrip()[:1] != b"{":
        raise CJNotJson(
            f"{host} answered Commission Detail with something that is no JSON. Try again; if it stays, look at the address.", host=host
        )
    raise _malformed(host, "it is cut short, or a field has another type")


def _items(lists: pa.Array, commission_ids: pa.ChunkedArray, host: str) -> pa.Table:
    items = _table(lists.flatten(), _ITEM_COLUMNS, host)
    owners = commission_ids.take(pc.list_parent_indices(lists))
    return items.add_column(0, COMMISSION_ITEMS.field("commission_id"), owners)


def _table(structs: pa.Array, columns: tuple[tuple[str, str, pa.DataType, bool], ...], host: str) -> pa.Table:
    arrays = [_typed(pc.struct_field(structs, field), field, kind, nullable, host) for _, field, kind, nullable in columns]
    return pa.Table.from_arrays(arrays, schema=pa.schema([(name, kind) for name, _, kind, _ in columns]))


def _typed(values: pa.Array, field: str, kind: pa.DataType, nullable: bool, host: str) -> pa.Array:
    if nullable and pa.types.is_string(values.type):
        empty = pc.equal(values, _EMPTY)
        if pc.any(empty).as_py():
            values = pc.if_else(empty, pa.scalar(None, _TEXT), values)
    if not nullable and values.null_count:
        raise _malformed(host, f"{field} is missing in {values.null_count} of {len(values)} records")
    try:
        return values if values.type == kind else values.cast(kind)
    except pa.ArrowInvalid:
        pass  # its text may quote the value
    raise _malformed(host, f"{field} holds a value that is no {kind}")


def _only(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def _malformed(host: str, what: str) -> CJAnswerMalformed:
    return CJAnswerMalformed(
        f"{host} answered Commission Detail in a shape that CJ's schema does not have: {what}. Nothing was taken from it; try again.",
        host=host,
    )
