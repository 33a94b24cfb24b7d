"""An account that cannot be read for some days loses nothing by it: what was found of it stays, as of then, and what CJ locked meanwhile is still told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from include.domain.account import Account, Token
from include.restatements.prelock.review import Made, review
from include.restatements.prelock.words import headline
from include.sandbox.process import SandboxProcess
from tests.model.world import BEGIN, Options, World
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.prelock.planted import fill, findings, planted, settings

ANOTHER = 790
"""The number of another shop at the same CJ."""


def test_its_orders_stay_as_of_then_and_what_locked_meanwhile_is_told_of(world: WorldOn, cj: SandboxProcess, tmp_path: Path) -> None:
    other = World(cj, tmp_path / "other", ANOTHER, Options())
    (another,) = other.settings.accounts

    def with_it(run_id: str, read: bool) -> Made:
        mine = settings(world)
        (account,) = mine.accounts
        if not read:
            account = replace(account, token=Token("refused"))
        second: Account = replace(another, conn_id="cj_other")
        return review(replace(mine, accounts=(account, second)), world.location, run_id)

    fill(world, planted())
    first = with_it("review_1", read=True)
    found = findings(world)
    for days, run_id in ((1, "review_2"), (16, "review_3")):
        world.advance(timedelta(days=days))
        made = with_it(run_id, read=False)
        assert findings(world) == found
        kept = {one.advertiser_id: one.as_of for one in made.pack.accounts}
        assert kept == {world.advertiser: first.pack.reviewed_at, another.advertiser_id: None}
        assert any("are shown as the review of 2026-03-0" in problem for problem in made.pack.problems)
        assert {one.word: one.orders for one in made.pack.extensions} == {one.word: one.orders for one in first.pack.extensions}
        assert "the night sends 0 of them" in headline(made.pack) if days == 1 else "Nothing locks" in headline(made.pack)
    assert world.now() > BEGIN + timedelta(days=16)  # CJ's month locked a week ago
    world.advance(timedelta(days=1))
    again = with_it("review_4", read=True)
    assert {findings(world)[name][0] for name in ("restated", "cancelled")} == {"too_late"}
    assert all(one.as_of is None for one in again.pack.accounts) and again.pack.problems == ()
