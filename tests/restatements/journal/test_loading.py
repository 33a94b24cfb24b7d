"""From the journal to the tables, from bare files: what is loaded of a chunk at each state, what loading again changes, and what a night says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from include.domain.account import Account, Token
from include.domain.errors import StorageError
from include.domain.money import money
from include.domain.shapes import CHUNK
from include.domain.states import Mode, Operation
from include.restatements.journal.documents import Answered, InTestMode, Manifest, PlannedChunk, Summary
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal, journal_of
from include.restatements.journal.loading import UNANSWERED, load_chunk, number_of_moment
from include.restatements.publish import Published, publish
from include.restatements.settings import Run, Settings
from include.warehouse.base import WarehouseLocation, open_warehouse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUN = Run("night", NOON - timedelta(days=1), NOON)
REF = ChunkRef("night", Operation.RESTATE, "0f" * 8)
ADVERTISERS = {"1501": "5501"}
TABLES = ("submissions", "quarantine", "skipped", "planned", "reconciliation")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> WarehouseLocation:
    location = WarehouseLocation("duckdb", path=str(tmp_path_factory.mktemp("loading") / "warehouse.duckdb"))
    with open_warehouse(location) as session:
        session.create_tables()
    return location


class Loaded:
    """A journal with one chunk, and the tables it is loaded into."""

    def __init__(self, location: WarehouseLocation, place: Path) -> None:
        account = Account("cj", "1501", "5501", Token("secret"))
        self.settings = Settings(accounts=(account,), storage=f"file://{place}", keep_skipped_days=30)
        self.location = location
        self.journal: Journal = journal_of(self.settings)
        with open_warehouse(location) as session:
            for table in (*TABLES, "unjudged"):
                session.execute(f"DELETE FROM cj.{table}")
        self.cut("A", "B", "C")

    def cut(self, *orders: str, numbered: bool = True) -> None:
        """The chunk's file, and its orders in cj.planned."""
        plain = {"enterprise_id": "1501", "action_tracker_id": 401, "event_time": NOON, "updated_at": NOON, "amount": money("1.00")}
        plain |= {"payload_hash": "x", "attempt": 1, "plan_number": 7, "known_reading": 3, "untouched": True}
        table = pa.Table.from_pylist([plain | {"order_id": order} for order in orders], CHUNK)
        self.journal.put_table(f"{REF}.parquet", table if numbered else table.drop_columns(["plan_number", "known_reading", "untouched"]))
        planned = {
            "run_id": RUN.run_id, "chunk_id": REF.chunk_id, "operation": "restate", "enterprise_id": "1501", "action_tracker_id": 401,
            "updated_at": NOON, "planned_at": NOON, "plan_number": 7,
        }  # fmt: skip
        with open_warehouse(self.location) as session:
            session.execute("DELETE FROM cj.planned")
            session.append("cj.planned", pa.Table.from_pylist([planned | {"order_id": order} for order in orders]))

    def load(self, advertisers: dict[str, str] | None = None) -> ChunkState:
        with open_warehouse(self.location) as session:
            return load_chunk(session, self.journal, RUN.run_id, REF, ADVERTISERS if advertisers is None else advertisers)

    def publish(self) -> Published:
        return publish(RUN, self.settings, self.location)

    def execute(self, sql: str) -> None:
        with open_warehouse(self.location) as session:
            session.execute(sql)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with open_warehouse(self.location) as session:
            found = session.rows(f"SELECT {', '.join(columns)} FROM cj.{table} ORDER BY order_id")
        return [tuple(row[column] for column in columns) for row in found]

    def counts(self) -> dict[str, int]:
        return {table: len(self.rows(table, "order_id")) for table in TABLES}

    def intended(self, at: datetime = NOON) -> int:
        attempt = self.journal.declare_intent(REF, "ab", [], at)
        assert attempt is not None
        return attempt

    def tested(self, *refused: str) -> None:
        self.journal.record_tested(
            REF, InTestMode(chunk_id=REF.chunk_id, tested_at=NOON + HOUR, requests=1, refused=[(401, order, "no") for order in refused])
        )

    def answered(self, at: datetime = NOON, **said: Any) -> None:
        self.journal.record_answer(REF, Answered(chunk_id=REF.chunk_id, submitted_at=at, mode=Mode.LIVE, payload_hash="ab", **said))

    def planned_run(self, chunks: int = 1, cj_time: datetime = NOON, advertisers: dict[str, str] | None = None) -> None:
        chunk = PlannedChunk(
            ref=str(REF), enterprise_id="1501", operation=REF.operation, orders=3, content_hash="0f" * 16, amounts={"": "3.00"}
        )
        summary = Summary(
            picked=3, to_send=3, create=0, restate=3, cancel=0, quarantined=0, skipped=0, quarantined_by_reason={}, skipped_by_reason={},
            chunks=chunks,
        )  # fmt: skip
        self.journal.commit_plan(
            Manifest(
                run_id=RUN.run_id, interval=(RUN.interval_start, RUN.interval_end), planned_at=NOON, cj_time=cj_time, modes={"cj": Mode.LIVE},
                advertisers=ADVERTISERS if advertisers is None else advertisers, at_stake="0.00", summary=summary, problems=["as before"],
                chunks=[chunk] * chunks,
            )
        )  # fmt: skip


