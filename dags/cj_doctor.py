"""Finds out what a night would meet, without a night: the same checks as `make doctor`, from where the tasks run.

**When.** By hand, before the first night and whenever something is odd. It has no schedule. In the UI *Trigger*; or `airflow dags trigger cj_doctor`
(on a clone `.venv/bin/airflow`, after `eval "$(make -s env)"`; for the Airflow of `make up` after the line that it prints); or over REST
`POST /api/v2/dags/cj_doctor/dagRuns` with the body `{"logical_date": null}` and a token from `/auth/token`. A paused DAG waits until it is unpaused.

**What runs.** One task asks after Python and its packages, the connections and Variables, the storage, the warehouse (rights, clock, what stands on the
way to it), CJ (token, advertiser, enterprise), the query and last week's orders. Each line of its log is one check: what was asked, what was found, and
what to do. CJ gets one cancellation in Test Mode, of an order that is nobody's; nothing is sent live, and nothing is left in the warehouse or the storage.

**Params.** None.

**What a failure leaves behind.** Nothing. The error `ToMend` (*Task failed with exception*) names what is to be mended, and below it stand only a few lines of
Airflow's own; do what the warnings above it say, and trigger it again. With nothing to mend the last check's line is the last of ours, and the task
returns each check's state. Pools, and the names of Variables in Airflow's database, are not asked, because a task has no way to it: `make doctor`
asks those too.

**On the data of `make up`** it always fails: a few of its invented orders stand under another action tracker at CJ, so that there is something to see.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_doctor",
    description="What a night would meet, found out without one",
    doc_md=__doc__,
    schedule=None,
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=2),
    default_args=default_args(execution_timeout=timedelta(hours=1)),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE, tags.BY_HAND],
):

    @task(multiple_outputs=False, pool=WAREHOUSE_POOL)
    def examine() -> dict[str, str]:
        from include.airflow.doctor import examine_in_a_task

        return examine_in_a_task()

    examine()
