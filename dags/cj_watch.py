"""Tells people what they must know: once when it begins to be so, and again only after it was over.

**When.** Hourly, a quarter past. A night that never began has no run that could say so: this DAG looks whether it is there.

**What runs.** One task, `watch`. It looks at last night's runs of `cj_restatements`, asks CJ whether it takes each account's token, and reads the tables:
questions that wait for an answer, cases whose answer is late or that close soon, breaks above `cj_notice_break_above`, orders that are wrong and lock within `cj_notice_lock_days`. It looks at the cases
for CJ's support too (docs/support-cases.md): one that nobody replied to closes, one whose orders have posted is settled. What is new goes to every notifier of
the Variable `cj_notifiers`, and into this task's log; what was told, and when it was over, is in `cj.notices`. docs/notices.md lists what is told of, and how a notifier is set up.

**Params.** None.

**What a failure leaves behind.** Nothing: the next hour tells what is still so. Where the watch cannot read its settings, the warehouse or the storage, it tells that, and of last night what
Airflow alone knows; what was told then is in `notices/blind.json` of the storage until it can look again. A notifier that fails does not fail the task; its log says which and why, and it is tried again every hour
until the notice is over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_watch",
    description="A night that failed or never began, an approval that waits, money that is about to lock: told once",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("15 * * * *", timezone="UTC"),
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    default_args=default_args(execution_timeout=timedelta(minutes=30)),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE],
):

    @task(multiple_outputs=True, pool=WAREHOUSE_POOL)
    def watch(**context: Any) -> dict[str, int]:
        from include.airflow.watching import watch as watch_now

        return watch_now(context)

    watch()
