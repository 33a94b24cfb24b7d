"""Small promises: cells that no spreadsheet takes for a formula, places in a list that nobody can break, names of breaks, and colours that can be told apart."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from include.domain.errors import SettingError
from include.restatements.acknowledge import BreakName, mark_of
from include.web.asked import Asked, place_after, read_place
from include.web.assets import FOLDER
from include.web.drawn import lag
from include.web.pages import PAGES
from include.web.table import cell, pieces, written

NOON = datetime(2026, 11, 19, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_would_be_a_formula_gets_a_quote_before_it_and_money_none(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell(Decimal("-12.50")) == "-12.50"


def test_a_file_is_read_back_as_it_was_written() -> None:
    rows: list[dict[str, Any]] = [{"a": 'with "quotes", commas\nand lines', "b": Decimal("1234567890.0123456789")}, {"a": None, "b": NOON}]
    text = b"".join(pieces(written(("a", "b"), rows), 7)).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["a", "b"], ['with "quotes", commas\nand lines', "1234567890.0123456789"], ["", "2026-11-19T12:00:00.123456Z"],
    ]  # fmt: skip


def test_a_place_in_a_list_comes_back_exactly_and_anything_else_is_no_place() -> None:
    key = (Decimal("-12.3450000000"), NOON, "ent/1 é'", 2**62, "o", NOON)
    found = read_place(place_after(*key), "mtsist")
    assert found == key
    for text in (
        "",
        "?",
        "AAAA",
        place_after(*key)[:-3],
        place_after("x"),
        place_after(1, 2),
        "W1tdXQ",
        "e30",
        "bnVsbA",
        "W1sicyIsMV1d" * 300,
    ):
        assert read_place(text, "mtsist") is None
    assert read_place(place_after(2**70), "i") is None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "9999-12-31"])
def test_a_day_that_is_none_is_left_aside(text: str) -> None:
    asked = Asked(query={"to": text})
    assert asked.day_after("to") is None


def test_a_break_is_named_with_its_verdict_and_read_back() -> None:
    name = BreakName("1500001", 401, "A/1@shop", "0123abcd")
    assert BreakName.parse(str(name)) == name
    assert BreakName.parse("1500001/401/A@1") == BreakName("1500001", 401, "A@1")
    for wrong in ("", "1500001", "1500001/401", "1500001/401/", "1500001/x/A-1", "/401/A-1", "1500001/٤/A"):
        with pytest.raises(SettingError, match="names no order"):
            BreakName.parse(wrong)


def test_the_mark_of_a_verdict_is_another_where_anything_of_it_is() -> None:
    verdict = {
        "status": "missing", "reason": "locked", "submitted_amount": Decimal("1.50"), "posted_amount": None, "commission_at_risk": Decimal("2"),
        "updated_at": NOON, "locking_date": NOON,
    }  # fmt: skip
    mark = mark_of(verdict)
    assert mark_of(verdict | {"submitted_amount": Decimal("1.5000000000")}) == mark
    others = {
        mark_of(verdict | change)
        for change in (
            {"status": "mismatched"}, {"reason": None}, {"submitted_amount": Decimal("1.51")}, {"posted_amount": Decimal(0)}, {"commission_at_risk": None},
            {"updated_at": NOON.replace(second=1)}, {"locking_date": None},
        )
    }  # fmt: skip
    assert len(others) == 7 and mark not in others


def test_every_page_has_a_template_a_sentence_and_an_address_of_its_own() -> None:
    assert len({page.path for page in PAGES}) == len({page.name for page in PAGES}) == len(PAGES)
    for page in PAGES:
        assert (FOLDER.parent / "templates" / f"{page.name}.html.j2").exists()
        assert len(page.tells.split()) >= 4


def test_the_posting_lag_is_drawn_in_bars_of_one_width() -> None:
    from types import SimpleNamespace

    line = SimpleNamespace(bins=((0, 3), (25, 2), (60, 1), (2880, 4)))
    drawn = lag(SimpleNamespace(lag=line))  # type: ignore[arg-type]
    assert sum(orders for _, orders in drawn["bins"]) == 10
    assert len(drawn["bins"]) <= 41
    assert lag(SimpleNamespace(lag=None))["bins"] == []  # type: ignore[arg-type]


# -- contrast, computed from the tokens: what a checker cannot see in a picture ---------------------------------------------------------

STYLE = (FOLDER / "cj.css").read_text(encoding="utf-8")


def tokens(block: str) -> dict[str, str]:
    (found,) = re.findall(rf"^{re.escape(block)} {{\n(.*?)^}}", STYLE, re.DOTALL | re.MULTILINE)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", found))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(letter * 2 for letter in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("block", [":root", '[data-theme="dark"]'])
def test_text_keeps_4_5_to_1_and_marks_3_to_1_in_light_and_dark(block: str) -> None:
    t = tokens(block)
    grounds = ("bg", "subtle")
    text = [(name, ground) for name in ("fg", "fg-muted", "brand", "failed-fg", "warning-fg", "success") for ground in grounds]
    text += [("fg", ground) for ground in ("failed-bg", "success-bg", "warning-bg", "muted")]
    text += [("failed-fg", "failed-bg"), ("success", "success-bg"), ("warning-fg", "warning-bg"), ("on-brand", "brand")]
    assert [(a, b, round(contrast(t[a], t[b]), 2)) for a, b in text if contrast(t[a], t[b]) < 4.5] == []
    marks = [(name, "bg") for name in ("failed", "warning", "running", "waiting", "success", "brand", "border-strong")]
    assert [(a, b, round(contrast(t[a], t[b]), 2)) for a, b in marks if contrast(t[a], t[b]) < 3] == []


def test_the_scheme_without_scripts_is_the_dark_one_of_the_scripts() -> None:
    (media,) = re.findall(r"@media \(prefers-color-scheme: dark\) {\n.*?{\n(.*?)\n  }", STYLE, re.DOTALL)
    assert dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", media)) == tokens('[data-theme="dark"]')
