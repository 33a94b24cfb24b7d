"""How an account stands is kept where it changes, and the last change is told by its number: whatever clocks say."""

from __future__ import annotations

from include.domain.account import Account, Token
from include.restatements.ledger.states import AccountAsked, note
from include.restatements.settings import Settings
from include.warehouse.base import WarehouseLocation, open_warehouse

ACCOUNT = Account("cj", "1500001", "5500001", Token("token"))


def test_only_a_change_is_kept_and_the_last_one_counts_though_another_machines_clock_was_ahead(location: WarehouseLocation) -> None:
    settings = Settings(accounts=(ACCOUNT,), storage="file:///tmp")
    with open_warehouse(location) as session:
        session.create_tables()
    for said in (None, None, "refused"):
        note(location, settings, [AccountAsked(ACCOUNT, said)])
    with open_warehouse(location) as session:
        session.execute("UPDATE cj.account_states SET seen_at = seen_at + INTERVAL '1 day' WHERE change = 1")
    for said in ("refused", None):
        note(location, settings, [AccountAsked(ACCOUNT, said)])
    with open_warehouse(location) as session:
        rows = session.rows("SELECT change, reached, said FROM cj.account_states ORDER BY change")
    assert [(row["change"], row["reached"], row["said"]) for row in rows] == [(1, True, None), (2, False, "refused"), (3, True, None)]
