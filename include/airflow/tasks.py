"""The bodies of the tasks: read the settings, call one verb of the core, log its figures, hand on paths and counts.

The core is imported inside each body: parsing a DAG file must not pay for it, and a task pays only for the stage it runs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

from include.airflow.connections import settings_from_airflow
from include.airflow.imports import imported_meanwhile
from include.airflow.journal import journal_from_airflow
from include.airflow.orders import orders_source
from include.airflow.retries import LeftUnsent
from include.airflow.runs import run_of, said, who
from include.airflow.warehouse import leaving_it_for_pages
from include.domain.errors import SettingError
from include.restatements.settings import NEEDED_TO_PREPARE, Settings

log = logging.getLogger(__name__)


def prepare_night(context: Mapping[str, Any]) -> list[dict[str, Any] | None]:
    """Plans the night. Returns the questions of the run: one for each plan it has made, of which only the last is still to be asked.

    A question is a plan: its digest, batches of chunk paths, the money at stake as text, counts, what it moves by partner, and how far each account goes.
    """
    run = run_of(context)
    log.info("The orders touched from %s to %s.", run.interval_start.isoformat(), run.interval_end.isoformat())
    with imported_meanwhile("include.restatements.prepare"):
        settings = settings_from_airflow(said(context), names=NEEDED_TO_PREPARE)
    import msgspec

    from include.restatements.approval.stake import stake_told
    from include.restatements.prepare import prepare

    with leaving_it_for_pages() as location:
        prepared = prepare(run, settings, location, orders=orders_source())
    log.info(
        "Plan %s: %s. Money at stake: %s.", prepared.digest, figures(prepared.summary), stake_told(prepared.at_stake, prepared.unpriced)
    )
    _say(prepared.told, prepared.summary["quarantined"])
    question = {
        "digest": prepared.digest,
        "batches": prepared.batches,
        "at_stake": prepared.at_stake,
        "unpriced": prepared.unpriced,
        "summary": dict(prepared.summary),
        "reasons": prepared.reasons,
        "after": prepared.after,
        "found": prepared.found,
        "moves": [msgspec.to_builtins(move) for move in prepared.moves],
        "modes": {account.conn_id: settings.effective_mode(account).value for account in settings.accounts},
    }
    return [*[None] * (prepared.turn - 1), question]


def publish_night(context: Mapping[str, Any]) -> dict[str, Any]:
    """Loads the night's journal into the tables. Raises LeftUnsent unless every planned order was sent.

    Returns the counts and the moment (ISO text or None) from which CJ's hour is over.
    """
    questions = context["ti"].xcom_pull(task_ids="prepare")
    if questions is None:
        raise LeftUnsent("Nothing was planned, so nothing was sent: task prepare did not finish. Its log says why; clear it to try again.")
    decision = context["ti"].xcom_pull(task_ids="approve", key="decision", map_indexes=len(questions) - 1)
    from include.restatements.publish import publish

    run = run_of(context)
    with leaving_it_for_pages() as location:
        published = publish(run, settings_from_airflow(said(context)), location)
    log.info("Published: %s.", figures(published.counts))
    _say(published.told, published.counts.get("quarantine", 0))
    for problem in published.problems:
        log.warning("%s", problem)
    if decision and not decision.get("approved"):
        raise LeftUnsent(
            f"{decision['by']} rejected plan {decision['digest']} of this night, so nothing of it was sent. "
            "Clear task prepare with its downstream to plan it again and be asked again."
        )
    if published.incomplete:
        raise LeftUnsent(
            f"{' '.join([f'{published.incomplete} planned orders of {run.run_id} were not sent.', *published.canaries])} "
            "Clear the failed submit tasks with their downstream: what was answered is never sent again."
        )
    due_at = published.due_at.isoformat() if published.due_at else None
    return {"counts": dict(published.counts), "due_at": due_at, "told": published.told}


def _say(told: list[str], held: int) -> None:
    """The sentences into the log; louder where an order is held back, since such a night is green."""
    for sentence in told:
        log.log(logging.WARNING if held else logging.INFO, "%s", sentence)


def read_ledger(context: Mapping[str, Any], conn_id: str) -> dict[str, Any]:
    """Reads what is new in one account's Commission Detail. Returns counts."""
    from include.restatements.ledger.accounts import read_ledgers

    settings = settings_from_airflow(said(context), only=[conn_id])
    with leaving_it_for_pages() as location:
        counts = read_ledgers(settings, location, since(said(context)), conn_id=conn_id)
    log.info("Ledger of %s: %s.", conn_id, figures(counts))
    return dict(counts)