@pytest.fixture
def loaded(warehouse: WarehouseLocation, tmp_path: Path) -> Loaded:
    return Loaded(warehouse, tmp_path)


ACCEPTED = [(401, "A", "s-1", "b-1"), (401, "B", "s-2", "b-2"), (401, "C", "s-3", "b-3")]


# -- what is loaded ----------------------------------------------------------------------------------------------------------------------


def test_what_nothing_was_posted_of_stays_planned(loaded: Loaded) -> None:
    assert loaded.load() is ChunkState.PLANNED
    assert loaded.counts() == {"submissions": 0, "quarantine": 0, "skipped": 0, "planned": 3, "reconciliation": 0}


def test_what_was_revoked_is_skipped_as_superseded(loaded: Loaded) -> None:
    loaded.journal.revoke(REF, "later", NOON + HOUR)
    assert loaded.load() is ChunkState.REVOKED
    assert loaded.rows("skipped", "order_id", "reason", "skipped_at", "plan_number") == [
        (o, "superseded", NOON + HOUR, 7) for o in ("A", "B", "C")
    ]
    assert loaded.counts() == {"submissions": 0, "quarantine": 0, "skipped": 3, "planned": 0, "reconciliation": 0}


@pytest.mark.parametrize("orders", [["A"], ["A", "B", "C"]])
def test_what_was_answered_is_a_submission_with_what_the_answer_says(loaded: Loaded, orders: list[str]) -> None:
    loaded.cut(*orders)
    loaded.intended()
    loaded.answered(accepted=ACCEPTED[: len(orders)])
    assert loaded.load() is ChunkState.ANSWERED
    assert loaded.rows(
        "submissions", "order_id", "outcome", "submission_id", "batch_id", "submitted_at", "advertiser_id", "plan_number"
    ) == [(order, "accepted", f"s-{n}", f"b-{n}", NOON, "5501", 7) for n, order in enumerate(orders, start=1)]
    assert loaded.counts() == {"submissions": len(orders), "quarantine": 0, "skipped": 0, "planned": 0, "reconciliation": 0}


def test_an_answer_says_of_each_order_what_became_of_it(loaded: Loaded) -> None:
    loaded.cut(*"ABCDE")
    loaded.intended()
    loaded.answered(accepted=ACCEPTED[:2], rejected=[(401, "C", "no"), (401, "D", "never")], error="hm")
    loaded.load()
    assert loaded.rows("submissions", "order_id", "outcome", "submission_id", "error_message") == [
        ("A", "accepted", "s-1", None), ("B", "accepted", "s-2", None), ("C", "rejected", None, "no"), ("D", "rejected", None, "never"),
        ("E", "unknown", None, "hm"),
    ]  # fmt: skip


def test_what_has_an_intent_and_no_answer_is_unknown(loaded: Loaded) -> None:
    loaded.intended()
    assert loaded.load() is ChunkState.INTENDED
    assert loaded.rows("submissions", "outcome", "mode", "error_message") == [("unknown", "live", UNANSWERED)] * 3
    assert loaded.counts()["planned"] == 0


