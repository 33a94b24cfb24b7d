"""The gate keeps its promises: each rule holds back exactly what breaks it, and nothing of a row is left behind."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from babel.core import get_global
from babel.numbers import get_territory_currencies

from include.domain.errors import QuarantineRatioExceeded, WarehouseShapeError
from include.domain.shapes import CHANGES, KEY
from include.restatements.gate.data_docs import result_page
from include.restatements.gate.findings import findings
from include.restatements.gate.gate import QUARANTINED, Gate, Inspected
from include.restatements.gate.suite import Judge, Rule, ValidationBroken, rules

NOW = datetime(2026, 11, 15, 3, tzinfo=UTC)
PLACED, CHANGED = NOW - timedelta(days=9), NOW - timedelta(hours=5)


def item(**other: Any) -> dict[str, Any]:
    return {"sku": "MUG-1", "quantity": 2, "unit_price": Decimal("10.25"), "discount": Decimal("0.50")} | other


def order(**other: Any) -> dict[str, Any]:
    """A restated order that breaks no rule."""
    return {
        "enterprise_id": "1500001",
        "action_tracker_id": 400001,
        "order_id": "ORD-1",
        "change_type": "restated",
        "was_new": False,
        "event_time": PLACED,
        "updated_at": CHANGED,
        "amount": Decimal("20.00"),
        "discount": Decimal("1.00"),
        "currency": "EUR",
        "coupon": "SAVE10",
        "items": [item()],
        "status": None,
        "correction_reason": "ReturnedMerchandise",
        "cj_event": "f" * 32,
        "ad_id": None,
        "promotional_property_id": None,
        "sid": "newsletter-7",
        "custom_parameters": '{"store": "Lyon"}',
        "vertical_parameters": '{"advertiserVertical": "Retail", "brand": "Acme"}',
        "malformed": None,
    } | other


def many(count: int, start: int = 0, **other: Any) -> list[dict[str, Any]]:
    return [order(order_id=f"ORD-{n:06d}", **other) for n in range(start, start + count)]


def batch(rows: Iterable[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), CHANGES)


GateFactory = Callable[..., Gate]


@pytest.fixture
def gate(tmp_path: Path) -> GateFactory:
    def make(**other: Any) -> Gate:
        settings: dict[str, Any] = {
            "now": NOW,
            "max_quarantine_ratio": Decimal("0.05"),
            "results_dir": tmp_path / "quality",
            "enterprises": frozenset({"1500001"}),
        }
        return Gate(**(settings | other))

    return make


def inspected(gate: Gate, *tables: Iterable[dict[str, Any]]) -> Inspected:
    parts = list(gate.inspect(batch(rows) for rows in tables))
    return Inspected(pa.concat_tables([p.good for p in parts]), pa.concat_tables([p.bad for p in parts]))


NEW = {"change_type": "new", "was_new": True, "correction_reason": None}
CANCELLED = {"change_type": "cancelled", "amount": None, "discount": None, "items": None}

BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("malformed_coupon", {"malformed": "coupon", "coupon": None}),
    ("malformed_items", {"malformed": "items: line 1, quantity: a text like 'aaa' is no whole number", "items": None}),
    ("malformed_row", {"malformed": "something the query made up"}),
    ("enterprise_id_missing", {"enterprise_id": None}),
    ("action_tracker_id_missing", {"action_tracker_id": None}),
    ("order_id_missing", {"order_id": None}),
    ("unknown_enterprise", {"enterprise_id": "1500009"}),
    ("unknown_enterprise", {"enterprise_id": ""}),
    ("action_tracker_id_out_of_range", {"action_tracker_id": -1}),
    ("action_tracker_id_out_of_range", {"action_tracker_id": 2**31}),
    ("personal_data", {"sid": "jane.doe%40example.com"}),
    ("personal_data", {"sid": "from jane@example.com"}),
    ("order_id_length", {"order_id": ""}),
    ("order_id_length", {"order_id": "x" * 97}),
    ("order_id_characters", {"order_id": "ORD 1"}),
    ("order_id_characters", {"order_id": "ORD-1\n"}),
    ("order_id_characters", {"order_id": "ÖRD-1"}),
    ("change_type_missing", {"change_type": None}),
    ("change_type_unknown", {"change_type": "Restated"}),
    ("event_time_out_of_range", {"event_time": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)}),
    ("updated_at_out_of_range", {"event_time": None, "updated_at": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)}),
    ("updated_at_out_of_range", CANCELLED | {"event_time": None, "updated_at": datetime(1, 1, 1, tzinfo=UTC)}),
    ("event_time_missing", NEW | {"event_time": None}),
    ("event_time_missing", {"was_new": True, "event_time": None}),
    ("event_time_missing", NEW | {"was_new": None, "event_time": None}),
    ("updated_at_missing", {"updated_at": None}),
    ("updated_at_in_future", {"updated_at": NOW + timedelta(microseconds=1)}),
    ("updated_before_event", {"updated_at": PLACED - timedelta(microseconds=1)}),
    ("amount_missing", {"amount": None}),
    ("amount_too_large", {"amount": Decimal(10) ** 18, "items": None}),
    ("amount_negative", {"amount": Decimal("-0.01"), "discount": None, "items": None}),
    ("discount_negative", {"discount": Decimal("-0.01")}),
    ("discount_above_amount", {"discount": Decimal("20.01")}),
    ("currency_unknown", {"currency": "usd"}),
    ("currency_unknown", {"currency": "XXX"}),
    ("coupon_characters", {"coupon": "SAVE\x00"}),
    ("coupon_characters", {"coupon": "SAVE\n"}),
    ("cj_event_characters", {"cj_event": "\x7f"}),
    ("sid_characters", {"sid": "a\x85"}),
    ("item_sku_characters", {"items": [item(sku="A\x00B")]}),
    ("item_price_too_large", {"items": [item(), item(quantity=0, unit_price=Decimal(10) ** 18, discount=None)]}),
    ("custom_parameters_characters", {"custom_parameters": '{"store": "Ly\\u0000on"}'}),
    ("custom_parameters_characters", {"custom_parameters": '{"st\\tore": "Lyon"}'}),
    ("vertical_parameters_characters", {"vertical_parameters": '{"brand": "Ac\\u001bme"}'}),
    ("coupon_too_long", {"coupon": "x" * 257}),
    ("cj_event_length", {"cj_event": "x" * 65}),
    ("sid_too_long", {"sid": "x" * 65}),
    ("ad_id_out_of_range", {"ad_id": -1}),
    ("promotional_property_id_out_of_range", {"promotional_property_id": 2**31}),
    ("attribution_incomplete", {"cj_event": None, "ad_id": 5}),
    ("attribution_incomplete", {"cj_event": None, "promotional_property_id": 5}),
    ("status_invalid", {"status": "Declined"}),
    ("status_invalid", CANCELLED | {"status": "Accepted"}),
    ("correction_reason_unknown", {"correction_reason": "RETURNED_MERCHANDISE"}),
    ("too_many_items", {"items": [item(quantity=0, discount=None)] * 100 + [item()]}),
    ("item_sku_missing", {"items": [item(sku=None)]}),
    ("item_sku_missing", {"items": [item(sku="")]}),
    ("item_sku_too_long", {"items": [item(sku="x" * 101)]}),
    ("item_quantity_invalid", {"items": [item(quantity=None)]}),
    ("item_quantity_invalid", {"items": [item(quantity=-1)]}),
    ("item_quantity_too_large", {"items": [item(), item(quantity=2**31, unit_price=Decimal(0), discount=None)]}),
    ("item_unit_price_invalid", {"items": [item(unit_price=None)]}),
    ("item_unit_price_invalid", {"items": [item(unit_price=Decimal("-0.01"))]}),
    ("item_discount_negative", {"items": [item(discount=Decimal("-0.01"))]}),
    (
        "item_discount_above_line",
        {"items": [item(), item(quantity=1, unit_price=Decimal(3), discount=Decimal("3.01"))], "amount": Decimal("19.99")},
    ),
    ("items_do_not_add_up", {"amount": Decimal("20.02")}),
    ("custom_parameters_invalid", {"custom_parameters": '{"store": 7}'}),
    ("custom_parameters_invalid", {"custom_parameters": '["store"]'}),
    ("custom_parameters_invalid", {"custom_parameters": "{"}),
    ("custom_parameters_invalid", {"custom_parameters": '{"": "Lyon"}'}),
    ("vertical_parameters_invalid", {"vertical_parameters": '{"brand": null}'}),
    ("vertical_parameter_unknown", {"vertical_parameters": '{"brandd": "Acme"}'}),
    ("advertiser_vertical_unknown", {"vertical_parameters": '{"advertiserVertical": "retail"}'}),
]


def test_each_rule_holds_back_the_row_that_breaks_only_it(gate: GateFactory) -> None:
    touches_key = [change.keys() & set(KEY) for _, change in BROKEN]
    alone = [[case] for case, key in zip(BROKEN, touches_key, strict=True) if key]
    together = [case for case, key in zip(BROKEN, touches_key, strict=True) if not key]
    for cases in [*alone, together]:
        rows = [{**order(action_tracker_id=1000 + n), **change} for n, (_, change) in enumerate(cases)]
        seen = inspected(gate(max_quarantine_ratio=Decimal(1)), rows)
        assert seen.good.num_rows == 0
        held = seen.bad.to_pylist()
        assert [row["reason"] for row in held] == [reason for reason, _ in cases]
        for row in held:
            assert len([rule for rule in rules() if rule.detail in row["detail"]]) == 1, row


def test_an_event_in_the_future_is_held_back_with_its_own_reason(gate: GateFactory) -> None:
    later = NOW + timedelta(seconds=1)
    assert inspected(gate(), [order(event_time=later, updated_at=None)]).bad["reason"].to_pylist() == ["event_time_in_future"]


def test_every_reason_of_the_suite_has_a_row_here() -> None:
    elsewhere = {"malformed_<column>", "event_time_in_future", "duplicate_key"}
    assert {rule.reason for rule in rules()} == {reason for reason, _ in BROKEN if not reason.startswith("malformed_")} | elsewhere


UNBROKEN: list[dict[str, Any]] = [
    {},
    NEW,
    NEW | {"cj_event": None, "ad_id": 5, "promotional_property_id": 6},
    {"ad_id": 5},
    {"event_time": None},
    {"amount": Decimal(0), "discount": None, "items": None},
    {"amount": Decimal(0), "discount": Decimal(0), "items": []},
    {"status": "Pending"},
    {"order_id": "x" * 96, "coupon": "x" * 256, "cj_event": "x" * 64, "sid": "x" * 64},
    {"items": [item(sku="x" * 100, discount=None, quantity=4, unit_price=Decimal(5))]},
    {"updated_at": NOW, "event_time": NOW},
    {"updated_at": datetime(1970, 1, 1, tzinfo=UTC), "event_time": datetime(1970, 1, 1, tzinfo=UTC)},
    {"amount": Decimal("999999999999999999.99"), "items": None},
    {"coupon": "É\u2028\ufffd", "custom_parameters": '{\n\t"store": "Lyon"}'},
    CANCELLED | {"status": "Declined", "correction_reason": "Other"},
    # what a cancellation does not carry cannot stop it
    CANCELLED | {"amount": Decimal(-5), "items": [item()], "currency": "x", "custom_parameters": "{", "sid": "x" * 65},
]


def test_orders_that_break_no_rule_go_on_unchanged(gate: GateFactory) -> None:
    rows = [order(action_tracker_id=1000 + n) | change for n, change in enumerate(UNBROKEN)]
    seen = inspected(gate(), rows)
    assert seen.bad.to_pylist() == []
    assert seen.good.schema == CHANGES
    assert seen.good.to_pylist() == batch(rows).to_pylist()


@pytest.mark.parametrize("nothing", ["", " ", "\t\n\u00a0"])
def test_an_empty_text_is_no_text_in_every_column_that_may_be_null(gate: GateFactory, nothing: str) -> None:
    texts = ("currency", "coupon", "status", "correction_reason", "cj_event", "sid", "custom_parameters", "vertical_parameters")
    empty = order(**dict.fromkeys(texts, nothing))
    seen = inspected(gate(), [empty])
    assert seen.bad.to_pylist() == []
    assert seen.good.to_pylist() == [empty | dict.fromkeys(texts)]
    (part,) = gate().inspect([batch([empty])])
    assert part.as_given is not None and part.as_given.to_pylist() == [empty]
    (same,) = gate().inspect([batch([order()])])
    assert same.as_given is None
    assert inspected(gate(), [order(change_type=nothing)]).bad["reason"].to_pylist() == ["change_type_missing"]


def test_a_list_of_no_items_is_no_items_but_on_an_order_of_nothing(gate: GateFactory) -> None:
    lists = [("A", "20.00", []), ("B", "0.00", []), ("C", "20.00", [item()]), ("D", "20.00", None)]
    rows = [order(order_id=name, amount=Decimal(amount), discount=None, items=items) for name, amount, items in lists]
    seen = inspected(gate(), rows)
    assert seen.bad.to_pylist() == []
    assert seen.good["items"].to_pylist() == [None, [], [item()], None]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"store": "", "city": "Lyon"}', '{"city": "Lyon"}'),
        ('{"store" : " "}', None),
        ('{"store": "a: \\"\\""}', '{"store": "a: \\"\\""}'),
        ('{ "city":"Lyon" }', '{ "city":"Lyon" }'),
    ],
)
def test_a_parameter_without_a_text_is_left_out(gate: GateFactory, given: str, kept: str | None) -> None:
    rows = [order(order_id="A", custom_parameters=given), order(order_id="B")]
    assert inspected(gate(), rows).good["custom_parameters"].to_pylist() == [kept, order()["custom_parameters"]]


def test_the_first_broken_rule_gives_the_reason_and_the_detail_says_every_one(gate: GateFactory) -> None:
    held = inspected(gate(), [order(amount=None, malformed="amount", currency="EURO")]).bad.to_pylist()[0]
    assert held["reason"] == "malformed_amount"
    assert [word in held["detail"] for word in ("malformed:", "amount: An order", "currency:")] == [True, True, True]


def test_of_a_text_that_cannot_be_read_the_detail_says_what_was_found(gate: GateFactory) -> None:
    found = "items: line 2, quantity: a text like 'aaa' is no whole number"
    first, foreign = inspected(
        gate(), [order(order_id=name, malformed=said) for name, said in (("A", found), ("B", "Zq7: Zq7"))]
    ).bad.to_pylist()
    assert first["reason"] == "malformed_items"
    assert first["detail"].endswith(" Found in items: line 2, quantity: a text like 'aaa' is no whole number.")
    assert foreign["reason"] == "malformed_row" and "Zq7" not in foreign["detail"]


def test_an_order_id_that_is_an_email_address_is_not_written_anywhere(gate: GateFactory, tmp_path: Path) -> None:
    held = inspected(gate(), [order(order_id="jane.doe@example.com")]).bad.to_pylist()[0]
    assert held["reason"] == "personal_data"
    assert held["order_id"].startswith("sha256-") and "jane" not in str(held)
    assert (held["enterprise_id"], held["action_tracker_id"], held["updated_at"]) == ("1500001", 400001, CHANGED)


def test_all_copies_of_an_order_that_comes_twice_are_held_back(gate: GateFactory) -> None:
    names = ["A", "B", "B", "B", "C", "D", "D"]
    seen = inspected(gate(), [order(order_id=name, amount=Decimal(20)) for name in names])
    assert seen.good["order_id"].to_pylist() == ["A", "C"]
    assert seen.bad["order_id"].to_pylist() == ["B", "B", "B", "D", "D"]
    assert set(seen.bad["reason"].to_pylist()) == {"duplicate_key"}


def test_a_duplicate_is_found_wherever_a_batch_ends(gate: GateFactory) -> None:
    rows = [order(order_id=name) for name in ["A", "B", "B", "B", "C", "D"]]
    for size, piece in itertools.product((1, 2, 3), (1, 5)):
        pieces = [rows[n : n + piece] for n in range(0, len(rows), piece)]
        seen = inspected(gate(batch_rows=size), *pieces)
        assert seen.good["order_id"].to_pylist() == ["A", "C", "D"]
        assert seen.bad["order_id"].to_pylist() == ["B", "B", "B"]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_rows_out_of_order_are_an_error_wherever_a_batch_ends(gate: GateFactory, size: int) -> None:
    with pytest.raises(WarehouseShapeError, match="ORDER BY"):
        inspected(gate(batch_rows=size), [order(order_id=name) for name in ["A", "C", "B"]])


def test_a_table_of_another_shape_is_an_error_that_names_the_column(gate: GateFactory) -> None:
    table = pa.table({name: pa.nulls(1, "string" if name == "amount" else CHANGES.field(name).type) for name in CHANGES.names})
    with pytest.raises(WarehouseShapeError, match="amount"):
        list(gate().inspect([table]))


def test_nineteen_failures_never_refuse_and_twenty_do(gate: GateFactory) -> None:
    few = gate()
    assert inspected(few, many(19, amount=None)).bad.num_rows == 19
    assert few.result is not None and not few.result.refused and few.result.ratio == 1
    enough = gate()
    with pytest.raises(QuarantineRatioExceeded, match=r"20 of 20 .*amount_missing 20.*Nothing was sent"):
        inspected(enough, many(20, amount=None))
    assert enough.result is not None and enough.result.refused


def test_where_every_order_is_nobodys_the_connection_may_be_wrong(gate: GateFactory) -> None:
    with pytest.raises(QuarantineRatioExceeded, match="or correct enterprise_id in the connection"):
        inspected(gate(), many(20, enterprise_id="77"))
    with pytest.raises(QuarantineRatioExceeded, match=r"returns[^,]*, or run again"):
        inspected(gate(), many(1) + many(20, start=1, enterprise_id="77"))


def test_the_ratio_itself_is_allowed_and_one_order_more_is_not(gate: GateFactory) -> None:
    allowed = gate()
    inspected(allowed, many(20, amount=None) + many(380, start=20))
    assert allowed.result is not None
    assert (allowed.result.rows, allowed.result.failed, allowed.result.ratio, allowed.result.refused) == (400, 20, Decimal("0.05"), False)
    with pytest.raises(QuarantineRatioExceeded):
        inspected(gate(), many(20, amount=None) + many(379, start=20))


def test_orders_count_once_however_many_rules_they_break(gate: GateFactory) -> None:
    checked = gate()
    inspected(checked, many(19, amount=None, currency="?", coupon="x" * 300))
    assert checked.result is not None
    assert (checked.result.failed, checked.result.by_reason) == (19, {"amount_missing": 19})


def test_a_broken_column_is_refused_without_ever_naming_its_rows(gate: GateFactory) -> None:
    broken = gate(batch_rows=100)
    given = iter(broken.inspect(batch(many(100, start=start, amount=None)) for start in range(0, 500, 100)))
    with pytest.raises(QuarantineRatioExceeded, match="amount_missing 500"):
        next(given)
    assert broken.validations == {"BOOLEAN_ONLY": 5, "SUMMARY": 5, "COMPLETE": 0}


def test_a_bad_start_is_taken_up_again_in_order_once_the_rest_is_good(gate: GateFactory) -> None:
    recovered = gate(batch_rows=20, max_quarantine_ratio=Decimal("0.5"))
    bad, good = many(30, currency="?"), many(40, start=30)
    seen = inspected(recovered, bad, good)
    assert seen.bad["order_id"].to_pylist() == [row["order_id"] for row in bad]
    assert seen.good.to_pylist() == batch(good).to_pylist()
    assert recovered.result is not None
    assert (recovered.result.by_reason, recovered.result.failed, recovered.result.rows) == ({"currency_unknown": 30}, 30, 70)


def test_rows_that_break_different_rules_are_refused_though_no_rule_alone_is_over_the_limit(gate: GateFactory) -> None:
    mixed = many(12, amount=None) + many(12, start=12, currency="?") + many(16, start=24)
    refused = gate(max_quarantine_ratio=Decimal("0.5"))
    with pytest.raises(QuarantineRatioExceeded, match="24 of 40"):
        inspected(refused, mixed)


def test_a_finding_great_expectations_cannot_judge_is_an_error_and_not_a_verdict() -> None:
    judge = Judge(frozenset({"1500001"}))
    frame = findings(pa.Table.from_batches([batch([order()])]), NOW, combine_items=False)
    assert judge.broken(frame) == []
    with pytest.raises(ValidationBroken, match="amount_missing"):
        judge.broken(frame.drop(columns="amount_given"))


@pytest.mark.parametrize("rule", [rule for rule in rules() if rule.kwargs.get("value_set") == [True]], ids=lambda rule: rule.reason)
def test_a_flag_is_only_judged_where_a_row_may_break_it_and_then_as_every_rule_is(rule: Rule) -> None:
    judge = Judge(frozenset({"1500001"}))
    frame = findings(pa.Table.from_batches([batch(many(3))]), NOW, combine_items=False)
    assert frame[rule.column].tolist() == [True] * 3 and judge.broken(frame) == []
    frame.loc[1, rule.column] = False
    assert judge.broken(frame) == [one for one in rules() if one.column == rule.column]
    assert judge.rows(frame, [rule])[rule].tolist() == [1]


@pytest.mark.parametrize("rule", [rule for rule in rules() if rule.type.endswith("be_null")], ids=lambda rule: rule.reason)
def test_what_has_to_be_there_or_must_not_is_only_judged_where_a_row_may_break_it(rule: Rule) -> None:
    judge, frame = Judge(frozenset({"1500001"})), findings(pa.Table.from_batches([batch(many(3))]), NOW, combine_items=False)
    kept = frame[rule.column].isna() if rule.type == "expect_column_values_to_be_null" else frame[rule.column].notna()
    assert kept.all() and judge.broken(frame) == []
    frame[rule.column] = frame[rule.column].astype(object)
    frame.loc[1, rule.column] = "there" if rule.type == "expect_column_values_to_be_null" else None
    assert rule in judge.broken(frame)
    assert judge.rows(frame, [rule])[rule].tolist() == [1]


def test_without_a_configured_account_nothing_passes(gate: GateFactory) -> None:
    assert inspected(gate(enterprises=frozenset()), [order()]).bad["reason"].to_pylist() == ["unknown_enterprise"]


def test_combining_lines_lets_a_crowded_order_through_and_leaves_a_cancelled_one_alone(gate: GateFactory) -> None:
    crowd = [item(sku=f"S{n}", quantity=1, unit_price=Decimal(n), discount=None) for n in range(1, 151)]
    strange = [item(quantity=None, unit_price=None)] * 150
    rows = [order(order_id="A", items=crowd, amount=Decimal(11325)), order(**CANCELLED | {"order_id": "B", "items": strange})]
    seen = inspected(gate(combine_items=True), rows)
    assert seen.bad.to_pylist() == []
    assert [len(items) for items in seen.good["items"].to_pylist()] == [100, 150]


def test_an_empty_night_passes_and_says_so(gate: GateFactory) -> None:
    quiet = gate()
    assert list(quiet.inspect([])) == []
    assert quiet.result is not None and quiet.result.rows == quiet.result.failed == 0
    assert json.loads(quiet.result.path.read_text())["success"] is True


def test_there_is_no_result_before_the_last_row(gate: GateFactory) -> None:
    started = gate(batch_rows=2)
    stream: Iterator[Inspected] = iter(started.inspect([batch(many(10))]))
    next(stream)
    assert started.result is None


def test_what_is_left_on_disk_counts_and_holds_no_value_of_any_row(gate: GateFactory, tmp_path: Path) -> None:
    secret = {
        "order_id": "Zq7-order",
        "coupon": "Zq7" * 90,
        "currency": "Zq7-currency",
        "status": "Zq7-status",
        "correction_reason": "Zq7-why",
        "change_type": "Zq7-type",
        "sid": "Zq7@example.com",
        "malformed": "Zq7-column",
        "custom_parameters": '{"Zq7": 1}',
        "vertical_parameters": '{"Zq7": "Zq7"}',
        "amount": Decimal("77316.5500000001"),
    }
    checked = gate()
    held = inspected(checked, [order(**secret)]).bad.to_pylist()[0]
    assert "Zq7" not in held["reason"] + held["detail"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"validation_result.json", "rules.html"}
    for path in files:
        assert not [word for word in ("Zq7", "77316", "ORD-1") if word in path.read_text()], path
    assert checked.result is not None
    counted = {
        result["expectation_config"]["meta"]["reason"]: result["result"]["unexpected_count"]
        for result in json.loads(checked.result.path.read_text())["results"]
    }
    assert counted["currency_unknown"] == counted["coupon_too_long"] == 1 and counted["amount_missing"] == 0
    shown = result_page(json.loads(checked.result.path.read_text()))
    assert "The order discount is not above the amount" in shown and not [word for word in ("Zq7", "77316", "ORD-1") if word in shown]


def test_the_counts_of_all_batches_are_added_up(gate: GateFactory) -> None:
    checked = gate(batch_rows=100)
    inspected(checked, many(3, sid="a@b.example") + many(400, start=3) + many(4, start=403, coupon="x" * 300))
    assert checked.result is not None
    assert checked.result.by_reason == {"coupon_too_long": 4, "personal_data": 3}
    results = json.loads(checked.result.path.read_text())["results"]
    assert {r["result"]["element_count"] for r in results} == {407}
    assert sum(r["result"]["unexpected_count"] for r in results) == 7


def test_nothing_is_logged_or_printed_about_a_row(
    gate: GateFactory, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    inspected(gate(), [order(sid="a@b.example", coupon="Zq7" * 90)])
    out, err = capfd.readouterr()
    assert (out, err, caplog.text) == ("", "", "")


def test_held_back_rows_have_the_columns_of_the_quarantine_table(gate: GateFactory) -> None:
    assert inspected(gate(), [order(amount=None)]).bad.schema == QUARANTINED


def test_the_currencies_are_those_in_use_since_2025() -> None:
    since, until = date(2025, 1, 1), date(2026, 11, 1)
    in_use = {
        code
        for territory in get_global("territory_currencies")
        for code in get_territory_currencies(territory, start_date=since, end_date=until, tender=True, non_tender=False)
    }
    (listed,) = (rule.kwargs["value_set"] for rule in rules() if rule.reason == "currency_unknown")
    assert set(listed) == in_use


def test_each_expectation_is_there_once_and_says_its_rule_and_source() -> None:
    assert len({(rule.type, rule.column) for rule in rules()}) == len(rules())
    assert all(rule.rule.endswith(".") and rule.source and rule.about for rule in rules())
