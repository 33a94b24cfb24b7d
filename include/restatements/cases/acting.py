"""What a person says of a case: that it was filed, answered, replied to or closed, and that a subscription is to be asked for.

It is in the journal before it is in the tables; whatever ends the one before the other, the next look at the cases loads it. Said again by the same run, or in
the same words, it is said already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.domain.errors import SettingError
from include.domain.personal import without_emails
from include.domain.states import CaseAct, CaseState
from include.restatements.cases import keeping
from include.restatements.cases.desk import calendar_of
from include.restatements.cases.events import FOLLOWS, CaseEvent, Standing, events_of, keep_event, news, standing
from include.restatements.cases.following import keep_request, load_case, load_news
from include.restatements.cases.kinds import SUBSCRIPTIONS, CaseKind
from include.restatements.cases.pack import is_case, packs_of, read_pack
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.journal.journal import journal_of
from include.restatements.settings import Settings
from include.storage.folder import Folder
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

ACTS = (CaseAct.FILED, CaseAct.ANSWERED, CaseAct.REPLIED, CaseAct.CLOSED)
"""Those that a person can say."""

LONGEST_NOTE, MOST_VERSIONS = 2000, 20
_NUMBER = re.compile(r"[A-Za-z0-9-]{1,40}")
_LIKE = "Name it as its page does, like 1500001-lost-cancel-1"


@dataclass(frozen=True)
class Said:
    """What a person says. `case`: its id, after an @ the digest of the pack that was filed, needed where there are several; or CJ's number of it. `at`: aware UTC, now where it is None."""

    case: str
    act: CaseAct
    by: str
    number: str = ""
    at: datetime | None = None
    note: str = ""
    said_in: str | None = None


@dataclass(frozen=True)
class Acted:
    """The case as it stands after that."""

    case_id: str
    at: Standing


def act(
    settings: Settings, location: WarehouseLocation, said: Said, checkpoint: Checkpoint = no_checkpoint, now: datetime | None = None
) -> Acted:
    """Keeps it. `now`: the present, by this machine's clock where it is None. Raises SettingError where it does not follow, StorageError, and what the warehouse raises; then nothing was changed."""
    if said.act not in ACTS:
        raise SettingError(f"Nobody can say that a case is {said.act.value}: the package sees that by itself.")
    files, now = journal_of(settings).files, now or datetime.now(UTC)
    announced = news(files)
    with open_warehouse(location) as session:
        session.create_tables()
        with session.transaction():
            session.serialize(keeping.LOCK)
            load_news(session, files, settings, announced, now)
            case_id, digest = _named(session, files, said)
            _keep(session, files, settings, case_id, digest, said, now)
            checkpoint("after_case_event")
            load_case(session, files, settings, case_id, now)
            checkpoint("before_cases_commit")
        return Acted(case_id, standing(keeping.known_events(session, case_id), calendar_of(settings), now))


def request(settings: Settings, location: WarehouseLocation, kind: str, conn_id: str = "") -> str:
    """A ready case that asks for a subscription for an account, the first one where none is named. Returns its id. Raises SettingError."""
    kinds = [one.value for one in SUBSCRIPTIONS]
    if kind not in kinds:
        raise SettingError(f"{kind!r} is no subscription that can be asked for. Ask for {' or '.join(kinds)}.")
    account = next((one for one in settings.accounts if conn_id in ("", one.conn_id)), None)
    if account is None:
        raise SettingError(f"There is no account {conn_id!r} in the Variable cj_conn_ids. Name one that is.")
    with open_warehouse(location) as session:
        session.create_tables()
        with session.transaction():
            session.serialize(keeping.LOCK)
            return keep_request(session, journal_of(settings).files, settings, CaseKind(kind), account, datetime.now(UTC))