def test_what_test_mode_refused_is_held_back_and_the_rest_is_sent(loaded: Loaded) -> None:
    loaded.tested("B")
    loaded.intended()
    loaded.answered(accepted=[ACCEPTED[0], ACCEPTED[2]])
    for _ in range(2):
        loaded.load()
        assert loaded.rows("submissions", "order_id", "outcome") == [("A", "accepted"), ("C", "accepted")]
        assert loaded.rows("quarantine", "order_id", "stage", "detail", "quarantined_at", "plan_number") == [
            ("B", "test_mode", f"CJ refused it in Test Mode: no (chunk {REF.chunk_id})", NOON + HOUR, 7)
        ]


# -- loading again -----------------------------------------------------------------------------------------------------------------------


def test_what_was_settled_since_it_was_loaded_stays_settled(loaded: Loaded) -> None:
    loaded.intended()
    loaded.answered(error="cut")
    loaded.load()
    loaded.execute("UPDATE cj.submissions SET outcome = 'accepted'")
    loaded.load()
    assert loaded.rows("submissions", "outcome") == [("accepted",)] * 3


def test_an_intent_that_is_still_without_an_answer_changes_nothing(loaded: Loaded) -> None:
    loaded.intended()
    loaded.load()
    loaded.execute("UPDATE cj.submissions SET outcome = 'accepted'")
    loaded.load()
    assert loaded.rows("submissions", "outcome") == [("accepted",)] * 3


@pytest.mark.parametrize("at", [NOON, NOON + HOUR])
def test_an_answer_takes_the_place_of_what_was_loaded_without_one(loaded: Loaded, at: datetime) -> None:
    loaded.intended()
    loaded.load()
    loaded.answered(at, accepted=ACCEPTED)
    loaded.load()
    assert loaded.rows("submissions", "outcome", "submitted_at", "error_message") == [("accepted", at, None)] * 3


def test_the_hour_of_a_newer_intent_counts_from_its_own_declaration(loaded: Loaded) -> None:
    attempt = loaded.intended()
    loaded.load()
    loaded.journal.take_back_intent(REF, attempt, "it", NOON, "it never left")
    loaded.intended(NOON + HOUR)
    loaded.load()
    assert loaded.rows("submissions", "submitted_at", "error_message") == [(NOON + HOUR, UNANSWERED)] * 3


def test_an_intent_that_was_taken_back_since_is_planned_again(loaded: Loaded) -> None:
    attempt = loaded.intended()
    loaded.load()
    loaded.journal.take_back_intent(REF, attempt, "it", NOON, "it never left")
    assert loaded.load() is ChunkState.PLANNED
    assert loaded.counts() == {"submissions": 0, "quarantine": 0, "skipped": 0, "planned": 3, "reconciliation": 0}


# -- what is to be judged ----------------------------------------------------------------------------------------------------------------


def test_what_may_have_arrived_is_to_be_judged_and_what_was_refused_is_not(loaded: Loaded) -> None:
    loaded.intended()
    loaded.answered(accepted=ACCEPTED[:1], rejected=[(401, "B", "no")])
    loaded.load()
    assert loaded.rows("unjudged", "enterprise_id", "action_tracker_id", "order_id") == [("1501", 401, "A"), ("1501", 401, "C")]


def test_and_again_when_an_answer_comes_or_its_call_was_taken_back(loaded: Loaded) -> None:
    attempt = loaded.intended()
    for happens in (lambda: None, lambda: loaded.journal.take_back_intent(REF, attempt, "it", NOON, "it never left")):
        happens()
        loaded.load()
        assert {order for (order,) in loaded.rows("unjudged", "order_id")} == {"A", "B", "C"}
        loaded.execute("DELETE FROM cj.unjudged")
    loaded.intended()
    loaded.load()
    loaded.execute("DELETE FROM cj.unjudged")
    loaded.answered(accepted=ACCEPTED)
    loaded.load()
    assert [order for (order,) in loaded.rows("unjudged", "order_id")] == ["A", "B", "C"]


def test_what_was_loaded_before_is_not(loaded: Loaded) -> None:
    loaded.intended()
    loaded.answered(accepted=ACCEPTED)
    loaded.load()
    loaded.execute("DELETE FROM cj.unjudged")
    loaded.load()
    assert loaded.rows("unjudged", "order_id") == []


# -- whose it is, and when ---------------------------------------------------------------------------------------------------------------


