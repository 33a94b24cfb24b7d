"""CJ: the token, the clock, and whether enterprise and advertiser are this token's. What is sent goes to Test Mode, whatever any mode says."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from include.cj.client import CJClient
from include.cj.errors import CJError, CJUnauthorized
from include.cj.payload import request_body
from include.domain.account import Account
from include.domain.shapes import CHUNK
from include.domain.states import NO_ORDERS, Mode, Operation
from include.restatements.doctor.checks import LOOKED_AT, Found, Notes, look, mend, right
from include.restatements.doctor.warehouse import CLOCKS_APART
from include.restatements.doctor.words import length

NOBODYS_TRACKER = 0
"""Where no action tracker of the account is known."""


def token(notes: Notes, whose: str) -> Found:
    """CJ is there and takes the token. Also learns CJ's clock."""
    with notes.client(whose) as client:
        client.ping()
        notes.offsets[whose] = client.now() - datetime.now(UTC)
    return right(f"{notes.accounts[whose].tracking_url} takes the token.")


def clock(notes: Notes, whose: str) -> Found:
    """This machine's clock is CJ's. The package goes by CJ's; Airflow's schedule goes by this one."""
    apart = notes.offsets[whose]
    if abs(apart) > CLOCKS_APART:
        return mend(
            f"This machine's clock is {length(apart)} {'behind' if apart > timedelta(0) else 'ahead of'} CJ's.",
            "Set this machine's clock (NTP): Airflow cuts its nights by it.",
        )
    return right("This machine's clock agrees with CJ's.")


def advertiser(notes: Notes, whose: str) -> Found:
    """The token may read this advertiser's Commission Detail. Keeps one page of the last week's records."""
    account = notes.accounts[whose]
    with notes.client(whose) as client:
        client.ping()
        now = client.now()
        try:
            page = client.commission_page(account.advertiser_id, since_posting=now - LOOKED_AT, before_posting=now + timedelta(hours=1))
        except CJUnauthorized as error:
            notes.not_its_advertiser.add(whose)
            raise _not_its_own(error, account, advertiser=True, enterprise=not _may_send(notes, whose, client)) from None
    orders = pc.and_(
        page.table["order_id"].is_valid(), pc.invert(pc.is_in(page.table["action_type"], pa.array(sorted(NO_ORDERS), pa.string())))
    )
    notes.records[whose] = page.table.filter(orders)
    if not page.count:
        return look(
            f"Commission Detail of advertiser {account.advertiser_id} can be read, and has no record of the last {LOOKED_AT.days} days.",
            f"Compare advertiser_id in connection {whose!r} with the company id (CID) that CJ's pages show, unless no publisher sold anything.",
        )
    more = "" if page.payload_complete else "at least "
    return right(
        f"Commission Detail of advertiser {account.advertiser_id} has {more}{page.count:,} records of the last {LOOKED_AT.days} days."
    )


def enterprise(notes: Notes, whose: str) -> Found:
    """The token may send for this enterprise: CJ says so, or not, to a cancellation in Test Mode.

    Why that is safe. The mode is `Mode.TEST`, a constant here that no setting reaches, so it goes to the address where CJ posts nothing. The order is
    nobody's: its id is drawn anew each time and no shop could know it. And it is a cancellation, which, were it ever worked off, CJ drops
    where it knows no such order; a create would make one. CJ asks who may send before it looks at the order's fields, so a complaint about those
    says yes as well.
    """
    account = notes.accounts[whose]
    with notes.client(whose) as client:
        client.ping()
        try:
            _send_nobodys(notes, whose, client)
        except CJUnauthorized as error:
            raise _not_its_own(error, account, advertiser=whose in notes.not_its_advertiser, enterprise=True) from None
    return right(f"In Test Mode CJ takes orders of enterprise {account.enterprise_id} with this token.")


def _may_send(notes: Notes, whose: str, client: CJClient) -> bool:
    """False where CJ says that the token may not send for the enterprise; any other trouble says nothing about that."""
    try:
        _send_nobodys(notes, whose, client)
    except CJUnauthorized:
        return False
    except CJError:
        return True
    return True


def _send_nobodys(notes: Notes, whose: str, client: CJClient) -> None:
    client.submit(Operation.CANCEL, Mode.TEST, request_body(Operation.CANCEL, _nobodys(notes, whose, client.now())))


def _not_its_own(error: CJUnauthorized, account: Account, *, advertiser: bool, enterprise: bool) -> CJUnauthorized:
    """CJ's 'Unauthorized' names neither id: which was refused, and which was not, tells what to check."""
    if advertiser and enterprise:
        sentence = (
            f"{error.host} says this token may act neither for enterprise {account.enterprise_id} nor for advertiser {account.advertiser_id} "
            "('Unauthorized'). The token may be another account's: check the password too, then both ids in the connection."
        )
    else:
        kind, id_ = ("enterprise", account.enterprise_id) if enterprise else ("advertiser", account.advertiser_id)
        sentence = f"{error.host} says this token may not act for {kind} {id_} ('Unauthorized'). Check {kind}_id in the connection."
    return CJUnauthorized(sentence, host=error.host, status=error.status)


def _nobodys(notes: Notes, conn_id: str, now: datetime) -> pa.Table:
    """A chunk of one order that cannot be anybody's. Its tracker is one of the account's where CJ's records show one."""
    records = notes.records.get(conn_id)
    known = records["action_tracker_id"].to_pylist() if records is not None else []
    order = dict.fromkeys(CHUNK.names) | {
        "enterprise_id": notes.accounts[conn_id].enterprise_id,
        "action_tracker_id": next(iter(known), NOBODYS_TRACKER),
        "order_id": f"doctor-{uuid.uuid4().hex}",
        "updated_at": now - timedelta(minutes=1),
    }
    return pa.Table.from_pylist([order], CHUNK)
