"""Sends every order that changed in the warehouse to CJ: creates, restatements and cancellations.

**When.** Nightly at 02:00 UTC; a run picks the orders touched on the day before (its data interval) and sends each in its *newest* state. So a
backfill of an old interval never pushes an order back, and running an interval twice sends nothing the second time.

**What runs.**

1. `prepare` reads the touched orders, validates them, holds back what CJ's own records say cannot arrive, and writes the rest as chunks of at
   most 10,000 orders. Without its manifest nothing may be sent.
2. `approve` asks a person where the money gate has a reason (docs/money-gate.md), or more is at stake than `approve_above`, or it is not known how much; otherwise it passes at once. Nothing approves by default, and
   without an answer for 20 hours nothing is sent. The question names the plan by its digest, and says why it is asked, what would be sent, what that moves by operation and partner,
   and what is not known. Who answered what, when, and what they were shown is in `cj.approvals`. It has one instance for each plan of the run, since Airflow never changes a question: of a night that was cleared
   and planned again the last one counts, and the others pass at once.
3. `release` hands on the batches of the plan that was approved or needed no approval.
4. `submit` sends the chunks of that plan and of no other: CJ's Test Mode first, then, where the connection says `live`, production. Where `cj_canary_orders` asks for a canary, the first
   instance of each account sends that many orders of each operation and looks, after CJ's hour, whether CJ shows them as they were sent; the others of the account wait for that outside the
   worker, and are not sent where it does not.
5. `publish` loads what happened into `cj.submissions`, `cj.quarantine` and `cj.skipped`, and wakes `cj_reconciliation`.

**Params.** One left empty is decided by the Variable of the same name with `cj_` before it.

| param | meaning |
|---|---|
| `mode` | `test` or `live`. A run may be more careful than its connection, never less |
| `chunk_size` | orders a request, at most 10,000 |
| `max_quarantine_ratio` | where more than this share (default 0.05) of the rows that could go to CJ fail validation (counted from 20 failures), nothing is sent |
| `approve_above` | money at stake above which a person must approve. A run may lower the Variable's limit, never raise it |

**What a failure leaves behind.** The failed task's log has one sentence that says what and what to do.

- `prepare` failed: nothing was sent. Fix the cause, clear `prepare`.
- `approve` failed, was rejected or had no answer: nothing was sent, and the next night plans its orders again. To decide anew now, clear `prepare` with its downstream to plan and be asked again; `approve` alone shows the old
  question again, and refuses where it is not the plan's.
- `submit` failed: some chunks have answers, some do not. Clear the failed `submit` tasks with their downstream. An answered chunk is never sent
  again; one whose call left without an answer is `unknown` and settled from CJ's records, not by sending it again.
- `publish` failed with *were not sent*: it did load what happened. See `submit`. Otherwise clear `publish`.

- `submit` failed over a canary: nothing of the rest of that account was sent, and a later night plans it again. Its log says what CJ shows instead.

While CJ is down `submit` waits up to 12 hours outside the worker and then goes on by itself.

**Backfill.** `airflow backfill create --dag-id cj_restatements --from-date 2026-03-01 --to-date 2026-04-01`. `--to-date` means midnight, so
the run of that day at 02:00 is not in it; `--dry-run` prints the dates.

**One night by hand** is a backfill of one day, with `--reprocess-behavior completed` where it has run before. `airflow dags trigger --logical-date` is not: Airflow pays no heed to the
date and gives the run last night's interval, so the run stops and names the command. The first line of `prepare`'s log says which interval is read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, task

from include.airflow import tags
from include.airflow.defaults import FIRST_NIGHT, NIGHTLY, SUBMISSIONS, SUBMIT_POOL, WAREHOUSE_POOL, default_args
from include.airflow.operators import ApproveNight, SubmitBatch

with DAG(
    dag_id="cj_restatements",
    description="Every order that changed in the warehouse, sent to CJ in its newest state",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable(NIGHTLY, timezone="UTC"),
    start_date=FIRST_NIGHT,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=2),
    default_args=default_args(),
    tags=[tags.CJ, tags.MOVES_MONEY, tags.NEEDS_WAREHOUSE],
    params={
        "mode": Param(None, type=["null", "string"], enum=[None, "test", "live"], description="Empty: the connection's mode."),
        "chunk_size": Param(
            None, type=["null", "integer"], minimum=1, maximum=10_000, description="Empty: Variable cj_chunk_size, else 10,000."
        ),
        "max_quarantine_ratio": Param(
            None, type=["null", "number"], minimum=0, maximum=1, description="Empty: Variable cj_max_quarantine_ratio, else 0.05."
        ),
        "approve_above": Param(
            None, type=["null", "number", "string"], description="Money. Empty: Variable cj_approve_above, else nobody is asked."
        ),
    },
):

    @task(pool=WAREHOUSE_POOL)
    def prepare(**context: Any) -> list[dict[str, Any] | None]:
        from include.airflow.tasks import prepare_night

        return prepare_night(context)

    @task
    def release(answered: Any) -> list[dict[str, Any]]:
        return [batch for batches in answered for batch in batches]

    # Whatever happened, what happened is loaded; and as the last task it alone decides whether the run failed.
    @task(multiple_outputs=True, trigger_rule="all_done", pool=WAREHOUSE_POOL, outlets=[SUBMISSIONS])
    def publish(**context: Any) -> dict[str, Any]:
        from include.airflow.tasks import publish_night

        published = publish_night(context)
        context["outlet_events"][SUBMISSIONS].extra = {"run_id": context["run_id"], "due_at": published["due_at"]}
        return published

    # One instance for each plan of the run: Airflow shows a cleared task's first question for ever, so a new plan needs a new one.
    approve = ApproveNight.partial(
        task_id="approve",
        subject="Send this night's restatements to CJ?",
        pool=WAREHOUSE_POOL,
        response_timeout=timedelta(hours=20),
        # Its waiting has response_timeout, and a second attempt would ask a second time.
        execution_timeout=None,
        retries=0,
    ).expand(question=prepare())
    # Mapped over what approve hands on, not over the plan: a rejected night has no batch to send, whatever is cleared later.
    submit = SubmitBatch.partial(task_id="submit", pool=SUBMIT_POOL).expand(batch=release(approve.output))
    submit >> publish()
