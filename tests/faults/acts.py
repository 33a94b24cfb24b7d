"""Playing the matrix: many cells share a warehouse, a plan or a copy of one, so that the whole takes a minute. Each has a shop of its own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.matrix import ANSWERS, HTTP, NO_VERDICT, PROCESS, SHOWN, TIMEOUT, Cell, http_faults, nth
from tests.faults.night_shop import NightShop
from tests.faults.stage import HOUR, Ended, Stage, holding_the_file

NewShop = Callable[..., NightShop]
RECONCILIATION = "morning"


@dataclass
class Played:
    """One cell: its shop, how the faulty attempt ended, and how many orders had an unknown outcome before the reconciliation and were late at it."""

    cell: Cell
    shop: NightShop
    run_id: str
    faulty: Ended
    unknown: int = 0
    late: int = 0
    stage: Stage | None = None


@dataclass
class Act:
    """All cells of one verb after their faults, retries, CJ's hour, the reconciliation, and the next night where an outcome was unknown."""

    stage: Stage
    played: dict[Cell, Played] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    held: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)


def with_fault(stage: Stage, cell: Cell, job: Callable[..., dict[str, Any]]) -> Ended:
    """The verb, once, while the cell's fault is on."""
    if cell.way in PROCESS:
        return run(stage, job(stop={"at": cell.step, "how": PROCESS[cell.way], "nth": nth(cell)}))
    if cell.way in HTTP or cell.way in ANSWERS:
        stage.sandbox.control.add_faults(http_faults(cell))
        ended = run(stage, job(timeout=TIMEOUT) if cell.way == "slow" else job())
        stage.sandbox.control.clear_faults()
        return ended
    if cell.way in SHOWN:
        ids = [story.order_id for shop in (stage.shop, *stage.others) for story in shop.stories]
        stage.sandbox.control.add_faults([SHOWN[cell.way] | {"order_ids": ids}])
        ended = run(stage, job())
        stage.sandbox.control.clear_faults()
        return ended
    short = {"location": stage.location | {"wait_seconds": 0.1}}
    if cell.step == "start":
        with holding_the_file(stage.location["path"]):
            return run(stage, job(**short))
    pid = stage.driver.start(job(stop={"at": cell.step, "how": "freeze"}, **short))
    assert stage.driver.wait(pid).how == "stopped"
    with holding_the_file(stage.location["path"]):
        thaw(pid)
        return stage.driver.wait(pid)


def run(stage: Stage, job: dict[str, Any]) -> Ended:
    return stage.driver.wait(stage.driver.start(job))


def thaw(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)


def must(stage: Stage, job: dict[str, Any]) -> Any:
    ended = run(stage, job)
    assert ended.how == "ok", f"{job['verb']} was to succeed on its retry: {ended}"
    return ended.value


# -- the acts --------------------------------------------------------------------------------------------------------------------------


def act_of_prepare(stage: Stage, cells: Iterable[Cell], new_shop: NewShop) -> Act:
    """A shop and a run each. `prepare` meets the fault, is run again, and what it planned is submitted and published."""
    act = Act(stage)
    for together in _together(cells):
        shop, run_id = _entrance(stage, new_shop(invalid=together[0].way == "kill")), f"night-{together[0]}"
        job = _for(stage, shop, run_id)
        for cell in together:
            act.played[cell] = Played(cell, shop, run_id, with_fault(stage, cell, lambda **more: job("prepare", **more)))  # noqa: B023
        prepared = must(stage, job("prepare"))
        for batch in prepared["batches"]:
            must(stage, job("submit", batch=batch))
        must(stage, job("publish"))
    return _ending(act)


def act_of_submit(stage: Stage, cells: Iterable[Cell], new_shop: NewShop) -> Act:
    """One plan for all shops; each cell submits its own shop's batch under its fault, then again."""
    act = Act(stage)
    cells = list(cells)
    shops = [new_shop() for _ in cells]
    stage.shop, stage.others = shops[0], shops[1:]
    stage.raise_curtain()
    prepared = must(stage, stage.job("prepare"))
    batches = {batch[0]: batch for batch in prepared["batches"]}
    for cell, shop, batch in zip(cells, shops, batches.values(), strict=True):
        job = lambda **more: stage.job("submit", batch=batch) | {"accounts": stage.job("submit")["accounts"]} | more  # noqa: B023, E731
        faulty = with_fault(stage, cell, job)
        act.played[cell] = Played(cell, shop, "night_0", faulty)
        must(stage, job())
    must(stage, stage.job("publish"))
    return _ending(act)


def act_of_publish(stage: Stage, cells: Iterable[Cell], new_shop: NewShop) -> Act:
    """One night, submitted; each cell publishes into a copy of its warehouse under its fault, then again. One more copy meets no fault."""
    act = Act(stage)
    shop = _entrance(stage, new_shop())
    _play_until_submitted(stage)
    for cell in cells:
        copy = _copy(stage, str(cell))
        faulty = with_fault(copy, cell, lambda **more: copy.job("publish", **more))  # noqa: B023
        act.played[cell] = Played(cell, shop, "night_0", faulty, stage=copy)
        must(copy, copy.job("publish"))
    must(stage, stage.job("publish"))
    stage.sandbox.control.advance(HOUR)
    return _look(act)


