"""The rehearsal of the money gate over a change log stops the giant return and finds every injected night that the rules can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.gate_over import main

BEGIN = datetime(2026, 4, 1, 9, tzinfo=UTC)
DAYS, A_DAY = 30, 25


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Thirty days of 25 orders of 100.00, of which one is returned each day; on the 20th a giant one."""
    rows = []

    def state(order: str, kind: str, placed: datetime, at: datetime, amount: str) -> None:
        rows.append(
            {"order_id": order, "change_type": kind, "event_time": placed, "updated_at": at, "amount": amount, "cj_event": "0" * 32}
        )

    for day in range(DAYS):
        placed = BEGIN + timedelta(days=day)
        for n in range(A_DAY):
            state(f"{day}-{n}", "new", placed, placed, "20000.00" if (day, n) == (18, 0) else "100.00")
        if day:
            state(f"{day - 1}-1", "restated", placed - timedelta(days=1), placed, "60.00")
    state("18-0", "cancelled", BEGIN + timedelta(days=18), BEGIN + timedelta(days=20), "20000.00")
    path = tmp_path / "log.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_one_giant_return_is_stopped_and_every_disaster_is(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(log), "--inject"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{DAYS} nights, 1 stopped"
    assert lines[1].startswith("  2026-04-21, 2 of ")
    assert lines[1].endswith(": much_taken_back")
    assert f"half of the last month's orders cancelled: {DAYS} of {DAYS} nights stopped" in lines
