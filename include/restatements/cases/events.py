"""What happened to a case, in the journal, and how far that has brought it.

cases/<case>/0001.json    the first thing that happened: a person filed it. 0002.json the second, and so on; created exclusively, never edited
cases/.news/<case>.0002   that the second was about to happen: written before it, and gone once a round has seen it in the tables. So a round asks for this one
                          folder, however many cases there ever were. Of 0000 it is a case that a person asked for

READY ──filed──► FILED ──answered──► ANSWERED ──72 hours, or closed──► CLOSED
                   ▲                     │                                │
                   └──────replied────────┴────────────replied─────────────┘       any of them ──settled──► SETTLED ──broken──► as before

What CJ or a person wrote besides is kept and moves nothing, but for another answer, after which it closes that much later. What is said of a settled case counts where it
breaks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from types import MappingProxyType

from include.domain.errors import UnreadableDocument
from include.domain.states import CaseAct, CaseState
from include.restatements.cases.deadlines import closes_at, due
from include.restatements.cases.desk import Calendar
from include.restatements.cases.pack import CASES, is_case
from include.restatements.journal.documents import Document, Moment, decoded, encoded
from include.storage.folder import Folder


class CaseEvent(Document, frozen=True, kw_only=True):
    """One thing that happened."""

    act: CaseAct
    at: Moment
    by: str | None
    """None where the package saw it by itself."""
    number: str | None = None
    """CJ's case number, where it was filed."""
    pack: str | None = None
    """The digest of what was filed."""
    note: str | None = None
    said_in: str | None = None
    """The run that said it: said again by the same run it is said already."""


_NEWS = f"{CASES}/.news"
_ONCE_FILED = frozenset(CaseState) - {CaseState.READY}

FOLLOWS: Mapping[CaseAct, frozenset[CaseState]] = MappingProxyType(
    {
        CaseAct.FILED: frozenset({CaseState.READY}),
        CaseAct.ANSWERED: _ONCE_FILED,
        CaseAct.REPLIED: _ONCE_FILED,
        CaseAct.CLOSED: frozenset({CaseState.FILED, CaseState.ANSWERED, CaseState.SETTLED}),
        CaseAct.SETTLED: frozenset({CaseState.FILED, CaseState.ANSWERED, CaseState.CLOSED}),
        CaseAct.BROKEN: frozenset({CaseState.SETTLED}),
    }
)
"""In which state of a case each can happen."""


@dataclass(frozen=True)
class Standing:
    """How far a case has come. Times are aware UTC; `asked_at` is when CJ's time began to run."""

    state: CaseState = CaseState.READY
    number: str | None = None
    filed_by: str | None = None
    filed_at: datetime | None = None
    asked_at: datetime | None = None
    due_usual: datetime | None = None
    due_early: datetime | None = None
    due_late: datetime | None = None
    answered_at: datetime | None = None
    closes_at: datetime | None = None
    settled_at: datetime | None = None


def standing(events: Iterable[CaseEvent], calendar: Calendar, now: datetime) -> Standing:
    """What the events come to at `now`."""
    at, settled_at = Standing(), None
    for event in events:
        at = _in_time(at, event.at)
        match event.act:
            case CaseAct.FILED:
                at = _asked(replace(at, number=event.number, filed_by=event.by, filed_at=event.at), event.at, calendar)
            case CaseAct.REPLIED if at.state is not CaseState.FILED:
                at = _asked(at, event.at, calendar)
            case CaseAct.ANSWERED if at.state is not CaseState.CLOSED:
                at = replace(at, state=CaseState.ANSWERED, answered_at=event.at, closes_at=closes_at(event.at))
            case CaseAct.CLOSED if at.state is not CaseState.CLOSED:
                at = replace(at, state=CaseState.CLOSED, closes_at=event.at)
            case CaseAct.SETTLED:
                settled_at = event.at
            case CaseAct.BROKEN:
                settled_at = None
    at = _in_time(at, now)
    return at if settled_at is None else replace(at, state=CaseState.SETTLED, settled_at=settled_at)


def _asked(at: Standing, when: datetime, calendar: Calendar) -> Standing:
    until = due(when, calendar)
    return replace(
        at, state=CaseState.FILED, asked_at=when, due_usual=until.usual, due_early=until.early, due_late=until.late, answered_at=None, closes_at=None
    )  # fmt: skip


def _in_time(at: Standing, now: datetime) -> Standing:
    """An answered case that nobody replied to closes by itself."""
    over = at.state is CaseState.ANSWERED and at.closes_at is not None and at.closes_at <= now
    return replace(at, state=CaseState.CLOSED) if over else at


def events_of(files: Folder, case_id: str, known: int = 0) -> list[CaseEvent]:
    """Those after the first `known`. Raises UnreadableDocument and StorageError."""
    found: list[CaseEvent] = []
    for number in count(known + 1):
        path = _path(case_id, number)
        data = files.read(path)
        if data is None:
            return found
        found.append(decoded(data, CaseEvent, f"{files.url}/{path}"))
    raise AssertionError("unreachable")


def keep_event(files: Folder, case_id: str, after: Sequence[CaseEvent], event: CaseEvent) -> bool:
    """Append it after those that are known. False where somebody else was first. Raises StorageError."""
    number = len(after) + 1
    announce(files, case_id, number)
    return files.create(_path(case_id, number), encoded(event, indented=True))


def was_filed(files: Folder, case_id: str) -> bool:
    """Whether the first thing has happened to it. Raises StorageError."""
    return files.exists(_path(case_id, 1))


def cases_kept(files: Folder) -> dict[str, int]:
    """Every case of the journal, and how many things happened to it: a listing for each case there ever was, so for a rebuild alone."""
    return {
        case_id: sum(name.endswith(".json") for name in files.names(f"{CASES}/{case_id}"))
        for case_id in files.names(CASES)
        if is_case(case_id)
    }


def announce(files: Folder, case_id: str, number: int) -> None:
    """Before the thing happens: whatever ends it then, the next round looks for it. Raises StorageError."""
    files.write(f"{_NEWS}/{case_id}.{number:04d}", case_id.encode())


def news(files: Folder) -> list[tuple[str, int]]:
    """What was announced and not seen in the tables yet: cases, and the number of what happened to them. Raises StorageError."""
    found = [name.rpartition(".") for name in files.names(_NEWS)]
    return [(case_id, int(number)) for case_id, _, number in found if is_case(case_id) and number.isdecimal()]


def seen(files: Folder, case_id: str, number: int) -> None:
    """The tables have it, for good. Raises StorageError."""
    files.remove(f"{_NEWS}/{case_id}.{number:04d}")


def filed_pack(events: Sequence[CaseEvent], where: str) -> str:
    """The digest of what was filed. Raises UnreadableDocument where the first event is none of that kind."""
    if not events or events[0].pack is None:
        raise UnreadableDocument(f"{where} begins with something else than that it was filed. Restore it from a backup of the storage.")
    return events[0].pack


def _path(case_id: str, number: int) -> str:
    return f"{CASES}/{case_id}/{number:04d}.json"
