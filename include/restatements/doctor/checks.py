"""A check told as data, and the asking of one after another.

A check is asked only where what it needs was found right; else it says which one is to be mended first. One that fails, in whatever way, never stops
the others. What a check finds out and later ones go on from is left in `Notes`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from include.cj.client import CJClient, Timeouts
from include.cj.errors import CJGatewayError, CJInternalError, CJOverloaded, CJPageForbids, CJPaused, CJRateLimited
from include.domain.account import Account
from include.domain.errors import RestatementsError, WarehouseForbids
from include.restatements.settings import TOLD, Settings, variable_of
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from include.warehouse.orders import OrdersSource

if TYPE_CHECKING:
    import pyarrow as pa

    from include.restatements.doctor.week import Week

log = logging.getLogger(__name__)

LOOKED_AT = timedelta(days=7)
"""How far back orders and CJ's records are looked at."""

LOGIN_NEEDS = "docs/warehouses.md, under *PostgreSQL: what the login needs*"

_VARIABLES = frozenset(variable_of(name) for name in TOLD)

_PASSES = "Nothing to mend here; ask again later."
_CJS_OWN_TROUBLE = (CJGatewayError, CJInternalError, CJOverloaded, CJPaused, CJRateLimited)
"""What CJ answers when it is CJ that is in trouble; an address where nobody answers may also be a wrong one."""

_TIMEOUTS = Timeouts(connect=10.0, read=120.0, write=30.0, whole=300.0)


class State(StrEnum):
    """What came of a check."""

    RIGHT = "right"
    LOOK = "look"
    """Nothing is wrong for certain, and somebody should look."""
    MEND = "mend"
    """A night would fail, or do harm."""
    NOT_ASKED = "not_asked"
    """Something else is to be mended first, or there is nothing yet by which to tell."""


@dataclass(frozen=True)
class Found:
    """What a check found: a sentence, and what to do where it is not right. `examples` are rows of a small table, without personal data."""

    state: State
    sentence: str
    remedy: str = ""
    examples: tuple[Mapping[str, str], ...] = ()


def right(sentence: str) -> Found:
    """All is well."""
    return Found(State.RIGHT, sentence)


def look(sentence: str, remedy: str, examples: Sequence[Mapping[str, str]] = ()) -> Found:
    """Somebody should look."""
    return Found(State.LOOK, sentence, remedy, tuple(examples))


def mend(sentence: str, remedy: str, examples: Sequence[Mapping[str, str]] = ()) -> Found:
    """Something is wrong."""
    return Found(State.MEND, sentence, remedy, tuple(examples))


class NotAsked(Exception):
    """Raised by a check that has nothing by which to tell; the message goes on from "Not asked, because"."""


@dataclass
class Notes:
    """What is known so far. A field that a check fills is there for those that need that check."""

    python: tuple[int, int] = field(default_factory=lambda: sys.version_info[:2])
    patience: float = 5.0
    """Seconds to wait for a warehouse that somebody holds."""
    conn_ids: list[str] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    """By connection; those whose connection could be read."""
    settings: Settings = field(init=False)
    location: WarehouseLocation = field(init=False)
    orders: OrdersSource | None = None
    """Where the orders are read, where that is not the warehouse."""
    sql: str = field(init=False)
    offsets: dict[str, timedelta] = field(default_factory=dict)
    """By connection: CJ's clock minus ours."""
    records: dict[str, pa.Table] = field(default_factory=dict)
    """By connection: CJ's records of the last days, one page of them."""
    may_use_tables: bool = False
    """The login may read and write schema cj."""
    not_its_advertiser: set[str] = field(default_factory=set)
    """Connections whose token may not read their advertiser's records."""
    week: Week = field(init=False)

    def now(self) -> datetime:
        """CJ's time where it is known, else ours."""
        return datetime.now(UTC) + next(iter(self.offsets.values()), timedelta(0))

    def session(self) -> AbstractContextManager[Session]:
        """The warehouse, opened."""
        return open_warehouse(replace(self.location, wait_seconds=self.patience))

    def client(self, conn_id: str) -> CJClient:
        """A client that gives up soon: somebody waits for the answer."""
        return CJClient(self.accounts[conn_id], timeouts=_TIMEOUTS, attempts=2, first_wait=0.5, longest_wait=5.0)


