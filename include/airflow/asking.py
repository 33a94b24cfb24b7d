"""What `approve` asks and hears, between Airflow and cj.approvals.

The journal is written first: an answer is kept also where the warehouse is busy just then; `publish` loads what is not in the table yet.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.airflow.addresses import page_of_plan
from include.airflow.connections import settings_from_airflow
from include.airflow.runs import said, utc
from include.airflow.tasks import figures
from include.airflow.warehouse import leaving_it_for_pages
from include.domain.errors import RestatementsError
from include.domain.states import Answer

if TYPE_CHECKING:
    from include.restatements.approval.question import Asked
    from include.restatements.journal.journal import Journal

log = logging.getLogger(__name__)


def asked_of(context: Mapping[str, Any], question: Mapping[str, Any], reasons: Sequence[str]) -> Asked:
    """The question that `prepare` handed on (`include.airflow.tasks.prepare_night`), as a person will read it."""
    import msgspec

    from include.restatements.approval.question import Asked
    from include.restatements.journal.documents import Move

    run_id = str(context["run_id"])
    return Asked(
        run_id=run_id,
        digest=str(question["digest"]),
        at_stake=str(question["at_stake"]),
        unpriced=int(question["unpriced"]),
        summary=figures(question["summary"]),
        modes=figures(question["modes"]),
        moves=msgspec.convert(question["moves"], list[Move]),
        reasons=list(reasons),
        page=page_of_plan(run_id),
        found=int(question.get("found") or 0),
    )


def keep_question(context: Mapping[str, Any], asked: Asked) -> int:
    """Writes down what was asked. Returns the question's number within the run. Raises StorageError."""
    from include.restatements.approval import record
    from include.restatements.approval.question import body, subject
    from include.restatements.journal import documents

    journal = _journal(context)
    number = record.keep_question(
        journal,
        documents.Asked(
            run_id=asked.run_id,
            digest=asked.digest,
            at_stake=asked.at_stake,
            unpriced=asked.unpriced,
            reasons=asked.reasons,
            subject=subject(asked),
            body=body(asked),
            asked_at=datetime.now(UTC),
        ),
    )
    _load(journal, asked.run_id)
    return number


def keep_answer(context: Mapping[str, Any], number: int | None, answer: Answer, by: str | None = None, at: datetime | None = None) -> None:
    """Writes down what became of question `number`; of one that an earlier release asked there is no number. Raises StorageError."""
    if number is None:
        return
    from include.restatements.approval import record
    from include.restatements.journal.documents import Decided

    journal, run_id = _journal(context), str(context["run_id"])
    record.keep_answer(journal, run_id, number, Decided(answer=answer, by=by, at=utc(at) if at is not None else datetime.now(UTC)))
    _load(journal, run_id)


def _journal(context: Mapping[str, Any]) -> Journal:
    from include.restatements.journal.journal import journal_of

    return journal_of(settings_from_airflow(said(context)))


def _load(journal: Journal, run_id: str) -> None:
    from include.restatements.approval.record import load_approvals
    from include.warehouse.base import open_warehouse

    try:
        # Who is asked looks at the plan's page, and sees there what was answered.
        with leaving_it_for_pages() as location, open_warehouse(location) as session:
            session.create_tables()
            with session.transaction():
                session.serialize("cj.plan")
                load_approvals(session, journal, run_id)
    except RestatementsError as error:
        log.warning("cj.approvals is brought up to date by task publish: %s", error)
