"""A month of two partners: what each saw, what CJ holds, and every difference between them that was planted.

Aspire exports order ids; Nordlicht, which is invented, exports none. Now is the middle of April 2026: what was sold until 5 March is locked and payable,
the rest of March is locked, April is open. `tell()` is the same every time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from include.cj.spelling import PostedReason
from include.domain.money import money, money_text
from include.domain.partners import PartnerVerdict as Verdict
from include.domain.states import ActionStatus, ActionType

NOW = datetime(2026, 4, 14, 6, tzinfo=UTC)
ADVERTISER, ASPIRE, NORDLICHT, ANOTHER = "5500001", "7108602", "7200044", "7300055"
TRACKER, SECOND_TRACKER = 401, 402
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Row = Mapping[str, Any]

NORDLICHT_MAPPING = """publisher_id: "7200044"
name: Nordlicht
currency: USD
delimiter: ";"
decimal: ","
time_format: "%d.%m.%Y %H:%M"
time_zone: Europe/Berlin
columns:
  row_id: Nr
  occurred_at: Zeitpunkt
  sale_amount: Umsatz
  payout: Provision
negative_where: {column: Stand, words: [storniert]}
starts: 2026-01-01
credited_after: [3, 10]
credit_source: "Nordlicht's terms: within ten business days"
"""


@dataclass
class Month:
    """What is written, and what must be found: `planted` is publisher → order id (or what names it) → the verdict and how many rows carry it."""

    records: list[dict[str, Any]] = field(default_factory=list)
    aspire: dict[str, list[Row]] = field(default_factory=dict)
    nordlicht: list[Row] = field(default_factory=list)
    planted: dict[str, dict[str, tuple[Verdict, str]]] = field(default_factory=lambda: {ASPIRE: {}, NORDLICHT: {}})

    def files(self, publisher_id: str) -> dict[str, bytes]:
        """The partner's export, as it comes."""
        if publisher_id == NORDLICHT:
            return {"export.csv": _csv(self.nordlicht, ";")}
        return {name: _csv(rows, ",") for name, rows in self.aspire.items()}


def locks_on(sold: datetime) -> datetime:
    """The monthly cycle of this month, with the lock of the first days in its middle."""
    for until, lock in ((datetime(2026, 3, 6, tzinfo=UTC), (2026, 3, 11)), (datetime(2026, 4, 1, tzinfo=UTC), (2026, 4, 11))):
        if sold < until:
            return datetime(*lock, 9, tzinfo=UTC)
    return datetime(2026, 5, 11, 9, tzinfo=UTC)


def tell() -> Month:
    """The whole month."""
    teller = _Teller()
    teller.plain()
    teller.restated()
    teller.told_again()
    teller.lost_and_doubled()
    teller.not_comparable()
    teller.beside_orders()
    teller.without_ids()
    return teller.month