@dataclass(frozen=True)
class Check:
    """One question. `ask` gets the notes and, where it is asked of each account, that account's connection id; else an empty text.

    `remedy` says where to mend what an error of ours told in its sentence; `{whose}` in it is the connection, `{WHOSE}` the same in capitals.
    """

    id: str
    asks: str
    ask: Callable[[Notes, str], Found]
    remedy: str
    needs: tuple[str, ...] = ()
    each_account: bool = False


@dataclass(frozen=True)
class Finding:
    """What came of one check. `whose` is the account's connection, empty where it is about none."""

    id: str
    whose: str
    asks: str
    found: Found
    because: str = ""
    """The check that is to be mended first."""

    @property
    def name(self) -> str:
        return f"{self.id} ({self.whose})" if self.whose else self.id


def examine(checks: Sequence[Check], notes: Notes) -> Iterator[Finding]:
    """Asks them in their order. Raises nothing of what they raise."""
    findings: list[Finding] = []
    for check in checks:
        for whose in (notes.conn_ids if check.each_account else []) or [""]:
            findings.append(_examined(check, whose, notes, findings))
            yield findings[-1]


def to_mend(findings: Sequence[Finding]) -> list[Finding]:
    """Those with something to mend."""
    return [finding for finding in findings if finding.found.state is State.MEND]


def _examined(check: Check, whose: str, notes: Notes, before: Sequence[Finding]) -> Finding:
    if because := _in_the_way(check, whose, before):
        return Finding(check.id, whose, check.asks, Found(State.NOT_ASKED, f"Not asked, because of {because}: mend that first."), because)
    return Finding(check.id, whose, check.asks, _in_the_environment(_answer(check, whose, notes)))


def _in_the_environment(found: Found) -> Found:
    """With the names that the environment has for the Variables its remedy, or its sentence, sends somebody to."""
    if not found.remedy:
        return found
    named = dict.fromkeys(re.findall(r"\bVariable (cj_\w+)", f"{found.sentence} {found.remedy}"))
    told = [f"Variable {name} is AIRFLOW_VAR_{name.upper()} in the environment." for name in named if name in _VARIABLES]
    return replace(found, remedy=" ".join([found.remedy, *told]))


def _answer(check: Check, whose: str, notes: Notes) -> Found:
    try:
        return check.ask(notes, whose)
    except NotAsked as reason:
        return Found(State.NOT_ASKED, f"Not asked, because {reason}.")
    except RestatementsError as error:
        return mend(str(error), _remedy_of(error) or _remedy(check, whose))
    except Exception as error:
        # Whatever one check meets, the others are asked. Its text may hold anything, so it goes no further than a log that somebody has asked for.
        log.debug("Check %s failed", check.id, exc_info=True)
        return mend(
            f"This could not be asked: {type(error).__name__}, which is no error of ours.",
            f"{_remedy(check, whose)} If that is right, it is a fault of the package: report it.",
        )


def _remedy_of(error: RestatementsError) -> str:
    """What to do where the error itself tells, whatever was asked; empty where it does not."""
    if isinstance(error, WarehouseForbids):
        if "connection 'orders'" in str(error).lower():
            return "docs/orders.md says what connection `orders` and its login need."
        return f"{LOGIN_NEEDS}, lists the rights."
    if isinstance(error, _CJS_OWN_TROUBLE):
        return _PASSES
    if isinstance(error, CJPageForbids):
        return "Ask whoever runs the proxy or the firewall to let this machine's requests through to it."
    return ""


def _remedy(check: Check, whose: str) -> str:
    return check.remedy.replace("{whose}", whose).replace("{WHOSE}", whose.upper())


def _in_the_way(check: Check, whose: str, before: Sequence[Finding]) -> str:
    """The check to be mended first; empty where there is none. What is asked of no account goes on where one account is right."""
    for need in check.needs:
        all_of_it = [finding for finding in before if finding.id == need]
        mine = [finding for finding in all_of_it if finding.whose in (whose, "")] or all_of_it
        if not any(finding.found.state in (State.RIGHT, State.LOOK) for finding in mine):
            first = mine[0]
            return first.because or first.name
    return ""
