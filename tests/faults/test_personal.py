"""What may name a person is planted in every field that can hold it, and after each fault it is looked for in every file, table, log and report.

It may stand where CJ is to have it: in the chunks of orders that are created or restated. A coupon is also a column of the tables, so of it only the
words of CJ are asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.demo.files import ORDER_CHANGES
from tests.faults.stage import HOUR, Driver, Stage

EMAIL = "ada.lovelace@example.org"
MARKS = {
    "sid": "mark-of-a-sid", "cj_event": "mark-of-a-click", "custom_parameters": '{"who": "mark-of-custom"}',
    "vertical_parameters": '{"city": "mark-of-vertical"}', "coupon": "mark-of-a-coupon",
}  # fmt: skip
PLANTED = ("mark-of-a-sid", "mark-of-a-click", "mark-of-custom", "mark-of-vertical", "ada.lovelace")
WORDS = {
    "new-001": ["mark-of-a-sid", "MARK-OF-A-CLICK,", "'mark-of-custom'", "mark-of-vertical.", "mark-of-a-coupon", EMAIL],
    "changed-001": ["mark-of-a-click", "“Mark-Of-Custom”", "city=mark-of-vertical", "mark-of-a-coupon;"],
    "gone-001": [EMAIL],
}
"""CJ may repeat what it was sent; of a cancelled order, that is next to nothing."""
REFUSED = sorted(WORDS)

FAULTS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "refuse": [
        {"kind": "refuse", "order_ids": [order_id], "message": f"Order may not be accepted: {' '.join(words)}"} for order_id, words in WORDS.items()
    ],
    "status": [{"kind": "status", "path": "/graphql", "status": 504}],
    "html": [{"kind": "html", "path": "/graphqltest", "status": 200}],
    "cut_before": [{"kind": "cut_before", "path": "/graphql"}],
    "cut_after": [{"kind": "cut_after", "path": "/graphql"}],
    "truncate": [{"kind": "truncate", "path": "/graphql"}],
    "drop": [{"kind": "drop", "order_ids": REFUSED}],
    "alter": [{"kind": "alter", "order_ids": ["changed-001"], "field": "amount", "value": "1.00"}],
    "garble": [
        {"kind": "garble", "order_ids": ["changed-001"], "field": field, "value": value}
        for field, value in {
            "publisherName": f"{EMAIL}\0", "lockingMethod": {"sid": "mark-of-a-sid"}, "coupon": ["mark-of-a-sid"], "correctionReason": [EMAIL]
        }.items()
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def driver(scratch: Path) -> Iterator[Driver]:
    """A driver whose temporary folders and log are this module's alone."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TMPDIR", str(scratch))
        started = Driver(scratch / "driver.log")
    yield started
    started.stop()


def marked(changes: pa.Table) -> pa.Table:
    """The night with every field filled that may name a person, and one order whose id is an address."""
    rows = [row | MARKS for row in changes.to_pylist()]
    return pa.Table.from_pylist([*rows, rows[0] | {"order_id": EMAIL}], ORDER_CHANGES)


def readable(file: Path) -> str:
    if file.suffix == ".parquet":
        return str(pq.read_table(file).to_pylist())
    return file.read_bytes().decode("utf-8", "replace")


def texts(stage: Stage, scratch: Path, told: list[Any]) -> dict[str, str]:
    """Everything that is kept or said, by where; without the chunks of what CJ is to have."""
    files = [f for place in (stage.folder, scratch) for f in place.rglob("*") if f.is_file() and "warehouse.duckdb" not in f.name]
    sent = {f for f in files if f.suffix == ".parquet" and f.parent.name in ("create", "restate")}
    assert sent
    assert "mark-of-a-click" in "".join(readable(f) for f in sent)
    found = {str(f): readable(f) for f in files if f not in sent}
    tables = stage.rows("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'cj'")
    found |= {str(t["name"]): str(stage.rows(f"SELECT * FROM cj.{t['name']}")) for t in tables}
    return found | {"what the verbs returned or raised": json.dumps([repr(one) for one in told])}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_of_a_person_is_left_anywhere_after(stage: Stage, scratch: Path, fault: str) -> None:
    stage.load(marked(stage.shop.changes()))
    stage.sandbox.control.add_faults(FAULTS[fault])
    told: list[Any] = [prepared := stage.must("prepare")]
    told += [stage.run("submit", batch=batch) for batch in prepared["batches"]]
    told.append(stage.run("publish"))
    stage.sandbox.control.advance(HOUR)
    told.append(stage.run("reconcile", reconciliation="morning"))
    found = texts(stage, scratch, told)
    assert {"quarantine", "ledger_set_aside", "submissions"} <= found.keys()
    assert ("sha256-" in found["quarantine"], "changed-001" in found["ledger_set_aside"]) == (True, fault == "garble")
    assert [(where, mark) for where, text in found.items() for mark in PLANTED if mark in text.casefold()] == []
    words = "".join(str(row) for row in stage.rows("SELECT detail FROM cj.quarantine WHERE stage = 'test_mode'"))
    assert (words.count("accepted: "), "mark-of" in words.casefold()) == (3 if fault == "refuse" else 0, False)
