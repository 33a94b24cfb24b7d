"""A mapping's every mistake has one sentence that names the file, the key and what may stand there; the page's own mapping works as it is printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from include.domain.errors import SettingError
from include.partners.mapping import OURS, PartnerMapping, all_mappings, find_mapping, read_mapping
from tests.partners.ground import PartnerGround
from tests.policy.sources import ROOT

PAGE = (ROOT / "docs" / "partners.md").read_text(encoding="utf-8")
WHOLE = "publisher_id: '7'\nname: P\ncolumns: {order_id: o, occurred_at: t, payout: p}\n"


def mapping_of(text: str, place: Path) -> PartnerMapping:
    (place / "p.yaml").write_text(text, encoding="utf-8")
    return read_mapping(place / "p.yaml")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (WHOLE + "payot: p\n", "payot, which nothing reads"),
        (WHOLE.replace("'7'", "7"), "publisher_id must be the publisher's company id"),
        (WHOLE.replace("name: P\n", ""), "name must be"),
        (WHOLE.replace("payout: p", "paid: p"), "paid is none of them"),
        (WHOLE.replace(", payout: p", ""), "with payout, sale_amount, or both"),
        (WHOLE.replace("occurred_at: t, ", ""), "with occurred_at, since its grain is order"),
        (WHOLE + "grain: month\n", "with month, since its grain is month"),
        (WHOLE + "grain: week\n", "grain must be 'order' or 'month'"),
        (WHOLE + "currency: dollars\n", "currency must be a three-letter code"),
        (WHOLE + "time_zone: Berlin\n", "time_zone must be a zone like"),
        (WHOLE + "decimal: ';'\n", "decimal must be '.' or ','"),
        (WHOLE + "month_of: sale\n", "month_of must be 'event' or"),
        (WHOLE + "starts: soon\n", "starts must be a date"),
        (WHOLE + "late_days: -1\n", "late_days must be a whole number"),
        (WHOLE + "late_days: yes\n", "late_days must be a whole number"),
        (WHOLE + "credited_after: [5, 2]\n", "the smaller first"),
        (WHOLE + "credited_after: 5\n", "two numbers of business days"),
        (WHOLE + "negative_where: {column: s}\n", "a column and the words"),
        (WHOLE + "negative_where: {column: s, words: []}\n", "a column and the words"),
        (WHOLE + "keep: all\n", "keep must be a list"),
        (WHOLE + "files: file:///a\nsql: SELECT 1\n", "both files and sql"),
        ("- a list\n", "holds no keys"),
        ("a: [\n", "is no YAML"),
    ],
)
def test_a_wrong_key_is_named_with_what_may_stand_there(wrong: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=re.escape(said)) as raised:
        mapping_of(wrong, tmp_path)
    assert "p.yaml" in str(raised.value)
    assert str(raised.value).endswith(".")


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    mapping = mapping_of(WHOLE, tmp_path)
    assert (mapping.currency, mapping.decimal, mapping.time_zone, mapping.credited_after, mapping.late_days) == (
        "USD",
        ".",
        mapping.time_zone,
        (2, 5),
        3,
    )
    assert mapping.has_ids and not mapping.by_month
    assert mapping_of(WHOLE.replace("order_id: o, ", ""), tmp_path).by_month
    assert mapping_of(WHOLE.replace("occurred_at: t", "month: t") + "grain: month\n", tmp_path).by_month


def test_a_partner_is_found_by_its_publisher_id_and_by_one_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WHOLE, encoding="utf-8")
    (tmp_path / "b.yml").write_text(WHOLE.replace("'7'", "'8'"), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no mapping", encoding="utf-8")
    assert [mapping.publisher_id for mapping in all_mappings(str(tmp_path))] == ["7", "8"]
    assert find_mapping("8", str(tmp_path)).file.endswith("b.yml")
    with pytest.raises(SettingError, match=r"publisher_id '9'.*cj_partner_mappings"):
        find_mapping("9", str(tmp_path))
    (tmp_path / "c.yaml").write_text(WHOLE, encoding="utf-8")
    with pytest.raises(SettingError, match=r"Both .*a\.yaml and .*c\.yaml are of publisher 7"):
        all_mappings(str(tmp_path))
    with pytest.raises(SettingError, match="There is no mapping of a partner"):
        all_mappings(str(tmp_path / "empty"))


def test_the_shipped_one_is_of_aspire_and_says_nothing_of_where_its_log_is() -> None:
    (mapping,) = all_mappings()
    assert (mapping.publisher_id, mapping.name, mapping.currency, mapping.credited_after) == ("7108602", "Aspire", "USD", (2, 5))
    assert (mapping.files, mapping.sql) == (None, None)


# -- the page ----------------------------------------------------------------------------------------------------------------------------


def printed(kind: str) -> str:
    """The page's one block of this kind."""
    (block,) = re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(block)


def test_the_page_has_a_row_for_every_key_and_names_every_column_of_ours() -> None:
    keys = {name for line in PAGE.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    fields = set(PartnerMapping.__dataclass_fields__) - {"file"}
    assert fields - keys == {"files_conn_id"}
    assert "`files_conn_id`" in PAGE
    assert {name for name in OURS if f"`{name}`" not in PAGE} == set()


def test_the_pages_mapping_reads_the_pages_export_as_it_is_printed(ground: PartnerGround, tmp_path: Path) -> None:
    """A second partner, invented, by following the page alone: the file as printed, with its folder put in."""
    text = printed("yaml").replace("file:///data/partners/hafenblick", f"file://{ground.exports}")
    ground.mapping = mapping_of(text, tmp_path)
    (ground.exports / "export.csv").write_text(printed("csv"), encoding="utf-8")
    mine = {
        "publisher_id": "7300001",
        "event_date": datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
        "posting_date": datetime(2026, 3, 2, 10, tzinfo=UTC),
    }
    for order_id, sale in (("SO-1001", "1250.00"), ("SO-1002", "60.00")):
        earned = str(Decimal(sale) / 10)
        ground.record(order_id=order_id, sale_amount_pub_currency=sale, pub_commission_amount_pub_currency=earned, **mine)
    found = ground.verdicts(datetime(2026, 3, 20, tzinfo=UTC))
    assert [(row["order_id"], row["rule"], row["partner_rows"], row["currency"]) for row in found] == [
        ("SO-1001", "same", 1, "EUR"),
        ("SO-1002", "same", 2, "EUR"),
    ]
    rows = ground.rows("SELECT row_key, occurred_at, sale_amount, payout FROM cj.partner_log ORDER BY row_key")
    assert [(row["row_key"], row["sale_amount"], row["payout"]) for row in rows] == [
        ("id:H-1", 1250, 125),
        ("id:H-2", 80, 8),
        ("id:H-3", -20, -2),
    ]
    assert rows[0]["occurred_at"] == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