def partners(context: Mapping[str, Any]) -> list[str]:
    """The publishers to reconcile: the one the run names, or all there is a mapping of."""
    from include.partners.mapping import all_mappings

    named = said(context).get("publisher_id")
    if named is not None:
        return [str(named)]
    return [mapping.publisher_id for mapping in all_mappings(partner_settings().partner_mappings)]


def reconcile_partner(context: Mapping[str, Any], publisher_id: str) -> dict[str, Any]:
    """Compares one partner's log with CJ's records of it. Returns counts, and where the files are."""
    from include.partners.mapping import find_mapping
    from include.partners.reconcile import reconcile_partner as reconcile

    settings = partner_settings()
    mapping = find_mapping(publisher_id, settings.partner_mappings)
    with leaving_it_for_pages() as location:
        done = reconcile(
            mapping,
            location,
            str(context["run_id"]),
            storage=settings.storage,
            storage_conn_id=settings.storage_conn_id,
            payment_day=settings.partner_payment_day,
            days=settings.partner_days,
        )
    log.info(
        "%s: %s rows read, %s of them new. Orders: %s. Months: %s.",
        mapping.name,
        done.loaded.rows,
        done.loaded.appended,
        figures(done.orders),
        figures(done.months),
    )
    if done.loaded.unreadable:
        log.warning(
            "%s rows of %s could not be read and were left out, for example %s.", done.loaded.unreadable, mapping.name, done.loaded.example
        )
    log.info("The statement is in %s.", done.files)
    return {"orders": done.orders, "months": done.months, "files": done.files}


def partner_settings() -> Settings:
    """The settings, without the accounts: a partner's reconciliation asks CJ nothing, so a mistake in a connection does not hold it."""
    return settings_from_airflow(only=[])


def since(params: Mapping[str, Any]) -> date | None:
    """The bootstrap's first day, from the run's param. Raises SettingError."""
    text = params.get("since")
    if not text:
        return None
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise SettingError(f"The run's param since is {text!r}; it must be a date like 2026-01-31.") from None


def figures(counts: Mapping[str, Any]) -> str:
    """Counts on one line of a log: `create 12, restate 3; quarantined_by_reason: locked 2`."""
    plain = [f"{name} {value}" for name, value in counts.items() if not isinstance(value, Mapping)]
    broken_down = [f"{name}: {figures(value)}" for name, value in counts.items() if isinstance(value, Mapping) and value]
    return "; ".join([", ".join(plain), *broken_down]) if plain or broken_down else "nothing"


def say_of_case(context: Mapping[str, Any]) -> dict[str, str]:
    """Keeps what a person says of a case for CJ's support. Who it is says Airflow, which knows who triggered the run. Returns the case and how it stands."""
    from include.domain.kinds import MOMENT
    from include.domain.states import CaseAct
    from include.restatements.cases.acting import ACTS, Said, act, request

    params, by, settings = said(context), who(context), settings_from_airflow()
    what, case, at = str(params.get("act") or ""), str(params.get("case") or ""), params.get("at") or None
    with leaving_it_for_pages() as location:
        if what == "requested":
            kind, _, conn_id = case.partition(":")
            case_id, state = request(settings, location, kind, conn_id), "ready"
        elif what not in ACTS:
            raise SettingError(f"The run's param act is {what!r}; it must be one of {', '.join([*ACTS, 'requested'])}.")
        else:
            told = Said(
                case, CaseAct(what), by, str(params.get("number") or ""), at and MOMENT.read(at, "The run's param at"), str(params.get("note") or ""),
                str(context["run_id"]),
            )  # fmt: skip
            acted = act(settings, location, told)
            case_id, state = acted.case_id, acted.at.state.value
    log.info("%s said of case %s: %s. It is %s.", by, case_id, what, state)
    return {"case": case_id, "state": state}


def acknowledge_break(context: Mapping[str, Any]) -> dict[str, str]:
    """Keeps a person's note on a break. Who it is says Airflow, which knows who triggered the run. Returns the break and its verdict."""
    from include.restatements.acknowledge import acknowledge

    params, by = said(context), who(context)
    with leaving_it_for_pages() as location:
        kept = acknowledge(
            journal_from_airflow(), location, str(params.get("break") or ""), str(params.get("note") or ""), by, str(context["run_id"])
        )
    log.info("%s was acknowledged by %s: %s.", kept.name, by, " ".join(filter(None, (kept.status, kept.reason))))
    return {"break": kept.name, "by": by}
