"""A partner's log is loaded once, exactly, from whatever it comes in; what cannot be read is told of without a value, and what is wrong is refused whole."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.domain.errors import SettingError
from include.domain.partners import Grain
from include.partners.loading import MOST_UNREADABLE
from include.partners.mapping import NegativeWhere, PartnerMapping
from include.partners.rows import Reader
from include.partners.views import rows_of
from include.warehouse.base import open_warehouse
from tests.partners.ground import COLUMNS, MAPPING, ROW, SOLD, PartnerGround

WITH_ID = replace(MAPPING, columns=COLUMNS | {"row_id": "transaction_id"})


def log(ground: PartnerGround) -> list[tuple[Any, ...]]:
    rows = ground.rows(
        "SELECT order_id, version, sale_amount, payout, source FROM cj.partner_log ORDER BY order_id, version, load_number, position"
    )
    return [tuple(row.values()) for row in rows]


def read(mapping: PartnerMapping, **said: Any) -> dict[str, Any] | str:
    """What is kept of one row, or why it is not."""
    reader = Reader(mapping)
    batches = list(reader.batches([dict(ROW) | said]))
    return batches[0].to_pylist()[0] if batches else str(reader.example)


# -- once --------------------------------------------------------------------------------------------------------------------------------


def test_a_row_that_comes_again_is_stored_once_in_one_file_and_in_another(either: PartnerGround) -> None:
    either.row().row(order_id="p").row().export("a.csv")
    assert either.load().appended == 2
    either.row(order_id="p").row(order_id="q").export("b.csv")
    loaded = either.load()
    assert (loaded.sources, loaded.rows, loaded.appended) == (1, 2, 1)
    assert [row[0] for row in log(either)] == ["o", "p", "q"]
    assert either.load() == replace(loaded, sources=0, rows=0, appended=0)


def test_a_row_with_other_figures_under_its_own_id_is_a_further_version_and_the_newest_counts(either: PartnerGround) -> None:
    either.mapping = WITH_ID
    either.record(sale_amount_usd="60.00", pub_commission_amount_usd="6.00")
    either.row(transaction_id="1").export("a.csv")
    assert either.said() == [("amount_differs", "order_id")]
    either.row(transaction_id="1", sale_amount="60.00", payout="6.00").export("b.csv")
    assert either.said() == [("same", "order_id")]
    either.row(transaction_id="1", sale_amount="60.00", payout="6.00").export("c.csv")
    assert either.said() == [("same", "order_id")]
    assert [(version, sale) for _, version, sale, _, _ in log(either)] == [(1, 100), (2, 60)]
    either.row(transaction_id="1").export("d.csv")  # and back
    assert either.said() == [("amount_differs", "order_id")]
    assert [(version, sale) for _, version, sale, _, _ in log(either)] == [(1, 100), (2, 60), (3, 100)]


def test_several_versions_in_one_file_keep_their_order(either: PartnerGround) -> None:
    either.mapping = WITH_ID
    for sale in ("100.00", "100.00", "60.00", "70.00"):
        either.row(transaction_id="1", sale_amount=sale)
    either.export()
    either.load()
    assert [sale for _, _, sale, _, _ in log(either)] == [100, 60, 70]


def test_a_file_that_was_replaced_is_read_anew_and_only_what_is_new_is_appended(ground: PartnerGround) -> None:
    ground.row().export()
    ground.load()
    ground.row().row(order_id="p").export()
    assert (ground.load().appended, [row[0] for row in log(ground)]) == (1, ["o", "p"])


def test_the_rows_behind_a_verdict_are_shown_with_those_of_its_click(ground: PartnerGround) -> None:
    ground.row(transaction_id="t").row(transaction_id="t", order_id="", sale_amount="-1.00").row(order_id="p", transaction_id="u")
    ground.record().verdicts()
    with open_warehouse(ground.location) as session:
        assert [row["sale_amount"] for row in rows_of(session, "7", "order:o")] == [100, -1]
        assert rows_of(session, "7", "of tomorrow") == []


# -- what it comes in --------------------------------------------------------------------------------------------------------------------


def test_parquet_keeps_decimals_and_times_and_refuses_a_double(ground: PartnerGround) -> None:
    def parquet(amount: pa.Array) -> None:
        table = pa.table(
            {
                **{name: [text or None] for name, text in ROW.items()},
                "occurred_at": pa.array([SOLD], pa.timestamp("us", "UTC")),
                "payout": amount,
            }
        )
        pq.write_table(table, ground.exports / "export.parquet")

    parquet(pa.array([Decimal("10.123456")], pa.decimal128(20, 6)))
    ground.load()
    assert [(payout, source) for _, _, _, payout, source in log(ground)] == [(Decimal("10.123456"), "export.parquet")]
    parquet(pa.array([10.1]))
    assert (ground.load().unreadable, ground.load().unreadable) == (1, 0)
    (ground.exports / "export.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(SettingError, match="cannot be read as Parquet"):
        ground.load()


def test_a_query_is_asked_from_the_windows_beginning_and_each_row_is_stored_once(either: PartnerGround) -> None:
    either.record().record(order_id="old", event_date=datetime(2025, 1, 1, tzinfo=UTC), posting_date=datetime(2025, 1, 1, tzinfo=UTC))
    columns = {"order_id": "order_id", "occurred_at": "event_date", "sale_amount": "sale_amount_usd", "payout": "pub_commission_amount_usd"}
    sql = "SELECT order_id, event_date, sale_amount_usd, pub_commission_amount_usd FROM cj.commissions WHERE event_date >= :since"
    either.mapped(columns=columns, sql=sql)
    assert either.said() == [("same", "order_id")]
    assert either.said() == [("same", "order_id")]
    assert [row[0] for row in log(either)] == ["o"]
    either.mapped(sql=sql.replace("sale_amount_usd", "CAST(sale_amount_usd AS double precision) AS sale_amount_usd", 1))
    with pytest.raises(SettingError, match=r"sale_amount_usd as a double.*partner\.yaml"):
        either.said()
    for wrong, said in (
        ("SELECT 1 AS one", "has no column order_id"),
        ("SELECT 1; SELECT 2", "one query"),
        ("SELECT :other AS o", "one query"),
        ("gone.sql", "cannot be read"),
    ):
        either.mapped(sql=wrong)
        with pytest.raises(SettingError, match=said):
            either.said()


def test_lines_of_the_receiver_are_read_on_from_where_they_were_and_half_a_line_is_left(ground: PartnerGround) -> None:
    def line(**said: str) -> bytes:
        return json.dumps({"digest": "x", "values": dict(ROW) | said}).encode() + b"\n"

    file = ground.exports / "received-2026-03-09.jsonl"
    file.write_bytes(line() + line(order_id="p")[:-9])
    assert (ground.load().appended, ground.load().sources) == (1, 0)
    file.write_bytes(line() + line(order_id="p") + line(order_id="q"))
    loaded = ground.load()
    assert (loaded.rows, loaded.appended) == (2, 2)
    assert [row[0] for row in log(ground)] == ["o", "p", "q"]


def test_files_of_a_bucket_are_loaded_as_those_of_a_folder(ground: PartnerGround, request: pytest.FixtureRequest) -> None:
    bucket, conn_id = request.getfixturevalue("bucket"), request.getfixturevalue("conn_id")
    bucket.write("a.csv", (",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n").encode())
    bucket.write("notes.txt", b"no export")
    from include.partners.loading import load

    mapping = replace(MAPPING, files=bucket.url, files_conn_id=conn_id)
    assert load(mapping, ground.location, SOLD).appended == 1
    assert load(mapping, ground.location, SOLD).sources == 0


# -- what a row says ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decimal", "text", "amount"),
    [
        (".", "1234.5", "1234.5"), (".", "1,234.50", "1234.50"), (".", "-1,234,567.05", "-1234567.05"), (".", "+7", "7"), (".", " 8.00 ", "8"),
        (",", "1234,5", "1234.5"), (",", "1.234,50", "1234.50"), (",", "-0,01", "-0.01"),
        (".", "12,34", None), (".", "1,2345", None), (".", "1.234,50", None), (",", "12.34", None), (",", "1,234.50", None), (".", "1e3", None),
        (".", "$8", None), (".", "NaN", None), (".", ".5", None), (".", "0.12345678901", None), (".", "1000000000000000000", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_by_the_mappings_custom_and_one_of_the_other_is_never_guessed(
    decimal: str, text: str, amount: str | None
) -> None:
    found = read(replace(MAPPING, decimal=decimal), payout=text, sale_amount="")
    if amount is None:
        assert isinstance(found, str)
        assert text not in found
    else:
        assert isinstance(found, dict)
        assert found["payout"] == Decimal(amount)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("amount", [Decimal("0E-10"), Decimal("1234.5000000000"), Decimal("-7"), 12])
def test_a_decimal_of_a_query_or_of_parquet_is_what_it_is_whatever_the_custom(decimal: str, amount: Decimal | int) -> None:
    found = read(replace(MAPPING, decimal=decimal), payout=amount, sale_amount="")
    assert isinstance(found, dict)
    assert found["payout"] == amount


@pytest.mark.parametrize(
    ("text", "format_", "zone", "moment"),
    [
        ("2026-03-09T12:00:00Z", None, "UTC", "2026-03-09T12:00"), ("2026-03-09T12:00:00+02:00", None, "UTC", "2026-03-09T10:00"),
        ("2026-03-09 12:00:00", None, "America/Los_Angeles", "2026-03-09T19:00"), ("09.03.2026", "%d.%m.%Y", "Europe/Berlin", "2026-03-08T23:00"),
        ("09.03.2026", None, "UTC", None), ("2026-03-09", "%d.%m.%Y", "UTC", None), ("", None, "UTC", None),
    ],
)  # fmt: skip
def test_a_moment_is_by_the_clock_it_names_or_else_by_the_mappings(text: str, format_: str | None, zone: str, moment: str | None) -> None:
    from zoneinfo import ZoneInfo

    found = read(replace(MAPPING, time_format=format_, time_zone=ZoneInfo(zone)), occurred_at=text)
    if moment is None:
        assert isinstance(found, str)
        assert found.startswith("row 1: occurred_at must be written like")
    else:
        assert isinstance(found, dict)
        assert found["occurred_at"] == datetime.fromisoformat(moment).replace(tzinfo=UTC)


def test_what_is_marked_as_taken_back_counts_with_a_minus_whatever_its_sign() -> None:
    mapping = replace(MAPPING, negative_where=NegativeWhere("state", frozenset({"reversed"})))
    for state, sale in (("reversed", "-100"), ("open", "100"), ("", "100")):
        found = read(mapping, state=state)
        assert isinstance(found, dict)
        assert (found["sale_amount"], found["payout"]) == (Decimal(sale), Decimal(sale) / 10)
    found = read(mapping, state="reversed", payout="-10.00")
    assert isinstance(found, dict)
    assert found["payout"] == -10


def test_an_id_that_is_an_address_is_kept_as_its_pseudonym_alone() -> None:
    found = read(MAPPING, order_id="ada@example.org", transaction_id="ada%40example.org")
    assert isinstance(found, dict)
    assert "example" not in repr(found)
    assert found["order_id"].startswith("sha256-")


def test_a_row_that_cannot_be_read_is_told_of_by_its_number_and_column_alone(
    ground: PartnerGround, caplog: pytest.LogCaptureFixture
) -> None:
    ground.row().row(order_id="p", payout="a secret").row(order_id="q", payout="", sale_amount="").export()
    loaded = ground.load()
    assert (loaded.rows, loaded.appended, loaded.unreadable) == (3, 1, 2)
    assert loaded.example == "export.csv, row 2: payout is no amount like 12.34"
    (noted,) = ground.rows("SELECT rows_read, appended, unreadable, for_example FROM cj.partner_loads")
    assert tuple(noted.values()) == (3, 1, 2, "row 2: payout is no amount like 12.34")
    assert "a secret" not in repr(ground.rows("SELECT * FROM cj.partner_log"))


@pytest.mark.parametrize(("bad", "good", "refused"), [(MOST_UNREADABLE, 0, False), (MOST_UNREADABLE + 1, MOST_UNREADABLE + 1, False), (MOST_UNREADABLE + 1, MOST_UNREADABLE, True)])  # fmt: skip
def test_where_most_rows_cannot_be_read_the_mapping_is_wrong_and_nothing_is_loaded(
    ground: PartnerGround, bad: int, good: int, refused: bool
) -> None:
    for n in range(bad):
        ground.row(order_id=f"bad{n}", payout="?")
    for n in range(good):
        ground.row(order_id=f"good{n}")
    ground.export()
    if refused:
        with pytest.raises(SettingError, match=r"cannot be read, for example row 1: payout.*Nothing of it was loaded"):
            ground.load()
    else:
        ground.load()
    assert len(log(ground)) == (0 if refused else good)


def test_a_file_that_lacks_a_column_or_is_no_csv_is_refused_whole_with_what_it_has(ground: PartnerGround, tmp_path: Path) -> None:
    (ground.exports / "a.csv").write_text("order_id,payout\no,1\n", encoding="utf-8")
    with pytest.raises(
        SettingError,
        match=r"no column transaction_id, commission_id, occurred_at, sale_amount, currency. It has order_id, payout. Correct columns in partner\.yaml",
    ):
        ground.load()
    (ground.exports / "a.csv").write_bytes("Größe".encode("latin-1"))
    with pytest.raises(SettingError, match="is not utf-8 text"):
        ground.load()
    (ground.exports / "a.csv").unlink()
    with pytest.raises(SettingError, match=r"There is no file that ends in \.csv, \.parquet, \.jsonl"):
        ground.load()
    assert log(ground) == []


def test_months_are_compared_where_that_is_all_there_is(either: PartnerGround) -> None:
    either.mapped(grain=Grain.MONTH, columns={"month": "m", "sale_amount": "s", "payout": "p"})
    at = datetime(2026, 2, 10, tzinfo=UTC)
    either.record(event_date=at, posting_date=at).record(order_id="p").record(
        order_id="bonus", action_type="bonus", pub_commission_amount_usd="5.00"
    )
    either.pair("100.00", "60.00")
    text = io.StringIO("m,s,p\n2026-01,0,0\n2026-02,100.00,10.00\n2026-03,100.00,10.00\n2026-04,1.00,1.00\n")
    (either.exports / "a.csv").write_text(text.getvalue(), encoding="utf-8")
    found = either.verdicts()
    assert [(row["month"], row["rule"], row["cj_records"]) for row in found] == [
        ("2026-01", "nothing_at_partner_alone", 0),
        ("2026-02", "same", 1),
        ("2026-03", "restated_since", 3),
    ]
    (either.exports / "b.csv").write_text("m,s,p\n2026-03,60.00,6.00\n", encoding="utf-8")
    assert [row["rule"] for row in either.verdicts()] == ["nothing_at_partner_alone", "same", "same"]


@pytest.mark.parametrize(("starts", "months"), [(None, ["2026-03"]), (datetime(2026, 2, 1, tzinfo=UTC), ["2026-02", "2026-03"])])
def test_no_month_is_judged_that_began_before_the_log(ground: PartnerGround, starts: datetime | None, months: list[str]) -> None:
    without = {ours: theirs for ours, theirs in COLUMNS.items() if ours not in ("order_id", "commission_id")}
    ground.mapped(starts=starts, columns=without)
    early = datetime(2026, 2, 3, tzinfo=UTC)
    ground.record().record(event_date=early, posting_date=early, order_id="p")
    ground.row().row(occurred_at="2026-02-12T00:00:00Z", transaction_id="t")
    assert [row["month"] for row in ground.verdicts() if row["grain"] == "month"] == months
