"""Every account's ledger is read in turn; one that fails is named with its reason, and holds no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.cj.errors import CJError, CJInvalidToken
from include.domain.account import Account, Token
from include.domain.errors import RestatementsError, WarehouseError
from include.restatements.ledger.accounts import read_accounts, read_ledgers
from tests.model.histories import pixel_order
from tests.model.world import BEGIN, Options, World
from tests.restatements.nights import NewWorld, placed


@pytest.fixture
def world(new_world: NewWorld) -> World:
    """CJ holds one order of the account's."""
    made = new_world(Options())
    order = placed()
    made.pixel([pixel_order(order, order.event_time)])
    return made


@pytest.fixture
def good(world: World) -> Account:
    return world.settings.accounts[0]


@pytest.fixture
def refused(good: Account) -> Account:
    return replace(good, conn_id="refused", token=Token("gone"), enterprise_id="1599999", advertiser_id="5599999")


def test_the_accounts_that_answer_are_read_and_the_others_are_named(world: World, good: Account, refused: Account) -> None:
    read = read_accounts((refused, good), world.location, world.settings)
    assert read.reached == (good,)
    assert [(one.advertiser_id, one.records) for one in read.readings] == [(good.advertiser_id, 1)]
    ((failed,),) = (read.failures,)
    assert failed.account == refused
    assert isinstance(failed.error, CJInvalidToken)
    assert "'refused'" not in str(failed.error)
    assert str(failed.named).startswith("Connection 'refused': ")


def test_the_present_is_cjs_where_an_account_answered(world: World, good: Account, refused: Account) -> None:
    assert abs((read_accounts((good, refused), world.location, world.settings).now - BEGIN).total_seconds()) < 600
    ours = read_accounts((refused,), world.location, world.settings)
    assert (ours.reached, ours.readings, len(ours.failures)) == ((), (), 1)
    assert abs((ours.now - BEGIN).total_seconds()) > 86_400


def test_only_what_is_passed_over_leaves_an_account_out(world: World, good: Account) -> None:
    def stop(step: str) -> None:
        raise WarehouseError("The disk is full.")

    with pytest.raises(WarehouseError, match="disk is full"):
        read_accounts((good,), world.location, world.settings, checkpoint=stop)
    read = read_accounts((good,), world.location, world.settings, checkpoint=stop, passed_over=RestatementsError)
    assert (read.reached, [str(failed.named) for failed in read.failures]) == ((), ["The disk is full."])


def test_the_ledgers_dag_reads_all_it_can_and_then_raises_the_first_failure(world: World, good: Account, refused: Account) -> None:
    settings = replace(world.settings, accounts=(refused, good))
    with pytest.raises(CJError, match=r"^Connection 'refused': "):
        read_ledgers(settings, world.location)
    assert world.rows("SELECT advertiser_id FROM cj.commissions") == [{"advertiser_id": good.advertiser_id}]
    (counts,) = read_ledgers(settings, world.location, conn_id=good.conn_id).values()
    assert counts["appended"] == 0  # type: ignore[index]
