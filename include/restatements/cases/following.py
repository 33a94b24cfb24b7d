"""The cases as they are now: ready ones from the breaks that nothing explains, filed ones by the verdicts and the time.

A ready case follows its breaks until somebody files it; from then on its orders are its own, and what breaks later is another case. It writes the journal
before the tables, and each step again is the same: whatever ends it, the next round goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

import msgspec

from include.domain.account import Account
from include.domain.money import exact_sum, money, money_text
from include.domain.states import CaseAct, CaseState, Operation, Outcome, Reason
from include.restatements.cases import keeping
from include.restatements.cases.attaching import OVERVIEW, orders_files, overview
from include.restatements.cases.desk import calendar_of, filing_of
from include.restatements.cases.events import (
    CaseEvent,
    Standing,
    announce,
    cases_kept,
    events_of,
    filed_pack,
    keep_event,
    news,
    seen,
    standing,
    was_filed,
)
from include.restatements.cases.kinds import RULES, SUBSCRIPTIONS, CaseKind, CaseRule
from include.restatements.cases.pack import Attachment, Pack, PackedOrder, Sending, digest_of, keep_pack, packs_of, read_pack
from include.restatements.cases.writing import description_of, first_lock, shown_order, subject_of, subscription_words, without_secrets
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.report.collect import first_night
from include.restatements.settings import Settings
from include.sql import filled
from include.storage.folder import Folder
from include.warehouse.arrow import python_tuples
from include.warehouse.base import Session

LOOKED_AFTER = timedelta(days=180)
"""How long the orders of a case are looked at after it was closed or settled: longer than CJ leaves an order open."""

Group = tuple[str, CaseKind, str, str]
"""Enterprise, kind, operation and reason: the breaks of one are one case."""


class Shown(NamedTuple):
    """What CJ shows of an order: of a row of cases_held.sql."""

    discount_shown: Decimal | None
    coupon_shown: str | None
    newest_record: str | None


NOTHING_SHOWN = Shown(None, None, None)


class Break(NamedTuple):
    """A break that nothing explains, once for each time it was sent: a row of cases_unexplained.sql, and what CJ shows of its order."""

    enterprise_id: str
    advertiser_id: str
    action_tracker_id: int
    order_id: str
    updated_at: datetime
    operation: str
    status: str
    reason: str
    submitted_amount: Decimal | None
    posted_amount: Decimal | None
    currency: str | None
    commission_at_risk: Decimal | None
    locking_date: datetime | None
    submitted_at: datetime | None
    """None where no sending of it is known; likewise what follows."""
    submission_id: str | None
    batch_id: str | None
    outcome: str | None
    error_message: str | None
    discount: Decimal | None
    coupon: str | None
    shown: Shown


_BREAK, _ORDER = Break._fields[:-1], ("advertiser_id", "action_tracker_id", "order_id")


def follow(
    session: Session, files: Folder, settings: Settings, cj_now: datetime, now: datetime, checkpoint: Checkpoint = no_checkpoint
) -> dict[str, int]:
    """In a transaction of its own, under keeping.LOCK. `cj_now` says which nights are looked at; `now` is the clock of whoever files cases.

    Returns how many cases are in each state. Raises StorageError and UnreadableDocument; then nothing of the tables is changed.
    """
    calendar, announced = calendar_of(settings), news(files)
    with session.transaction():
        session.serialize(keeping.LOCK)
        in_tables = load_news(session, files, settings, announced, now)
        moved = _see_orders(session, files, now, checkpoint)
        # Nothing else than what happens to it moves a case that is over.
        for row in [
            *keeping.cases(session, CaseState.FILED, CaseState.ANSWERED),
            *(keeping.case_row(session, case_id) for case_id in moved),
        ]:
            assert row is not None
            keeping.move(session, row, calendar, now)
        _write_ready(session, files, settings, cj_now, now, checkpoint)
        checkpoint("before_cases_commit")
        counts = dict.fromkeys((state.value for state in CaseState), 0)
        for row in session.rows("SELECT state, COUNT(*) AS cases FROM cj.cases GROUP BY state"):
            counts[str(row["state"])] = int(str(row["cases"]))
    for case_id, number in in_tables:
        seen(files, case_id, number)
    return counts


def load_all(session: Session, files: Folder, settings: Settings, now: datetime) -> None:
    """Every case of the journal that was filed, and every subscription that was asked for, into tables that have none."""
    for case_id, events in cases_kept(files).items():
        _load(session, files, settings, case_id, events > 0, now)


def load_news(
    session: Session, files: Folder, settings: Settings, announced: Iterable[tuple[str, int]], now: datetime
) -> list[tuple[str, int]]:
    """Bring the tables up to what was `announced`. Returns which of it they have: what was announced and never happened is announced still, since it may."""
    in_tables = []
    for case_id, number in announced:
        if keeping.events_known(session, case_id) < max(number, 1):
            _load(session, files, settings, case_id, was_filed(files, case_id), now)
        if keeping.events_known(session, case_id) >= number and keeping.case_row(session, case_id) is not None:
            in_tables.append((case_id, number))
    return in_tables


def _load(session: Session, files: Folder, settings: Settings, case_id: str, filed: bool, now: datetime) -> None:
    if filed:
        load_case(session, files, settings, case_id, now)
    elif keeping.case_row(session, case_id) is None and is_request(case_id):
        for digest in packs_of(files, case_id)[:1]:
            keeping.put(session, read_pack(files, case_id, digest), digest, filing_of(settings, is_request=True), Standing())


def load_case(session: Session, files: Folder, settings: Settings, case_id: str, now: datetime) -> None:
    """One case that was filed, with all that happened to it."""
    events = events_of(files, case_id)
    digest = filed_pack(events, f"{files.url}/cases/{case_id}")
    pack = read_pack(files, case_id, digest)
    filing = filing_of(settings, is_request=pack.kind in SUBSCRIPTIONS)
    keeping.put(session, pack, digest, filing, standing(events, calendar_of(settings), now))
    keeping.put_events(session, case_id, events)


def keep_request(session: Session, files: Folder, settings: Settings, kind: CaseKind, account: Account, now: datetime) -> str:
    """A ready case that asks for a subscription. Returns its id; one that is ready already is it. Inside a transaction that holds keeping.LOCK."""
    name = f"{account.enterprise_id}-{kind.value}"
    case_id = f"{name}-{_next(session, files, account.enterprise_id, kind, name)}"
    if keeping.case_row(session, case_id) is None:
        announce(files, case_id, 0)
        subject, description = subscription_words(kind, account)
        pack = Pack(
            case_id=case_id, kind=kind, enterprise_id=account.enterprise_id, advertiser_id=account.advertiser_id, operation=None, reason=None, subject=subject,
            description=without_secrets(description, _secrets(settings)), orders=(), at_risk=None, unpriced=0, currency=account.currency, first_lock=None,
            attachments=(), written_at=now,
        )  # fmt: skip
        keeping.put(session, pack, keep_pack(files, pack, {}, no_checkpoint), filing_of(settings, is_request=True), Standing())
    return case_id


def is_request(case_id: str) -> bool:
    """Whether a case of this id asks for a subscription."""
    return case_id.split("-")[-2:-1] in ([kind.value] for kind in SUBSCRIPTIONS)


def _see_orders(session: Session, files: Folder, now: datetime, checkpoint: Checkpoint) -> list[str]:
    """A case is settled once CJ holds every one of its orders as it was sent, and is not where one of them broke again. Returns those of which that was seen."""
    seen = list[str]()
    for row in session.rows(filled("cases_standing"), {"since": now - LOOKED_AFTER}):
        orders, right, broken = (int(str(row[name])) for name in ("orders", "right_now", "broken"))
        settled = row["state"] == CaseState.SETTLED.value
        act = CaseAct.SETTLED if not settled and right == orders else CaseAct.BROKEN if settled and broken else None
        if act is not None:
            case_id = str(row["case_id"])
            before = keeping.known_events(session, case_id)
            # Where somebody else was first the next round loads what he said, and looks again.
            if keep_event(files, case_id, before, CaseEvent(act=act, at=now, by=None)):
                checkpoint("after_case_event")
                keeping.put_events(session, case_id, events_of(files, case_id))
                seen.append(case_id)
    return seen


def _write_ready(session: Session, files: Folder, settings: Settings, cj_now: datetime, now: datetime, checkpoint: Checkpoint) -> None:
    found = _unexplained(session, cj_now, settings.case_after_attempts)
    ready = {str(row["case_id"]): row for row in keeping.cases(session, CaseState.READY)}
    filing = filing_of(settings, is_request=False)
    for group, rows in _groups(found):
        pack, facts = _packed(session, files, settings, group, rows)
        there = ready.pop(pack.case_id, None)
        digest = digest_of(pack)
        if there is None or there["digest"] != digest:
            attachments = _attachments(pack, facts)
            named = [Attachment(name, len(data)) for name, data in sorted(attachments.items())]
            whole = msgspec.structs.replace(pack, attachments=named, written_at=now)
            keep_pack(files, whole, attachments, checkpoint)
            keeping.put(session, whole, digest, filing, Standing())
        elif any(there[name] != value for name, value in keeping.form_of(filing).items()):
            keeping.put(session, read_pack(files, pack.case_id, digest), digest, filing, Standing())
    keeping.forget(session, *(case_id for case_id in ready if not is_request(case_id)))


def _unexplained(session: Session, cj_now: datetime, attempts: int) -> list[Break]:
    """A row for each time a break was sent that nothing explains, with what CJ shows of its order."""
    session.execute("DELETE FROM cj.case_breaks")
    session.execute(filled("cases_breaks", rules=RULES), {"since": first_night(cj_now), "attempts": attempts})
    session.analyze("cj.case_breaks")
    held = session.table(filled("cases_held"))
    shown = dict(zip(python_tuples(held.select(_ORDER)), map(Shown._make, python_tuples(held.select(Shown._fields))), strict=True))
    breaks = session.table(filled("cases_unexplained"))
    orders, sent = python_tuples(breaks.select(_ORDER)), python_tuples(breaks.select(_BREAK))
    found = [Break._make((*row, shown.get(order, NOTHING_SHOWN))) for order, row in zip(orders, sent, strict=True)]
    session.execute("DELETE FROM cj.case_breaks")
    return found


def _attachments(pack: Pack, facts: list[tuple[str, str]]) -> dict[str, bytes]:
    return orders_files(f"{pack.subject}; case {pack.case_id}", pack.orders) | {OVERVIEW: overview(pack.subject, facts, pack.orders)}


def _groups(found: list[Break]) -> Iterator[tuple[Group, list[Break]]]:
    rules = {rule.status.value: rule for rule in RULES}

    def group_of(row: Break) -> Group:
        return row.enterprise_id, rules[row.status].kind, row.operation, row.reason

    for group, rows in groupby(found, key=group_of):
        yield group, list(rows)


def _packed(session: Session, files: Folder, settings: Settings, group: Group, rows: list[Break]) -> tuple[Pack, list[tuple[str, str]]]:
    """A case without its attachments, and the facts at the head of its overview."""
    enterprise_id, kind, operation, reason = group
    rule = next(rule for rule in RULES if rule.kind is kind)
    account = settings.account_of(enterprise_id) or _account_of(rows[0])
    secrets = _secrets(settings)
    orders = [_order(mine, account, secrets) for mine in _by_order(rows)]
    name = f"{enterprise_id}-{kind.value}-{operation}" + (f"-{reason}" if len(rule.reasons) > 1 else "")
    case_id = f"{name}-{_next(session, files, enterprise_id, kind, name)}"
    subject = subject_of(rule, Operation(operation), Reason(reason), account.advertiser_id, len(orders))
    description = without_secrets(
        description_of(rule, Operation(operation), Reason(reason), account, orders, settings.deadline_hours), secrets
    )
    known = [money(order.at_risk) for order in orders if order.at_risk is not None]
    at_risk = money_text(exact_sum(known)) if known else None
    pack = Pack(
        case_id=case_id, kind=kind, enterprise_id=enterprise_id, advertiser_id=account.advertiser_id, operation=Operation(operation), reason=Reason(reason),
        subject=subject, description=description, orders=orders, at_risk=at_risk, unpriced=len(orders) - len(known), currency=account.currency,
        first_lock=first_lock(orders), attachments=(),
    )  # fmt: skip
    return pack, _facts(rule, account, Operation(operation), orders, at_risk)


def _facts(rule: CaseRule, account: Account, operation: Operation, orders: list[PackedOrder], at_risk: str | None) -> list[tuple[str, str]]:
    sent = sorted(sending.submitted_at for order in orders for sending in order.sendings)
    locks = first_lock(orders)
    return [
        ("Advertiser", f"CID {account.advertiser_id}, enterprise {account.enterprise_id}"),
        ("Call", f"POST {account.tracking_url}/graphql, mutation {operation.value}Orders"),
        ("Orders", f"{len(orders):,}, for example {', '.join(shown_order(order) for order in orders[:2])}"),
        ("Sent (UTC)", f"{sent[0]:%Y-%m-%d %H:%M} to {sent[-1]:%Y-%m-%d %H:%M}"),
        (
            "What happened",
            "accepted, and not shown in Commission Detail"
            if rule.kind is CaseKind.LOST
            else "shown in Commission Detail otherwise than sent",
        ),
        ("Commission and fee", f"about {at_risk} {account.currency} at risk" if at_risk else "not known"),
        ("First lock", f"{locks:%Y-%m-%d %H:%M} UTC" if locks else "no day is set"),
    ]


def _by_order(rows: list[Break]) -> Iterator[list[Break]]:
    for _, mine in groupby(rows, key=lambda row: (row.action_tracker_id, row.order_id, row.updated_at)):
        yield list(mine)


def _order(mine: list[Break], account: Account, secrets: list[str]) -> PackedOrder:
    first = mine[0]

    def clean(text: str | None) -> str | None:
        return None if text is None else without_secrets(text, secrets)

    def amount(value: Decimal | None) -> str | None:
        return None if value is None else money_text(value)

    sendings = [
        Sending(row.submitted_at, clean(row.submission_id), clean(row.batch_id), Outcome(str(row.outcome)), clean(row.error_message))
        for row in mine
        if row.submitted_at is not None
    ]
    return PackedOrder(
        first.action_tracker_id, first.order_id, first.updated_at, amount(first.submitted_amount), amount(first.posted_amount),
        first.currency or account.currency, amount(first.commission_at_risk), first.locking_date, amount(first.discount), amount(first.shown.discount_shown),
        clean(first.coupon), clean(first.shown.coupon_shown), clean(first.shown.newest_record), sendings,
    )  # fmt: skip


def _next(session: Session, files: Folder, enterprise_id: str, kind: CaseKind, name: str) -> int:
    """The number of the case of this group that is not filed yet: after those that the tables know, the first that the journal does not."""
    of_group = (case_id.rpartition("-") for case_id in keeping.filed_ids(session, enterprise_id, kind))
    number = 1 + max((int(filed) for group, _, filed in of_group if group == name and filed.isdecimal()), default=0)
    while was_filed(files, f"{name}-{number}"):
        number += 1
    return number


def _account_of(row: Break) -> Account:
    """Where its connection is gone: what the tables know of it."""
    from include.domain.account import Token

    return Account("", row.enterprise_id, row.advertiser_id, Token("none"))


def _secrets(settings: Settings) -> list[str]:
    return [account.token for account in settings.accounts]
