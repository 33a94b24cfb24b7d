"""The money gate's rules, each at its boundary and on both sides; every part of a rule is told."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal

import pytest

from include.restatements.approval.rules import RULES, reasons
from include.restatements.settings import GATE_OFF, TOLD, Settings
from tests.restatements.approval_figures import ORDINARY, figures

SETTINGS = Settings(accounts=(), storage="file:///nowhere")


def asked(**of: object) -> list[str]:
    return [rule for rule, _ in reasons(figures(**of), SETTINGS)]


def test_an_ordinary_night_goes_on_by_itself() -> None:
    assert asked() == []


@pytest.mark.parametrize(
    ("rule", "below", "above"),
    [
        ("many_touched", {"touched": 50, "usual": None}, {"touched": 51, "usual": None}),
        ("many_touched", {"touched": 19, "open_orders": 0, "usual": None}, {"touched": 20, "open_orders": 0, "usual": None}),
        ("much_taken_back", {"taken_back": Decimal("5000.00")}, {"taken_back": Decimal("5000.01")}),
        (
            "much_taken_back",
            {"taken_back": Decimal("1999.99"), "open_money": Decimal("9000.00")},
            {"taken_back": Decimal("2000.00"), "open_money": Decimal("9000.00")},
        ),
        (
            "much_taken_back",
            {"taken_back": Decimal("0.00"), "open_money": Decimal("0.00"), "usual_day": Decimal("0.00")},
            {"taken_back": Decimal("0.01"), "open_money": Decimal("0.00"), "usual_day": Decimal("0.00")},
        ),
        ("unusually_many", {"touched": 45, "usual": 15}, {"touched": 46, "usual": 15}),
        ("unusually_many", {"touched": 19, "usual": 1}, {"touched": 20, "usual": 1}),
        ("unusually_many", {"touched": 40, "usual": None}, {"touched": 40, "usual": 1}),
        ("new_ones_cancelled", {"new_cancelled": 20}, {"new_cancelled": 21}),
        ("new_ones_cancelled", {"new_cancelled": 9, "new_orders": 9}, {"new_cancelled": 10, "new_orders": 10}),
        ("tracker_never_seen", {}, {"unseen_trackers": (402,)}),
    ],
)
def test_a_rule_asks_above_its_boundary_and_not_at_it(rule: str, below: dict[str, object], above: dict[str, object]) -> None:
    assert asked(**below) == []
    assert asked(**above) == [rule]


def test_each_rule_has_a_setting_of_its_own_that_turns_it_off() -> None:
    worst = figures(
        touched=900, taken_back=Decimal("90000.00"), usual=1, new_cancelled=40, unseen_trackers=(402,)
    )  # fmt: skip
    assert [rule for rule, _ in reasons(worst, SETTINGS)] == [rule.id for rule in RULES]
    assert reasons(worst, replace(SETTINGS, **GATE_OFF)) == []  # type: ignore[arg-type]
    for rule in RULES:
        without = replace(SETTINGS, **{rule.setting: GATE_OFF[rule.setting]})  # type: ignore[arg-type]
        assert [found for found, _ in reasons(worst, without)] == [other.id for other in RULES if other is not rule]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_part_of_a_rule_is_told(rule: object) -> None:
    told = {field.name: getattr(rule, field.name) for field in fields(rule)}  # type: ignore[arg-type]
    assert all(told.values())
    assert told["setting"] in TOLD
    assert all(name in told["condition"] for name in [told["setting"]] if name != "gate_new_tracker")
    assert told["source"].startswith(("this package: ", "CJ "))
    assert told["advice"].endswith(".")


def test_the_ids_of_rules_are_different() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_a_reason_says_the_figures_and_the_limit() -> None:
    (reason,) = [text for _, text in reasons(figures(touched=80, usual=None), SETTINGS)]
    assert reason.startswith("80 orders would be restated or cancelled, 8 % of the 1000 that are open at CJ; the limit is 5 %. ")
    (reason,) = [text for _, text in reasons(figures(taken_back=Decimal("12345.60"), runs=3), SETTINGS)]
    assert reason.startswith(
        "Sales of 12345.60 would be taken back in 3 runs of a backfill together, 12.3 % of the 100000.00 that are open at CJ; the limit is 5 %. "
        "A usual day sells 4000.00."
    )
    (reason,) = [text for _, text in reasons(figures(touched=48, usual=15), SETTINGS)]
    assert "48 orders would be restated or cancelled; 95 of 100 nights change no more than 15, and the limit is 3 times that." in reason
    assert ORDINARY.usual == 30
