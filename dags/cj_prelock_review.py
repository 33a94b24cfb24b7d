"""Lays every order that is open at CJ beside the warehouse's truth before CJ locks it, and makes what a person has to look at.

**When.** Daily at 22:00 UTC, so that the night that follows sends what differs. Pages: *CJ*, *Pre-lock*.

**What runs.** One task, `review`. It reads CJ's news, then asks the warehouse by id for every order that is open at CJ, whether this package ever sent it or not
(and for those that CJ locked of late, and those with a break), and decides each by the rules of the night's plan. What differs and can be mended goes to
`cj.replan_news`: the next run of `cj_restatements` decides it anew and sends it. Nothing is sent from here. The review is in `cj.prelock_orders` and
`cj.prelock_sweeps`; under `<cj_storage>/cj_restatements/prelock/<run>/` are `pack.pdf`, `pack.csv`, and for each account with a subscription the list of orders to put
off, in CJ's extension format. docs/prelock.md says what can be found and what to do.

**Params.**

| param | meaning |
|---|---|
| `days_before_lock` | how many days before its lock an order is put before a person; empty: Variable `cj_days_before_lock`, else 10. Every open order is looked at whatever it says |

**What a failure leaves behind.** The review before it, as it was. An account that cannot be read is left out and named in the review; where none can, the run fails. Clear
it, or wait for the next day: a review begins anew and repeats nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_prelock_review",
    description="Every open order beside the warehouse before CJ locks it, and what a person has to look at",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 22 * * *", timezone="UTC"),
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE],
    params={
        "days_before_lock": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=3650,
            description="Days before its lock that an order is put before a person.",
        )
    },
):

    @task(multiple_outputs=False, pool=WAREHOUSE_POOL)
    def review(**context: Any) -> dict[str, Any]:
        from include.airflow.prelock import review_before_lock

        return review_before_lock(context)

    review()
