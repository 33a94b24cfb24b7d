"""The journal: what was going to be posted, written before the call, and what came of it, written after.

A chunk is three files beside its orders, and its state is which of them exist:

    PLANNED   ──declare_intent──►  INTENDED  ──record_answer──►  ANSWERED
        │                             │ take_back (the request certainly never left)
        └──revoke──►  REVOKED         └──────────────────────►  PLANNED

The intent is created exclusively and holds either the intent or a revocation, so exactly one process may post a chunk, and a revoked chunk can
never be posted, not even by a task whose worker was killed and which lives on as an orphan. Whoever finds an intent without an answer does
not post: the outcome is unknown until Commission Detail settles it.

Everything is JSON or Parquet a person can read; the tables are loaded from here and can be rebuilt (`python -m include.commands.rebuild`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.domain.errors import JournalConflict, StorageError
from include.domain.states import Mode, Operation
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

    def commit_plan(self, run_id: str, manifest: dict[str, Any]) -> None:
        """Make the plan visible: until then its chunk files mean nothing. Raises JournalConflict when another run id owns the folder."""
        known = self.manifest(run_folder(run_id))
        if known and known["run_id"] != run_id:
            raise JournalConflict(
                f"Runs {known['run_id']!r} and {run_id!r} would share the folder {run_folder(run_id)!r}. Nothing was sent. Trigger one of them with another run id."
            )
        self.files.write(f"{run_folder(run_id)}/manifest.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2))

    def manifest(self, folder: str) -> dict[str, Any] | None:
        """What the run planned: run_id, chunks (ref, orders, content hash, amounts as text), counts."""
        data = self.files.read(f"{folder}/manifest.json")
        return _json(data, f"{folder}/manifest.json") if data else None

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

    def state(self, ref: ChunkRef) -> ChunkState:
        if self.files.exists(f"{ref}.answer.json"):
            return ChunkState.ANSWERED
        intent = self.intent(ref)
        if intent is None:
            return ChunkState.PLANNED
        return ChunkState.REVOKED if "revoked_by" in intent else ChunkState.INTENDED

    def intent(self, ref: ChunkRef) -> dict[str, Any] | None:
        data = self.files.read(f"{ref}.intent.json")
        return _json(data, f"{ref}.intent.json") if data is not None else None

    def declare_intent(self, ref: ChunkRef, payload_hash: str, orders: Sequence[Sequence[Any]], declared_at: str) -> bool:
        """PLANNED → INTENDED. True: this process, and no other, may post now. False: somebody else posted, is posting, or revoked it.

        Raises JournalConflict when the intent that is there was declared for another payload.
        """
        intent = {"chunk_id": ref.chunk_id, "payload_hash": payload_hash, "declared_at": declared_at, "orders": orders}
        if self.files.create(f"{ref}.intent.json", orjson.dumps(intent)):
            return True
        found = self.intent(ref)
        if found and found.get("payload_hash", payload_hash) != payload_hash:
            raise JournalConflict(
                f"Chunk {ref} was declared with payload {found['payload_hash']} and now has payload {payload_hash}. Nothing was sent for it. "
                "Its files were changed by hand or by two versions of the package: look at them, then clear `prepare` to plan again."
            )
        return False

    def take_back_intent(self, ref: ChunkRef) -> None:
        """INTENDED → PLANNED, only for the process that declared it and whose request certainly never left."""
        self.files.remove(f"{ref}.intent.json")

    def revoke(self, ref: ChunkRef, by_run: str, at: str) -> ChunkState:
        """PLANNED → REVOKED. Returns the state found after trying: REVOKED, or INTENDED or ANSWERED when its run was faster."""
        self.files.create(f"{ref}.intent.json", orjson.dumps({"chunk_id": ref.chunk_id, "revoked_by": by_run, "revoked_at": at}))
        return self.state(ref)

    def record_tested(self, ref: ChunkRef, tested: dict[str, Any]) -> None:
        """Test Mode is over for this chunk: `refused` lists [tracker, order id, CJ's words]."""
        self.files.write(f"{ref}.tested.json", orjson.dumps(tested))

    def tested(self, ref: ChunkRef) -> dict[str, Any] | None:
        data = self.files.read(f"{ref}.tested.json")
        return _json(data, f"{ref}.tested.json") if data is not None else None

    def record_answer(self, ref: ChunkRef, answer: dict[str, Any]) -> None:
        """INTENDED → ANSWERED: the outcome of every order of the chunk, as `submission.outcome_of` made it."""
        self.files.write(f"{ref}.answer.json", orjson.dumps(answer))

    def answer(self, ref: ChunkRef) -> dict[str, Any] | None:
        data = self.files.read(f"{ref}.answer.json")
        return _json(data, f"{ref}.answer.json") if data is not None else None

    def only_tested(self, ref: ChunkRef) -> bool:
        """Whether the chunk's answer is Test Mode's: nothing of it was posted."""
        return (self.answer(ref) or {}).get("mode") == Mode.TEST.value


def journal_of(settings: Settings) -> Journal:
    """The journal on the storage the settings name."""
    return Journal(folder(settings.storage, settings.storage_conn_id))


def _json(data: bytes, path: str) -> dict[str, Any]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise StorageError(
            f"{path} is not JSON: it was changed by hand or the storage lost a part. Restore it; nothing is sent until then."
        ) from error
    if not isinstance(found, dict):
        raise StorageError(f"{path} holds no object: it was changed by hand. Restore it; nothing is sent until then.")
    return found
