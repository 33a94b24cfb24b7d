"""One order's whole story, in the order in which it happened: what was held back, what was sent, what CJ posted, and every change of verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from include.domain.money import exact_sum, money
from include.domain.states import BREAKS, Mode
from include.restatements.report.advice import SKIPS, advice_for, quarantine_advice
from include.restatements.report.collect import without_addresses
from include.restatements.report.words import plain
from include.warehouse.base import Session
from include.web.asked import Asked
from include.web.breaks import BreakRow
from include.web.breaks import of_order as breaks_of_order
from include.web.common import Freshness, freshness, own_currencies, rows
from include.web.page import Elsewhere, NoSuchThing, Page
from include.web.partner_lists import is_correction, seen_of
from include.web.partner_rows import Compared, of_order
from include.web.shown import Money, lock_day, part


@dataclass(frozen=True)
class Detail:
    """A fact of an event, by its name."""

    name: str
    value: str


@dataclass(frozen=True)
class Event:
    """One thing that happened. `kind` is `state`, `held`, `skipped`, `planned`, `sent`, `settled`, `record`, `partner`, `verdict`, `aside` or `note`."""

    at: datetime
    kind: str
    title: str
    word: str = ""
    """The state it stands for, where it has one: a verdict, an outcome."""
    text: str = ""
    amount: Money | None = None
    running: Money | None = None
    """Of a record of CJ's: what CJ holds of the order's amount after it, in the advertiser's currency."""
    run_id: str = ""
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True)
class OrderState:
    """One state of the order in the warehouse, and what became of it."""

    updated_at: datetime
    operation: str
    status: str
    reason: str
    submitted: Money | None
    posted: Money | None
    difference: Money | None
    at_risk: Money | None
    locking_date: datetime | None


@dataclass(frozen=True)
class Order:
    """An order and its story. What CJ holds is the sum of its records, in the advertiser's currency; None where it has none."""

    fresh: Freshness
    enterprise_id: str
    action_tracker_id: int
    order_id: str
    publisher_id: str | None
    publisher: str | None
    held_amount: Money | None
    held_commission: Money | None
    """Commission and fee; None also where CJ does not say one of them."""
    states: tuple[OrderState, ...]
    breaks: tuple[BreakRow, ...]
    partners: tuple[Compared, ...]
    """What its partners saw of it, beside what CJ holds."""
    events: tuple[Event, ...]


def look(session: Session, asked: Asked) -> Order:
    """The story of the order that the address names. Raises NoSuchThing."""
    key = _key(asked)
    sent, held = rows(session, "page_order_sent", **key), rows(session, "page_order_held", **key)
    skipped, planned = rows(session, "page_order_skipped", **key), rows(session, "page_order_planned", **key)
    verdicts, changes = rows(session, "page_order_verdicts", **key), rows(session, "page_order_changes", **key)
    own = own_currencies(session)
    records = _of_its_account(rows(session, "page_order_records", **_without_enterprise(key)), [*sent, *verdicts])
    if not (sent or held or skipped or planned or verdicts or records):
        raise NoSuchThing(f"No run has picked an order {key['order_id']}, and CJ's records do not name it.")
    saw = of_order(session, key["order_id"], key["action_tracker_id"], {str(row["advertiser_id"]) for row in records})
    aside, notes = rows(session, "page_order_aside", **_without_enterprise(key)), rows(session, "page_order_notes", **key)
    counted = [row for row in records if row["counts"]]
    currency = own.get(str(counted[-1]["advertiser_id"]), "") if counted else ""
    events = [
        *_states([*sent, *held, *skipped]), *_held(held), *_skipped(skipped), *_planned(planned), *_sent(sent, own), *_records(records, own),
        *_verdicts(changes, verdicts, own), *_aside(aside), *_notes(notes),
        *_partners(session, saw),
    ]  # fmt: skip
    return Order(
        fresh=freshness(session, asked.now),
        enterprise_id=str(key["enterprise_id"]),
        action_tracker_id=int(key["action_tracker_id"]),
        order_id=str(key["order_id"]),
        publisher_id=next((str(row["publisher_id"]) for row in reversed(counted)), None),
        publisher=next((str(row["publisher_name"]) for row in reversed(counted) if row["publisher_name"]), None),
        held_amount=Money.of(_sum(counted, "sale_amount"), currency) if counted else None,
        held_commission=_commission(counted, currency),
        states=tuple(_state(row, own) for row in verdicts),
        breaks=_breaks(session, asked, own, key, verdicts),
        partners=saw,
        events=tuple(sorted(events, key=lambda event: (event.at, _RANK[event.kind]))),
    )


