"""Cutting a plan into chunks: at most 10,000 orders of one enterprise and one operation, each a Parquet file.

Orders come in the order of their key and a chunk is cut when it is full, so the same plan always gives the same chunks, and an order's place
in its chunk is the same. A chunk is named by its content (keys, times, hashes, attempts): the same chunk planned twice in a run is the same
file, with the same intent and answer beside it, and is therefore not posted again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2b
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import ZERO, exact_sum, money_text
from include.domain.shapes import CHUNK
from include.domain.states import Operation
from include.restatements.journal.documents import PlannedChunk
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal

#: What may name a person and is not sent with the operation is not kept: CJ takes a sid with a new order only, and nothing of a cancelled one.
_NOT_SENT = {
    Operation.CREATE: (),
    Operation.RESTATE: ("sid",),
    Operation.CANCEL: ("sid", "cj_event", "custom_parameters", "vertical_parameters"),
}


@dataclass(frozen=True)
class Chunk:
    """One planned chunk. `amounts` are the sums in the orders' own currencies by currency, as text; `taken_back` what it takes back at most of the sales that
    commission is paid on, as text in the advertiser's currency, None where it was not told."""

    ref: ChunkRef
    enterprise_id: str
    orders: int
    content_hash: str
    amounts: dict[str, str]
    canary: bool = False
    """Whether it goes live first, and the others of its account after it."""
    taken_back: str | None = None

    def planned(self) -> PlannedChunk:
        """The chunk as the manifest has it."""
        return PlannedChunk(
            ref=str(self.ref),
            enterprise_id=self.enterprise_id,
            operation=self.ref.operation,
            orders=self.orders,
            content_hash=self.content_hash,
            amounts=self.amounts,
            canary=self.canary,
            taken_back=self.taken_back,
        )


class ChunkWriter:
    """Takes planned orders batch by batch, in key order, and writes each chunk when it is full. Holds at most one chunk an operation and enterprise.

    `canaries` are enterprises with a canary, and how many orders: the first chunk of each of their operations holds no more, where the enterprise has more chunks
    than those.
    """

    def __init__(
        self,
        journal: Journal,
        folder: str,
        chunk_size: int,
        wrote: Callable[[ChunkRef, pa.Table], None],
        canaries: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.journal, self.folder, self.size, self.wrote = journal, folder, chunk_size, wrote
        self.chunks: list[Chunk] = []
        self._canaries = {enterprise_id: min(orders, chunk_size) for enterprise_id, orders in canaries.items()}
        self._begun: set[tuple[str, Operation]] = set()
        self._open: dict[tuple[str, Operation], list[pa.Table]] = {}

    def add(self, operation: Operation, orders: pa.Table) -> None:
        """`orders` in shapes.CHUNK, sorted by key; where it is known, with `taken_back` of each beside it."""
        for enterprise_id in pc.unique(orders["enterprise_id"]).to_pylist():
            mine = orders.filter(pc.equal(orders["enterprise_id"], enterprise_id))
            parts = self._open.setdefault((enterprise_id, operation), [])
            parts.append(mine)
            self._cut(enterprise_id, operation, whole_only=True)

    def finish(self) -> list[Chunk]:
        """Write what is left; every chunk of the plan."""
        for enterprise_id, operation in list(self._open):
            self._cut(enterprise_id, operation, whole_only=False)
        # Where all there is goes first, nothing waits for it.
        followed = {chunk.enterprise_id for chunk in self.chunks if not chunk.canary}
        self.chunks = [replace(chunk, canary=chunk.canary and chunk.enterprise_id in followed) for chunk in self.chunks]
        return self.chunks

    def _cut(self, enterprise_id: str, operation: Operation, *, whole_only: bool) -> None:
        parts = self._open[(enterprise_id, operation)]
        if not parts or (sum(p.num_rows for p in parts) < self._size_of_next(enterprise_id, operation) and whole_only):
            return
        table = pa.concat_tables(parts)
        start = 0
        while table.num_rows - start >= (size := self._size_of_next(enterprise_id, operation)) or (
            not whole_only and start < table.num_rows
        ):
            self._write(enterprise_id, operation, table.slice(start, size))
            start += size
        rest = table.slice(start)
        self._open[(enterprise_id, operation)] = [rest] if rest.num_rows else []

    def _size_of_next(self, enterprise_id: str, operation: Operation) -> int:
        return self.size if (enterprise_id, operation) in self._begun else self._canaries.get(enterprise_id, self.size)

    def _write(self, enterprise_id: str, operation: Operation, orders: pa.Table) -> None:
        taken_back = (
            money_text(exact_sum([ZERO, *orders["taken_back"].drop_null().to_pylist()])) if "taken_back" in orders.column_names else None
        )
        orders = orders.select(CHUNK.names).cast(CHUNK).combine_chunks()
        for column in _NOT_SENT[operation]:
            orders = orders.set_column(orders.schema.get_field_index(column), column, pa.nulls(orders.num_rows, CHUNK.field(column).type))
        name = content_hash(enterprise_id, operation, orders)
        ref = self._free_ref(operation, name)
        self.journal.put_table(f"{ref}.parquet", orders)
        self.wrote(ref, orders)
        canary = enterprise_id in self._canaries and (enterprise_id, operation) not in self._begun
        self._begun.add((enterprise_id, operation))
        self.chunks.append(Chunk(ref, enterprise_id, orders.num_rows, name, amounts_by_currency(orders), canary, taken_back))

    def _free_ref(self, operation: Operation, name: str) -> ChunkRef:
        """The chunk's own name, or the next one after chunks of the same content that were revoked, or that only Test Mode was asked."""
        ref, turn = ChunkRef(self.folder, operation, name[:16]), 1
        while self._used_up(ref):
            turn += 1
            ref = ChunkRef(self.folder, operation, f"{name[:16]}-{turn}")
        return ref

    def _used_up(self, ref: ChunkRef) -> bool:
        found = self.journal.visit(ref)
        if found.answer is not None:
            # Only tested, or refused whole by Test Mode, and planned again: the answer says nothing of what may go live now.
            return found.only_tested or not (found.answer.accepted or found.answer.rejected or found.answer.error)
        return found.state is ChunkState.REVOKED


def content_hash(enterprise_id: str, operation: Operation, orders: pa.Table) -> str:
    """blake2b over the keys, times, content hashes, statuses and attempts of the orders, in their order: what a chunk is, whoever cut it."""
    digest = blake2b(f"{enterprise_id}\n{operation.value}\n".encode(), digest_size=16)
    times = orders["updated_at"].cast(pa.int64()).cast(pa.string())
    trackers, attempts = (orders[c].cast(pa.string()) for c in ("action_tracker_id", "attempt"))
    status = pc.fill_null(orders["status"], "")
    lines = pc.binary_join_element_wise(trackers, orders["order_id"], times, orders["payload_hash"], attempts, status, "\n")
    digest.update("\n".join([*lines.to_pylist(), ""]).encode())
    return digest.hexdigest()


def amounts_by_currency(orders: pa.Table) -> dict[str, str]:
    """Exact sums of `amount` by currency ('' where the order names none)."""
    sums: dict[str, str] = {}
    for currency in pc.unique(orders["currency"]).to_pylist():
        mine = orders.filter(pc.equal(pc.fill_null(orders["currency"], ""), currency or ""))["amount"].drop_null()
        total: Decimal = exact_sum(mine.to_pylist()) if len(mine) else ZERO
        sums[currency or ""] = money_text(total)
    return dict(sorted(sums.items()))
