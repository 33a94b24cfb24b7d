"""A partner's rows as its log keeps them: out of CSV, Parquet, JSON lines or a query, exact, without personal data.

A file is read in batches of bare values under the partner's own names; `Reader` makes of each what cj.partner_incoming takes. A row that cannot be read
stops nothing: it is counted, and the first is told of by its number and column, never by its value. A file without a mapped column is refused as a whole.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.domain.errors import SettingError
from include.domain.money import LARGEST_AMOUNT, money, money_text
from include.domain.partners import Grain
from include.domain.personal import named
from include.domain.shapes import INSTANT, MONEY
from include.partners.mapping import OURS, PartnerMapping

BATCH = 10_000

INCOMING = pa.schema(
    [
        ("row_key", pa.string()), ("content_hash", pa.string()), ("transaction_id", pa.string()), ("order_id", pa.string()), ("commission_id", pa.string()),
        ("occurred_at", INSTANT), ("month", pa.string()), ("conversions", pa.int64()), ("sale_amount", MONEY), ("payout", MONEY), ("currency", pa.string()),
        ("position", pa.int64()),
    ]
)  # fmt: skip

ENDINGS = (".csv", ".parquet", ".jsonl")
"""The files that are read; any other in the folder is left alone."""

Bare = Mapping[str, Any]

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
#: Thousands may be set apart, by threes: what is written otherwise was written by the other custom, and is never guessed.
_AMOUNTS = {
    ".": re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?"),
    ",": re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?"),
}
_IDS = ("transaction_id", "order_id", "commission_id")
_LONGEST_ID = 500


class _Unreadable(ValueError):
    """A value is not what its column should hold; the text is the column's name in ours and what it should be."""


class Reader:
    """Rows of one source: `position` goes on from `start`, `unreadable` counts those left out, `example` tells of the first."""

    def __init__(self, mapping: PartnerMapping, start: int = 0) -> None:
        self.mapping = mapping
        self.position = start
        self.read = self.unreadable = 0
        self.example: str | None = None

    def batches(self, rows: Iterable[Bare]) -> Iterator[pa.RecordBatch]:
        """The rows as INCOMING."""
        kept: list[dict[str, Any]] = []
        for bare in rows:
            self.position += 1
            self.read += 1
            try:
                kept.append(_row(self.mapping, bare) | {"position": self.position})
            except _Unreadable as error:
                self.unreadable += 1
                self.example = self.example or f"row {self.position}: {error}"
            if len(kept) >= BATCH:
                yield pa.RecordBatch.from_pylist(kept, INCOMING)
                kept = []
        if kept:
            yield pa.RecordBatch.from_pylist(kept, INCOMING)


def rows_of_file(mapping: PartnerMapping, name: str, data: bytes) -> Iterator[Bare]:
    """The bare rows of a file by the ending of its name. Raises SettingError where it is not what its name says, or lacks a mapped column."""
    if name.endswith(".parquet"):
        return _parquet(mapping, name, data)
    if name.endswith(".jsonl"):
        return _json_lines(data)
    return _csv(mapping, name, data)


def must_have(mapping: PartnerMapping, name: str, found: Iterable[str]) -> None:
    """Raises SettingError for a source that lacks a column the mapping names."""
    there = list(found)
    wanted = [*mapping.columns.values(), *([mapping.negative_where.column] if mapping.negative_where else [])]
    if missing := [column for column in wanted if column not in there]:
        raise SettingError(
            f"{mapping.name}'s {name} has no column {', '.join(missing)}. It has {', '.join(there) or 'none'}. Correct columns in {mapping.file}."
        )


def _csv(mapping: PartnerMapping, name: str, data: bytes) -> Iterator[Bare]:
    try:
        text = data.decode("utf-8-sig" if mapping.encoding.lower() in ("utf-8", "utf8") else mapping.encoding)
    except (UnicodeDecodeError, LookupError):
        raise SettingError(f"{mapping.name}'s {name} is not {mapping.encoding} text. Correct encoding in {mapping.file}.") from None
    rows = csv.DictReader(io.StringIO(text), delimiter=mapping.delimiter)
    try:
        must_have(mapping, name, rows.fieldnames or ())
        yield from rows
    except csv.Error:
        raise SettingError(
            f"{mapping.name}'s {name} is no CSV with the delimiter {mapping.delimiter!r}. Correct delimiter in {mapping.file}."
        ) from None


def _parquet(mapping: PartnerMapping, name: str, data: bytes) -> Iterator[Bare]:
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        must_have(mapping, name, file.schema_arrow.names)
        for batch in file.iter_batches(BATCH):
            yield from batch.to_pylist()
    except pa.ArrowException:
        raise SettingError(f"{mapping.name}'s {name} cannot be read as Parquet. Put a whole file there; it is read again then.") from None


