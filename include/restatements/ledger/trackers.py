"""What one reading adds to each action tracker: whose it is, whether CJ reports items under it, and what share of a sale it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from include.domain.money import exact_sum
from include.domain.shapes import MONEY
from include.domain.states import NO_ORDERS

_KEYS = ("advertiser_id", "action_tracker_id")
_COUNTS = ("records", "with_items")
_MONEY = ("sale_amount", "order_discount", "adv_commission_amount", "cj_fee")


class TrackersSeen:
    """Adds up the records that pass on their way into cj.commissions."""

    def __init__(self, reading: int) -> None:
        self._reading = reading
        self._parts: list[pa.Table] = []

    def passing(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches as they are; each is counted once it was taken."""
        for batch in batches:
            yield batch
            self._count(pa.Table.from_batches([batch]))

    def rows(self) -> pa.Table:
        """Rows of cj.tracker_readings, one for each advertiser and action tracker. Amounts are of the records of which CJ says commission and fee."""
        if not self._parts:
            return _EMPTY
        rows = [
            {name: row[name] for name in _EMPTY.column_names if name in row}
            | {"reading": self._reading, "commission": exact_sum([row["adv_commission_amount"], row["cj_fee"]])}
            for row in _added_up(pa.concat_tables(self._parts)).to_pylist()
        ]
        return pa.Table.from_pylist(rows, _EMPTY.schema)

    def _count(self, records: pa.Table) -> None:
        records = records.filter(pc.invert(pc.is_in(records["action_type"], pa.array(sorted(NO_ORDERS), pa.string()))))
        if not records.num_rows:
            return
        said = pc.and_(records["adv_commission_amount"].is_valid(), records["cj_fee"].is_valid())
        nothing = pa.scalar(0, MONEY)
        amounts = {name: pc.if_else(said, pc.fill_null(records[name], nothing), nothing) for name in _MONEY}
        # A reversal may carry its discount without a minus; the sale's sign says what it does.
        plain = pc.and_(pc.less(amounts["sale_amount"], nothing), pc.greater(amounts["order_discount"], nothing))
        amounts["order_discount"] = pc.if_else(plain, pc.negate(amounts["order_discount"]), amounts["order_discount"])
        one = pa.table(
            {
                "advertiser_id": records["advertiser_id"],
                "action_tracker_id": records["action_tracker_id"],
                "records": pa.repeat(1, records.num_rows),
                "with_items": pc.not_equal(records["items_mark"], pa.scalar(0, records["items_mark"].type)).cast(pa.int64()),
                **amounts,
            }
        )
        self._parts.append(_added_up(one))


def _added_up(parts: pa.Table) -> pa.Table:
    names = (*_COUNTS, *_MONEY)
    sums = parts.group_by(list(_KEYS)).aggregate([(name, "sum") for name in names])
    return sums.rename_columns({f"{name}_sum": name for name in names})


_EMPTY = pa.schema(
    [
        ("advertiser_id", pa.string()), ("action_tracker_id", pa.int64()), ("reading", pa.int64()), ("records", pa.int64()), ("with_items", pa.int64()),
        ("sale_amount", MONEY), ("order_discount", MONEY), ("commission", MONEY),
    ]
).empty_table()  # fmt: skip
