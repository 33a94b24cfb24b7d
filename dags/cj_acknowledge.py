"""Takes note of a break: somebody has looked at it, and says what was found or what will be done.

**When.** By hand; usually from the page of an order, which triggers it through Airflow's own API as whoever is logged in, so that Airflow records who. It
has no schedule. A paused DAG waits until it is unpaused.

**What runs.** One task, `keep`, writes the note to the journal (`acknowledgements/<run>.json`) and from there adds a row to `cj.acknowledgements`: the note,
the verdict it is about, and whose it is. It belongs to that verdict: where verdict, reason, amounts or lock date are others later, it has lapsed. It hides
the break from no list and no total. Tables that were lost come back with the notes.

**Params.**

| param | meaning |
|---|---|
| `break` | the order and the verdict that was looked at, as its page names them: `1500001/401/A-1@1f0c2d3e`. Without what follows the `@`: the verdict it has now |
| `note` | what was found, or what will be done; at most 2000 characters. E-mail addresses are taken out |

**What a failure leaves behind.** Nothing, or the note in the journal alone: clear the task, and it is in the table. Where the order has no break, or another verdict than the one that was looked at, the log says so: look again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_acknowledge",
    description="Somebody's note on a break",
    doc_md=__doc__,
    schedule=None,
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(execution_timeout=timedelta(minutes=10)),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE, tags.BY_HAND],
    params={
        "break": Param("", type="string", maxLength=400, description="Like 1500001/401/A-1, as the order's page names it."),
        "note": Param("", type="string", maxLength=2000, description="What was found, or what will be done."),
    },
):
    # Before the plans of a backfill, which share the pool: somebody waits for it.
    @task(multiple_outputs=False, pool=WAREHOUSE_POOL, priority_weight=10)
    def keep(**context: Any) -> dict[str, str]:
        from include.airflow.tasks import acknowledge_break

        return acknowledge_break(context)

    keep()
