"""The journal: what was going to be posted, written before the call, and what came of it, written after.

A chunk's state is which of the files beside its orders exist:

    PLANNED   ──declare_intent──►  INTENDED  ──record_answer──►  ANSWERED
        │  ▲                          │
        │  └──────take_back───────────┘ (the request certainly never left)
        └──revoke──►  REVOKED

    <chunk>.intent.json              the first attempt: created exclusively, an intent or a revocation
    <chunk>.intent.taken-back.json   who took that intent back, and why; only then is the next attempt open
    <chunk>.intent-2.json            the second attempt, and so on; `….intent-2.taken-back.json`
    <chunk>.answer.json              what came of the attempt that was not taken back

An attempt is created exclusively and holds either an intent or a revocation, so exactly one process may post a chunk, and a revoked chunk can
never be posted, not even by a task whose worker was killed and which lives on as an orphan. Whoever finds an intent without an answer does
not post: the outcome is unknown until Commission Detail settles it.

Nothing is ever removed, and a name once used is never free again. A storage client repeats a request whose answer was lost, minutes later and
after others have moved on: what it repeats then creates a file that is there already, and changes nothing.

Everything is JSON (`documents` says of what types) or Parquet a person can read; the tables are loaded from here and can be rebuilt (`python -m include.commands.rebuild`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from itertools import count

import pyarrow as pa
import pyarrow.parquet as pq

from include.domain.errors import JournalConflict, StorageError
from include.domain.states import Mode, Operation
from include.restatements.journal.documents import (
    Answered,
    AnyDocument,
    Intent,
    InTestMode,
    Manifest,
    OrderKey,
    Refused,
    Revocation,
    TakenBack,
    decoded,
    decoded_intent,
    encoded,
)
from include.restatements.settings import Settings
from include.storage.folder import Folder
from include.storage.opening import folder

ROOT = "cj_restatements"


class ChunkState(StrEnum):
    """How far a chunk has come; says whether money may still move because of it."""

    PLANNED = "planned"
    """Nothing was posted."""
    REVOKED = "revoked"
    """Nothing was posted and nothing ever will be: another plan owns its orders."""
    INTENDED = "intended"
    """A call was about to leave, or has left: nobody may post it again."""
    ANSWERED = "answered"
    """The outcome of every order is recorded."""


@dataclass(frozen=True)
class ChunkRef:
    """A chunk's place in the journal: `<run folder>/<operation>/<chunk id>`."""

    folder: str
    operation: Operation
    chunk_id: str

    @classmethod
    def parse(cls, text: str) -> ChunkRef:
        folder, operation, chunk_id = text.split("/")
        return cls(folder, Operation(operation), chunk_id)

    def __str__(self) -> str:
        return f"{self.folder}/{self.operation.value}/{self.chunk_id}"


@dataclass(frozen=True)
class Visit:
    """A chunk as the journal has it."""

    ref: ChunkRef
    intent: Intent | Revocation | None
    """None where there is none or it was taken back, and where the chunk is answered: then nobody asks."""
    tested: InTestMode | None
    answer: Answered | None

    @property
    def state(self) -> ChunkState:
        """How far it has come: see the drawing above."""
        if self.answer is not None:
            return ChunkState.ANSWERED
        if self.intent is None:
            return ChunkState.PLANNED
        return ChunkState.REVOKED if isinstance(self.intent, Revocation) else ChunkState.INTENDED

    @property
    def only_tested(self) -> bool:
        """Whether the chunk's answer is Test Mode's: nothing of it was posted."""
        return self.answer is not None and self.answer.mode is Mode.TEST

    @property
    def may_be_live(self) -> bool:
        """Whether it went live, or may have: no plan may take it for unsent."""
        return self.state in (ChunkState.INTENDED, ChunkState.ANSWERED) and not self.only_tested

    @property
    def refused(self) -> Sequence[Refused]:
        """The orders that Test Mode refused, as far as it was asked and read."""
        return self.tested.refused if self.tested is not None else ()


_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_OF_AIRFLOW = re.compile(r"[a-z_]+__\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00(_[A-Za-z0-9]+)?")
_LIKE_AIRFLOWS = re.compile(r"[a-z_]+__\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d{6})?-00-00(_[A-Za-z0-9]+)?")
_MARKED = re.compile(r".*\.[0-9a-f]{16}")
NOTES = "acknowledgements"
_OURS = frozenset({"breakers", "cases", "prelock", "reports", NOTES})
"""What stands beside the runs' folders."""


