"""One designed order for everything that can happen to an order, and what the tables must say of it afterwards.

The play is three nights on CJ's clock. Each is run at `runs_at` with the rows that had reached the warehouse by then, and reconciled at
`reconciles_at`. What the sandbox must do behind everybody's back is in `faults`; the rest follows from the orders alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from include.demo.catalogue import Catalogue
from include.demo.orders import FIXED_DATE, FIXED_DURATION, OPEN_ENDED, Change, Order, PixelOrder
from include.demo.story_types import Case, Night, Storyline, Table

EXCLUDED_COUPON = "STAFFONLY"
"""The advertiser pays no commission on it: CJ drops a restatement that carries it, in silence."""
NOT_A_TRACKER = 499
"""No action tracker of the enterprise: CJ drops a create under it, in silence."""
LATE_SECONDS, AWAITED_SECONDS = 40 * 3600, 3 * 3600


def tell(catalogue: Catalogue, nights: tuple[Night, ...]) -> tuple[Storyline, list[Change], list[PixelOrder]]:
    """The storyline over three nights, with the rows and the pixel's orders it needs."""
    teller = _Teller(catalogue, nights)
    teller.sent()
    teller.held_back()
    teller.nothing_to_send()
    teller.verdicts()
    return Storyline(nights, tuple(teller.cases), tuple(teller.faults), teller.refused), teller.changes, teller.pixel


