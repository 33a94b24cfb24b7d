"""What the checks keep of a week of orders: a few columns, and what the gate held back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.shapes import CHANGES, KEY
from include.restatements.gate.gate import QUARANTINED

_NOTED = (*KEY, "change_type", "event_time", "amount", "discount", "currency", "cj_event", "ad_id")


@dataclass
class Week:
    """The orders touched in the last days, as far as other checks need them, and those that the gate held back."""

    parts: list[pa.Table] = field(default_factory=list)
    nulls: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    judged: int = 0
    """Those that could go to CJ: a publisher brought them, or CJ has heard of them."""
    refused: pa.Table = field(default_factory=QUARANTINED.empty_table)

    def take(self, batch: pa.RecordBatch) -> None:
        """Note a batch."""
        self.parts.append(pa.Table.from_batches([batch]).select(list(_NOTED)))
        self.rows += batch.num_rows
        self.nulls.update({name: batch[name].null_count for name in batch.schema.names})

    def noted(self) -> pa.Table:
        """All of them."""
        return pa.concat_tables(self.parts) if self.parts else pa.schema([CHANGES.field(name) for name in _NOTED]).empty_table()

    def of(self, enterprise_id: str) -> pa.Table:
        """Those of one enterprise."""
        noted = self.noted()
        return noted.filter(pc.fill_null(pc.equal(noted["enterprise_id"], enterprise_id), False))
