"""One file a partner: where its log is, and which of its columns are which. docs/partners.md says how one is written.

A file is YAML. Every mistake in one raises SettingError with the file, the key and what may stand there; a key that nothing reads is a mistake too, because
a misspelled one would be lost in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Mapped
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from include.domain.errors import SettingError
from include.domain.partners import Grain

SHIPPED = Path(__file__).parent / "mappings"
"""Where a mapping is looked for when no folder is named: the one of Aspire."""

OURS = ("row_id", "transaction_id", "order_id", "commission_id", "occurred_at", "month", "conversions", "sale_amount", "payout", "currency")
"""What a partner's row may say, under our names."""

MONTHS_OF = ("event", "posting", "locking")
REACHES = ("newest_row", "loaded")
_SIDES = ("sale_amount", "payout")
_LONGEST = 60
"""No partner is later than that, in days."""


@dataclass(frozen=True)
class NegativeWhere:
    """A row whose `column` says one of `words` takes back what its figures say: they count with a minus."""

    column: str
    words: frozenset[str]


@dataclass(frozen=True)
class PartnerMapping:
    """One partner. `columns` is ours → the partner's; `file` is where all this is written down, for a sentence."""

    publisher_id: str
    name: str
    columns: Mapped[str, str]
    file: str
    grain: Grain = Grain.ORDER
    currency: str = "USD"
    files: str | None = None
    files_conn_id: str | None = None
    sql: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    time_format: str | None = None
    time_zone: tzinfo = UTC
    negative_where: NegativeWhere | None = None
    month_of: str = "event"
    starts: datetime | None = None
    """The log's first day; without it, that of its first row."""
    reaches: str = "newest_row"
    """Up to when a file speaks: its newest row, or (`loaded`) the moment it was loaded, where days without a sale are usual."""
    late_days: int = 3
    """How many days the partner's rows may be behind that, and CJ's posting."""
    credited_after: tuple[int, int] = (2, 5)
    credit_source: str = "not said by the mapping"
    keep: tuple[str, ...] = field(default=())
    """Further parameters that the receiver keeps; all others but the mapped ones are dropped."""

    @property
    def has_ids(self) -> bool:
        """Whether its export carries an id that an advertiser has."""
        return bool({"order_id", "commission_id"} & set(self.columns))

    @property
    def by_month(self) -> bool:
        """Whether months are reconciled: where nothing says which row is which order."""
        return self.grain is Grain.MONTH or not self.has_ids


def read_mapping(path: Path) -> PartnerMapping:
    """The mapping in one file. Raises SettingError."""
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The partner's mapping {path} cannot be read ({type(error).__name__}). Put a UTF-8 text file there.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SettingError(f"The partner's mapping {path}{where} is no YAML. Write it as docs/partners.md shows.") from None
    if not isinstance(told, dict):
        raise SettingError(f"The partner's mapping {path} holds no keys. Write it as docs/partners.md shows.")
    return _mapping(_Told(str(path), told))


def all_mappings(folder: str | None = None) -> list[PartnerMapping]:
    """Every mapping in a folder, the shipped ones where none is named, by publisher id. Raises SettingError where there is none, or two of one publisher."""
    place = Path(folder) if folder else SHIPPED
    found: dict[str, PartnerMapping] = {}
    for path in sorted([*place.glob("*.yaml"), *place.glob("*.yml")]):
        mapping = read_mapping(path)
        if other := found.get(mapping.publisher_id):
            raise SettingError(f"Both {other.file} and {mapping.file} are of publisher {mapping.publisher_id}. Leave one.")
        found[mapping.publisher_id] = mapping
    if not found:
        raise SettingError(
            f"There is no mapping of a partner in {place}. Write one as docs/partners.md shows, or correct the Variable cj_partner_mappings."
        )
    return [found[publisher_id] for publisher_id in sorted(found)]


def find_mapping(publisher_id: str, folder: str | None = None) -> PartnerMapping:
    """The mapping of one publisher. Raises SettingError as `all_mappings` does, and where there is none of it."""
    for mapping in all_mappings(folder):
        if mapping.publisher_id == publisher_id:
            return mapping
    raise SettingError(
        f"No mapping in {folder or SHIPPED} has publisher_id {publisher_id!r}. Write one as docs/partners.md shows, and name its folder in the Variable cj_partner_mappings."
    )