def test_an_account_that_is_gone_from_the_settings_is_named_by_the_plan(loaded: Loaded) -> None:
    loaded.planned_run(advertisers={"1501": "5509"})
    loaded.intended()
    loaded.load(advertisers={})
    assert loaded.rows("submissions", "advertiser_id") == [("5509",)] * 3


@pytest.mark.parametrize("manifest", [True, False])
def test_an_account_that_nothing_names_is_told(loaded: Loaded, manifest: bool) -> None:
    if manifest:
        loaded.planned_run(advertisers={})
    loaded.intended()
    with pytest.raises(StorageError, match=r"^Nothing says which advertiser enterprise 1501 of chunk .* is"):
        loaded.load(advertisers={})


def test_a_chunk_from_before_plans_had_numbers_is_numbered_by_its_moment_and_knew_no_reading(loaded: Loaded) -> None:
    loaded.cut("A", numbered=False)
    loaded.intended()
    loaded.load()
    assert loaded.rows("submissions", "plan_number", "known_reading", "untouched") == [(1_772_366_400_000 - 100_000_000_000_000, -1, None)]


def test_what_the_plan_said_of_an_order_is_loaded_with_it(loaded: Loaded) -> None:
    loaded.intended()
    loaded.load()
    assert loaded.rows("submissions", "plan_number", "known_reading", "untouched") == [(7, 3, True)] * 3


def test_the_number_of_a_moment_is_its_milliseconds_below_zero() -> None:
    assert number_of_moment(NOON + timedelta(milliseconds=1)) - number_of_moment(NOON) == 1
    assert number_of_moment(NOON) == 1_772_366_400_000 - 100_000_000_000_000


# -- a night -----------------------------------------------------------------------------------------------------------------------------


def test_a_night_that_was_not_planned_has_nothing_to_publish(loaded: Loaded) -> None:
    assert loaded.publish() == Published({}, None, 0, ["Nothing was planned, so nothing was sent: see the `prepare` task."])


@pytest.mark.parametrize("chunks", [1, 2])
def test_what_was_not_sent_is_counted_and_told(loaded: Loaded, chunks: int) -> None:
    loaded.planned_run(chunks)
    published = loaded.publish()
    assert (published.incomplete, published.due_at, published.counts) == (3 * chunks, None, {"quarantine": 0, "skipped": 0})
    assert published.problems[0] == "as before"
    assert published.problems[1].startswith(f"{3 * chunks} orders of 3 were not sent")


def test_what_was_sent_is_counted_and_due_an_hour_after_the_last_of_it(loaded: Loaded) -> None:
    loaded.planned_run()
    loaded.intended()
    loaded.answered(accepted=ACCEPTED[:2], error="cut")
    loaded.load()
    for order, minutes in (("A", 5), ("B", 10), ("C", 7)):
        loaded.execute(f"UPDATE cj.submissions SET submitted_at = '{NOON + timedelta(minutes=minutes)}' WHERE order_id = '{order}'")
    published = loaded.publish()
    assert published.counts == {"accepted": 2, "unknown": 1, "quarantine": 0, "skipped": 0}
    assert (published.due_at, published.incomplete, published.problems) == (NOON + timedelta(minutes=70), 0, ["as before"])
    loaded.execute("UPDATE cj.submissions SET mode = 'test' WHERE outcome = 'unknown'")
    assert loaded.publish().due_at == NOON + timedelta(minutes=70)
    loaded.execute("UPDATE cj.submissions SET mode = 'test'")
    assert loaded.publish().due_at is None


@pytest.mark.parametrize(("after", "kept"), [(timedelta(days=30), 1), (timedelta(days=30, seconds=1), 0)])
def test_skips_are_forgotten_after_as_many_days_as_it_is_said(loaded: Loaded, after: timedelta, kept: int) -> None:
    loaded.planned_run(0, cj_time=NOON + after)
    loaded.execute(
        "INSERT INTO cj.skipped (run_id, enterprise_id, action_tracker_id, order_id, updated_at, reason, skipped_at, plan_number) "
        f"VALUES ('before', '1501', 401, 'A', '{NOON}', 'unchanged', '{NOON}', 1)"
    )
    loaded.publish()
    assert loaded.counts()["skipped"] == kept
