"""A review over a change log finds what happened to CJ's orders and nothing else; worked out from the log by another text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.prelock_over import main, unknown_here
from tests.lab.test_real_month import change

END = datetime(2026, 11, 5, tzinfo=UTC)
PLACED = END - timedelta(days=20)


def log_of(place: Path, *, foreign: bool) -> Path:
    names = [name for name in (f"o-{n}" for n in range(400)) if not unknown_here(name)]
    gone = next(name for name in (f"o-{n}" for n in range(400)) if unknown_here(name))
    rows = [change(name, "new", PLACED, 4) for name in (*names[:40], gone)]
    rows.append(change(names[0], "restated", PLACED + timedelta(days=3), 2, placed=PLACED))
    rows.append(change(names[1], "cancelled", PLACED + timedelta(days=3), 0, placed=PLACED))
    rows.append(change("nobodys", "new", PLACED, 4, affiliate=False))
    if foreign:  # CJ converts it: its rate is told by the others of that currency
        rows += [change(name, "new", PLACED, 4) | {"currency": "EUR"} for name in names[40:46]]
        rows.append(change(names[40], "restated", PLACED + timedelta(days=2), 1, placed=PLACED) | {"currency": "EUR"})
    file = place / "log.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file


@pytest.mark.parametrize("foreign", [False, True])
def test_every_difference_of_a_log_is_found_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str], foreign: bool) -> None:
    assert main(["--changes", str(log_of(tmp_path, foreign=foreign)), "--end", END.isoformat()]) == 0
    said = capsys.readouterr().out
    assert f"'to_send': {3 if foreign else 2}" in said and "'not_in_warehouse': 1" in said
    assert said.endswith("0 wrong\n")
