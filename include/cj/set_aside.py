"""Records of Commission Detail that the warehouse cannot keep as they came, looked at one by one, so that one of them stops nothing.

    kept with a change      a character no warehouse stores becomes U+FFFD; an amount finer than decimal(38, 10) is rounded to ten decimal
                            places, half to even, as a reversal of it is: the two still add up to nothing
    set aside               a field that is missing, of another type, no number, no time, too large: nothing is guessed, and what the order
                            comes to at CJ is then not known

Either way a row in SET_ASIDE says what and why, and shows the record without what may be a person's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from include.domain.money import NotMoney, is_plain_number, money, money_text, nearest_money
from include.domain.personal import named, without_emails
from include.domain.shapes import INSTANT, MONEY

Columns = tuple[tuple[str, str, pa.DataType, bool], ...]
"""(column, CJ's field, type, may be null)"""

#: cj.ledger_set_aside, without the advertiser and the time, which the reader knows.
SET_ASIDE = pa.schema(
    [
        ("commission_id", pa.string()),
        ("action_tracker_id", pa.int64()),
        ("order_id", pa.string()),
        ("what", pa.string()),
        ("why", pa.string()),
        ("kept", pa.bool_()),
        ("raw", pa.string()),
    ]
)

LONGEST_KEY = 512
"""Characters of an id: PostgreSQL cannot index one of some thousand bytes, and CJ's have some ten."""
KEYS = frozenset({"commissionId", "orderId", "commissionItemId"})
LARGEST_QUANTITY = 2**31
"""CJ's quantities are 32-bit integers; the marks of orders with larger ones would not add up in decimal(38, 0)."""
FIRST_TIME = -62_135_596_800_000_000
LAST_TIME = 253_402_300_799_999_999
"""The years 1 to 9999 in microseconds: what every warehouse and calendar can say."""

_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONGEST_VALUE, _LONGEST_RAW = 100, 4000
_NOT_SHOWN = frozenset({"coupon"})
"""A coupon may have been made for one person."""


class Number(str):
    """A JSON number that is no whole one, as its digits."""


class FieldTwice(dict[str, object]):
    """A JSON object that has a field twice, so nobody can say which one counts."""


@dataclass(frozen=True)
class Note:
    """One thing about a record that could not stay as it came; `kept` where the record is kept with a change."""

    what: str
    why: str
    kept: bool = False


@dataclass
class Examined:
    """A record with what was found about it. `record` is what Arrow's reader takes; None where it is set aside."""

    found: object
    record: dict[str, Any] | None = None
    notes: list[Note] = field(default_factory=list)
    items: list[tuple[str, int]] | None = None
    """SKU and quantity as CJ gave them, where a SKU was changed: the mark is that of the true SKUs."""

    def give_up(self, what: str, why: str) -> None:
        self.notes.append(Note(what, why))
        self.record = None


def loads(body: bytes) -> object:
    """Any JSON text, with no digit lost and a lone half of a character let through. Raises ValueError, RecursionError."""
    return json.loads(body.decode(), parse_float=Number, parse_int=_whole, parse_constant=_refuse, object_pairs_hook=_object)


def examined(found: object, columns: Columns, item_columns: Columns) -> Examined:
    """What of one record can be kept. Never raises."""
    one = Examined(found)
    if not isinstance(found, dict) or isinstance(found, FieldTwice):
        one.give_up("record", "field_twice" if isinstance(found, FieldTwice) else "wrong_type")
        return one
    record = _fields(found, columns, "", one.notes)
    items = found.get("items")
    if isinstance(items, list) and all(type(item) is dict for item in items):
        record["items"] = [_fields(item, item_columns, "items.", one.notes) for item in items]
    elif items is not None:
        one.notes.append(Note("items", "wrong_type"))
    else:
        record["items"] = None
    if all(note.kept for note in one.notes):
        one.record = record
        if any(note.what == "items.sku" for note in one.notes):
            one.items = [(_without_halves(item["sku"]), item["quantity"]) for item in items or []]
    return one


def rows(examined_ones: list[Examined], columns: Columns, item_columns: Columns) -> pa.Table:
    """What is to be said about them, one row for each thing, as SET_ASIDE."""
    told = []
    for one in examined_ones:
        if not one.notes:
            continue
        about = _identity(one.found) | {"raw": raw_text(one.found, columns, item_columns)}
        told += [about | {"what": note.what, "why": note.why, "kept": one.record is not None} for note in dict.fromkeys(one.notes)]
    return pa.Table.from_pylist(told, SET_ASIDE)


def raw_text(found: object, columns: Columns, item_columns: Columns) -> str:
    """The record as JSON text that every warehouse stores: only the fields that are asked for, none that may be a person's, long values cut."""
    if not isinstance(found, dict):
        return json.dumps(_shown(found))
    shown = {name: _shown(found[name]) for _, name, _, _ in columns if name in found and name not in _NOT_SHOWN}
    if "items" in found:
        items = found["items"]
        fields = [name for _, name, _, _ in item_columns]
        shown["items"] = [_item_shown(item, fields) for item in items] if isinstance(items, list) else _shown(items)
    text = json.dumps(shown, separators=(",", ":"))
    return text if len(text) <= _LONGEST_RAW else f"{text[: _LONGEST_RAW - 3]}..."


def is_storable(text: str) -> bool:
    """Whether every warehouse can store the text as it is."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """The text with U+FFFD for what no warehouse stores: NUL, and the lone half of a character."""
    return _UNSTORABLE.sub("\ufffd", text)


def _fields(found: dict[str, object], columns: Columns, where: str, notes: list[Note]) -> dict[str, Any]:
    record = {}
    for _, name, kind, nullable in columns:
        value, why, kept = _value(found.get(name), name, kind, nullable)
        if why:
            notes.append(Note(where + name, why, kept))
        record[name] = value
    return record


def _value(value: object, name: str, kind: pa.DataType, nullable: bool) -> tuple[Any, str, bool]:
    """(the value as Arrow's reader takes it, why it is not as it came, whether it can be kept so)"""
    if value is None:
        return None, "" if nullable else "missing", False
    if kind == pa.bool_():
        return value, "" if isinstance(value, bool) else "wrong_type", False
    if name == "quantity":
        if isinstance(value, bool) or not isinstance(value, int):
            return None, "wrong_type", False
        return value, "" if abs(value) <= LARGEST_QUANTITY else "too_large", False
    if type(value) is not str:
        return None, "wrong_type", False
    if nullable and value == "":
        return value, "", False
    if kind == MONEY:
        return _money(value)
    if kind == INSTANT:
        return value, "" if _is_time(value) else "not_a_time", False
    if kind == pa.int64():
        return value, "" if _WHOLE.fullmatch(value) and -(2**63) <= int(value) < 2**63 else "not_a_number", False
    return _text(value, name)


def _money(text: str) -> tuple[str | None, str, bool]:
    if not is_plain_number(text):
        return None, "not_a_number", False
    try:
        nearest = nearest_money(text)
    except NotMoney:
        return None, "too_large", False
    try:
        exact = money(text) == nearest
    except NotMoney:  # digits past the tenth place
        exact = False
    return money_text(nearest), "" if exact else "rounded", True


def _is_time(text: str) -> bool:
    try:
        moment = pa.array([text], pa.string()).cast(INSTANT).cast(pa.int64())[0].as_py()
    except (pa.ArrowException, UnicodeEncodeError):
        return False
    return bool(FIRST_TIME <= moment <= LAST_TIME)


def _text(text: str, name: str) -> tuple[str, str, bool]:
    if name in KEYS and len(text) > LONGEST_KEY:
        return text, "too_long", False
    if is_storable(text):
        return text, "", False
    return storable(text), "character", name not in ("commissionId", "advertiserId")


def _without_halves(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _identity(found: object) -> dict[str, Any]:
    """Which record it is, as far as it can be read: for finding it, and the order that it belongs to."""
    if not isinstance(found, dict):
        return {}
    tracker = _name_of(found.get("actionTrackerId")) or ""
    order_id = _name_of(found.get("orderId"))
    return {
        "commission_id": _name_of(found.get("commissionId")),
        "action_tracker_id": int(tracker) if _WHOLE.fullmatch(tracker) and -(2**63) <= int(tracker) < 2**63 else None,
        "order_id": named(order_id) if order_id else None,
    }


def _name_of(value: object) -> str | None:
    """An id's text; CJ's ids are text, and one that came as a number is still the same id."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        return None
    return storable(str(value))[:LONGEST_KEY]


def _item_shown(item: object, fields: list[str]) -> object:
    return {name: _shown(item[name]) for name in fields if name in item} if isinstance(item, dict) else _shown(item)


def _shown(value: object) -> object:
    match value:
        case None | bool():
            return value
        case Number() | int():
            return f"the number {value!s:.{_LONGEST_VALUE}}"
        case str():
            return without_emails(value[: _LONGEST_VALUE * 3])[:_LONGEST_VALUE] + ("..." if len(value) > _LONGEST_VALUE else "")
    return "a list" if isinstance(value, list) else "an object"


def _whole(digits: str) -> object:
    return int(digits) if len(digits) <= 20 else Number(digits)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else FieldTwice(found)


def _refuse(name: str) -> object:
    raise ValueError(name)
