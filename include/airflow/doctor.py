"""The doctor at the edge: what only Airflow knows is asked here, everything else by include.restatements.doctor, in one examination.

Pools, and the names of Variables, are asked of Airflow's metadata database, which a task has no way to: it gives no `slots` and no `variables`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from include.airflow.connections import Secrets, account_from_connection, account_ids, settings_from_airflow
from include.airflow.defaults import SUBMIT_POOL, WAREHOUSE_POOL
from include.airflow.orders import CONN_ID as ORDERS
from include.airflow.orders import orders_source
from include.airflow.unread_variables import read_by_nothing
from include.airflow.warehouse import CONN_ID, warehouse_location
from include.domain.errors import RestatementsError
from include.partners import check as partners
from include.restatements.doctor.catalogue import CHECKS, CONNECTION, MACHINE
from include.restatements.doctor.checks import Check, Finding, Found, NotAsked, Notes, State, examine, look, mend, right, to_mend

log = logging.getLogger(__name__)

Slots = Callable[[], Mapping[str, int | None]]
"""The pools' slots by name, None for one that is not there. Raises SettingError where they cannot be asked for."""

Names = Callable[[], Sequence[str]]
"""The names of Airflow's Variables that begin as ours do."""


class ToMend(RestatementsError):
    """The examination found something to mend. Trying again, unchanged, does not help; the log says what does."""


def examination(
    secrets: Secrets | None = None, slots: Slots | None = None, notes: Notes | None = None, variables: Names | None = None
) -> Iterator[Finding]:
    """Every check, asked one after another. Sends nothing live, and leaves nothing behind."""
    return examine((*MACHINE, *_edge(secrets or Secrets(), slots, variables or tuple), *CHECKS, *partners.CHECKS), notes or Notes())


def examine_in_a_task() -> dict[str, str]:
    """The same into a task's log. Returns what came of each check; raises ToMend where something is to be mended."""
    findings = []
    for finding in examination():
        findings.append(finding)
        bad = finding.found.state in (State.MEND, State.LOOK)
        log.log(
            logging.WARNING if bad else logging.INFO,
            "%s: %s. %s %s",
            finding.name,
            finding.asks,
            finding.found.sentence,
            finding.found.remedy,
        )
        for example in finding.found.examples:
            log.warning("  %s", ", ".join(f"{name} {value}" for name, value in example.items()))
    if bad_ones := to_mend(findings):
        raise ToMend(
            f"To be mended: {', '.join(finding.name for finding in bad_ones)}. The log above says what is wrong with each, and what to do."
        )
    return {finding.name: finding.found.state.value for finding in findings}


def _edge(secrets: Secrets, slots: Slots | None, variables: Names) -> tuple[Check, ...]:
    return (
        Check("accounts", "the accounts are named", partial(_accounts, secrets), "It is the Variable cj_conn_ids."),
        Check("connection", "the account's connection can be read", partial(_connection, secrets), CONNECTION, ("accounts",), each_account=True),
        Check("settings", "every Variable says what it may", partial(_settings, secrets, variables), "In Airflow: Admin, Variables; the README lists them.", ("connection",)),
        Check(
            "warehouse_connection", "the warehouse's connection can be read", partial(_warehouse_connection, secrets),
            CONNECTION.format(whose=CONN_ID, WHOSE=CONN_ID.upper()),
        ),
        Check(
            "orders_connection", "the connection of the orders can be read, where there is one", partial(_orders_connection, secrets),
            CONNECTION.format(whose=ORDERS, WHOSE=ORDERS.upper()),
        ),
        Check("pools", "the pools are there", partial(_pools, slots), "Run `airflow db migrate`, then start the scheduler.", ()),
    )  # fmt: skip


def _accounts(secrets: Secrets, notes: Notes, whose: str) -> Found:
    notes.conn_ids = account_ids(secrets)
    return right(f"{len(notes.conn_ids)}: {', '.join(notes.conn_ids)}.")


def _connection(secrets: Secrets, notes: Notes, whose: str) -> Found:
    account = account_from_connection(whose, secrets)
    notes.accounts[whose] = account
    return right(
        f"Enterprise {account.enterprise_id}, advertiser {account.advertiser_id}, {account.currency}, {account.sale_amount_basis}, "
        f"mode {account.mode.value}, at {account.tracking_url}."
    )


def _settings(secrets: Secrets, variables: Names, notes: Notes, whose: str) -> Found:
    notes.settings = settings_from_airflow(secrets=secrets, only=list(notes.accounts))
    modes = ", ".join(f"{a.conn_id} {notes.settings.effective_mode(a).value}" for a in notes.settings.accounts)
    sentence = f"A night would run in mode: {modes}."
    if unread := read_by_nothing(os.environ, variables()):
        return look(
            f"{' '.join(unread)} {sentence}", "Correct the name, or leave it if it is a Variable of your own. The README lists ours."
        )
    return right(sentence)


def _warehouse_connection(secrets: Secrets, notes: Notes, whose: str) -> Found:
    notes.location = warehouse_location(secrets)
    return right(f"It names {notes.location}.")


def _orders_connection(secrets: Secrets, notes: Notes, whose: str) -> Found:
    notes.orders = orders_source(secrets)
    return right("There is none: the orders are read from `warehouse`." if notes.orders is None else f"It names {notes.orders}.")


def _pools(slots: Slots | None, notes: Notes, whose: str) -> Found:
    if slots is None:
        raise NotAsked(f"a task has no way to Airflow's database; this one runs in {WAREHOUSE_POOL}, so that pool is there")
    found = slots()
    gone = [name for name, count in found.items() if count is None]
    if gone:
        return mend(
            f"There is no pool {' and no pool '.join(gone)}: Airflow never starts a task whose pool is not there.",
            "The scheduler makes them when it starts, where plugins_folder is this repository's `plugins`; or by hand: "
            + "; ".join(f"airflow pools set {name} {2 if name == SUBMIT_POOL else 1} cj" for name in gone),
        )
    told = ", ".join(f"{name} {count}" for name, count in found.items())
    embedded = hasattr(notes, "location") and bool(notes.location.path)
    if embedded and (found.get(WAREHOUSE_POOL) or 1) > 1:
        return look(
            f"Slots: {told}. A file has one writer, so tasks of {WAREHOUSE_POOL} would wait for each other.",
            f"airflow pools set {WAREHOUSE_POOL} 1 cj",
        )
    return right(f"Slots: {told}.")
