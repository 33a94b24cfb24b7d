"""Compares what a partner (a publisher such as Aspire) saw with what CJ holds of it, and says where its money stands.

**When.** Daily at 05:15 UTC. It reads the ledger as it is, which `cj_commission_ledger` keeps up to date, and asks CJ nothing.

**What runs.** `partners` lists the publishers there is a mapping of in the folder that Variable `cj_partner_mappings` names (docs/partners.md);
`reconcile` runs once for each: what is new of the partner's log goes into `cj.partner_log`, its rows are joined with CJ's records of the publisher,
`cj.partner_reconciliation` gets a verdict for each order or month, `cj.partner_statements` what is open, locked and payable. Under
`<cj_storage>/cj_restatements/partners/<publisher>/` are `statement.html`, `statement.csv`, `differences.csv`, and `to_send.csv`: what was restated since the
partner saw it, with the old and the new figures, for you to send. Nothing is sent by this package.

**Params.**

| param | meaning |
|---|---|
| `publisher_id` | the publisher to reconcile (7108602 is Aspire). One left as it is in a scheduled run: every publisher there is a mapping of |

**What to do about differences.** Each verdict's rule says what it means and what to do: docs/partner-rules.md, and beside each row in the
statement and on the page *Partners*.

**What a failure leaves behind.** What was loaded by then, and the verdicts of the last run that finished. A mapping or a file that does not fit is
named in the log with what to correct; other partners are not held. The next day tries again; nothing needs clearing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, WAREHOUSE_POOL, default_args

with DAG(
    dag_id="cj_partner_reconciliation",
    description="What a partner saw against what CJ holds: a verdict an order or month, and a statement",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("15 5 * * *", timezone="UTC"),
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=default_args(),
    tags=[tags.CJ, tags.READS_ONLY, tags.NEEDS_WAREHOUSE],
    params={"publisher_id": Param("7108602", type="string", pattern="^[0-9]+$", description="CJ's company id (CID) of the publisher.")},
):

    @task
    def partners(**context: Any) -> list[str]:
        from include.airflow.tasks import partners

        return partners(context)

    @task(multiple_outputs=True, pool=WAREHOUSE_POOL)
    def reconcile(publisher_id: str, **context: Any) -> dict[str, Any]:
        from include.airflow.tasks import reconcile_partner

        return reconcile_partner(context, publisher_id)

    reconcile.expand(publisher_id=partners())
