"""The report's words: every state has some, and they say what can be done for the very reason an order is in a list."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from include.domain.states import Reason, Skip, Stage, Status
from include.restatements.report.advice import NO_ADVICE, REASONS, SKIPS, STAGES, STATUSES, quarantine_advice
from include.restatements.report.collect import without_addresses
from include.restatements.report.figures import Amount, duration, grouped
from include.restatements.report.report import collect, html, terminal_text
from include.restatements.report.words import lock_day
from include.restatements.rules.plan import RULES
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.restatements.report import report_tables as tables
from tests.restatements.report.report_tables import CHECKED, OWN, RUN, append


def test_every_state_has_words() -> None:
    assert set(REASONS) == set(Reason)
    assert set(STATUSES) == set(Status)
    assert set(STAGES) == set(Stage)
    assert set(SKIPS) == set(Skip)


def test_what_is_held_back_is_advised_by_the_rule_that_held_it() -> None:
    for rule in (rule for rule in RULES if rule.hold):
        assert quarantine_advice("eligibility", rule.id, rule.word) == (rule.sentence, rule.advice)
    assert "sent again" not in quarantine_advice("eligibility", "created_in_vain", "unknown").action
    assert quarantine_advice("validation", "too_many_items", "too_many_items").action == "Set cj_combine_items, or send fewer lines."
    assert quarantine_advice("validation", "discount_below_zero", "discount") == STAGES[Stage.VALIDATION]
    assert quarantine_advice("elsewhere", "locked", "locked") == NO_ADVICE


def test_an_order_held_back_before_rules_had_a_column_is_advised_by_its_reason() -> None:
    assert quarantine_advice("eligibility", "", "locked") == REASONS[Reason.LOCKED]
    assert quarantine_advice("test_mode", "", "refused") == STAGES[Stage.TEST_MODE]


def test_a_long_detail_is_cut_after_a_word() -> None:
    assert without_addresses("short, a@b.example") == "short, [hidden]"
    cut = without_addresses("word " * 100)
    assert cut.endswith("word…") and 290 < len(cut) <= 300
    assert without_addresses("x" * 400) == "x" * 299 + "…"


def test_an_order_that_never_locks_by_itself_is_open_and_another_year_is_named(tmp_path: Path) -> None:
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))) as session:
        session.create_tables()
        append(session, "cj.submissions", [tables.submission(o) for o in ("O-1", "O-2")])
        never, next_year = datetime(2099, 12, 31, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC)
        append(
            session,
            "cj.reconciliation",
            [
                tables.verdict("O-1", "missing", "1.00", reason="unknown", locking_date=never, days_to_lock=26_702),
                tables.verdict("O-2", "missing", "1.00", reason="unknown", locking_date=next_year, days_to_lock=44),
            ],
        )
        figures = collect(session, checked_at=CHECKED, run_ids=[RUN], currencies=OWN)
    page = html(figures)
    assert '<span class="quiet">open</span></td>' in page and "44 days<small>Jan 4 2027</small>" in page
    assert "26,702" not in page and "26702" not in terminal_text(figures)
    assert lock_day(CHECKED, CHECKED) == "Nov 20"


def test_money_and_time_read_as_people_write_them() -> None:
    assert grouped(Decimal("-1234567.5")) == "-1,234,567.50"
    assert grouped(Decimal("0.0125")) == "0.0125"
    assert Amount("EUR", Decimal("9999999999999999999999999999.005")).cents() == "9,999,999,999,999,999,999,999,999,999.01 EUR"
    assert [duration(s) for s in (45, 720, 3780, 187200)] == ["45 s", "12 min", "1 h 03 min", "2 d 4 h"]
