"""Only what could go to CJ is validated for it: of orders no publisher brought, those CJ has heard of."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from include.domain.errors import QuarantineRatioExceeded
from include.domain.shapes import CHANGES
from include.restatements.gate.gate import QUARANTINED, Gate
from include.restatements.gate.items import Flags
from tests.restatements.gate.test_gate import NOW, order

WHOLESALE: dict[str, Any] = {"cj_event": None}


class CJ:
    """Who is asked which orders CJ has heard of."""

    def __init__(self, *known: str) -> None:
        self.known, self.asked = known, list[str]()

    def __call__(self, asked: pa.Table) -> Flags:
        self.asked += asked["order_id"].to_pylist()
        return np.array([name in self.known for name in asked["order_id"].to_pylist()], np.bool_)


def played(
    results: Path, rows: Iterable[dict[str, Any]], cj: CJ, batch_rows: int = 100_000, ratio: str = "0.05"
) -> tuple[Gate, dict[str, list[Any]]]:
    gate = Gate(NOW, Decimal(ratio), results, frozenset({"1500001"}), heard_of=cj, batch_rows=batch_rows)
    parts = list(gate.inspect([pa.Table.from_pylist(sorted(rows, key=lambda row: row["order_id"] or ""), CHANGES)]))
    found = {
        name: [i for p in parts if (t := getattr(p, name)) is not None for i in t["order_id"].to_pylist()]
        for name in ("good", "bad", "nobodys")
    }
    assert all(p.nobodys is None or p.nobodys.schema == QUARANTINED for p in parts)
    return gate, found


def many(count: int, prefix: str, **other: Any) -> list[dict[str, Any]]:
    return [order(order_id=f"{prefix}{n:03d}", **other) for n in range(count)]


@pytest.mark.parametrize("batch_rows", [7, 100_000])
def test_wholesale_orders_with_ids_cj_would_refuse_stop_nobody_s_night(tmp_path: Path, batch_rows: int) -> None:
    cj = CJ("WH/003")
    gate, found = played(tmp_path, many(100, "ORD-") + many(25, "WH/", **WHOLESALE) + many(10, "shop-", **WHOLESALE), cj, batch_rows)
    assert (len(found["good"]), found["bad"], len(found["nobodys"])) == (110, ["WH/003"], 24)
    assert gate.result is not None
    assert (gate.result.rows, gate.result.failed, gate.result.by_reason) == (111, 1, {"order_id_characters": 1})
    assert sorted(cj.asked) == [f"WH/{n:03d}" for n in range(25)]


def test_only_what_could_go_to_cj_is_counted_on_either_side_of_the_ratio(tmp_path: Path) -> None:
    night = many(76, "good-") + many(24, "bad-", amount=None) + many(400, "shop-", **WHOLESALE)
    with pytest.raises(QuarantineRatioExceeded, match="24 of 100 order changes that could go to CJ"):
        played(tmp_path, night, CJ())
    # A shop whose table names no click at all: what CJ knows of it is what can be restated.
    known = CJ(*(f"shop-{n:03d}" for n in range(400)))
    gate, found = played(tmp_path, night, known)
    assert gate.result is not None
    assert (gate.result.rows, len(found["good"]), len(found["bad"])) == (500, 476, 24)


def test_a_column_that_broke_stops_the_night_of_a_shop_that_names_no_click(tmp_path: Path) -> None:
    broken = many(30, "shop-", **WHOLESALE | {"amount": None})
    with pytest.raises(QuarantineRatioExceeded, match=r"25 of 25 .*amount_missing 25"):
        played(tmp_path, broken, CJ(*(f"shop-{n:03d}" for n in range(25))))
    gate, found = played(tmp_path, broken, CJ())
    assert gate.result is not None
    assert (gate.result.rows, gate.result.failed, len(found["nobodys"])) == (0, 0, 30)


def test_after_a_bad_start_the_orders_set_aside_are_asked_about_too(tmp_path: Path) -> None:
    night = many(30, "a-", currency="?") + many(5, "b/", **WHOLESALE) + many(570, "c-")
    gate, found = played(tmp_path, night, CJ("b/001"), 35, "0.06")
    assert gate.result is not None
    assert (gate.result.failed, gate.result.rows) == (31, 601)
    assert (len(found["good"]), len(found["bad"]), len(found["nobodys"])) == (570, 31, 4)


@pytest.mark.parametrize(
    "sure",
    [
        {"cj_event": "e" * 65},
        {"ad_id": 5, "promotional_property_id": None},
        {"action_tracker_id": None},
        {"updated_at": None},
        {"enterprise_id": "77"},
        {"order_id": None},
    ],
)
def test_what_a_publisher_brought_or_nobody_can_ask_about_is_held_back_unasked(tmp_path: Path, sure: dict[str, Any]) -> None:
    cj = CJ()
    _, found = played(tmp_path, [order(**WHOLESALE | {"order_id": "WH/1"} | sure)], cj)
    assert (found["good"], len(found["bad"]), found["nobodys"], cj.asked) == ([], 1, [], [])


def test_an_order_that_comes_twice_is_held_back_whoever_brought_it(tmp_path: Path) -> None:
    _, found = played(tmp_path, [order(**WHOLESALE), order(**WHOLESALE)], CJ())
    assert (found["bad"], found["nobodys"]) == (["ORD-1", "ORD-1"], [])


def test_an_order_id_that_is_an_email_address_is_asked_about_and_not_written(tmp_path: Path) -> None:
    rows = [order(**WHOLESALE | {"order_id": "jane@example.com"}), order(**WHOLESALE | {"order_id": "joe@example.com"})]
    cj = CJ("joe@example.com")
    gate, found = played(tmp_path, rows, cj)
    assert sorted(cj.asked) == ["jane@example.com", "joe@example.com"]
    assert [name.startswith("sha256-") for name in found["bad"] + found["nobodys"]] == [True, True]
    assert gate.result is not None and gate.result.by_reason == {"personal_data": 1}