class _Teller:
    def __init__(self) -> None:
        self.month = Month(aspire={"2026-03.csv": [], "2026-04.csv": []})
        self.numbers = iter(range(1, 10_000))

    # -- CJ's side ------------------------------------------------------------------------------------------------------------------------

    def record(self, order_id: str | None, posted: datetime, sale: str, payout: str | None = None, **other: Any) -> dict[str, Any]:
        """One record of CJ's; the publisher earns a tenth of the sale unless said otherwise."""
        number = next(self.numbers)
        sold = other.pop("sold", posted - HOUR)
        locking = other.pop("locking_date", locks_on(sold))
        amount = money(sale)
        earned = money(payout) if payout is not None else amount / 10
        row = {
            "commission_id": f"90{number:05}", "advertiser_id": ADVERTISER, "action_tracker_id": TRACKER, "action_tracker_name": "Sale", "order_id": order_id,
            "action_type": ActionType.SIM_SALE.value, "action_status": (ActionStatus.LOCKED if locking <= NOW else ActionStatus.NEW).value,
            "publisher_id": ASPIRE, "publisher_name": "Aspire", "event_date": sold, "posting_date": posted, "locking_date": locking,
            "locking_method": "FIXED_DATE", "validation_status": "AUTOMATED", "original": True, "original_action_id": f"80{number:05}",
            "correction_reason": None, "sale_amount": amount, "order_discount": money("0.00"), "adv_commission_amount": earned * 11 / 10, "cj_fee": earned / 5,
            "sale_amount_usd": amount, "sale_amount_pub_currency": amount, "pub_commission_amount_usd": earned, "pub_commission_amount_pub_currency": earned,
            "items_mark": 0, "ingested_at": posted + HOUR, "reading": 1,
        }  # fmt: skip
        self.month.records.append(row | other)
        return row | other

    def corrected(self, order_id: str, sold: datetime, at: datetime, old: str, new: str, **other: Any) -> None:
        """A restatement: CJ posts the reversal of what it held, and the new state."""
        more: dict[str, Any] = {"sold": sold, "original": False, "correction_reason": PostedReason.RETURNED_MERCHANDISE.value} | other
        self.record(order_id, at, f"-{old}", **more)
        self.record(order_id, at, new, **more)

    # -- the partner's --------------------------------------------------------------------------------------------------------------------

    def seen(self, order_id: str, at: datetime, sale: str, payout: str | None = None, **other: str) -> Row:
        """One row of Aspire's."""
        row = {
            "transaction_id": f"tx{order_id}", "adv_unique1": order_id, "datetime": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "sale_amount": sale,
            "payout": payout if payout is not None else money_text(money(sale) / 10), "currency": "USD",
        } | other  # fmt: skip
        self.month.aspire["2026-03.csv" if at.month == 3 else "2026-04.csv"].append(row)
        return row

    def sold(
        self, name: str, verdict: Verdict, rule: str, day: int = 9, sale: str = "80.00", payout: str | None = None, **other: Any
    ) -> datetime:
        """An order of March at CJ, and what must be said of it."""
        at = datetime(2026, 3, day, 12, tzinfo=UTC)
        self.record(name, at + HOUR, sale, payout, sold=at, **other)
        self.plant(name, verdict, rule)
        return at

    def plant(self, name: str, verdict: Verdict, rule: str, publisher: str = ASPIRE) -> None:
        self.month.planted[publisher][name] = (verdict, rule)

    def plain(self) -> None:
        """Orders of every day on which both agree."""
        for day in range(1, 32):
            for n in range(3):
                name, sale = f"A-{day:02}-{n}", f"{40 + 3 * day + 7 * n}.{(day * 7 + n) % 10}0"
                self.seen(name, self.sold(name, Verdict.AGREE, "same", day, sale), sale)
        for day in range(1, 13):
            at, name = datetime(2026, 4, day, 15, tzinfo=UTC), f"A-4-{day:02}"
            self.record(name, at + HOUR, "55.50", sold=at)
            self.seen(name, at, "55.50")
            self.plant(name, Verdict.AGREE, "same")

    def restated(self) -> None:
        """Restated, cancelled, corrected by file and restated twice: the partner was not told."""
        for n, (new, day) in enumerate((("60.00", 3), ("60.00", 12), ("95.50", 20), ("0.00", 4), ("0.00", 25))):
            name = f"R-{n}"
            at = self.sold(name, Verdict.RESTATED_SINCE, "restated_since", day)
            self.seen(name, at, "80.00")
            self.corrected(name, at, at + 3 * DAY, "80.00", new)
        at = self.sold("R-file", Verdict.RESTATED_SINCE, "restated_since", 14)
        self.seen("R-file", at, "80.00")
        self.record("R-file", at + DAY, "-30.00", sold=at, original=False, correction_reason=PostedReason.OTHER_REASON.value)
        at = self.sold("R-twice", Verdict.RESTATED_SINCE, "restated_since", 15)
        self.corrected("R-twice", at, at + DAY, "80.00", "70.00")
        self.corrected("R-twice", at, at + 5 * DAY, "70.00", "20.00")
        self.seen("R-twice", at, "80.00")
        self.seen("R-twice", at + DAY, "-10.00", adv_unique1="")  # the correction names the click alone

    def told_again(self) -> None:
        """Restated, and the partner has a negative row of it; late and repeated rows of what agrees."""
        for n, (new, day) in enumerate((("60.00", 7), ("0.00", 8), ("35.25", 21))):
            name = f"N-{n}"
            at = self.sold(name, Verdict.AGREE, "same", day)
            self.corrected(name, at, at + 2 * DAY, "80.00", new)
            self.seen(name, at, "80.00")
            self.seen(name, at + 2 * DAY, money_text(money(new) - money("80.00")))
        at = self.sold("D-exported-twice", Verdict.AGREE, "same", 30)
        self.month.aspire["2026-04.csv"].append(self.seen("D-exported-twice", at, "80.00"))
        at = self.sold("L-late", Verdict.AGREE, "same", 29)
        self.seen("L-late", at, "80.00")
        self.month.aspire["2026-04.csv"].append(self.month.aspire["2026-03.csv"].pop())

    def lost_and_doubled(self) -> None:
        """One side alone, counted twice, paid otherwise, another publisher's, and what is too young to say."""
        at = self.sold("X-counted-twice", Verdict.AMOUNT_DIFFERS, "amount_differs", 10)
        self.seen("X-counted-twice", at, "80.00")
        self.seen("X-counted-twice", at, "80.00", transaction_id="tx-again")
        at = self.sold("X-other-amount", Verdict.AMOUNT_DIFFERS, "amount_differs", 11)
        self.seen("X-other-amount", at, "80.01", "8.00")
        at = self.sold("X-other-payout", Verdict.PAYOUT_DIFFERS, "payout_differs", 16)
        self.seen("X-other-payout", at, "80.00", "8.01")
        for day in (2, 17):
            self.sold(f"X-only-cj-{day}", Verdict.ONLY_AT_CJ, "only_at_cj", day)
            self.seen(f"X-only-partner-{day}", datetime(2026, 3, day, 8, tzinfo=UTC), "44.00")
            self.plant(f"X-only-partner-{day}", Verdict.ONLY_AT_PARTNER, "only_at_partner")
        at = self.sold("X-nothing", Verdict.AGREE, "nothing_at_cj_alone", 18)
        self.corrected("X-nothing", at, at + DAY, "80.00", "0.00")
        at = self.sold("X-anothers", Verdict.ONLY_AT_PARTNER, "another_publisher", 19, publisher_id=ANOTHER, publisher_name="Another")
        self.seen("X-anothers", at, "80.00")
        at = NOW - DAY
        self.record("Y-young-at-cj", at, "80.00", sold=at)
        self.plant("Y-young-at-cj", Verdict.AWAITING, "partner_may_follow")
        self.seen("Y-young-at-partner", at, "80.00")
        self.plant("Y-young-at-partner", Verdict.AWAITING, "cj_may_follow")

    def not_comparable(self) -> None:
        """Two candidates, another currency, figures that are not known, and figures finer than a cent."""
        at = self.sold("Z-two-trackers", Verdict.AMBIGUOUS, "two_candidates", 22)
        self.record("Z-two-trackers", at + HOUR, "80.00", sold=at, action_tracker_id=SECOND_TRACKER)
        self.seen("Z-two-trackers", at, "80.00")
        at = self.sold("Z-euro", Verdict.UNCHECKED, "other_currency", 23)
        self.seen("Z-euro", at, "73.20", currency="EUR")
        unsaid: dict[str, Any] = dict.fromkeys(
            ("sale_amount_usd", "pub_commission_amount_usd", "sale_amount_pub_currency", "pub_commission_amount_pub_currency")
        )
        at = self.sold("Z-read-before", Verdict.UNCHECKED, "cj_not_known", 24, **unsaid)
        self.seen("Z-read-before", at, "80.00")
        at = self.sold("Z-finer", Verdict.AGREE, "same", 26, "81.97", "6.14775")
        self.seen("Z-finer", at, "81.97", "6.15")
        # Sold in pounds: what the publisher sees and earns is in dollars, what the advertiser pays is not.
        at = self.sold("Z-pounds", Verdict.AGREE, "same", 27, sale_amount=money("63.00"), adv_commission_amount=money("6.93"))
        self.seen("Z-pounds", at, "80.00")

    def beside_orders(self) -> None:
        """A bonus, and a record that CJ shows under another id by now: in the statements, or in nothing."""
        at = datetime(2026, 3, 28, 9, tzinfo=UTC)
        self.record(None, at, "0.00", "25.00", action_type=ActionType.BONUS.value)
        self.record("A-28-0", at, "999.00", gone_reading=3)

    def without_ids(self) -> None:
        """Nordlicht: no id in its export. January was restated since, February agrees, of March a sale is missing."""
        mine = {"publisher_id": NORDLICHT, "publisher_name": "Nordlicht"}
        for day, (sale, verdict, rule) in {
            datetime(2026, 1, 12, 11, tzinfo=UTC): ("120.00", Verdict.AGREE, "same"),
            datetime(2026, 1, 20, 11, tzinfo=UTC): ("90.00", Verdict.RESTATED_SINCE, "restated_since"),
            datetime(2026, 2, 3, 11, tzinfo=UTC): ("33.30", Verdict.AGREE, "same"),
            datetime(2026, 2, 17, 11, tzinfo=UTC): ("47.00", Verdict.AGREE, "same"),
            datetime(2026, 3, 2, 11, tzinfo=UTC): ("1250.00", Verdict.AGREE, "same"),
            datetime(2026, 3, 9, 11, tzinfo=UTC): ("75.00", Verdict.NOT_JOINABLE, "cj_without_id"),
            datetime(2026, 3, 16, 11, tzinfo=UTC): ("60.00", Verdict.AMBIGUOUS, "two_candidates"),
            datetime(2026, 3, 16, 12, tzinfo=UTC): ("60.00", Verdict.AMBIGUOUS, "two_candidates"),
            datetime(2026, 3, 31, 11, tzinfo=UTC): ("81.00", Verdict.AGREE, "same"),
        }.items():
            name = f"B-{day:%m-%d-%H}"
            self.record(name, day + HOUR, sale, sold=day, **mine)
            self.plant(name, verdict, rule, NORDLICHT)
            if rule != "cj_without_id":
                self.exported(day, sale)
        self.corrected("B-01-20-11", datetime(2026, 1, 20, 11, tzinfo=UTC), datetime(2026, 1, 30, tzinfo=UTC), "90.00", "10.00", **mine)
        self.exported(datetime(2026, 3, 20, 8, tzinfo=UTC), "12.00")
        self.plant("row 12.00", Verdict.NOT_JOINABLE, "partner_without_id", NORDLICHT)
        reversed_at = datetime(2026, 4, 12, 9, tzinfo=UTC)
        self.record("B-04-12-09", reversed_at + HOUR, "20.00", sold=reversed_at, **mine)
        self.plant("B-04-12-09", Verdict.AGREE, "same", NORDLICHT)
        self.exported(reversed_at, "20.00")
        for month, verdict, rule in (
            ("2026-01", Verdict.RESTATED_SINCE, "restated_since"), ("2026-02", Verdict.AGREE, "same"), ("2026-03", Verdict.AMOUNT_DIFFERS, "amount_differs"),
        ):  # fmt: skip
            self.plant(month, verdict, rule, NORDLICHT)

    def exported(self, at: datetime, sale: str) -> None:
        """One row of Nordlicht's, in its own way of writing, by the clock of Berlin."""
        there = at + (2 if at >= datetime(2026, 3, 29, 1, tzinfo=UTC) else 1) * HOUR
        self.month.nordlicht.append(
            {
                "Nr": f"N{len(self.month.nordlicht) + 1}",
                "Zeitpunkt": there.strftime("%d.%m.%Y %H:%M"),
                "Umsatz": _german(money(sale)),
                "Provision": _german(money(sale) / 10),
                "Stand": "offen",
            }
        )


def _german(amount: Decimal) -> str:
    """`1.250,00`."""
    return f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def _csv(rows: Sequence[Row], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode()
