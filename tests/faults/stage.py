"""A night on stage: one shop, its warehouse and storage, a sandbox, and verbs that run in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from include.demo.files import load_order_changes
from include.sandbox.process import ROOT, SandboxProcess
from include.warehouse.base import WarehouseLocation, open_warehouse
from tests.faults.night_shop import NIGHT, RUNS_AT, NightShop
from tests.warehouses import create_table

HOUR = 3_700
DAY = timedelta(days=1)
CHUNK_SIZE = 5


@dataclass(frozen=True)
class Ended:
    """How a job ended: `ok`, `raised`, `killed` or `stopped` (frozen, not ended)."""

    how: str
    value: Any

    @property
    def kind(self) -> str:
        return str(self.value["kind"]) if self.how == "raised" else self.how


class Driver:
    """The forking server of `tests.faults.driver`."""

    def __init__(self, errors: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self._errors = errors.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, bufsize=1,
        )  # fmt: skip

    def start(self, job: dict[str, Any]) -> int:
        return int(self._ask({"start": job})["pid"])

    def wait(self, pid: int) -> Ended:
        told = self._ask({"wait": pid})
        return Ended(told["how"], told["value"])

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._errors.close()

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        told = self._process.stdout.readline()
        assert told, "the driver ended: see its log"
        return dict(json.loads(told))


@dataclass
class Stage:
    """Everything one test needs. `location` is as WarehouseLocation takes it."""

    sandbox: SandboxProcess
    driver: Driver
    shop: NightShop
    folder: Path
    location: dict[str, Any]
    others: list[NightShop] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    # -- setting up ----------------------------------------------------------------------------------------------------------------

    def raise_curtain(self) -> Stage:
        """CJ holds what the pixel reported; the warehouse holds the night; it is two o'clock."""
        shops = [self.shop, *self.others]
        self.sandbox.control.set_clock(RUNS_AT)
        self.sandbox.control.seed(accounts=[s.seed_account() for s in shops], orders=[o for s in shops for o in s.seed_orders()])
        self.load(pa.concat_tables([s.changes() for s in shops]))
        return self

    def load(self, changes: pa.Table) -> None:
        if self.location["kind"] == "duckdb":
            load_order_changes(Path(self.location["path"]), changes)
            return
        load_order_changes_into(WarehouseLocation(**self.location), changes)

    # -- the verbs -----------------------------------------------------------------------------------------------------------------

    def job(self, verb: str, night: int = 0, run_id: str | None = None, **more: Any) -> dict[str, Any]:
        start = NIGHT + night * DAY
        return {
            "verb": verb,
            "run": [run_id or f"night_{night}", start.isoformat(), (start + DAY).isoformat()],
            "accounts": [s.account(self.sandbox.url) for s in (self.shop, *self.others)],
            "storage": f"file://{self.folder}/storage",
            "location": self.location,
            "settings": {"chunk_size": CHUNK_SIZE, "ledger_days": 40, **self.settings},
        } | more  # fmt: skip

    def run(self, verb: str, night: int = 0, **more: Any) -> Ended:
        """One verb in a process of its own, to its end."""
        return self.driver.wait(self.driver.start(self.job(verb, night, **more)))

    def must(self, verb: str, night: int = 0, **more: Any) -> Any:
        ended = self.run(verb, night, **more)
        assert ended.how == "ok", f"{verb} was to succeed: {ended}"
        return ended.value

    def submit_all(self, prepared: dict[str, Any], night: int = 0, **more: Any) -> list[dict[str, Any]]:
        return [self.must("submit", night, batch=batch, **more) for batch in prepared["batches"]]

    def play(self, night: int = 0, **more: Any) -> dict[str, Any]:
        """A whole run without faults; returns what `prepare` returned."""
        prepared = self.must("prepare", night, **more)
        self.submit_all(prepared, night, **more)
        self.must("publish", night, **more)
        return dict(prepared)

    def reconcile(self, **more: Any) -> Any:
        return self.must("reconcile", reconciliation="morning", **more)

    # -- looking -------------------------------------------------------------------------------------------------------------------

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        with open_warehouse(WarehouseLocation(**self.location)) as session:
            return session.rows(sql, params)

    def execute(self, sql: str) -> None:
        with open_warehouse(WarehouseLocation(**self.location)) as session:
            session.execute(sql)

    def received(self) -> list[dict[str, Any]]:
        """Live orders CJ received from this shop, oldest first."""
        return [s for s in self.sandbox.control.submissions() if s["enterprise_id"] == self.shop.enterprise]

    def posts(self) -> Counter[str]:
        return Counter(str(s["order_id"]) for s in self.received())

    def held(self) -> dict[str, dict[str, Any]]:
        """What CJ holds of this shop, by order id."""
        return {str(o["order_id"]): o for o in self.sandbox.control.orders() if o["enterprise_id"] == self.shop.enterprise}


def load_order_changes_into(location: WarehouseLocation, changes: pa.Table) -> None:
    """The table `order_changes` of a PostgreSQL, anew."""
    with open_warehouse(location) as session, session.transaction():
        session.execute("DROP TABLE IF EXISTS order_changes")
        session.execute(create_table("order_changes", changes.schema))
        session.append("order_changes", changes)


@contextmanager
def holding_the_file(path: str) -> Iterator[None]:
    """Another process has the DuckDB file open, as a notebook would."""
    code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        yield
    finally:
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(30)
