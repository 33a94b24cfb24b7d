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
from airflow.sdk.api.datamodels._generated import HITLUser as APIHITLUser
from airflow.sdk.exceptions import TaskAwaitingInput

from include.airflow.asking import asked_of, keep_answer, keep_question
from include.airflow.connections import approval_limit, settings_from_airflow
from include.airflow.metrics import measure
from include.airflow.retries import LeftUnsent, TryAgain, retry_after
from include.airflow.runs import run_of, said, utc, woken_by_submission
from include.airflow.tasks import figures
from include.airflow.warehouse import leaving_it_for_pages, warehouse_location
from include.cj.breaker import FIRST_PAUSE
from include.cj.errors import CJError
from include.domain.errors import RestatementsError
from include.domain.states import Answer, Canary

LONGEST_FOLLOWING = timedelta(minutes=5)
"""Between two looks whether the canary is proven."""


class ApproveNight(ApprovalOperator):
    """Hands a plan's batches on; first asks a person where the money gate has a reason, or more money is at stake than `approve_above`, or it is not
    known how much.

    Its output is what gets submitted: without it, nothing. Reject hands on no batch. No answer in `response_timeout` fails the task; nothing
    approves by default. The decision (approved, by, at, digest) is the XCom `decision`; what was asked and answered is in cj.approvals.

    Airflow keeps the question of a task instance for good: cleared, it shows the first one again and wipes only the answer. So each plan of a run
    has a task instance of its own (`questions` in `include.airflow.tasks`), the question names its plan's digest, the answer counts for that one
    alone, and where Airflow shows something other than what is asked, this task refuses.
    """

    template_fields = (*ApprovalOperator.template_fields, "question")

    def __init__(self, *, question: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question = question

    def execute(self, context: Context) -> list[dict[str, Any]]:
        if self.question is None:
            self.log.info("The night was planned again since; another instance of this task has its plan.")
            return []
        question, limit = _question(self.question), approval_limit(said(context))
        from include.restatements.approval.stake import stake_told, why_asked

        stake = stake_told(question["at_stake"], question["unpriced"])
        reasons = [*question["reasons"], *why_asked(question["at_stake"], question["unpriced"], limit)]
        if not question["batches"] or not reasons:
            why = "no limit is set" if limit is None else f"limit {limit}"
            self.log.info(
                "No approval needed for plan %s: %s at stake, %s, and the money gate has no reason.", question["digest"], stake, why
            )
            return _batches(question)
        from include.airflow.watching import tell_that_it_waits
        from include.restatements.approval.question import body, subject

        asked = asked_of(context, question, reasons)
        self.subject, self.body = subject(asked), body(asked)
        self._ask(context)
        number = keep_question(context, asked)
        tell_that_it_waits(asked, number, settings_from_airflow(said(context)))
        for notifier in self.notifiers:
            notifier(context)
        raise TaskAwaitingInput(
            method_name="execute_complete", kwargs={"asked": question["digest"], "number": number}, timeout=self.response_timeout
        )

    def _ask(self, context: Context) -> None:
        """Put the question to Airflow, and make sure that it is the one a person will read."""
        from airflow.sdk.execution_time.comms import CreateHITLDetailPayload
        from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

        asked = CreateHITLDetailPayload(
            ti_id=context["ti"].id,
            options=self.options,
            subject=self.subject,
            body=self.body,
            defaults=self.defaults,
            multiple=self.multiple,
            params=self.serialized_params,
            assigned_users=[APIHITLUser(**user) for user in self.assigned_users or []],
        )
        kept = SUPERVISOR_COMMS.send(asked)
        for name in ("subject", "body", "options", "defaults", "assigned_users"):
            if (getattr(kept, name, None) or None) != (getattr(asked, name) or None):
                raise LeftUnsent(
                    f"Airflow still shows the question of an earlier try of this task (its {name} differs), so an answer would approve what nobody has read. "
                    "Nothing was sent. Clear task prepare with its downstream: it plans the night again and asks in a new instance of this task."
                )
        self.log.info("Waiting for an answer: %s", self.subject)

    def execute_complete(
        self, context: Context, event: dict[str, Any], asked: str | None = None, number: int | None = None
    ) -> list[dict[str, Any]]:
        """The answer to question `number` of the run, which counts for the plan `asked` and no other."""
        if "error" in event:
            if event.get("error_type") == "timeout":
                keep_answer(context, number, Answer.UNANSWERED)
                raise LeftUnsent(
                    f"Nobody answered whether plan {asked} may be sent, for {self.response_timeout}. Nothing of it was sent. "
                    "Clear task prepare with its downstream to plan it again and be asked again; the next night plans its orders again too."
                )
            self.process_trigger_event_error(event)
        self.validate_chosen_options(event["chosen_options"])
        approved = event["chosen_options"] == [self.APPROVE]
        by = event.get("responded_by_user") or {}
        name = by.get("name") or by.get("id") or "somebody" if isinstance(by, Mapping) else str(by)
        now = self.question["digest"] if isinstance(self.question, Mapping) else None
        outdated = approved and (asked is None or asked != now)
        answer = Answer.OUTDATED if outdated else Answer.APPROVED if approved else Answer.REJECTED
        keep_answer(context, number, answer, name, event.get("responded_at"))
        if outdated:
            raise LeftUnsent(
                f"{name} approved plan {asked or 'of an earlier release'}, and the night was planned again since. Nothing was sent. "
                "Clear task prepare with its downstream: it plans the night again and asks again."
            )
        self.log.info("%s by %s: plan %s.", "Approved" if approved else "Rejected", name, asked)
        decision = {"approved": approved, "by": name, "at": str(event.get("responded_at") or ""), "digest": asked}
        context["ti"].xcom_push(key="decision", value=decision)
        return _batches(self.question) if approved else []


def _question(handed_on: Any) -> Mapping[str, Any]:
    """What prepare handed on of a plan. Raises LeftUnsent for what an earlier release did."""
    if not isinstance(handed_on, Mapping) or not {"digest", "unpriced", "moves", "reasons"} <= handed_on.keys():
        raise LeftUnsent("This night was planned by an earlier release. Nothing was sent. Clear task prepare with its downstream.")
    return handed_on


def _batches(question: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What may be submitted: each batch with the digest of its plan."""
    batches = [{"digest": question["digest"], "chunks": list(chunks)} for chunks in question["batches"]]
    after = question.get("after") or [None] * len(batches)
    first = {place for place in after if place is not None}
    return [
        batch | ({"canary": True} if place in first else {}) | ({} if waits_for is None else {"after": waits_for})
        for place, (batch, waits_for) in enumerate(zip(batches, after, strict=True))
    ]


class SubmitBatch(BaseOperator):
    """Submits one batch of chunks of an approved plan. While CJ is down it waits outside the worker and goes on with the same batch.

    A canary (`canary` in its batch: the few orders of an account that go live first) is submitted and then looked at, outside the worker between two looks, until
    CJ shows it as it was sent (`Proven`); where it does not, the task fails. The batches of its account that follow it (`after`) wait for that, and fail with it.

    What it does not do: send anything twice. A chunk with an answer, or an intent without one, is passed over by the journal.
    """

    template_fields: Sequence[str] = ("batch",)
    longest_look: ClassVar[timedelta] = timedelta(hours=20)
    """As long is a canary awaited, from this attempt's first start: the next night is planned after it."""
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
        from include.restatements.settings import NEEDED_TO_SUBMIT
        from include.restatements.submit import submit

        batch = self.batch
        if not isinstance(batch, Mapping) or "digest" not in batch:
            raise LeftUnsent("This batch was handed on by an earlier release. Nothing was sent. Clear task prepare with its downstream.")
        if batch.get("after") is not None:
            self._follow(context, int(batch["after"]))
        try:
            settings = settings_from_airflow(said(context), names=NEEDED_TO_SUBMIT)
            done = submit(run_of(context), settings, list(batch["chunks"]), digest=str(batch["digest"]))
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
        if batch.get("canary"):
            self._prove(context)
        return counts

    def _prove(self, context: Context) -> None:
        """Returns once CJ shows what was sent. Raises LeftUnsent where it shows something else, or nothing for too long."""
        from include.restatements.prove import LONGEST_PAUSE, prove

        try:
            with leaving_it_for_pages() as location:
                looked = prove(run_of(context), settings_from_airflow(said(context)), location, list(self.batch["chunks"]))
        except RestatementsError as error:
            if not error.transient:
                raise
            # Not by a retry: what is sent is sent, and there are hours to look at it.
            self.log.warning("The canary could not be looked at, and is in a while: %s", error)
            self._look_again(context, datetime.now(UTC) + LONGEST_PAUSE, str(error))
        if looked.again is not None:
            self._look_again(context, looked.again, looked.words)
        if looked.state is Canary.BROKEN:
            raise LeftUnsent(
                f"{looked.words} So the other orders of its account are not sent. Find out why at CJ and in the warehouse; a later night plans them again, with a canary of "
                "its own. To send them now, whatever became of the canary: set the Variable cj_canary_orders to off, and clear task prepare with its downstream."
            )
        self.log.info("%s", looked.words)

    def _follow(self, context: Context, canary: int) -> None:
        """Returns once the canary, which is instance `canary` of this task, is proven. Raises LeftUnsent where it has failed."""
        from include.restatements.prove import SHORTEST_PAUSE, waits

        settings = settings_from_airflow(said(context))
        if not waits(run_of(context), settings, list(self.batch["chunks"])):
            return
        ti = context["ti"]
        states = ti.get_task_states(dag_id=ti.dag_id, map_index=canary, task_ids=[ti.task_id], run_ids=[ti.run_id])
        if set(states.get(ti.run_id, {}).values()) & {"failed", "upstream_failed", "skipped", "removed"}:
            raise LeftUnsent(
                f"The canary of this account, instance {canary} of this task, has failed: its log says why. Nothing of this batch was sent, and a later night plans it "
                "again. Clear both to look again."
            )
        if "success" in states.get(ti.run_id, {}).values() and waits(run_of(context), settings, list(self.batch["chunks"])):
            raise LeftUnsent(
                f"The canary of this account, instance {canary} of this task, is over and went no further than CJ's Test Mode, and now its account is live. Nothing of "
                "this batch was sent. Clear task prepare with its downstream: it plans the night again, with a canary of its own."
            )
        pause = max(SHORTEST_PAUSE, min(LONGEST_FOLLOWING, timedelta(minutes=settings.processing_minutes) / 12))
        self._look_again(context, datetime.now(UTC) + pause, "The canary of this account is not proven yet")

    def _look_again(self, context: Context, at: datetime, why: str) -> NoReturn:
        if at > utc(context["ti"].start_date or datetime.now(UTC)) + self.longest_look:
            raise LeftUnsent(
                f"For {self.longest_look} CJ did not show the canary as it was sent. {why} The other orders of its account are not sent; a later night plans them again. "
                "Clear the failed submit tasks to go on waiting."
            )
        self.log.info("%s Looking again at %s.", why, at.isoformat())
        self.defer(trigger=DateTimeTrigger(moment=at), method_name="execute_complete")

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

        with leaving_it_for_pages() as location:
            result = reconcile(settings_from_airflow(said(context)), location, str(context["run_id"]))
        if not result.still_open:
            self.log.info("Nothing is open: every order sent has its verdict.")
        for line in result.terminal.splitlines():
            self.log.info("%s", line)
        measure(str(context["run_id"]), result.counts)
        return {"counts": dict(result.counts), "report": result.report}