_RANK = {
    kind: n
    for n, kind in enumerate(("state", "held", "skipped", "planned", "sent", "record", "partner", "settled", "verdict", "aside", "note"))
}
"""Of what happened in one moment, which comes first."""


def _key(asked: Asked) -> dict[str, Any]:
    tracker = asked.path.get("tracker", "")
    if not (tracker.isascii() and tracker.isdigit() and len(tracker) < 19):
        raise NoSuchThing("An action tracker is a number.")
    clean = {name: asked.path.get(name, "").replace("\x00", "") for name in ("enterprise", "order")}
    return {"enterprise_id": clean["enterprise"], "action_tracker_id": int(tracker), "order_id": clean["order"]}


def _without_enterprise(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name != "enterprise_id"}


def _of_its_account(records: list[dict[str, Any]], ours: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of the account that the order was sent to, where it was: under one tracker another account may have its like."""
    advertisers = {str(row["advertiser_id"]) for row in ours}
    return [row for row in records if not advertisers or str(row["advertiser_id"]) in advertisers]


def _sum(found: Iterable[Mapping[str, Any]], column: str) -> Decimal:
    return exact_sum([money(row[column]) for row in found if row[column] is not None])


def _commission(counted: list[dict[str, Any]], currency: str) -> Money | None:
    if not counted or any(row["adv_commission_amount"] is None or row["cj_fee"] is None for row in counted):
        return None
    return Money.of(exact_sum([_sum(counted, "adv_commission_amount"), _sum(counted, "cj_fee")]), currency)


def _breaks(
    session: Session, asked: Asked, own: Mapping[str, str], key: Mapping[str, Any], verdicts: list[dict[str, Any]]
) -> tuple[BreakRow, ...]:
    if not any(row["status"] in BREAKS for row in verdicts):
        return ()
    found = breaks_of_order(session, asked.now, own, {"order": str(key["order_id"])})
    return tuple(
        row for row in found
        if (row.enterprise_id, row.action_tracker_id, row.order_id) == (key["enterprise_id"], key["action_tracker_id"], key["order_id"])
    )  # fmt: skip


def _state(row: Mapping[str, Any], own: Mapping[str, str]) -> OrderState:
    mine = own.get(str(row["advertiser_id"]), "")
    currency = row["currency"] or mine
    return OrderState(
        row["updated_at"], str(row["operation"]), str(row["status"]), str(row["reason"] or ""), Money.of(row["submitted_amount"], currency),
        Money.of(row["posted_amount"], currency), Money.of(row["difference"], currency), Money.of(row["commission_at_risk"], mine), row["locking_date"],
    )  # fmt: skip


def _details(**values: Any) -> tuple[Detail, ...]:
    return tuple(Detail(name.strip("_").replace("_", " "), str(value)) for name, value in values.items() if value not in (None, ""))


def _states(found: list[dict[str, Any]]) -> Iterator[Event]:
    for moment in sorted({row["updated_at"] for row in found if row["updated_at"] is not None}):
        yield Event(moment, "state", "The warehouse changed the order")


def _held(found: list[dict[str, Any]]) -> Iterator[Event]:
    for row in found:
        advice = quarantine_advice(str(row["stage"]), str(row["rule"] or ""), str(row["reason"]))
        yield Event(
            row["quarantined_at"], "held", f"Held back: {plain(str(row['reason']))}", str(row["stage"]), f"{advice.meaning} {advice.action}", run_id=str(row["run_id"]),
            details=_details(stage=plain(str(row["stage"])), rule=row["rule"], detail=without_addresses(row["detail"] or ""), state_of=_at(row["updated_at"])),
        )  # fmt: skip


def _skipped(found: list[dict[str, Any]]) -> Iterator[Event]:
    said = {str(skip): words for skip, words in SKIPS.items()}
    for row in found:
        yield Event(
            row["skipped_at"], "skipped", f"Nothing to send: {plain(str(row['reason']))}", "", said.get(str(row["reason"]), ""), run_id=str(row["run_id"]),
            details=_details(rule=row["rule"], state_of=_at(row["updated_at"])),
        )  # fmt: skip


def _planned(found: list[dict[str, Any]]) -> Iterator[Event]:
    for row in found:
        yield Event(
            row["planned_at"], "planned", f"Planned: {row['operation']}, not posted yet", run_id=str(row["run_id"]),
            details=_details(chunk=row["chunk_id"], state_of=_at(row["updated_at"])),
        )  # fmt: skip


def _sent(found: list[dict[str, Any]], own: Mapping[str, str]) -> Iterator[Event]:
    for row in found:
        currency = row["currency"] or own.get(str(row["advertiser_id"]), "")
        test = row["mode"] == Mode.TEST
        yield Event(
            row["submitted_at"] or row["updated_at"], "sent", f"{'Asked in Test Mode' if test else 'Sent'}: {row['operation']}", str(row["outcome"]),
            without_addresses(row["error_message"] or ""), Money.of(row["amount"], currency), run_id=str(row["run_id"]),
            details=_details(
                attempt=row["attempt"] if int(row["attempt"]) > 1 else None, discount=_plain(row["discount"]), coupon=row["coupon"], status=row["status"],
                correction_reason=row["correction_reason"], chunk=row["chunk_id"], submission=row["submission_id"], batch=row["batch_id"],
                state_of=_at(row["updated_at"]),
            ),
        )  # fmt: skip
        if row["settled_at"] is not None:
            yield Event(
                row["settled_at"], "settled", "Settled from CJ's records", str(row["outcome"]),
                "It was posted." if row["outcome"] == "accepted" else "It was not posted: it may be planned again.", run_id=str(row["run_id"]),
            )  # fmt: skip


def _records(found: list[dict[str, Any]], own: Mapping[str, str]) -> Iterator[Event]:
    running: list[Decimal] = []
    for row in found:
        currency = own.get(str(row["advertiser_id"]), "")
        if row["counts"] and row["sale_amount"] is not None:
            running.append(money(row["sale_amount"]))
        what = "CJ posted" if row["original"] else "CJ posted a correction"
        left_out = (
            "" if row["counts"] else "CJ shows it under another id now: it counts no more." if row["gone"] else "It is no part of the sale."
        )
        yield Event(
            row["posting_date"], "record", f"{what}: {row['action_type']}", str(row["action_status"]), left_out, Money.of(row["sale_amount"], currency),
            Money.of(exact_sum(running), currency) if row["counts"] else None,
            details=_details(
                record=row["commission_id"], discount=_plain(row["order_discount"]), commission=_plain(row["adv_commission_amount"]), fee=_plain(row["cj_fee"]),
                coupon=row["coupon"], validation=row["validation_status"], correction_reason=row["correction_reason"], locks=None if row["locking_date"] is None else lock_day(row["locking_date"]),
                publisher=" ".join(filter(None, (row["publisher_name"], row["publisher_id"]))),
            ),
        )  # fmt: skip


def _verdicts(changes: list[dict[str, Any]], verdicts: list[dict[str, Any]], own: Mapping[str, str]) -> Iterator[Event]:
    now = {row["updated_at"]: row for row in verdicts}
    logged = {row["updated_at"] for row in changes}
    # A verdict from before there was a log enters it when it changes.
    for row in [*changes, *(row | {"status_before": None, "reason_before": None} for row in verdicts if row["updated_at"] not in logged)]:
        state = now.get(row["updated_at"], {})
        mine = own.get(str(state.get("advertiser_id", "")), "")
        before = " ".join(filter(None, (row["status_before"], plain(str(row["reason_before"] or "")))))
        yield Event(
            row["checked_at"], "verdict", "Verdict", str(row["status"]), _why(row), run_id=str(row["run_id"]),
            details=_details(CJ_shows=_told(row["posted_amount"], state.get("currency") or mine), before=before, difference=_plain(row["difference"]), at_risk=_plain(row["commission_at_risk"]), state_of=_at(row["updated_at"])),
        )  # fmt: skip


def _why(row: Mapping[str, Any]) -> str:
    if row["status"] not in BREAKS:
        return ""
    word = str(row["reason"] or "unknown")
    return f"{plain(word).capitalize()}: {advice_for(word).meaning}"


def _told(amount: Any, currency: Any) -> str | None:
    return _told_money(Money.of(amount, currency))


def _aside(found: list[dict[str, Any]]) -> Iterator[Event]:
    for row in found:
        kept = (
            "kept with a change"
            if row["kept"]
            else "set aside: what the order comes to at CJ is not known"
            if row["missing"]
            else "set aside, and read since"
        )
        yield Event(
            row["set_aside_at"],
            "aside",
            f"A record of CJ was {kept}",
            details=_details(record=row["commission_id"], what=row["what"], why=row["why"]),
        )


def _notes(found: list[dict[str, Any]]) -> Iterator[Event]:
    for row in found:
        yield Event(
            row["acknowledged_at"], "note", f"Noted by {row['acknowledged_by']}", "" if row["holds"] else "lapsed", str(row["note"]),
            details=_details(verdict=" ".join(filter(None, (row["status"], plain(str(row["reason"] or "")))))),
        )  # fmt: skip


def _partners(session: Session, saw: tuple[Compared, ...]) -> Iterator[Event]:
    for one in saw:
        for seen in seen_of(session, one) if one.partner_rows else ():
            yield Event(
                seen.occurred_at or seen.loaded_at, "partner", f"{one.partner} saw a {'correction' if is_correction(seen) else 'sale'}", amount=seen.sale,
                details=_details(payout=_told_money(seen.payout), transaction=seen.transaction_id, from_=seen.source),
            )  # fmt: skip


def _told_money(amount: Money | None) -> str | None:
    return None if amount is None else f"{amount.amount} {amount.currency}".strip()


def _plain(amount: Any) -> str | None:
    if amount is None or not money(amount):
        return None
    told = Money.of(amount, "")
    return None if told is None else told.amount


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True)
class Found:
    """An order that has the id somebody looked for."""

    enterprise_id: str
    action_tracker_id: int
    order_id: str
    last_at: datetime | None


@dataclass(frozen=True)
class FoundOrders:
    """What was looked for, and the orders that have just this id."""

    fresh: Freshness
    id: str
    orders: tuple[Found, ...]


def find(session: Session, asked: Asked) -> FoundOrders:
    """The orders with the id that was asked for. Raises Elsewhere where there is just one, whose page it is."""
    fresh, text = freshness(session, asked.now), asked.text("id")
    if text is None:
        return FoundOrders(fresh, "", ())
    found = tuple(
        Found(str(row["enterprise_id"]), int(row["action_tracker_id"]), str(row["order_id"]), row["last_at"])
        for row in rows(session, "page_orders_named", id=text)
    )
    # CJ's own records do not say whose enterprise an order is of: where anybody else knows it, that one counts.
    named = tuple(one for one in found if one.enterprise_id) or tuple(replace(one, enterprise_id="-") for one in found)
    if len(named) == 1:
        one = named[0]
        raise Elsewhere(f"orders/{part(one.enterprise_id)}/{one.action_tracker_id}/{part(one.order_id)}")
    return FoundOrders(fresh, text, named)


FINDING = Page(
    "orders", "/orders", find, FoundOrders, "The orders that have just this id", "Orders", filters={"id": "the order id, whole"}, json=False
)

PAGE = Page(
    "order",
    "/orders/{enterprise}/{tracker}/{order:path}",
    look,
    Order,
    "One order's whole story, in the order in which it happened",
    part_of="orders",
)
