"""Values to words: money, days and links as the templates write them. Everything a template shows is escaped; nothing is marked as safe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from include.domain.locking import lock_of
from include.domain.money import money, money_text
from include.restatements.report.figures import Amount, counted, duration, utc
from include.restatements.report.words import plain

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Money:
    """An exact amount as text, and its currency: empty where it is the advertiser's own, whose name nobody gave."""

    amount: str
    currency: str

    @classmethod
    def of(cls, amount: Any, currency: Any) -> Money | None:
        """None for no amount: CJ shows none, or it is not known."""
        return None if amount is None else cls(money_text(money(amount)), str(currency or ""))

    @classmethod
    def told(cls, amounts: tuple[Amount, ...]) -> tuple[Money, ...]:
        """A sum a currency."""
        return tuple(cls(money_text(one.amount), one.currency) for one in amounts)


def exact(value: Money | None) -> str:
    """`1,234.50 USD`, no digit lost; a dash where there is none."""
    return "–" if value is None else Amount(value.currency, money(value.amount)).exact()


def cents(value: Money | None) -> str:
    """The same to the cent, for what is an estimate; `unknown` where there is none."""
    return "unknown" if value is None else Amount(value.currency, money(value.amount)).cents()


def amount(text: str) -> str:
    """An exact amount of the advertiser's currency, which nobody names here: `7,529.79`."""
    return exact(Money(text, ""))


def sums(values: tuple[Money, ...]) -> str:
    """`12.50 USD + 3.00 EUR` to the cent; what is nothing is left out, unless all is."""
    some = [cents(value) for value in values if money(value.amount)]
    return " + ".join(some) or (cents(values[0]) if values else "0.00")


def ago(seconds: int) -> str:
    """How old something is."""
    return f"{duration(seconds)} old"


def moment(value: datetime | None) -> str:
    """`2026-11-19 02:00 UTC`; a dash where there is none."""
    return "–" if value is None else utc(value.astimezone(UTC))


def clock(value: datetime | None) -> str:
    """The same with seconds: for what follows within a minute."""
    return "–" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def lock_day(locking_date: datetime | None) -> str:
    """`2026-11-19`; `open` where CJ sets no day, a dash where none is known."""
    locks = lock_of(locking_date)
    return f"{locks.astimezone(UTC):%Y-%m-%d}" if locks else "–" if locking_date is None else "open"


def whole_days(until: datetime, now: datetime) -> int:
    """Days that are left, below zero where it is over."""
    return (until - now) // timedelta(days=1)


def part(text: Any) -> str:
    """A name as one part of an address, whatever it holds."""
    return quote(str(text), safe="")


def order_path(order: Any) -> str:
    """Where an order's story is, within the pages."""
    return f"orders/{part(order.enterprise_id)}/{part(order.action_tracker_id)}/{part(order.order_id)}"


def query(**values: Any) -> str:
    """What stands after an address: `?status=missing`, without what is not given."""
    given = {name.rstrip("_"): str(value) for name, value in values.items() if value not in (None, "", False)}
    return f"?{urlencode(given)}" if given else ""


def difference(now: Decimal, before: Decimal) -> str:
    """`up`, `down` or `same`: what a figure did."""
    return "same" if now == before else "up" if now > before else "down"


@cache
def environment() -> Environment:
    """The templates' own."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    for filter_ in (exact, cents, amount, sums, ago, moment, clock, lock_day, part, plain, duration):
        made.filters[filter_.__name__] = filter_
    made.globals |= {"counted": counted, "sums": sums, "order_path": order_path, "query": query}
    return made


def rendered(template: str, /, **values: Any) -> str:
    """A page's text."""
    return environment().get_template(template).render(**values)
