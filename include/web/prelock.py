"""Before CJ locks: the newest review of every open order, what locks when, what is lost for good, what can be put off, and who has looked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.domain.money import money
from include.domain.prelock import Extension, Finding
from include.restatements.prelock.files import CLICKS, COLUMNS, lines, meaning_of, offered
from include.restatements.prelock.pack import LockDay, Lost, Pack, pack_of
from include.restatements.prelock.rules import EXTENSION, FINDING, LISTED
from include.restatements.prelock.words import headline, swept_words
from include.restatements.report.figures import Amount, amounts_by_currency
from include.sql import filled
from include.warehouse.base import Session
from include.web.asked import WALK, Asked, place_after
from include.web.breaks import Noted
from include.web.common import Freshness, freshness, rows
from include.web.page import Listing, Page
from include.web.shown import Money

SHOWS: Mapping[str, frozenset[str]] = {
    "near": frozenset({"near"}),
    "breaks": frozenset({"broken"}),
    "extension": frozenset({"extensions"}),
    "all": frozenset(),
}
FILTERS = {
    "show": "near (without it): what locks soon or is too late, and every open break; breaks; extension: what can be put off, and what cannot; all",
    "finding": "what was found (docs/prelock.md)",
    "extension": "whether it is on the list to be put off, or why not",
    "account": "CJ's advertiser id",
    "order": "a part of the order id",
    **WALK,
}
_KINDS = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
_FILE = re.compile(r"pack\.pdf|pack\.csv|extension-[0-9]{1,18}\.csv")


@dataclass(frozen=True)
class PrelockRow:
    """One order, as the review found it. Money is exact text; `at_stake` is None where nobody knows it."""

    enterprise_id: str
    action_tracker_id: int
    order_id: str
    advertiser_id: str
    finding: str
    reason: str
    rule: str | None
    meaning: str
    action: str
    locking_date: datetime | None
    at_stake: Money | None
    held: Money | None
    wanted: Money | None
    publisher: str | None
    verdict: str | None
    verdict_reason: str | None
    verdict_risk: Money | None
    noted: Noted | None
    extension: str | None


@dataclass(frozen=True)
class SignedOff:
    """Somebody has looked at a review."""

    digest: str
    by: str
    at: datetime
    note: str
    shown: str
    holds: bool
    """It is of the digest that stands; otherwise it has lapsed."""


@dataclass(frozen=True)
class Prelock:
    """The newest review, one part of its list, and the last sign-offs."""

    fresh: Freshness
    pack: Pack | None
    headline: str
    swept: str
    lost_in_all: tuple[Money, ...]
    files: tuple[str, ...]
    signed: tuple[SignedOff, ...]
    rows: tuple[PrelockRow, ...]
    next: str | None
    asked: Mapping[str, str]

    @property
    def near(self) -> tuple[LockDay, ...]:
        return tuple(lock for lock in self.pack.locks if lock.near) if self.pack else ()

    @property
    def later(self) -> tuple[LockDay, ...]:
        return tuple(lock for lock in self.pack.locks if not lock.near) if self.pack else ()

    @property
    def holds(self) -> SignedOff | None:
        """The sign-off of the digest that stands."""
        return next((one for one in self.signed if one.holds), None)

    def money(self, lock: LockDay | Lost, amount: str) -> Money:
        """In the advertiser's own currency."""
        return Money(amount, self.pack.currency_of(lock.advertiser_id) if self.pack else "")


def look(session: Session, asked: Asked) -> Prelock:
    """The newest review that has ended."""
    fresh, pack = freshness(session, asked.now), _newest(session)
    if pack is None:
        return Prelock(fresh, None, "", "", (), (), (), (), None, {})
    names, params, told = _wanted(asked, pack)
    walks, place = asked.after("mtsis", "first", "second", "enterprise", "tracker", "order")
    found = rows(session, "page_prelock", names | walks | {"rows"}, **params, **place, rows=asked.rows + 1)
    listed = found[: asked.rows]
    lost = amounts_by_currency(Amount(pack.currency_of(one.advertiser_id), money(one.cost)) for one in pack.lost)
    return Prelock(
        fresh, pack, headline(pack), swept_words(pack), Money.told(lost), offered(pack), _signed(session, pack),
        tuple(_row(row, pack) for row in listed), _place(listed[-1]) if len(found) > len(listed) else None, told,
    )  # fmt: skip


