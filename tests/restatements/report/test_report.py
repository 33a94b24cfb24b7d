"""The report says what the tables say: every amount, nothing personal, nothing unescaped, and it ties to zero."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from include.domain.errors import StorageError
from include.domain.states import Reason, Status
from include.restatements.report.figures import Amount, BreakReason, Figures, Quarantined, Sent, StatusLine
from include.restatements.report.report import collect, html, summary, terminal_text, write
from include.restatements.report.words import headline
from include.warehouse.base import Session, WarehouseLocation, open_warehouse
from tests.restatements.report import report_tables as tables
from tests.restatements.report.report_tables import CHECKED, EARLIER, OWN, RUN, SENT, append

SNAPSHOTS = Path(__file__).parent / "snapshots"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_warehouse(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))) as opened:
        opened.create_tables()
        yield opened


@pytest.fixture
def figures(session: Session) -> Figures:
    tables.one_of_everything(session)
    return collect(session, checked_at=CHECKED, run_ids=[RUN, EARLIER], currencies=OWN)


def usd(text: str) -> Amount:
    return Amount("USD", Decimal(text))


def of(figures: Figures, status: Status) -> list[StatusLine]:
    return [line for line in figures.statuses if line.status == status]


# -- figures -------------------------------------------------------------------------------------------------------------------------


def test_every_order_sent_is_somewhere_and_the_balance_ties_to_zero(figures: Figures) -> None:
    b = figures.balance
    assert (b.sent, b.matched, b.waiting, b.breaks, b.superseded, b.unchecked) == (10, 3, 2, 3, 1, 1)
    assert b.difference == 0
    assert b.match_rate == "50.0 %"


def test_every_amount_is_exact_and_stays_in_its_currency(figures: Figures) -> None:
    zero = Decimal(0)
    assert of(figures, Status.MATCHED) == [
        StatusLine("matched", "EUR", 1, Decimal("50.00"), zero, zero, not_compared=1, within_band=1),
        StatusLine("matched", "USD", 2, Decimal("100.1125"), Decimal("100.1125"), zero, not_compared=0, within_band=0),
    ]
    assert of(figures, Status.MISMATCHED) == [
        StatusLine("mismatched", "USD", 1, Decimal("80"), Decimal("100"), Decimal("20"), not_compared=0, within_band=0)
    ]
    assert of(figures, Status.MISSING) == [
        StatusLine("missing", "GBP", 1, Decimal("1000.50"), zero, zero, not_compared=1, within_band=0),
        StatusLine("missing", "USD", 1, zero, zero, zero, not_compared=1, within_band=0),
    ]
    assert [line.submitted for line in of(figures, Status.LATE)] == [Decimal("20")]
    assert [line.submitted for line in of(figures, Status.AWAITING)] == [Decimal("10")]
    assert [line.submitted for line in of(figures, Status.SUPERSEDED)] == [Decimal("7")]
    assert sum(line.orders for line in figures.statuses) == 9


def test_breaks_come_by_what_they_cost_with_their_reason_and_lock(figures: Figures) -> None:
    assert figures.break_reasons == (
        BreakReason("missing", "locked", 1, (usd("12.345"),), 0),
        BreakReason("missing", "unknown", 1, (usd("3.10"),), 0),
        BreakReason("mismatched", "amount", 1, (usd("1.605"),), 0),
    )
    assert figures.at_risk == (usd("17.05"),)
    first, second, third = figures.breaks
    assert (first.order_id, first.at_risk, first.posted, first.days_to_lock, first.attempts) == ("B-2", usd("12.345"), None, -2, 2)
    assert (second.order_id, second.submitted, second.days_to_lock) == ("B-3", Amount("GBP", Decimal("1000.50")), None)
    assert (third.order_id, third.submitted, third.posted, third.difference) == ("B-1", usd("80"), usd("100"), usd("20"))
    assert [(lock.days, lock.orders, lock.at_risk) for lock in figures.locks] == [
        ("locked", 1, (usd("12.345"),)),
        ("0-2", 1, (usd("1.605"),)),
        ("no date", 1, (usd("3.10"),)),
    ]


def test_what_was_held_back_counts_each_order_once_and_names_what_cj_still_holds(figures: Figures) -> None:
    assert figures.quarantined == (
        Quarantined("eligibility", "", "locked", 1, (usd("5.25"),), ""),
        Quarantined("validation", "", "order_id_missing", 2, (), ""),
        Quarantined("test_mode", "", "refused", 1, (), "Order [hidden] may not have more than 100 items"),
        Quarantined("validation", "", "items_do_not_add_up", 1, (), "The items do not add up to the amount."),
    )
    assert figures.skipped == (("not_in_cj", 1), ("unchanged", 2))


def test_attempts_outcomes_and_the_posting_lag_are_counted_by_order_state(figures: Figures) -> None:
    assert figures.sent == (
        Sent("live", "restate", "accepted", 9),
        Sent("live", "restate", "rejected", 1),
        Sent("live", "restate", "unknown", 1),
        Sent("test", "restate", "accepted", 1),
        Sent("test", "restate", "rejected", 1),
    )
    assert figures.refused == (("Invalid value for [hidden]", 1),)
    assert figures.unanswered == 1
    assert figures.lag is not None
    assert (figures.lag.orders, figures.lag.p50, figures.lag.longest) == (4, 67.5 * 60, 190 * 60)
    assert figures.lag.bins == ((12, 1), (13, 1), (14, 1), (38, 1))


def test_freshness_is_the_newest_complete_reading_of_the_advertiser_furthest_behind(session: Session, figures: Figures) -> None:
    assert figures.data_as_of == CHECKED - timedelta(minutes=15)
    reads = {"advertiser_id": "5500002", "cursor_commission_id": "9", "kind": "cursor", "read_from": SENT, "records": 0, "read_at": CHECKED}
    append(session, "cj.ledger_reads", [{**reads, "complete_until": CHECKED - timedelta(hours=3)}])
    assert collect(session, checked_at=CHECKED, run_ids=[RUN]).data_as_of == CHECKED - timedelta(hours=3)


def test_a_break_whose_cost_nobody_can_work_out_is_said_to_be_unknown(session: Session) -> None:
    append(session, "cj.submissions", [tables.submission("B-9")])
    append(session, "cj.reconciliation", [tables.verdict("B-9", "missing", "5.00", currency="EUR", reason="unknown")])
    figures = collect(session, checked_at=CHECKED, run_ids=[RUN], currencies=OWN)
    assert figures.unpriced == 1
    assert headline(figures).claim == "1 break: 1 at an unknown cost."
    assert "unknown" in terminal_text(figures)


def test_postgresql_and_duckdb_tell_the_same(figures: Figures, postgres_database: str) -> None:
    with open_warehouse(WarehouseLocation("postgres", uri=postgres_database)) as session:
        session.create_tables()
        tables.one_of_everything(session)
        assert collect(session, checked_at=CHECKED, run_ids=[RUN, EARLIER], currencies=OWN) == figures
        assert collect(session, checked_at=CHECKED).run_ids == (RUN,)
        assert session.rows("SELECT * FROM cj.report_elsewhere") == []


def test_a_contradiction_between_the_tables_is_shown_and_not_smoothed_over(session: Session) -> None:
    append(session, "cj.submissions", [tables.submission("D-1")])
    append(session, "cj.reconciliation", [tables.verdict("D-1", "matched", "1.00", "1.00")] * 2)
    figures = collect(session, checked_at=CHECKED, run_ids=[RUN])
    assert figures.balance.difference == -1
    assert "does not tie" in html(figures) and "does not tie" in terminal_text(figures)


def test_only_the_worst_breaks_are_read(session: Session) -> None:
    orders = [f"B-{number:03}" for number in range(30)]
    append(session, "cj.submissions", [tables.submission(order_id) for order_id in orders])
    risks = [{"commission_at_risk": Decimal(number), "reason": "amount"} for number in range(30)]
    append(session, "cj.reconciliation", [tables.verdict(o, "mismatched", "1.00", "2.00", **r) for o, r in zip(orders, risks, strict=True)])
    figures = collect(session, checked_at=CHECKED, run_ids=[RUN], currencies=OWN, top=4)
    assert [row.order_id for row in figures.breaks] == ["B-029", "B-028", "B-027", "B-026"]
    assert (figures.balance.breaks, figures.at_risk) == (30, (usd("435"),))
    assert "The 4 of 30 that cost most" in html(figures)


# -- rendering -----------------------------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Headings, verdicts and table cells: what a reader sees, without the markup around it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("h1", "h2", "tr", "p", "dl", "div", "svg", "dt"):
            self.lines.append(f"<{tag}>")

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if words and not {"svg", "style"} & set(self.tags[-1:]):
            self.lines[-1:] = [f"{self.lines[-1]} {words}" if self.lines else words]

    @classmethod
    def of(cls, page: str) -> Outline:
        outline = cls()
        outline.feed(page)
        return outline


def approved(name: str, text: str) -> None:
    """Compares with the approved text. To approve a change: read the .received file beside it and rename it."""
    path = SNAPSHOTS / name
    received = path.with_suffix(path.suffix + ".received")
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        received.write_text(text, encoding="utf-8")
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        assert text == expected, f"{received} differs from the approved {path.name}"
    received.unlink(missing_ok=True)


def test_the_console_reads_as_approved_within_100_columns_and_without_colour(figures: Figures) -> None:
    text = terminal_text(figures, report="file:///var/cj/report.html")
    approved("report_terminal.txt", text)
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text


def test_the_page_reads_as_approved(figures: Figures) -> None:
    approved("report_outline.txt", "\n".join(Outline.of(html(figures)).lines) + "\n")


def test_an_empty_night_says_so_and_shows_no_empty_panel(session: Session) -> None:
    figures = collect(session, checked_at=CHECKED)
    approved("report_empty.txt", terminal_text(figures))
    page = html(figures)
    assert "Nothing was sent: no order has changed." in page
    assert "<table" not in page and "<svg" not in page


def test_a_night_of_test_mode_does_not_look_like_a_live_one(session: Session) -> None:
    append(session, "cj.plans", [tables.plan(1, RUN)])
    append(session, "cj.submissions", [tables.submission("T-1", mode="test")])
    assert headline(collect(session, checked_at=CHECKED)).claim == "Test Mode only: nothing was posted."


def test_nothing_is_called_good_before_cj_has_reported(session: Session) -> None:
    append(session, "cj.submissions", [tables.submission("W-1")])
    append(session, "cj.reconciliation", [tables.verdict("W-1", "awaiting", "1.00")])
    top = headline(collect(session, checked_at=CHECKED))
    assert (top.tone, top.claim) == ("note", "No breaks so far: CJ has not reported yet.")


def test_the_other_basis_is_named_when_it_would_explain_everything(session: Session) -> None:
    append(session, "cj.reconciliation_runs", [tables.checked_run(other_basis=True)])
    figures = collect(session, checked_at=CHECKED)
    assert "sale_amount_basis" in html(figures) and "sale_amount_basis" in terminal_text(figures)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'[red]{{ 7*7 }}"


def test_hostile_text_in_any_column_stays_text(session: Session) -> None:
    break_ = tables.verdict(HOSTILE, "missing", "1.00", reason=HOSTILE, currency=HOSTILE, operation=HOSTILE, commission_at_risk=Decimal(1))
    append(session, "cj.submissions", [tables.submission(HOSTILE, run=HOSTILE)])
    append(session, "cj.submissions", [tables.submission("R", run=HOSTILE, outcome="rejected", error_message=HOSTILE)])
    append(session, "cj.reconciliation", [{**break_, "run_id": HOSTILE}])
    append(session, "cj.quarantine", [tables.held(HOSTILE, HOSTILE, HOSTILE, HOSTILE, run=HOSTILE)])
    append(session, "cj.skipped", [{**tables.skipped(HOSTILE, HOSTILE), "run_id": HOSTILE}])
    append(session, "cj.reconciliation_runs", [{**tables.checked_run(), "reconciliation_run_id": HOSTILE}])
    figures = collect(session, checked_at=CHECKED, currencies={"5500001": HOSTILE})
    assert figures.run_ids == (HOSTILE,)
    page = html(figures)
    outline = Outline.of(page)
    assert not {"script", "img", "iframe", "object", "link"} & set(outline.tags)
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert "[red]{{ 7*7 }}" in terminal_text(figures, report=None).replace("\n", "")


def test_control_characters_never_reach_a_console(session: Session) -> None:
    append(session, "cj.submissions", [tables.submission("A\x1b[2J\nB")])
    append(session, "cj.reconciliation", [tables.verdict("A\x1b[2J\nB", "missing", "1.00", reason="unknown")])
    assert "A?[2J?B" in terminal_text(collect(session, checked_at=CHECKED, run_ids=[RUN]))


def test_a_long_bad_night_is_still_one_small_file_without_scripts_or_requests(session: Session) -> None:
    orders = [f"{number:096}" for number in range(250)]
    append(session, "cj.submissions", [tables.submission(order_id) for order_id in orders])
    reasons = list(Reason)
    append(
        session,
        "cj.reconciliation",
        [
            tables.verdict(o, "mismatched", "1.00", "2.00", reason=reasons[n % len(reasons)], commission_at_risk=Decimal(n))
            for n, o in enumerate(orders)
        ],
    )
    page = html(collect(session, checked_at=CHECKED, run_ids=[RUN], currencies=OWN))
    assert len(page.encode()) < 150_000
    assert page.count("<code>0") == 200
    outline = Outline.of(page)
    assert not {"script", "link", "img"} & set(outline.tags)
    assert not [value for name, value in outline.attributes if name in ("src", "href", "action")]


# -- files ---------------------------------------------------------------------------------------------------------------------------


def test_three_files_are_written_and_the_page_is_returned(figures: Figures, tmp_path: Path) -> None:
    page = write(figures, tmp_path / "run" / "report")
    assert page == tmp_path / "run" / "report" / "report.html"
    assert page.read_text(encoding="utf-8") == html(figures)
    assert str(page) in (page.parent / "summary.txt").read_text(encoding="utf-8").replace("\n", "")
    facts = json.loads((page.parent / "summary.json").read_bytes())
    assert facts["balance"] == {
        "sent": 10, "matched": 3, "waiting": 2, "breaks": 3, "superseded": 1, "unchecked": 1, "difference": 0,
    }  # fmt: skip
    assert facts["at_risk"] == [{"currency": "USD", "amount": "17.05"}]
    assert facts["breaks"][0]["at_risk"] == {"currency": "USD", "amount": "12.345"}
    assert facts["checked_at"] == "2026-11-20T06:00:00Z"


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(figures: Figures, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageError, match=r"could not be written to .*taken"):
        write(figures, tmp_path / "taken")


def test_the_summary_is_the_same_every_time(figures: Figures) -> None:
    assert summary(figures) == summary(figures)


# -- in a browser --------------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's Chromium")
@pytest.mark.parametrize(
    ("scheme", "background", "text"), [("light", "rgb(248, 250, 253)", "rgb(22, 29, 45)"), ("dark", "rgb(1, 5, 12)", "rgb(248, 250, 253)")]
)
def test_the_page_fits_1280_pixels_and_follows_the_readers_scheme(
    figures: Figures, tmp_path: Path, scheme: str, background: str, text: str
) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    page_file = write(figures, tmp_path)
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith("file:") else None)
            page.goto(page_file.as_uri())
            style = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
            width = page.evaluate("document.documentElement.scrollWidth")
            table_top = page.locator("h2", has_text="Breaks").first.bounding_box()
            fills = page.evaluate("[...document.querySelectorAll('svg text')].map(t => getComputedStyle(t).fill)")
        finally:
            browser.close()
    assert style == [background, text]
    assert width <= 1280
    assert table_top is not None and table_top["y"] < 800
    assert text in fills
    assert complaints == []


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's Chromium")
def test_the_page_fits_a_telephone(figures: Figures, tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    page_file = write(figures, tmp_path)
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 400, "height": 800})
            page.goto(page_file.as_uri())
            widths = []
            for width in (400, 320):
                page.set_viewport_size({"width": width, "height": 800})
                widths.append(page.evaluate("document.documentElement.scrollWidth"))
            nights = page.locator(".wide svg").bounding_box()
        finally:
            browser.close()
    assert widths == [400, 320]
    assert nights is not None and nights["width"] >= 700
