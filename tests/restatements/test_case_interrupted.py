"""A process that dies while cases are written, filed or settled leaves nothing half done: the next look goes on from there. And what grows is found by an index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.domain.states import CaseAct
from include.restatements.cases.kinds import RULES
from include.sql import filled
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.postgres_server import explained
from tests.restatements.cases_desk import DAY, HOUR, NOW, Desk
from tests.restatements.killed import Killed, killed_at

LOST = "1500001-lost-cancel-1"
AS_IT_RAN = "ANALYZE, TIMING OFF"


def all_of(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    return {table: desk.rows(f"SELECT * FROM cj.{table} ORDER BY 1, 2") for table in ("cases", "case_orders", "case_events")}


@pytest.fixture
def desk(location: WarehouseLocation, tmp_path: Path) -> Desk:
    return Desk(location, tmp_path / "a")


@pytest.mark.parametrize("step", ["after_case_attachment", "after_case_pack", "before_cases_commit"])
def test_a_round_that_dies_at_any_step_is_made_up_for_by_the_next(desk: Desk, tmp_path: Path, step: str) -> None:
    whole = Desk(WarehouseLocation("duckdb", path=str(tmp_path / "whole.duckdb")), tmp_path / "b")
    for one in (desk, whole):
        one.verdict("lost-1")
        one.verdict("altered", "mismatched", "amount")
    whole.refresh()
    for times in (1, 2):
        with pytest.raises(Killed):
            desk.refresh(checkpoint=killed_at(step, times if step != "before_cases_commit" else 1))
        assert desk.rows("SELECT * FROM cj.cases") == []
    desk.refresh()
    assert all_of(desk) == all_of(whole)
    assert desk.files.names("cases") == whole.files.names("cases")


@pytest.mark.parametrize("step", ["after_case_event", "before_cases_commit"])
@pytest.mark.parametrize("again", ["said again", "looked at again"])
def test_what_a_person_said_is_kept_once_wherever_it_ended(desk: Desk, step: str, again: str) -> None:
    desk.verdict("lost-1")
    desk.refresh()
    for what, at in (
        (CaseAct.FILED, NOW),
        (CaseAct.ANSWERED, NOW + HOUR),
        (CaseAct.REPLIED, NOW + 2 * HOUR),
        (CaseAct.CLOSED, NOW + 3 * HOUR),
    ):
        said: dict[str, Any] = {"number": "1", "said_in": f"run of {what.value}"}
        with pytest.raises(Killed):
            desk.say(LOST, what, at, checkpoint=killed_at(step), **said)
        if again == "said again":
            desk.say(LOST, what, at, **said)
        else:
            desk.refresh(at)
    told = desk.rows("SELECT act, happened_at FROM cj.case_events ORDER BY event")
    assert [row["act"] for row in told] == ["filed", "answered", "replied", "closed"]
    assert [row["state"] for row in desk.refresh(NOW + 4 * HOUR)] == ["closed"]


def test_a_case_that_is_seen_to_be_settled_is_so_once(desk: Desk) -> None:
    desk.verdict("lost-1")
    desk.refresh()
    desk.say(LOST, CaseAct.FILED, NOW, "1")
    desk.verdict("lost-1", "matched", None)
    with pytest.raises(Killed):
        desk.refresh(NOW + DAY, checkpoint=killed_at("after_case_event"))
    assert [row["state"] for row in desk.refresh(NOW + 2 * DAY)] == ["settled"]
    assert desk.rows("SELECT settled_at FROM cj.cases") == [{"settled_at": NOW + DAY}]
    assert [row["act"] for row in desk.rows("SELECT act FROM cj.case_events ORDER BY event")] == ["filed", "settled"]


def test_on_postgresql_a_round_reads_no_table_that_grows_from_end_to_end_and_joins_no_break_with_every_other(
    postgres_database: str,
) -> None:
    location = WarehouseLocation("postgres", uri=postgres_database)
    with open_warehouse(location) as session:
        session.create_tables()
        for sql in (
            (
                "INSERT INTO cj.reconciliation (run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, submitted_at, attempts, "
                "within_band, checked_at, plan_number) SELECT 'r', '1', '1', 1, CONCAT('o-', n), :now, 'cancel', CASE WHEN n % 1000 = 0 THEN 'missing' ELSE 'matched' END, "
                "CAST(:now AS timestamptz) - n * INTERVAL '1 minute', 1, FALSE, :now, 1 FROM generate_series(1, 200000) AS n"
            ),
            (
                "INSERT INTO cj.submissions (run_id, chunk_id, operation, mode, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, payload_hash, attempt, "
                "outcome, submitted_at, plan_number) SELECT 'r', 'c', 'cancel', 'live', '1', '1', 1, CONCAT('o-', n), :now, 'h', 1, 'accepted', :now, 1 "
                "FROM generate_series(1, 200000) AS n"
            ),
            (
                "INSERT INTO cj.commissions (commission_id, advertiser_id, action_tracker_id, order_id, action_type, action_status, publisher_id, posting_date, original, items_mark, "
                "ingested_at) SELECT CAST(n AS text), '1', 1, CONCAT('o-', n), 'sim_sale', 'new', '7', CAST(:now AS timestamptz), TRUE, 0, CAST(:now AS timestamptz) FROM generate_series(1, 200000) AS n"
            ),
            "INSERT INTO cj.case_orders SELECT CONCAT('c-', n / 100), '1', 1, CONCAT('o-', n), :now FROM generate_series(1, 20000) AS n",
        ):
            session.execute(sql, {"now": NOW})
        session.execute("ANALYZE")
        bound = {"since": NOW - 30 * DAY, "attempts": 1}
        plans = [explained(session, filled("cases_breaks", rules=RULES), bound, AS_IT_RAN)]
        session.execute(filled("cases_breaks", rules=RULES), bound)
        session.analyze("cj.case_breaks")
        plans += [explained(session, filled(name), {}, AS_IT_RAN) for name in ("cases_held", "cases_unexplained")]
        of_case = "\n".join(
            str(row["QUERY PLAN"])
            for row in session.rows("EXPLAIN SELECT * FROM cj.case_orders WHERE case_id = :case_id", {"case_id": "c-7"})
        )
    for plan in plans:
        for table in ("reconciliation", "submissions", "commissions", "case_orders"):
            assert f"Seq Scan on {table}" not in plan, plan
        assert "Rows Removed by Join Filter" not in plan, f"each with each: {plan}"
    assert "case_orders_case" in of_case