def _newest(session: Session) -> Pack | None:
    found = session.rows("SELECT figures FROM cj.prelock_sweeps ORDER BY review DESC LIMIT 1")
    return pack_of(str(found[0]["figures"])) if found else None


def _wanted(asked: Asked, pack: Pack) -> tuple[frozenset[str], dict[str, Any], dict[str, str]]:
    show = asked.one_of("show", SHOWS) or "near"
    told = {
        "finding": asked.one_of("finding", Finding),
        "extension": asked.one_of("extension", Extension),
        "account": asked.text("account"),
        "order": asked.text("order"),
    }
    given: dict[str, str] = {name: value for name, value in told.items() if value}
    shown = given | ({"show": show} if show != "near" else {})
    return frozenset(given) | SHOWS[show], {"review": pack.review, **given}, shown


def _signed(session: Session, pack: Pack) -> tuple[SignedOff, ...]:
    found: list[dict[str, Any]] = [
        dict(row)
        for row in session.rows(
            "SELECT digest, reviewed_by, reviewed_at, note, shown FROM cj.prelock_reviews ORDER BY reviewed_at DESC LIMIT 5"
        )
    ]
    return tuple(
        SignedOff(row["digest"], row["reviewed_by"], row["reviewed_at"], row["note"], row["shown"], row["digest"] == pack.digest)
        for row in found
    )


def _row(row: Mapping[str, Any], pack: Pack) -> PrelockRow:
    means, action = meaning_of(row)
    own = pack.currency_of(str(row["advertiser_id"]))
    noted = Noted(str(row["note"]), str(row["noted_by"]), row["noted_at"]) if row["noted_by"] else None
    return PrelockRow(
        str(row["enterprise_id"]), int(row["action_tracker_id"]), str(row["order_id"]), str(row["advertiser_id"]), str(row["finding"]), str(row["reason"]),
        row["rule"], means, action, row["locking_date"], Money.of(row["at_stake"], own), Money.of(row["held_amount"], own),
        Money.of(row["wanted_amount"], row["currency"] or own), row["publisher_name"] or row["publisher_id"], row["verdict"], row["verdict_reason"],
        Money.of(row["verdict_risk"], own) if row["verdict"] else None, noted, row["extension"],
    )  # fmt: skip


def _place(row: Mapping[str, Any]) -> str:
    return place_after(money(row["dearest"]), row["locks"], str(row["enterprise_id"]), int(row["action_tracker_id"]), str(row["order_id"]))


def listing(session: Session, asked: Asked) -> Listing:
    """Every row of the list, not only those shown."""
    pack = _newest(session)
    if pack is None:
        return Listing(COLUMNS, iter(()))
    names, params, _ = _wanted(asked, pack)
    return Listing(COLUMNS, lines(session.each(filled("page_prelock", asked=names), params)))


def kind_of_file(name: str) -> str | None:
    """Of what kind a file is that a review may have left; None for any other name."""
    return _KINDS[name.rpartition(".")[2]] if _FILE.fullmatch(name) else None


PAGE = Page(
    "prelock", "/prelock", look, Prelock, "The newest pre-lock review: what locks when, what is wrong, what is lost, what can be put off, and who has looked",
    "Pre-lock", listing, FILTERS,
    words={
        "findings": {word: FINDING[word] for word in LISTED}, "extensions": EXTENSION, "clicks": CLICKS,
        "shows": {"near": "locks soon or too late", "breaks": "open breaks", "extension": "the list to put off", "all": "all that is listed"},
    },
)  # fmt: skip