class _Teller:
    def __init__(self, catalogue: Catalogue, nights: tuple[Night, ...]) -> None:
        self.catalogue, self.nights = catalogue, nights
        self.before_last, self.last, self.tonight = nights
        self.changes: list[Change] = []
        self.pixel: list[PixelOrder] = []
        self.cases: list[Case] = []
        self.faults: list[Mapping[str, Any]] = []
        self.refused: tuple[str, ...] = ()

    def case(self, name: str, table: Table, state: str, orders: list[Order], *reasons: str, updated_before: datetime | None = None) -> None:
        self.cases.append(Case(name, table, state, reasons, tuple(order.order_id for order in orders), updated_before))

    def fault(self, kind: str, orders: list[Order], **details: Any) -> None:
        self.faults.append({"kind": kind, "order_ids": [order.order_id for order in orders], **details})

    # Orders: placed five days before tonight unless said otherwise, so that no monthly cycle has locked them.

    def order(self, *, tracker: int = FIXED_DATE, placed: datetime | None = None, affiliate: bool = True, lines: int | None = 4) -> Order:
        order = self.catalogue.order(placed or self.before_last.at(-60), affiliate=affiliate, tracker=tracker, lines=lines)
        return replace(order, currency="USD")

    def booking(self) -> Order:
        return self.order(tracker=OPEN_ENDED, lines=None)

    def at_cj(self, order: Order, **details: Any) -> Order:
        """CJ holds the order as it was placed, thirty days from its lock unless said otherwise."""
        if order.tracker != OPEN_ENDED:
            details.setdefault("locking", self.tonight.end + timedelta(days=30))
        self.pixel.append(PixelOrder(order, order.placed + timedelta(minutes=20), **details))
        return order

    def placed(self, order: Order) -> Order:
        self.changes.append(Change(order, "new", order.placed))
        return order

    def restated(self, order: Order, at: datetime, **details: Any) -> Order:
        details.setdefault("correction_reason", "ReturnedMerchandise")
        self.changes.append(Change(order, "restated", at, **details))
        return order

    def cancelled(self, order: Order, at: datetime, **details: Any) -> Order:
        details.setdefault("correction_reason", "ReturnedMerchandise")
        self.changes.append(Change(order, "cancelled", at, **details))
        return order

    def returned(
        self, count: int, hours: float, night: Night | None = None, make: Callable[[Order], Order] = lambda order: order, **details: Any
    ) -> list[Order]:
        """Orders CJ holds, of which a fifth comes back."""
        orders = [self.at_cj(self.placed(make(self.order()))) for _ in range(count)]
        for minute, order in enumerate(orders):
            self.restated(order.partly_returned(0.2), (night or self.tonight).at(hours + minute / 60), **details)
        return orders

    def sent(self) -> None:
        """What goes out tonight, and how."""
        tonight = self.tonight
        returned = self.returned(4, 9)
        exchanged = [self.at_cj(self.placed(self.order())) for _ in range(3)]
        for order in exchanged:
            assert order.lines
            self.restated(order.with_lines((*order.lines[1:], *self.catalogue.basket(1))), tonight.at(10), correction_reason="Other")
        several = [self.at_cj(self.placed(self.order())) for _ in range(2)]
        for order in several:
            for hour in (9, 12, 15):
                order = self.restated(order.partly_returned(0.1), tonight.at(hour))
        late_row = [self.at_cj(self.placed(self.order()))]
        once = late_row[0].partly_returned(0.1)
        self.restated(once, tonight.at(8), arrives=tonight.at(20))
        self.restated(once.partly_returned(0.2), tonight.at(14))
        accepted = [self.at_cj(self.placed(self.booking())) for _ in range(3)]
        for order, status in zip(accepted, ("Accepted", "Accepted", "Pending"), strict=True):
            self.restated(order.partly_returned(0.1), tonight.at(11), status=status, correction_reason="BookingCanceled")
        converted = self.returned(2, 16, make=lambda order: replace(order, currency="EUR"))
        converted += self.returned(2, 17, make=lambda order: replace(order, currency="GBP"))
        for name, orders in (
            ("returned", returned),
            ("exchanged", exchanged),
            ("changed several times", several),
            ("late row", late_row),
            ("open-ended booking", accepted),
            ("another currency", converted),
        ):
            self.case(name, "submissions", "restate", orders)

        cancelled = [self.cancelled(self.at_cj(self.placed(self.order(tracker=FIXED_DURATION))), tonight.at(13)) for _ in range(3)]
        declined = [self.at_cj(self.placed(self.booking())) for _ in range(2)]
        for order in declined:
            self.cancelled(order, tonight.at(13), status="Declined", correction_reason="BookingCanceled")
        restated_then_cancelled = self.returned(1, 9)
        self.cancelled(restated_then_cancelled[0], tonight.at(18))
        for name, orders in (
            ("cancelled", cancelled),
            ("declined booking", declined),
            ("restated then cancelled", restated_then_cancelled),
        ):
            self.case(name, "submissions", "cancel", orders)

        missed = [self.placed(self.order(placed=tonight.at(hour))) for hour in (9, 10, 11)]
        by_link = self.order(placed=tonight.at(12))
        self.placed(replace(by_link, cj_event=None, ad_id=13_488_021, promotional_property_id=7_940_113, sid="newsletter-11"))
        changed_before_sent = self.placed(self.order(placed=tonight.at(9)))
        self.restated(changed_before_sent.partly_returned(0.2), tonight.at(17))
        self.case("missed", "submissions", "create", [*missed, by_link])
        self.case("changed before it was sent", "submissions", "create", [changed_before_sent])

    def held_back(self) -> None:
        """What tonight's plan holds back because CJ could not take it, and what CJ's Test Mode refuses."""
        at, eligibility = self.tonight.at(10), "eligibility"
        ago = self.tonight.end - timedelta(days=70)
        old = [self.at_cj(self.order(placed=ago), locking=self.tonight.end - timedelta(days=8)) for _ in range(3)]
        paid = [
            self.at_cj(self.order(placed=ago - timedelta(days=30)), locking=self.tonight.end - timedelta(days=39), action_status="closed")
            for _ in range(2)
        ]
        free = [self.at_cj(self.order(), commissionable=False) for _ in range(2)]
        misfiled = [self.at_cj(self.order(), tracker=FIXED_DURATION) for _ in range(2)]
        unknown = [self.order(placed=self.tonight.end - timedelta(days=120)) for _ in range(2)]
        for reason, orders in (
            ("locked", old),
            ("closed", paid),
            ("not_commissionable", free),
            ("wrong_action_tracker", misfiled),
            ("not_in_cj", unknown),
        ):
            for order in orders:
                self.restated(order.partly_returned(0.3), at)
            self.case(reason, "quarantine", eligibility, orders, reason)

        undecided = [self.at_cj(self.booking()) for _ in range(2)]
        for order in undecided:
            self.restated(order.partly_returned(0.1), at, correction_reason="BookingCanceled")
        self.case("status_required", "quarantine", eligibility, undecided, "status_required")
        overruled = self.returned(2, 10, status="Pending")
        self.case("status left out where locking is not open-ended", "submissions", "restate", overruled)

        for field in ("coupon", "discount", "items"):
            order = self.at_cj(replace(self.order(), coupon="WELCOME10", discount=150))
            lost: dict[str, Any] = {field: None}
            self.restated(order.partly_returned(0.2), at, override=lost)
            self.case(f"{field} lost", "quarantine", eligibility, [order], field)

        refused = self.returned(3, 11)
        self.refused = tuple(order.order_id for order in refused)
        self.fault("refuse", refused, message="Order may not be corrected: it is under review")
        self.case("refused in Test Mode", "quarantine", "test_mode", refused)

    def nothing_to_send(self) -> None:
        """Why most of a night is not sent."""
        tonight = self.tonight
        unchanged = [self.at_cj(self.placed(self.order(placed=tonight.at(9)))) for _ in range(2)]
        foreign = [self.placed(self.order(placed=tonight.at(9), affiliate=False)) for _ in range(2)]
        fleeting = [self.placed(self.order(placed=tonight.at(9))) for _ in range(2)]
        for order in fleeting:
            self.cancelled(order, tonight.at(11))
        on_its_way = [self.placed(self.order(placed=self.last.at(14))) for _ in range(2)]
        for order in on_its_way:
            self.restated(order.partly_returned(0.2), tonight.at(14))
        self.fault("delay", on_its_way, seconds=LATE_SECONDS)
        for reason, orders in (("unchanged", unchanged), ("not_in_cj", foreign), ("never_sent", fleeting), ("waiting", on_its_way)):
            self.case(f"skipped: {reason}", "skipped", reason, orders)

    def verdicts(self) -> None:
        """What the reconciliation says at the end of the last night."""
        awaited = self.returned(3, 12)
        self.fault("delay", awaited, seconds=AWAITED_SECONDS)
        self.case("awaiting", "reconciliation", "awaiting", awaited)

        slow = self.returned(3, 12, self.last)
        self.fault("delay", slow, seconds=LATE_SECONDS)
        self.case("late", "reconciliation", "late", slow)

        matched = self.returned(4, 13, self.last)
        self.case("matched", "reconciliation", "matched", matched)

        twice = self.returned(3, 14, self.last)
        for order in twice:
            self.restated(order.partly_returned(0.5), self.tonight.at(15))
        self.case("superseded", "reconciliation", "superseded", twice, updated_before=self.last.end)
        self.case("superseded by", "reconciliation", "matched", twice)

        self._missing()
        self._mismatched()

    def _missing(self) -> None:
        """Sent two nights ago and dropped in silence, each for another reason."""
        night = self.before_last
        just_locked = [self.at_cj(self.placed(self.order()), locking=night.runs_at + timedelta(hours=3)) for _ in range(2)]
        self.fault("delay", just_locked, seconds=6 * 3600)
        for order in just_locked:
            self.restated(order.partly_returned(0.3), night.at(12))
        self.case("missing: locked", "reconciliation", "missing", just_locked, "locked")

        # The pixel did report these, with less in the basket, but Commission Detail shows them only after the night was planned.
        late_pixel = [self.placed(self.order(placed=night.at(23))) for _ in range(2)]
        lock = self.tonight.end + timedelta(days=30)
        for order in late_pixel:
            seen = replace(order, lines=order.lines[:-1] if order.lines else None)
            posted = seen.placed + timedelta(minutes=40)
            self.pixel.append(PixelOrder(seen, posted, lock, appears=night.runs_at + timedelta(minutes=10)))
        self.case("missing: duplicate", "reconciliation", "missing", late_pixel, "duplicate")

        # The shop files it under a tracker the enterprise does not have; the pixel's report, which came late, is under the right one.
        known = self.order(placed=night.at(15))
        self.pixel.append(PixelOrder(known, known.placed + timedelta(minutes=40), lock, appears=night.runs_at + timedelta(minutes=10)))
        misfiled = [self.placed(replace(known, tracker=NOT_A_TRACKER))]
        self.case("missing: wrong_action_tracker", "reconciliation", "missing", misfiled, "wrong_action_tracker")

        excluded = self.returned(2, 12, night, make=lambda order: order)
        for order in excluded:
            self.restated(replace(order.partly_returned(0.3), coupon=EXCLUDED_COUPON), night.at(14))
        self.case("missing: excluded coupon", "reconciliation", "missing", excluded, "unknown")

        lost = self.returned(3, 12, night)
        self.fault("drop", lost)
        self.case("missing: unknown", "reconciliation", "missing", lost, "unknown")

    def _mismatched(self) -> None:
        """Sent last night and posted since, but not as sent. Before CJ's hour is over, nothing is called mismatched."""

        def rich(order: Order) -> Order:
            return replace(order, coupon="AUTUMN15", discount=order.amount // 10)

        for field in ("amount", "discount", "items", "coupon", "correction_reason"):
            altered = self.returned(2, 10, self.last, make=rich)
            self.fault("alter", altered, field=field)
            self.case(f"mismatched: {field}", "reconciliation", "mismatched", altered, field)
        bookings = [self.at_cj(self.placed(self.booking())) for _ in range(2)]
        for order in bookings:
            self.restated(order.partly_returned(0.1), self.last.at(10), status="Pending", correction_reason="BookingCanceled")
        self.fault("alter", bookings, field="validation_status")
        self.case("mismatched: validation_status", "reconciliation", "mismatched", bookings, "validation_status")