def _named(session: Session, files: Folder, said: Said) -> tuple[str, str]:
    """The case, and the digest of the pack that was filed. Whoever files a case had one version of it before him: where there are several he says which."""
    name, _, digest = said.case.strip().partition("@")
    row = keeping.named(session, name)
    filing = said.act is CaseAct.FILED
    case_id = name if row is None else str(row["case_id"])
    # A ready case is gone with its breaks, and may have been filed before: its packs stay.
    packs = packs_of(files, case_id) if filing and is_case(case_id) else []
    if row is None and not packs:
        raise SettingError(f"There is no case {name!r}. {_LIKE}, or by CJ's number of it.")
    if not filing or (row is not None and row["state"] != CaseState.READY.value):
        return case_id, digest or ("" if row is None else str(row["digest"]))
    if digest and digest not in packs:
        raise SettingError(f"Case {case_id} never was as {digest!r} names it. Give what its page, or `pack`, showed when it was filed.")
    if not digest and len(packs) > 1:
        raise SettingError(
            f"Case {case_id} was written in {len(packs)} versions, and nobody but you knows which of them you filed. Name it: {_versions(files, case_id, packs)}."
        )
    return case_id, digest or packs[0]


def _versions(files: Folder, case_id: str, packs: list[str]) -> str:
    """As a person names them, the newest first, with what tells them apart."""
    found = [read_pack(files, case_id, digest) for digest in packs]
    times = [f"{pack.written_at:%Y-%m-%d %H:%M} UTC" if pack.written_at else "at a time that is not known" for pack in found]
    told = [
        f"{case_id}@{digest} ({len(pack.orders)} order{'' if len(pack.orders) == 1 else 's'}, written {time})"
        for pack, digest, time in zip(found, packs, times, strict=True)
    ]
    return "; ".join(one for _, one in sorted(zip(times, told, strict=True), reverse=True)[:MOST_VERSIONS])


def _keep(session: Session, files: Folder, settings: Settings, case_id: str, digest: str, said: Said, now: datetime) -> None:
    events = events_of(files, case_id)
    event = _event(said, digest, now)
    if any(_same(event, before) for before in events):
        return
    at = standing(events, calendar_of(settings), event.at)
    if at.state not in FOLLOWS[said.act]:
        states = " or ".join(sorted(state.value for state in FOLLOWS[said.act]))
        raise SettingError(
            f"Case {case_id} is {at.state.value}, and only one that is {states} can be {said.act.value}. Nothing was changed."
        )
    if events and event.at < events[-1].at:
        raise SettingError(
            f"Case {case_id} was {events[-1].act.value} at {events[-1].at:%Y-%m-%d %H:%M} UTC, which is later than {event.at:%Y-%m-%d %H:%M} UTC. "
            "Nothing was changed; give the time at which it happened."
        )
    if said.act is CaseAct.FILED:
        _must_be_new(session, event.number)
    if not keep_event(files, case_id, events, event):
        raise SettingError(f"Somebody else said something of case {case_id} at the same moment. Nothing was changed; look at it again.")


def _event(said: Said, digest: str, now: datetime) -> CaseEvent:
    filed, number = said.act is CaseAct.FILED, said.number.strip()
    if filed and not _NUMBER.fullmatch(number):
        raise SettingError(f"CJ's case number is {number!r}; it must be the letters and digits that CJ showed after Submit.")
    if said.at is not None and said.at > now + timedelta(minutes=5):
        raise SettingError(f"{said.at:%Y-%m-%d %H:%M} UTC has not come yet. Give the time at which it happened.")
    note = without_emails(said.note.strip())
    if len(note) > LONGEST_NOTE:
        raise SettingError(f"The note has {len(note)} characters. At most {LONGEST_NOTE} are kept: say it shorter.")
    return CaseEvent(
        act=said.act, at=(said.at or now).astimezone(UTC), by=said.by, number=number if filed else None, pack=digest if filed else None, note=note or None,
        said_in=said.said_in,
    )  # fmt: skip


def _same(event: CaseEvent, before: CaseEvent) -> bool:
    again = event.said_in is not None and event.said_in == before.said_in
    alike = (event.act, event.at, event.by, event.note) == (
        before.act,
        before.at,
        before.by,
        before.note,
    ) and event.act is not CaseAct.FILED
    return again or alike or (event.act is CaseAct.FILED is before.act and event.number == before.number)


def _must_be_new(session: Session, number: str | None) -> None:
    found = session.rows("SELECT case_id FROM cj.cases WHERE case_number = :number", {"number": number})
    if found:
        raise SettingError(
            f"Case number {number} is case {found[0]['case_id']}'s already. Nothing was changed; give the number that CJ gave to this one."
        )
