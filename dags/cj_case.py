"""Keeps what a person says of a case for CJ's support: that it was filed, answered, replied to or closed.

**When.** By hand; usually from the page of a case, which triggers it through Airflow's own API as whoever is logged in, so that Airflow records who. It has no
schedule. A paused DAG waits until it is unpaused. Nothing here talks to CJ: a person files a case, CJ has no API for that (docs/support-cases.md).

**What runs.** One task, `keep`: what is said goes into the journal, and from there into `cj.cases`, with the times by which CJ's answer is due.

**Params.**

| param | meaning |
|---|---|
| `act` | `filed`, `answered`, `replied` (also for one that had closed: it was reopened) or `closed`; `requested` makes a case ready that asks for a subscription |
| `case` | its id, and after an `@` the version of it that was filed, as its page names them: `1500001-lost-cancel-1@1f0c2d3e4a5b`; or CJ's case number. For `requested`: `extension` or `correction`, and after a `:` the connection of the account, where it is not the first |
| `number` | the case number that CJ showed after *Submit*; for `filed` |
| `at` | when it happened, like `2026-03-02T15:00:00+00:00`; now, where it is empty |
| `note` | what is worth keeping, like what CJ answered; at most 2000 characters. E-mail addresses are taken out |

**What a failure leaves behind.** Nothing. Where it does not follow (an answer to a case that nobody filed, a number that another case has), the log says so. Said twice it is said once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_case",
    description="What a person says of a case for CJ's support",
    doc_md=__doc__,
    schedule=None,
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(execution_timeout=timedelta(minutes=10)),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE, tags.BY_HAND],
    params={
        "act": Param("filed", enum=["filed", "answered", "replied", "closed", "requested"], description="What happened."),
        "case": Param(
            "", type="string", maxLength=200, description="Like 1500001-lost-cancel-1@1f0c2d3e4a5b, as its page names it; or CJ's number."
        ),
        "number": Param("", type="string", maxLength=40, description="CJ's case number, where it was filed."),
        "at": Param("", type="string", maxLength=40, description="When, like 2026-03-02T15:00:00+00:00; empty: now."),
        "note": Param("", type="string", maxLength=2000, description="What is worth keeping."),
    },
):
    # Before the plans of a backfill, which share the pool: somebody waits for it.
    @task(multiple_outputs=False, pool=WAREHOUSE_POOL, priority_weight=10)
    def keep(**context: Any) -> dict[str, str]:
        from include.airflow.tasks import say_of_case

        return say_of_case(context)

    keep()
