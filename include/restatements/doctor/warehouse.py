"""The warehouse: whether it opens, what stands in the way to it, what its login may, its clock, and CJ's records in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.compute as pc

from include.domain.errors import WarehouseForbids
from include.restatements.doctor.checks import LOGIN_NEEDS, Found, Notes, State, look, mend, right
from include.restatements.doctor.words import length, moment
from include.restatements.plan.picking import horizons_of
from include.warehouse.base import Session

CLOCKS_APART = timedelta(minutes=5)
"""More than this no network explains."""

LEDGER_AGE = timedelta(days=1)
"""The ledger is read hourly; a day without is no accident of one hour."""


def opens(notes: Notes, whose: str) -> Found:
    """It can be reached, by this login, now. An embedded one must be there: opening it would make an empty file."""
    path = notes.location.path
    if path and not Path(path).exists():
        return mend(
            f"There is no file {path}: a night would make an empty one there and find no orders in it.",
            "Put the path of the file that holds your orders into the host of connection `warehouse`.",
        )
    with notes.session() as session:
        session.rows("SELECT 1 AS one")
    return right(f"Opened: {notes.location}.")


def circumstances(notes: Notes, whose: str) -> Found:
    """What only this kind of warehouse knows of the way to it."""
    with notes.session() as session:
        found = session.circumstances()
    if not found:
        return right("Nothing stands between: it is a file of this machine.")
    sentence, remedy = " ".join(one.sentence for one in found), " ".join(one.remedy for one in found if one.remedy)
    if not remedy:
        return right(sentence)
    return Found(State.MEND if any(one.stops for one in found) else State.LOOK, sentence, remedy)


def rights(notes: Notes, whose: str) -> Found:
    """The login may make the schema cj and write to it: tried in a transaction that is taken back."""
    with notes.session() as session:
        there = session.has_schema("cj")
        try:
            _write_nothing(session)
        except WarehouseForbids as error:
            # The server's own words come first; those of what to do are another's than of whoever reads orders.
            return _of_another_login(session, str(error).split(".")[0])
    notes.may_use_tables = True
    return right("The login may write to schema cj." if there else "The login may make schema cj, which the first night does.")


def _write_nothing(session: Session) -> None:
    session.create_tables(kept=False)
    if session.has_table("cj", "ledger_reads"):
        with session.transaction():
            session.execute("DELETE FROM cj.plan_input WHERE 1 = 0; INSERT INTO cj.ledger_reads SELECT * FROM cj.ledger_reads WHERE 1 = 0")


def _of_another_login(session: Session, words: str) -> Found:
    login = str(session.rows("SELECT current_user AS login")[0]["login"])
    # Written as SQL needs it: a name with capitals or a hyphen goes into quotation marks.
    name = login if re.fullmatch(r"[a-z_][a-z0-9_]*", login) else '"' + login.replace('"', '""') + '"'
    return mend(
        f"{words}. Schema cj, or what is in it, belongs to another login.",
        f"As that login or a superuser: ALTER SCHEMA cj OWNER TO {name}; and where it has tables already, theirs too: {LOGIN_NEEDS} has the statement.",
    )


def warehouse_clock(notes: Notes, whose: str) -> Found:
    """The warehouse's clock is CJ's: an `updated_at` that CJ has still before it is refused."""
    with notes.session() as session:
        told = session.rows("SELECT CURRENT_TIMESTAMP AS now")[0]["now"]
    assert isinstance(told, datetime)
    apart = told - notes.now()
    if abs(apart) > CLOCKS_APART:
        return mend(
            f"The warehouse's clock is {length(apart)} {'ahead of' if apart > timedelta(0) else 'behind'} CJ's: it says {moment(told)}.",
            "Set the clock of the warehouse's server (NTP). CJ refuses an order whose updated_at lies ahead of its own clock.",
        )
    return right("The warehouse's clock agrees with CJ's.")


def ledger(notes: Notes, whose: str) -> Found:
    """CJ's records were read within the last day: every plan compares with them."""
    days = notes.settings.ledger_days
    newest = _newest_reading(notes, whose)
    if newest is None:
        return look(
            f"CJ's records of this account were not read yet; the first run reads the last {days} days of them.",
            "Nothing to mend before the first night. To have them now, trigger cj_commission_ledger.",
        )
    age = notes.now() - newest
    if age > LEDGER_AGE:
        return mend(
            f"CJ's records were last read up to {moment(newest)}, {length(age)} ago, and cj_commission_ledger runs hourly.",
            "Unpause cj_commission_ledger, and look in the log of its last run why it failed; then trigger it.",
        )
    return right(f"CJ's records are read up to {moment(newest)}.")


def horizon(notes: Notes, whose: str) -> Found:
    """The ledger goes back to the oldest order that was touched: of an older one it is not known whether CJ has it, and it is held back."""
    account = notes.accounts[whose]
    with _tables(notes) as session:
        read_from = horizons_of(session).get(account.advertiser_id) if session is not None else None
    begin = read_from or notes.now() - timedelta(days=notes.settings.ledger_days)
    placed = notes.week.of(account.enterprise_id)["event_time"]
    before = pc.drop_null(placed.filter(pc.fill_null(pc.less(placed, begin), False)))
    if not len(before):
        return right(f"CJ's records {'' if read_from else 'will '}go back to {moment(begin)}, before the oldest of last week's orders.")
    oldest = pc.min(before).as_py()
    return mend(
        f"{len(before)} of last week's orders were placed before {moment(begin)}, the first day {'' if read_from else 'to be '}read of CJ's records: they are held back, since nobody "
        f"knows whether CJ has them. The oldest is of {moment(oldest)}.",
        f'Run cj_commission_ledger with {{"since": "{oldest:%Y-%m-%d}"}}; before the first night, a Variable cj_ledger_days of '
        f"{(notes.now() - oldest).days + 1} does the same.",
    )


def _newest_reading(notes: Notes, conn_id: str) -> datetime | None:
    with _tables(notes) as session:
        if session is None:
            return None
        found = session.rows(
            "SELECT MAX(complete_until) AS newest FROM cj.ledger_reads WHERE advertiser_id = :advertiser_id",
            {"advertiser_id": notes.accounts[conn_id].advertiser_id},
        )[0]["newest"]
    assert found is None or isinstance(found, datetime)
    return found


@contextmanager
def _tables(notes: Notes) -> Iterator[Session | None]:
    """The warehouse, where schema cj has its tables."""
    with notes.session() as session:
        yield session if session.has_table("cj", "ledger_reads") else None
