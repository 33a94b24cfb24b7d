"""Reads what is new in CJ's Commission Detail into `cj.commissions`, account by account.

**When.** Hourly. The first run of an account reads the last 400 days (Variable `cj_ledger_days`); later runs go on where the last one stopped.

**What runs.** `accounts` lists the connections of Variable `cj_conn_ids`; `read` runs once for each, so that one account whose token expired
does not hold the others.

**Params.**

| param | meaning |
|---|---|
| `since` | bootstrap: read again everything posted since this date (`2026-01-31`). Records that are already there are not doubled |

**What a failure leaves behind.** Whole pages, and a mark up to where they are complete. The next hour goes on from there; nothing needs
clearing, except for a run with `since` that gave up: clear that one, since no hour reads what it left out. A refused token is in the log of that
account's `read`: put a new one into the connection's password.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_commission_ledger",
    description="CJ's own records of every commission, as they came",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 * * * *", timezone="UTC"),
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(execution_timeout=timedelta(hours=6)),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE],
    params={"since": Param(None, type=["null", "string"], format="date", description="Bootstrap from this date. Empty: go on.")},
):

    @task
    def accounts() -> list[str]:
        from include.airflow.connections import account_ids

        return account_ids()

    @task(multiple_outputs=True, pool=WAREHOUSE_POOL)
    def read(conn_id: str, **context: Any) -> dict[str, Any]:
        from include.airflow.tasks import read_ledger

        return read_ledger(context, conn_id)

    read.expand(conn_id=accounts())
