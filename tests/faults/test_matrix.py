"""Whatever goes wrong at whatever step, the ordinary retry, CJ's hour and a reconciliation bring CJ to what the warehouse says, each change sent once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.sandbox.process import SandboxProcess
from tests.faults import promises
from tests.faults.acts import (
    Act,
    act_of_prepare,
    act_of_publish,
    act_of_reconcile,
    act_of_submit,
    was_to_end,
)
from tests.faults.matrix import NO_VERDICT, SHOWN, Cell, cells
from tests.faults.night_shop import NightShop
from tests.faults.stage import Driver, Stage

pytestmark = pytest.mark.timeout(1_200)  # the first cell of a verb plays its whole act

Play = Callable[[Cell], Act]
ACTS = {"prepare": act_of_prepare, "submit": act_of_submit, "publish": act_of_publish, "reconcile": act_of_reconcile}


@pytest.fixture(scope="module")
def play(
    request: pytest.FixtureRequest, faulty_cj: SandboxProcess, driver: Driver, new_shop: Callable[..., NightShop], tmp_path_factory: Any
) -> Iterator[Play]:
    """Plays an act when its first cell asks for it, with the cells this session has selected."""
    params = [i.callspec.params for i in request.session.items if hasattr(i, "callspec")]
    selected = list(dict.fromkeys(p["cell"] for p in params if isinstance(p.get("cell"), Cell)))
    acts: dict[str, Act] = {}

    def played(cell: Cell) -> Act:
        if cell.verb not in acts:
            stage = _stage(faulty_cj, driver, new_shop(), tmp_path_factory.mktemp(cell.verb))
            acts[cell.verb] = ACTS[cell.verb](stage, [c for c in selected if c.verb == cell.verb] or [cell], new_shop)
        return acts[cell.verb]

    yield played
    faulty_cj.control.clear_faults()


def _stage(sandbox: SandboxProcess, driver: Driver, shop: NightShop, folder: Path) -> Stage:
    location = {"kind": "duckdb", "path": str(folder / "warehouse.duckdb"), "wait_seconds": 20.0}
    return Stage(sandbox, driver, shop, folder, location, settings={"chunks_per_task": 50})


@pytest.mark.parametrize("cell", [c for verb in ACTS for c in cells(verb)], ids=str)
def test_after_a_fault_and_its_retry_cj_holds_what_the_warehouse_says(cell: Cell, play: Play, told: dict[Any, str]) -> None:
    told[cell] = "NOT"
    act = play(cell)
    mine = act.played[cell]
    stage = mine.stage or act.stage

    expected = was_to_end(cell)
    assert mine.faulty.kind in expected if expected else mine.faulty.how == "raised", f"the fault was to be felt: {mine.faulty}"
    if cell.step == "live":
        assert bool(mine.unknown) is (cell.way in NO_VERDICT), f"{mine.unknown} orders had an unknown outcome"
    if cell.way in SHOWN:
        assert mine.late, "what CJ did and does not show yet was to be late"

    promises.assert_cj_holds_what_the_warehouse_says(mine.shop, act.held[mine.shop.enterprise])
    promises.assert_each_change_arrived_once(mine.shop, act.received)
    promises.assert_every_order_is_in_one_table(stage, mine.shop, mine.run_id)
    promises.assert_nothing_is_accepted_that_was_not(stage, mine.shop, act.received)
    if cell.verb == "publish":
        assert promises.tables(stage) == promises.tables(act.stage), "a publish that met a fault and its retry load what one alone loads"
    else:
        promises.assert_all_matched(stage, mine.shop)
    told[cell] = f"ok 1 +{mine.unknown}u" if mine.unknown else "ok 1"


@pytest.mark.parametrize("verb", list(ACTS))
def test_the_tables_of_the_whole_act_can_be_rebuilt_from_its_journal(verb: str, play: Play) -> None:
    act = play(cells(verb)[0])
    stage = next((p.stage for p in act.played.values() if p.stage and p.cell.verb == "reconcile"), None) or act.stage
    stage.must("reconcile", reconciliation="before the rebuild")
    promises.assert_rebuilt_alike(stage)