def _json_lines(data: bytes) -> Iterator[Bare]:
    """The receiver's lines. What follows the last line's end was being written when the process ended, and was not answered."""
    for line in data.split(b"\n")[:-1]:
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        values = said.get("values") if isinstance(said, dict) else None
        yield values if isinstance(values, dict) else {}


def _row(mapping: PartnerMapping, bare: Bare) -> dict[str, Any]:
    """One row as the log keeps it. Raises _Unreadable."""
    said = {ours: bare.get(theirs) for ours, theirs in mapping.columns.items()}
    row: dict[str, Any] = dict.fromkeys(OURS)
    row |= {name: _id(name, said.get(name)) for name in _IDS}
    if mapping.grain is Grain.MONTH:
        row["month"] = _month(said.get("month"))
        row["occurred_at"] = datetime.strptime(row["month"], "%Y-%m").replace(tzinfo=UTC)
    else:
        row["occurred_at"] = _instant(mapping, said.get("occurred_at"))
    sign = -1 if _is_negative(mapping, bare) else 1
    for name in ("sale_amount", "payout"):
        amount = _amount(mapping, name, said.get(name))
        # What is marked as taken back may carry its minus already.
        row[name] = amount if amount is None else -abs(amount) if sign < 0 else amount
    row["conversions"] = _count(said.get("conversions"))
    row["currency"] = _currency(said.get("currency"))
    if row["sale_amount"] is None and row["payout"] is None:
        raise _Unreadable("it says neither sale_amount nor payout")
    row_id = _id("row_id", said.get("row_id"))
    content = blake2b(json.dumps({name: _plain(value) for name, value in row.items()}, sort_keys=True).encode(), digest_size=16).hexdigest()
    key = f"month:{row['month']}:{row['currency'] or ''}" if row["month"] else f"id:{row_id}" if row_id else f"row:{content}"
    del row["row_id"]
    return row | {"row_key": key, "content_hash": content}


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    return money_text(value) if isinstance(value, Decimal) else value.isoformat() if isinstance(value, datetime) else str(value)


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    text = str(value).strip()
    return text or None


def _id(name: str, value: Any) -> str | None:
    if isinstance(value, float):
        raise _Unreadable(f"{name} is a number with a point; export it as text")
    text = _text(value)
    if text is None:
        return None
    if len(text) > _LONGEST_ID or "\0" in text:
        raise _Unreadable(f"{name} must be at most {_LONGEST_ID} characters")
    return named(text)


def _amount(mapping: PartnerMapping, name: str, value: Any) -> Decimal | None:
    if isinstance(value, float) and value == value:
        raise _Unreadable(f"{name} is a double, which has lost the cents; export it as text or as a decimal")
    plain = value if isinstance(value, (Decimal, int)) and not isinstance(value, bool) else _plain_amount(mapping, name, _text(value))
    if plain is None:
        return None
    try:
        amount = money(plain)
    except ValueError:
        raise _Unreadable(f"{name} has more digits than an amount") from None
    if abs(amount) >= LARGEST_AMOUNT:
        raise _Unreadable(f"{name} is too large")
    return amount


def _plain_amount(mapping: PartnerMapping, name: str, text: str | None) -> str | None:
    """An amount that was written by the mapping's custom, as plain digits."""
    if text is None:
        return None
    found = _AMOUNTS[mapping.decimal].fullmatch(text)
    if found is None:
        raise _Unreadable(f"{name} is no amount like 12{mapping.decimal}34")
    return text.replace("," if mapping.decimal == "." else ".", "").replace(mapping.decimal, ".")


def _count(value: Any) -> int | None:
    text = _text(value)
    if text is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,15}", text):
        raise _Unreadable("conversions is no whole number")
    return int(text)


def _currency(value: Any) -> str | None:
    text = _text(value)
    if text is not None and not re.fullmatch(r"[A-Za-z]{3}", text):
        raise _Unreadable("currency is no three-letter code")
    return text.upper() if text else None


def _month(value: Any) -> str:
    text = _text(value) or ""
    if not _MONTH.fullmatch(text):
        raise _Unreadable("month must be written like 2026-03")
    return text


def _instant(mapping: PartnerMapping, value: Any) -> datetime:
    if isinstance(value, datetime):
        moment = value
    else:
        text = _text(value) or ""
        try:
            # A moment without a zone gets the mapping's below.
            moment = datetime.strptime(text, mapping.time_format) if mapping.time_format else datetime.fromisoformat(text)  # noqa: DTZ007
        except ValueError:
            raise _Unreadable(f"occurred_at must be written like {mapping.time_format or '2026-03-01T09:30:00Z'}") from None
    try:
        return (moment.replace(tzinfo=mapping.time_zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except OverflowError:
        raise _Unreadable("occurred_at is out of the calendar") from None


def _is_negative(mapping: PartnerMapping, bare: Bare) -> bool:
    marked = mapping.negative_where
    return marked is not None and str(bare.get(marked.column) or "").strip() in marked.words
