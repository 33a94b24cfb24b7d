"""Finds out what a night would meet, without a night: the same checks as `make doctor`, from where the tasks run.

**When.** By hand, before the first night and whenever something is odd. It has no schedule.

**What runs.** One task asks after Python and its packages, the connections and Variables, the storage, the warehouse (rights, clock, what stands on the
way to it), CJ (token, advertiser, enterprise), the query and last week's orders. Each line of its log is one check: what was asked, what was found, and
what to do. CJ gets one cancellation in Test Mode, of an order that is nobody's; nothing is sent live, and nothing is left in the warehouse or the storage.

**Params.** None.

**What a failure leaves behind.** Nothing. The last line of the log names what is to be mended; do what the warnings above it say, and trigger it again.
Pools are not asked, because a task has no way to Airflow's database: `make doctor` asks those too.
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
