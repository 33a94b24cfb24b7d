"""In Test Mode nothing is mended, and a review says so: it promises no sending, and puts nothing off for a correction that never comes."""

from __future__ import annotations

from include.domain.states import Mode
from include.restatements.prelock.words import headline
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.prelock.planted import fill, findings, planted, reviewed, rows
from tests.restatements.prelock.test_extension import listed
from tests.restatements.prelock.test_pack import text_of


def test_a_review_of_an_account_in_test_mode_promises_no_sending(world: WorldOn) -> None:
    orders = planted()
    fill(world, orders)
    live, made = reviewed(world), reviewed(world, "review_2", mode=Mode.TEST)
    assert "the night sends 2 of them." in headline(live.pack)
    said = "the night asks CJ about 2 of them in Test Mode and mends none of those."
    assert said in headline(made.pack) and "the night sends" not in headline(made.pack) and said in text_of(made.files)
    (near,) = (lock for lock in made.pack.locks if lock.near)
    assert (near.to_send, near.tested, near.wrong) == (0, 2, 7)
    assert {findings(world)[name] for name in ("restated", "cancelled")} == {("to_send", "chosen")}
    assert "where the account is live, sends it" in listed(made.files)["restated"]["what_to_do"]
    assert rows(world, "SELECT COUNT(*) AS n FROM cj.replan_news") == [{"n": 2}]