def act_of_reconcile(stage: Stage, cells: Iterable[Cell], new_shop: NewShop) -> Act:
    """One night, published, its hour over, a chunk's outcome unknown; a copy of its warehouse is reconciled under the fault, then again."""
    act = Act(stage)
    shop = _entrance(stage, new_shop())
    _play_until_submitted(stage, {"kind": "cut_after", "path": "/graphql", "operation": "restateOrders"})
    must(stage, stage.job("publish"))
    unknown = _unknown(stage, shop)
    stage.sandbox.control.advance(HOUR)
    for together in _together(cells):
        copy = _copy(stage, str(together[0]))
        job = lambda **more: copy.job("reconcile", reconciliation=RECONCILIATION, **more)  # noqa: B023, E731
        for cell in together:
            act.played[cell] = Played(cell, shop, "night_0", with_fault(copy, cell, job), unknown, stage=copy)
        must(copy, job())
    return _look(act)


# -- what they share -------------------------------------------------------------------------------------------------------------------


def _together(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    """Faults of a reading follow each other on one shop, attempt after attempt: none leaves anything behind but what was read. The rest stand alone."""
    readings: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.way in HTTP:
            readings.setdefault(cell.step, []).append(cell)
        else:
            yield [cell]
    yield from readings.values()


def _play_until_submitted(stage: Stage, *faults: dict[str, Any]) -> None:
    prepared = must(stage, stage.job("prepare"))
    stage.sandbox.control.add_faults(faults)
    for batch in prepared["batches"]:
        must(stage, stage.job("submit", batch=batch))
    stage.sandbox.control.clear_faults()


def _for(stage: Stage, shop: NightShop, run_id: str) -> Callable[..., dict[str, Any]]:
    """Jobs of a run that knows this shop's account only."""

    def job(verb: str, **more: Any) -> dict[str, Any]:
        return stage.job(verb, run_id=run_id) | {"accounts": [shop.account(stage.sandbox.url)]} | more

    return job


def _entrance(stage: Stage, shop: NightShop) -> NightShop:
    stage.shop = shop
    stage.raise_curtain()
    return shop


def _copy(stage: Stage, name: str) -> Stage:
    """The same night with a warehouse and a storage of its own."""
    folder = stage.folder / name
    folder.mkdir()
    file = Path(stage.location["path"])
    shutil.copy(file, folder / file.name)
    shutil.copytree(stage.folder / "storage", folder / "storage")
    return Stage(stage.sandbox, stage.driver, stage.shop, folder, stage.location | {"path": str(folder / file.name)}, stage.others)


def _ending(act: Act) -> Act:
    """CJ's hour, the reconciliation; the next night for what had no outcome, its hour, and the next reconciliation."""
    stage = act.stage
    shops = list({played.shop.number: played.shop for played in act.played.values()}.values())
    stage.shop, stage.others = shops[0], shops[1:]
    for played in act.played.values():
        played.unknown = _unknown(stage, played.shop)
    stage.sandbox.control.advance(HOUR)
    must(stage, stage.job("reconcile", reconciliation=RECONCILIATION))
    for played in act.played.values():
        played.late = _count(stage, "reconciliation", "status = 'late'", played.shop)
    if any(played.unknown or played.late for played in act.played.values()):
        stage.sandbox.control.advance(24 * HOUR)  # by then the last days were read again without the cursor
        stage.play(1)
        stage.sandbox.control.advance(HOUR)
        must(stage, stage.job("reconcile", reconciliation="next morning"))
    return _look(act)


def _look(act: Act) -> Act:
    act.received = list(act.stage.sandbox.control.submissions())
    for order in act.stage.sandbox.control.orders():
        act.held.setdefault(str(order["enterprise_id"]), {})[str(order["order_id"])] = order
    return act


def _unknown(stage: Stage, shop: NightShop) -> int:
    return _count(stage, "submissions", "outcome = 'unknown'", shop)


def _count(stage: Stage, table: str, which: str, shop: NightShop) -> int:
    sql = f"SELECT COUNT(*) AS n FROM cj.{table} WHERE {which} AND enterprise_id = :enterprise"
    return int(stage.rows(sql, enterprise=shop.enterprise)[0]["n"])


def was_to_end(cell: Cell) -> frozenset[str]:
    """How the faulty attempt may end: a fault that nobody notices proves nothing."""
    if cell.way == "kill":
        return frozenset({"killed"})
    if cell.way == "exception":
        return frozenset({"Broken"})
    if cell.way == "disk full" and cell.step in ("after_commit", "after_report"):
        return frozenset({"ok"})  # nothing is left to write: the night has no case
    if cell.way == "disk full" and cell.step == "before_cases_commit":
        return frozenset({"ok", "StorageError", "WarehouseUnavailable"})  # the report, which is written beside, may be done or not
    if cell.way == "no warehouse":
        return frozenset({"WarehouseUnavailable"})
    if cell.way in SHOWN:
        return frozenset({"ok"})  # the reconciliation is what meets it
    if cell.way == "clock":
        return frozenset({"ok"})  # nobody can see it; what it must not do is change what comes of the night
    if cell.step == "Test Mode" and cell.way == "504":
        return frozenset({"ok"})  # CJ: too large; asked again in halves
    if cell.step == "live" and cell.way in NO_VERDICT:
        return frozenset({"ok"})
    return frozenset()
