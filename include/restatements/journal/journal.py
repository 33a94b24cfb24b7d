"""The journal: what was going to be posted, written before the call, and what came of it, written after.

A chunk is three files beside its orders, and its state is which of them exist:

    PLANNED   ──declare_intent──►  INTENDED  ──record_answer──►  ANSWERED
        │                             │ take_back (the request certainly never left)
        └──revoke──►  REVOKED         └──────────────────────►  PLANNED

The intent is created exclusively and holds either the intent or a revocation, so exactly one process may post a chunk, and a revoked chunk can
never be posted, not even by a task whose worker was killed and which lives on as an orphan. Whoever finds an intent without an answer does
not post: the outcome is unknown until Commission Detail settles it.

Everything is JSON (`documents` says of what types) or Parquet a person can read; the tables are loaded from here and can be rebuilt (`python -m include.commands.rebuild`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    """None where there is none, and where the chunk is answered: then nobody asks."""
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
    def refused(self) -> Sequence[Refused]:
        """The orders that Test Mode refused, as far as it was asked and read."""
        return self.tested.refused if self.tested is not None else ()


def run_folder(run_id: str) -> str:
    """A run id as a folder name that every storage takes."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", run_id)


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
        data = self.files.read(path)
        return pq.read_table(pa.BufferReader(data), columns=columns) if data is not None else None

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
        intent = self._intent(ref) if answer is None else None
        posted = answer is not None or isinstance(intent, Intent)
        tested = self._document(f"{ref}.tested.json", InTestMode) if posted or always_tested else None
        return Visit(ref, intent, tested, answer)

    def declare_intent(self, ref: ChunkRef, payload_hash: str, orders: Sequence[OrderKey], declared_at: datetime) -> bool:
        """PLANNED → INTENDED. True: this process, and no other, may post now. False: somebody else posted, is posting, or revoked it.

        Raises JournalConflict when the intent that is there was declared for another payload.
        """
        intent = Intent(chunk_id=ref.chunk_id, payload_hash=payload_hash, declared_at=declared_at, orders=orders)
        if self.files.create(f"{ref}.intent.json", encoded(intent)):
            return True
        found = self._intent(ref)
        if isinstance(found, Intent) and found.payload_hash != payload_hash:
            raise JournalConflict(
                f"Chunk {ref} was declared with payload {found.payload_hash} and now has payload {payload_hash}. Nothing was sent for it. "
                "Its files were changed by hand or by two versions of the package: look at them, then clear `prepare` to plan again."
            )
        return False

    def take_back_intent(self, ref: ChunkRef) -> None:
        """INTENDED → PLANNED, only for the process that declared it and whose request certainly never left."""
        self.files.remove(f"{ref}.intent.json")

    def revoke(self, ref: ChunkRef, by_run: str, at: datetime) -> None:
        """PLANNED → REVOKED, unless its run was faster: the next visit tells."""
        self.files.create(f"{ref}.intent.json", encoded(Revocation(chunk_id=ref.chunk_id, revoked_by=by_run, revoked_at=at)))

    def record_tested(self, ref: ChunkRef, tested: InTestMode) -> None:
        """Test Mode is over for this chunk."""
        self.files.write(f"{ref}.tested.json", encoded(tested))

    def record_answer(self, ref: ChunkRef, answer: Answered) -> None:
        """INTENDED → ANSWERED: the outcome of every order of the chunk."""
        self.files.write(f"{ref}.answer.json", encoded(answer))

    # -- documents -----------------------------------------------------------------------------------------------------------------

    def _document(self, path: str, kind: type[AnyDocument]) -> AnyDocument | None:
        data = self.files.read(path)
        return decoded(data, kind, f"{self.files.url}/{path}") if data is not None else None

    def _intent(self, ref: ChunkRef) -> Intent | Revocation | None:
        path = f"{ref}.intent.json"
        data = self.files.read(path)
        return decoded_intent(data, f"{self.files.url}/{path}") if data is not None else None


def journal_of(settings: Settings) -> Journal:
    """The journal on the storage the settings name."""
    return Journal(folder(settings.storage, settings.storage_conn_id))
