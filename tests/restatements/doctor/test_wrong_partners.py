"""The doctor's line on partners: each mistake in a mapping, or about its log, in one sentence that says where and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.restatements.doctor.checks import Found, State
from tests.restatements.doctor.ground import Ground

MAPPING = """publisher_id: "7300001"
name: Hafenblick
columns: {order_id: Bestellung, occurred_at: Zeit, sale_amount: Umsatz, payout: Provision}
"""
EXPORT = "Bestellung,Zeit,Umsatz,Provision\nSO-1,2026-03-02T10:15:00Z,1250.00,125.00\n"


@pytest.fixture
def folder(ground: Ground) -> Path:
    made = ground.place / "mappings"
    made.mkdir()
    (ground.place / "exports").mkdir()
    ground.variable("cj_partner_mappings", str(made))
    return made


def found(ground: Ground) -> Found:
    return ground.examined()["partners"].found


def with_files(folder: Path, export: str = EXPORT, mapping: str = MAPPING) -> None:
    exports = folder.parent / "exports"
    (folder / "hafenblick.yaml").write_text(f"{mapping}files: file://{exports}\n", encoding="utf-8")
    if export:
        (exports / "export.csv").write_text(export, encoding="utf-8")


def test_without_a_folder_there_is_nothing_to_mend(ground: Ground) -> None:
    told = found(ground)
    assert (told.state, "CJ's side alone" in told.sentence) == (State.RIGHT, True)


def test_a_mapping_that_fits_its_log_is_right_and_named(ground: Ground, folder: Path) -> None:
    with_files(folder)
    assert (found(ground).state, found(ground).sentence) == (State.RIGHT, "Hafenblick (7300001), export.csv read.")


def test_a_mapping_without_a_log_or_with_a_query_is_right_too(ground: Ground, folder: Path) -> None:
    (folder / "a.yaml").write_text(MAPPING, encoding="utf-8")
    ground.execute('CREATE TABLE theirs ("Bestellung" text, "Zeit" text, "Umsatz" text, "Provision" text)')
    query = MAPPING.replace("7300001", "7300002") + 'sql: SELECT "Bestellung", "Zeit", "Umsatz", "Provision" FROM theirs\n'
    (folder / "b.yaml").write_text(query, encoding="utf-8")
    told = found(ground)
    assert (told.state, told.sentence) == (State.RIGHT, "Hafenblick (7300001), without a log; Hafenblick (7300002), by a query.")


@pytest.mark.parametrize(
    ("mapping", "export", "said"),
    [
        (
            MAPPING.replace("Provision}", "Provison}"),
            EXPORT,
            "export.csv has no column Provison. It has Bestellung, Zeit, Umsatz, Provision.",
        ),
        (
            MAPPING.replace("occurred_at: Zeit, ", ""),
            EXPORT,
            "hafenblick.yaml: columns must be with occurred_at, since its grain is order.",
        ),
        (MAPPING.replace("7300001", "x"), EXPORT, "hafenblick.yaml: publisher_id must be the publisher's company id (CID) in quotes"),
        (MAPPING + "delimeter: ;\n", EXPORT, "hafenblick.yaml has delimeter, which nothing reads."),
        (MAPPING, "", "There is no file that ends in .csv, .parquet, .jsonl in file://"),
        (
            MAPPING,
            EXPORT.replace("1250.00", '"1.250,00"'),
            "1 of the first 1 of Hafenblick's export.csv, for example row 1: sale_amount is no amount like 12.34",
        ),
        (MAPPING + "encoding: klingon\n", EXPORT, "export.csv is not klingon text. Correct encoding in"),
    ],
)
def test_a_mistake_is_one_sentence_that_says_where_it_is(ground: Ground, folder: Path, mapping: str, export: str, said: str) -> None:
    with_files(folder, export, mapping)
    told = found(ground)
    assert told.state is State.MEND
    assert said in told.sentence
    assert "Variable cj_partner_mappings is AIRFLOW_VAR_CJ_PARTNER_MAPPINGS in the environment" in told.remedy


def test_a_folder_that_is_not_there_a_path_for_a_url_and_a_query_that_cannot_run_are_told(ground: Ground, folder: Path) -> None:
    ground.variable("cj_partner_mappings", str(folder / "gone"))
    assert f"There is no mapping of a partner in {folder / 'gone'}" in found(ground).sentence
    ground.variable("cj_partner_mappings", str(folder))
    (folder / "a.yaml").write_text(MAPPING + "files: /data/partners\n", encoding="utf-8")
    assert "files must be a URL like file:///data/partners/aspire" in found(ground).sentence
    (folder / "a.yaml").write_text(MAPPING + "sql: SELECT 1 FROM nothing_there\n", encoding="utf-8")
    assert "The partner's SQL cannot run." in found(ground).sentence and "a.yaml" in found(ground).sentence
