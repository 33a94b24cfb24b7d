"""The three operators that wait: for a person, for CJ to come back, for CJ's hour to end.

None of them occupies a worker while it waits. State needed after a wait is never handed to `defer(kwargs=…)` (a `dags test` run loses it);
it is in the task's own arguments, in its start date, or in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NoReturn

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator, Context

from include.airflow.connections import approval_limit, settings_from_airflow
from include.airflow.retries import LeftUnsent, TryAgain, retry_after
from include.airflow.runs import run_of, said, utc, woken_by_submission
from include.airflow.tasks import figures
from include.airflow.warehouse import warehouse_location
from include.cj.breaker import FIRST_PAUSE
from include.cj.errors import CJError
from include.domain.money import money


class ApproveNight(ApprovalOperator):
    """Hands the batches on; first asks a person when more money is at stake than `approve_above`.

    Its output is what gets submitted: without it, nothing. Reject hands on no batch. No answer in `response_timeout` fails the task;
    nothing approves by default. The decision (approved, by, at) is the XCom `decision`.
    """

    template_fields = (*ApprovalOperator.template_fields, "batches", "at_stake", "summary")

    def __init__(self, *, batches: Any, at_stake: Any, summary: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batches = batches
        self.at_stake = at_stake
        self.summary = summary

    def execute(self, context: Context) -> list[list[str]]:
        limit = approval_limit(said(context))
        if not self.batches or limit is None or money(self.at_stake) <= limit:
            self.log.info("No approval needed: %s at stake, %s.", self.at_stake, "no limit is set" if limit is None else f"limit {limit}")
            return list(self.batches)
        self.body = (
            f"Money at stake: **{self.at_stake}**, above the limit of {limit}. Planned: {figures(self.summary)}.\n\n{self.body or ''}"
        )
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> list[list[str]]:
        if "error" in event:
            self.process_trigger_event_error(event)
        self.validate_chosen_options(event["chosen_options"])
        approved = event["chosen_options"] == [self.APPROVE]
        by = event.get("responded_by_user") or {}
        name = by.get("name") or by.get("id") or "somebody" if isinstance(by, Mapping) else str(by)
        self.log.info("%s by %s: %s at stake.", "Approved" if approved else "Rejected", name, self.at_stake)
        decision = {"approved": approved, "by": name, "at": str(event.get("responded_at") or ""), "at_stake": self.at_stake}
        context["ti"].xcom_push(key="decision", value=decision)
        return list(self.batches) if approved else []


class SubmitBatch(BaseOperator):
    """Submits one batch of chunks. While CJ is down it waits outside the worker and goes on with the same batch.

    What it does not do: send anything twice. A chunk with an answer, or an intent without one, is passed over by the journal.
    """

    template_fields: Sequence[str] = ("batch",)
    longest_pause: ClassVar[timedelta] = timedelta(hours=12)
    """Measured from this attempt's first start; beyond it the task fails, and clearing it goes on."""

    def __init__(self, *, batch: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def execute(self, context: Context) -> dict[str, int]:
        return self._submit(context)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, int]:
        """Goes on with the same batch after a pause."""
        return self._submit(context)

    def _submit(self, context: Context) -> dict[str, int]:
        from include.restatements.submit import submit

        try:
            done = submit(run_of(context), settings_from_airflow(said(context)), list(self.batch))
        except CJError as error:
            if not error.transient:
                raise
            # Not by a retry: an outage of CJ's lasts longer than the attempts a task has.
            self.log.warning("%s", error)
            self._pause(context, datetime.now(UTC) + (retry_after(error) or FIRST_PAUSE))
        counts = {"accepted": done.accepted, "rejected": done.rejected, "unknown": done.unknown, "left": done.left}
        self.log.info("Submitted: %s.", figures(counts))
        if done.paused_until is not None:
            self._pause(context, done.paused_until, done.left)
        if done.left:
            raise TryAgain(f"{done.left} orders of this batch could not be sent yet. What was answered is not sent again.")
        return counts

    def _pause(self, context: Context, until: datetime, left: int | None = None) -> NoReturn:
        what = "the unsent orders" if left is None else f"{left} orders"
        started = context["ti"].start_date or datetime.now(UTC)
        last = utc(started) + self.longest_pause
        if until > last:
            raise LeftUnsent(
                f"CJ was not reachable for {self.longest_pause}; {what} of this batch are not sent. "
                "When CJ is back, clear this task with its downstream."
            )
        self.log.warning("CJ is not reachable. %s wait until %s.", what.capitalize(), until.isoformat())
        self.defer(trigger=DateTimeTrigger(moment=until), method_name="execute_complete")


class ReconcileWhenDue(BaseOperator):
    """Compares what was sent with what CJ holds, once CJ's hour is over.

    A run woken by a submission, or started by a person who says `processing_minutes`, waits for the end of the hour first. A run started
    by the clock never waits: it looks at what is due now and leaves the rest to the next one.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        from include.restatements.reconcile import wait_until

        until = wait_until(settings_from_airflow(said(context)), warehouse_location(), clocked=not self._waits(context))
        if until is not None and until > datetime.now(UTC):
            self.log.info("CJ's hour is over at %s; waiting until then.", until.isoformat())
            self.defer(trigger=DateTimeTrigger(moment=until), method_name="execute_complete")
        return self._reconcile(context)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """The hour is over."""
        return self._reconcile(context)

    def _waits(self, context: Context) -> bool:
        return woken_by_submission(context) or "processing_minutes" in said(context)

    def _reconcile(self, context: Context) -> dict[str, Any]:
        from include.restatements.reconcile import reconcile

        result = reconcile(settings_from_airflow(said(context)), warehouse_location(), str(context["run_id"]))
        if not any(result.counts.values()):
            self.log.info("Nothing is open: every order sent has its verdict.")
        for line in result.terminal.splitlines():
            self.log.info("%s", line)
        return {"counts": dict(result.counts), "report": result.report}
