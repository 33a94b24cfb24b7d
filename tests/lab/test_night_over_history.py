"""A usual night on what many nights left: whatever grows with history is found by an index, in every statement of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from include.demo.files import TOKEN
from include.restatements.ledger.accounts import read_ledgers
from include.restatements.prepare import prepare
from include.restatements.publish import publish
from include.restatements.reconcile import reconcile
from include.restatements.submit import submit
from include.warehouse import postgres_warehouse
from include.warehouse.base import Params, WarehouseLocation, open_warehouse
from include.warehouse.postgres_warehouse import PostgresSession
from include.warehouse.sqltext import names
from lab.bench import ours
from lab.bench.ground import NIGHT, lay, postgres, sandbox_of, scratch, seed_sandbox
from lab.bench.history import History, fill
from lab.bench.night import after_the_hour

GROWING = {"submissions", "commissions", "reconciliation", "verdicts_log", "order_changes"}
"""With every order; what is skipped is kept for a settable time, and of a run there is a row."""
OF_ITS_NIGHTS = "INSERT INTO cj.report_elsewhere"
"""A report is about its thirty nights, which are a ninth of this history: too much of it for an index."""
PLANNABLE = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b")


class Watched:
    """What of the growing tables the statements of a night read whole."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.statements = 0

    def look(self, session: PostgresSession, sql: str, params: Params) -> None:
        for statement in filter(PLANNABLE.match, re.sub(r"--[^\n]*", "", sql).split(";")):
            if statement.strip().startswith(OF_ITS_NIGHTS):
                continue
            self.statements += 1
            plan = explained(session, statement, {name: params[name] for name in names(statement)})
            self.read += [f"{table} by: {statement.strip()[:300]}" for table in re.findall(r"Seq Scan on (\w+)", plan) if table in GROWING]


def test_no_statement_of_a_night_reads_whole_what_grows_with_history(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    with scratch() as folder, postgres(folder) as server:
        ground = lay(server, folder, 300)
        seed_sandbox(ground)
        location = WarehouseLocation("postgres", uri=ground.uri)
        with open_warehouse(location) as session:
            session.create_tables()
            fill(session, History(submissions=100_000, runs=200))
        with sandbox_of(ground, "ours") as sandbox:
            sandbox.control.configure(rate_limit=False)
            sandbox.control.set_clock(NIGHT)
            wanted = ours.settings(sandbox.url, TOKEN, f"{ground.folder}/storage")
            read_ledgers(wanted, location, (NIGHT - timedelta(days=30)).date())
            _watch(monkeypatch, watched)
            plan = prepare(ours.RUN, wanted, location)
            assert sum(submit(ours.RUN, wanted, batch).accepted for batch in plan.batches) == 225
            publish(ours.RUN, wanted, location)
            after_the_hour(sandbox.url)
            assert reconcile(wanted, location, "a night").counts["matched"] >= 225
    assert watched.statements > 50
    assert watched.read == []


def explained(session: PostgresSession, statement: str, params: Params) -> str:
    """How the server would run it, asked beside what the session has open."""
    text, values = postgres_warehouse.bound(statement, params)
    with session._in_a_transaction(), session._connection.cursor() as cursor:
        postgres_warehouse._without_copy(cursor)
        cursor.execute(f"EXPLAIN {text}", values)
        return "\n".join(cursor.fetch_arrow_table().column(0).to_pylist())


def _watch(monkeypatch: pytest.MonkeyPatch, watched: Watched) -> None:
    def watch(name: str) -> None:
        real = getattr(PostgresSession, name)

        def run(self: PostgresSession, sql: str, params: Params) -> object:
            watched.look(self, sql, params)
            return real(self, sql, params)

        monkeypatch.setattr(PostgresSession, name, run)

    watch("_run_here")
    watch("_fetch")
