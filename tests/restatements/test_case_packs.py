"""What is filed and attached: what CJ asks for, of the types and sizes that CJ takes, read back by readers that know nothing of this package, and nothing else in it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pypdf
import pytest

from include.domain.states import Outcome
from include.restatements.cases import attaching
from include.restatements.cases.attaching import LARGEST, TYPES, orders_files, overview
from include.restatements.cases.pack import PackedOrder, Sending
from include.warehouse.base import WarehouseLocation
from tests.restatements.cases_desk import DAY, HOUR, NOW, TOKEN, Desk

PLANTED = ("ada.lovelace@example.org", "ada%40example.org", TOKEN, "eyJhbGciOiJIUzI1NiJ9.e30.planted", "Bearer abc123planted")
"""Personal data and tokens."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb")), tmp_path)


def rows_of(text: bytes) -> list[dict[str, str]]:
    lines = [line for line in text.decode("ascii").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(io.StringIO("\n".join(lines)), delimiter="\t"))


def pdf_text(data: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    assert len(pages) == 1
    return pages[0].extract_text()


def order(number: int = 0, **of: object) -> PackedOrder:
    told: dict[str, object] = {
        "action_tracker_id": 401, "order_id": f"o-{number:05d}", "updated_at": NOW, "amount": "1.00", "shown": None, "currency": "USD", "at_risk": None,
        "locks_at": None, "discount": None, "discount_shown": None, "coupon": None, "coupon_shown": None, "newest_record": None,
        "sendings": (Sending(NOW, "s", "b", Outcome.ACCEPTED, None), Sending(NOW + HOUR, None, None, Outcome.UNKNOWN, None)),
    } | of  # fmt: skip
    return PackedOrder(**told)  # type: ignore[arg-type]


def test_a_case_says_what_cj_asks_for(desk: Desk) -> None:
    desk.verdict("lost-1", submission="s-1")
    desk.verdict("lost-2", submission="s-2", at_risk=None, sendings=1)
    (case,) = desk.refresh()
    assert case["subject"] == "Restatements API: 2 cancellations accepted, not shown in Commission Detail (CID 5500001)"
    parts = dict(part.split(":\n", 1) for part in case["description"].split("\n\n"))
    assert list(parts) == [
        "What we tried", "Steps", "What happened", "Error messages", "For example", "What we ask", "Environment", "Attached",
    ]  # fmt: skip
    assert "mutation cancelOrders, POST https://tracking.api.cj.com/graphql" in parts["What we tried"]
    assert "Enterprise 1500001, advertiser CID 5500001, action tracker 401." in parts["What we tried"]
    assert (
        "The batch: b-1; the submission ids are attached." in parts["Steps"]
        and "1 of them was sent again in the same state, up to 3 times" in parts["Steps"]
    )
    assert parts["What happened"].endswith("about 10.00 USD, and an amount we do not know on 1 of them.")
    assert parts["Error messages"].startswith("None.")
    assert "before 2026-04-05 16:00:00 UTC" in parts["What we ask"]
    assert parts["Environment"].startswith("Server to server over HTTPS, no browser. CJ Restatements ")
    assert (case["first_lock"], case["currency"], case["line"]) == (
        NOW + 20 * DAY,
        "USD",
        "1-800-761-1072 (US; Monday to Friday, 06:00 to 17:00 Pacific)",
    )


def test_cjs_own_words_are_told_where_it_had_any(desk: Desk) -> None:
    desk.verdict("lost-1", words="Order is being processed")
    (case,) = desk.refresh()
    assert 'Error messages:\nIn CJ\'s words: "Order is being processed".' in case["description"]


def test_what_was_never_answered_is_not_said_to_have_been(desk: Desk) -> None:
    desk.verdict("lost-1", outcome="unknown", submission=None, sendings=1)
    (case,) = desk.refresh()
    assert "No answer came back to us." in case["description"]
    assert "CJ's answer named" not in case["description"] and "submission not known" in case["description"]


def test_case_reason_sub_reason_cc_and_line_are_the_settings_and_none_is_invented(tmp_path: Path) -> None:
    place = WarehouseLocation("duckdb", path=str(tmp_path / "warehouse.duckdb"))
    desk = Desk(place, tmp_path)
    desk.verdict("lost-1")
    (plain,) = desk.refresh()
    assert (plain["case_reason"], plain["sub_reason"], plain["cc"]) == (None, None, None)
    other = Desk(
        place, tmp_path, case_reason="Tracking", case_sub_reason="API", case_cc=("team@example.org",), case_region="uk", case_line="+44 1"
    )
    (told,) = other.refresh()
    assert (told["case_reason"], told["sub_reason"], told["cc"]) == ("Tracking", "API", "team@example.org")
    assert told["line"] == "+44 1 (UK; Monday to Friday, hours not published)"
    assert told["digest"] == plain["digest"]


def test_the_attachments_are_read_back_by_others_with_every_order_its_ids_and_times(desk: Desk) -> None:
    desk.verdict("lost-1", submission="3f0c-1")
    desk.verdict("lost-2", submission="3f0c-2", sendings=1, at_risk=Decimal("99"))
    (case,) = desk.refresh()
    named = {one["name"]: one["bytes"] for one in msgspec.json.decode(case["attachments"])}
    assert sorted(named) == ["orders-1.txt", "overview.pdf"]
    files = {name: desk.attachment(case, name) for name in named}
    assert named == {name: len(data) for name, data in files.items()}
    assert all(name.rpartition(".")[2] in TYPES and len(data) < LARGEST for name, data in files.items())
    assert files["overview.pdf"].startswith(b"%PDF-")
    found = [
        (row["order_id"], row["sending"], row["submission_id"], row["batch_id"], row["sent_at"], row["locks_at"])
        for row in rows_of(files["orders-1.txt"])
    ]
    locks = "2026-04-05T16:00:00Z"
    assert found == [
        ("lost-2", "1", "3f0c-2", "b-1", "2026-03-13T16:00:00Z", locks),
        ("lost-1", "1", "3f0c-1", "b-1", "2026-03-11T16:00:00Z", locks),
        ("lost-1", "2", "3f0c-1", "b-1", "2026-03-12T16:00:00Z", locks),
        ("lost-1", "3", "3f0c-1", "b-1", "2026-03-13T16:00:00Z", locks),
    ]
    text = pdf_text(files["overview.pdf"])
    for told in (
        case["subject"],
        "CID 5500001, enterprise 1500001",
        "lost-1",
        "lost-2",
        "3f0c-1",
        "3f0c-2",
        "2026-04-05 16:00 UTC",
        "109.00 USD",
    ):
        assert told in text


def test_an_altered_order_has_what_was_sent_beside_what_cj_shows(desk: Desk) -> None:
    desk.verdict("altered", "mismatched", "amount", operation="restate", posted=100)
    (case,) = desk.refresh()
    assert case["subject"] == "Commission Detail: sale amount differs from what the Restatements API accepted, 1 restatement (CID 5500001)"
    (row, *_) = rows_of(desk.attachment(case, "orders-1.txt"))
    assert (row["amount_sent"], row["amount_shown"], row["currency"]) == ("80.00", "100.00", "USD")
    assert "amount sent 80.00 USD, amount shown 100.00" in case["description"]


def test_a_large_file_is_split_between_orders_and_loses_none() -> None:
    orders = [order(n) for n in range(500)]
    files = orders_files("t", orders, largest=10_000)
    assert len(files) > 5 and list(files) == [f"orders-{n}.txt" for n in range(1, len(files) + 1)]
    assert all(len(data) <= 10_000 for data in files.values())
    found = [(row["order_id"], row["sending"]) for data in files.values() for row in rows_of(data)]
    assert found == [(one.order_id, sending) for one in orders for sending in "12"]
    assert LARGEST <= 10 * 2**20


def test_the_page_of_pdf_holds_what_it_can_and_says_how_much_it_leaves_out() -> None:
    many = [order(n, order_id="W" * 96, sendings=(Sending(NOW, "W" * 60, f"{n}{'W' * 60}", Outcome.ACCEPTED, None),)) for n in range(5000)]
    data = overview("W" * 120, [("name", "W" * 500)] * 7, many)
    text = pdf_text(data)
    assert len(data) < 1_000_000
    assert f"({5000 - attaching.MOST_ORDERS:,} more in orders-1.txt)" in text
    assert f"({5000 - attaching.MOST_BATCHES:,} more in orders-1.txt)" in text


@pytest.mark.parametrize("planted", PLANTED)
def test_nothing_personal_and_no_token_reaches_a_case(desk: Desk, planted: str) -> None:
    """Wherever they may come from: an order id, CJ's words, its ids, a coupon."""
    of: dict[str, Any] = {"words": f"No order of {planted} at CJ", "submission": f"s {planted}"}
    if "@" in planted or "%40" in planted:
        desk.verdict(planted, **of)
    desk.verdict("plain", "mismatched", "coupon", **of)
    for table, column in (("submissions", "coupon"), ("submissions", "batch_id")):
        desk.rows(f"UPDATE cj.{table} SET {column} = '{planted}' RETURNING 1")
    cases = desk.refresh()
    assert cases
    texts = ["".join(str(value) for value in case.values()) for case in cases]
    for case in cases:
        texts.append(desk.attachment(case, "orders-1.txt").decode())
        texts.append(pdf_text(desk.attachment(case, "overview.pdf")))
    for secret in (planted, "planted", "lovelace", "example.org"):
        assert [text for text in texts if secret in text] == [], secret
    assert any("[hidden]" in text for text in texts)
    if "@" in planted:
        assert any("sha256-" in text for text in texts)


@pytest.mark.parametrize("order_id", ["x\ty\nz", "ünï", "\x00\x07", "<b>&amp;"])
def test_no_odd_character_breaks_a_file(order_id: str) -> None:
    (data,) = orders_files("t", [order(order_id=order_id)]).values()
    assert [row["sending"] for row in rows_of(data)] == ["1", "2"]
    pdf_text(overview(order_id, [("name", order_id)], [order(order_id=order_id)]))