class _Told:
    """The keys of one file, read with sentences."""

    def __init__(self, file: str, told: dict[Any, Any]) -> None:
        self.file, self.told = file, told

    def wrong(self, key: str, may_be: str) -> SettingError:
        return SettingError(f"The partner's mapping {self.file}: {key} must be {may_be}.")

    def text(self, key: str, may_be: str, pattern: str = r".+", default: str | None = None) -> str:
        value = self.told.get(key, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
            raise self.wrong(key, may_be)
        return value

    def choice(self, key: str, among: tuple[str, ...], default: str) -> str:
        value = self.told.get(key, default)
        if value not in among:
            raise self.wrong(key, " or ".join(repr(str(one)) for one in among))
        return str(value)

    def whole(self, key: str, default: int, most: int) -> int:
        value = self.told.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self.wrong(key, f"a whole number from 0 to {most}")
        return value


def _mapping(told: _Told) -> PartnerMapping:
    known = {one.name for one in fields(PartnerMapping)} - {"file"}
    if unknown := sorted(str(key) for key in set(told.told) - known):
        raise SettingError(
            f"The partner's mapping {told.file} has {', '.join(unknown)}, which nothing reads. Known keys: {', '.join(sorted(known))}."
        )
    if told.told.get("files") and told.told.get("sql"):
        raise SettingError(
            f"The partner's mapping {told.file} has both files and sql. Leave one: a row that comes by both ways would count twice."
        )
    grain = Grain(told.choice("grain", tuple(Grain), "order"))
    plain = {key: told.text(key, "a text") for key in ("files_conn_id", "sql", "time_format") if told.told.get(key) is not None}
    if told.told.get("files") is not None:
        plain["files"] = told.text("files", "a URL like file:///data/partners/aspire or s3://bucket/aspire", r"[a-z0-9]+://.+")
    return PartnerMapping(
        publisher_id=told.text("publisher_id", "the publisher's company id (CID) in quotes, as CJ shows it", r"[0-9]+"),
        name=told.text("name", "the partner's name"),
        columns=_columns(told, grain),
        file=told.file,
        grain=grain,
        currency=told.text("currency", "a three-letter code like USD", r"[A-Z]{3}", "USD"),
        delimiter=told.text("delimiter", "one character, like a comma", r".", ","),
        encoding=told.text("encoding", "an encoding's name, like utf-8", r"[\w-]+", "utf-8"),
        decimal=told.choice("decimal", (".", ","), "."),
        time_zone=_zone(told),
        negative_where=_negative(told),
        month_of=told.choice("month_of", MONTHS_OF, "event"),
        starts=_starts(told),
        reaches=told.choice("reaches", REACHES, "newest_row"),
        late_days=told.whole("late_days", 3, _LONGEST),
        credited_after=_credited(told),
        credit_source=told.text("credit_source", "where these days are from", default="not said by the mapping"),
        keep=_keep(told),
        **plain,
    )


def _columns(told: _Told, grain: Grain) -> dict[str, str]:
    columns = told.told.get("columns")
    if not isinstance(columns, dict) or not all(isinstance(v, str) and v for v in columns.values()):
        raise told.wrong("columns", "our names and the partner's, each a text, like `payout: Commission`")
    if unknown := sorted(str(key) for key in set(columns) - set(OURS)):
        raise told.wrong("columns", f"of our names {', '.join(OURS)}, and {', '.join(unknown)} is none of them")
    needed = "month" if grain is Grain.MONTH else "occurred_at"
    if needed not in columns:
        raise told.wrong("columns", f"with {needed}, since its grain is {grain}")
    if not set(_SIDES) & set(columns):
        raise told.wrong("columns", "with payout, sale_amount, or both: nothing else can be compared")
    return dict(columns)


def _zone(told: _Told) -> tzinfo:
    name = told.text("time_zone", "a zone like Europe/Berlin", default="UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise told.wrong("time_zone", "a zone like Europe/Berlin") from None


def _negative(told: _Told) -> NegativeWhere | None:
    value = told.told.get("negative_where")
    if value is None:
        return None
    may_be = "a column and the words that take a sale back, like {column: status, words: [reversed]}"
    if not isinstance(value, dict) or set(value) != {"column", "words"} or not isinstance(value["column"], str):
        raise told.wrong("negative_where", may_be)
    words = value["words"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise told.wrong("negative_where", may_be)
    return NegativeWhere(value["column"], frozenset(words))


def _starts(told: _Told) -> datetime | None:
    value = told.told.get("starts")
    if value is None:
        return None
    if type(value) is not date:
        raise told.wrong("starts", "a date like 2026-01-31")
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _credited(told: _Told) -> tuple[int, int]:
    value = told.told.get("credited_after", [2, 5])
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(type(n) is int and 0 <= n <= _LONGEST for n in value)
        or value[0] > value[1]
    ):
        raise told.wrong("credited_after", f"two numbers of business days from 0 to {_LONGEST}, the smaller first, like [2, 5]")
    return value[0], value[1]


def _keep(told: _Told) -> tuple[str, ...]:
    value = told.told.get("keep", [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise told.wrong("keep", "a list of parameters' names")
    return tuple(value)