def run_folder(run_id: str) -> str:
    """A run id as a folder name that every storage takes, and no two ids the same.

    The ids that Airflow makes, and those that are such a name already, are as they read; any other has a mark of its own after it.
    """
    name = _UNSAFE.sub("-", run_id)
    plain = (
        name == run_id and name and not (name.startswith(".") or name in _OURS or _LIKE_AIRFLOWS.fullmatch(name) or _MARKED.fullmatch(name))
    )
    if plain or _OF_AIRFLOW.fullmatch(run_id):
        return name
    return f"{name.lstrip('.')[:200] or 'run'}.{blake2b(run_id.encode(), digest_size=8).hexdigest()}"


def pack_folder(run_id: str) -> str:
    """Of one pre-lock review's files, beside the run folders."""
    return f"prelock/{run_folder(run_id)}"


class Journal:
    """The run folders under one storage root."""

    def __init__(self, storage: Folder) -> None:
        self.files = storage.below(ROOT)

    # -- the plan ------------------------------------------------------------------------------------------------------------------

    def runs(self) -> list[str]:
        """The run folders that hold a manifest or are being planned."""
        return self.files.names()

    def commit_plan(self, manifest: Manifest) -> None:
        """Make the plan visible: until then its chunk files mean nothing. Raises JournalConflict when another run id owns the folder."""
        run_id, path = manifest.run_id, f"{run_folder(manifest.run_id)}/manifest.json"
        known = self.manifest(run_folder(run_id))
        if known and known.run_id != run_id:
            raise JournalConflict(
                f"Runs {known.run_id!r} and {run_id!r} would share the folder {run_folder(run_id)!r}. Nothing was sent. Trigger one of them with another run id."
            )
        self.files.write(path, encoded(manifest, indented=True))

    def manifest(self, folder: str) -> Manifest | None:
        """What the run planned."""
        return self._document(f"{folder}/manifest.json", Manifest)

    def put_table(self, path: str, table: pa.Table) -> None:
        """Write a Parquet file (zstd) whole."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self.files.write(path, sink.getvalue().to_pybytes())

    def read_table(self, path: str, columns: list[str] | None = None) -> pa.Table | None:
        """A Parquet file, or None when there is none. Of `columns`, those that an earlier package did not write yet are left out."""
        data = self.files.read(path)
        if data is None:
            return None
        file = pq.ParquetFile(pa.BufferReader(data))
        return file.read([name for name in columns if name in file.schema_arrow.names] if columns else None)

    def orders(self, ref: ChunkRef, columns: list[str] | None = None) -> pa.Table:
        """The orders of a chunk (shapes.CHUNK). Raises StorageError when the file is gone."""
        table = self.read_table(f"{ref}.parquet", columns)
        if table is None:
            raise StorageError(
                f"The orders of chunk {ref} are gone from {self.files.url}. Restore the file, or clear `prepare` to plan the night again."
            )
        return table

    # -- one chunk -----------------------------------------------------------------------------------------------------------------

    def visit(self, ref: ChunkRef, *, always_tested: bool = False) -> Visit:
        """All that the journal knows of one chunk, each file read at most once, the answer before the intent.

        What Test Mode said is read where something was posted or answered; `always_tested` also where nothing was, which only who is about
        to post needs.
        """
        answer = self._document(f"{ref}.answer.json", Answered)
        intent = self._standing(ref) if answer is None else None
        posted = answer is not None or isinstance(intent, Intent)
        tested = self._document(f"{ref}.tested.json", InTestMode) if posted or always_tested else None
        return Visit(ref, intent, tested, answer)

    def declare_intent(self, ref: ChunkRef, payload_hash: str, orders: Sequence[OrderKey], declared_at: datetime) -> int | None:
        """PLANNED → INTENDED. The attempt's number: this process, and no other, may post now. None: somebody else posted, is posting, or revoked it.

        Raises JournalConflict when the intent that is there was declared for another payload.
        """
        intent = Intent(chunk_id=ref.chunk_id, payload_hash=payload_hash, declared_at=declared_at, orders=orders)
        attempt, found = self._take_next(ref, intent)
        if isinstance(found, Intent) and found.payload_hash != payload_hash:
            raise JournalConflict(
                f"Chunk {ref} was declared with payload {found.payload_hash} and now has payload {payload_hash}. Nothing was sent for it. "
                "Its files were changed by hand or by two versions of the package: look at them, then clear `prepare` to plan again."
            )
        return attempt

    def take_back_intent(self, ref: ChunkRef, attempt: int, by: str, at: datetime, why: str) -> None:
        """INTENDED → PLANNED, only for the process that declared this attempt and whose request certainly never left."""
        taken_back = TakenBack(chunk_id=ref.chunk_id, taken_back_by=by, taken_back_at=at, why=why)
        self.files.create(_taken_back_path(ref, attempt), encoded(taken_back))

    def revoke(self, ref: ChunkRef, by_run: str, at: datetime) -> None:
        """PLANNED → REVOKED, unless its run was faster: the next visit tells."""
        self._take_next(ref, Revocation(chunk_id=ref.chunk_id, revoked_by=by_run, revoked_at=at))

    def record_tested(self, ref: ChunkRef, tested: InTestMode, *, anew: bool = False) -> InTestMode:
        """Test Mode is over for this chunk. The first verdict stands, and is returned: of two tasks that asked, none posts what the other left out.

        `anew` replaces it: nothing is posted after it, and it says what the answer that follows let pass.
        """
        path, data = f"{ref}.tested.json", encoded(tested)
        if anew:
            self.files.write(path, data)
            return tested
        return tested if self.files.create(path, data) else self._document(path, InTestMode) or tested

    def record_answer(self, ref: ChunkRef, answer: Answered) -> Answered:
        """INTENDED → ANSWERED: the outcome of every order of the chunk. What a call came to is its declarer's to write; where there was no call
        (Test Mode alone), the answer that is there stands. The one that stands is returned.
        """
        path, data = f"{ref}.answer.json", encoded(answer)
        if answer.payload_hash is not None:
            self.files.write(path, data)
            return answer
        return answer if self.files.create(path, data) else self._document(path, Answered) or answer

    # -- attempts ------------------------------------------------------------------------------------------------------------------

    def _take_next(self, ref: ChunkRef, document: Intent | Revocation) -> tuple[int | None, Intent | Revocation | None]:
        """Create the first attempt that is open: its number, or what stands there instead. One request where nobody was before."""
        data = encoded(document)
        for attempt in count(1):
            if self.files.create(_attempt_path(ref, attempt), data):
                return attempt, None
            found = self._attempt(ref, attempt)
            if not self._is_taken_back(ref, attempt, found):
                return None, found
        raise AssertionError("unreachable")

    def _standing(self, ref: ChunkRef) -> Intent | Revocation | None:
        """The newest attempt, and None where nobody has it, or it was taken back and the next is open."""
        return next(found for attempt, found in self._attempts(ref) if not self._is_taken_back(ref, attempt, found))

    def _attempts(self, ref: ChunkRef) -> Iterator[tuple[int, Intent | Revocation | None]]:
        return ((attempt, self._attempt(ref, attempt)) for attempt in count(1))

    def _is_taken_back(self, ref: ChunkRef, attempt: int, found: Intent | Revocation | None) -> bool:
        """A revocation never is."""
        return isinstance(found, Intent) and self._document(_taken_back_path(ref, attempt), TakenBack) is not None

    def _attempt(self, ref: ChunkRef, attempt: int) -> Intent | Revocation | None:
        path = _attempt_path(ref, attempt)
        data = self.files.read(path)
        return decoded_intent(data, f"{self.files.url}/{path}") if data is not None else None

    # -- documents -----------------------------------------------------------------------------------------------------------------

    def _document(self, path: str, kind: type[AnyDocument]) -> AnyDocument | None:
        data = self.files.read(path)
        return decoded(data, kind, f"{self.files.url}/{path}") if data is not None else None


def _attempt_path(ref: ChunkRef, attempt: int) -> str:
    """A first attempt is named as it was before there were others."""
    return f"{ref}.intent.json" if attempt == 1 else f"{ref}.intent-{attempt}.json"


def _taken_back_path(ref: ChunkRef, attempt: int) -> str:
    return f"{_attempt_path(ref, attempt).removesuffix('.json')}.taken-back.json"


def journal_of(settings: Settings) -> Journal:
    """The journal on the storage the settings name."""
    return Journal(folder(settings.storage, settings.storage_conn_id))
