"""Records that somebody has looked at the newest pre-lock review, and at what digest.

**When.** By hand; usually from the page *Pre-lock*, which triggers it through Airflow's own API as whoever is logged in, so that Airflow records who. It has no
schedule. A paused DAG waits until it is unpaused.

**What runs.** One task, `keep`, writes to the journal and to `cj.prelock_reviews`: who, when, at what digest, what they said, and what they were shown. It is of that
digest: where anything that has to be looked at is another later, it has lapsed. It hides nothing and sends nothing.

**Params.**

| param | meaning |
|---|---|
| `digest` | the digest of the review that was looked at, as its page and its PDF show it |
| `note` | what was decided; may be empty, at most 2000 characters. E-mail addresses are taken out |

**What a failure leaves behind.** Nothing. Where the newest review has another digest than the one that was looked at, the log says so: look again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_prelock_sign_off",
    description="Who has looked at the pre-lock review",
    doc_md=__doc__,
    schedule=None,
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(execution_timeout=timedelta(minutes=10)),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE, tags.BY_HAND],
    params={
        "digest": Param("", type="string", maxLength=64, description="As the review's page shows it."),
        "note": Param("", type="string", maxLength=2000, description="What was decided."),
    },
):
    # Before the plans of a backfill, which share the pool: somebody waits for it.
    @task(multiple_outputs=False, pool=WAREHOUSE_POOL, priority_weight=10)
    def keep(**context: Any) -> dict[str, str]:
        from include.airflow.prelock import sign_off

        return sign_off(context)

    keep()
