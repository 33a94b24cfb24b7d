"""A break of an order that CJ never had is looked for in the warehouse as far back as its state is, and what is said of it is true of both sides."""

from __future__ import annotations

from datetime import timedelta

from include.restatements.prelock.words import swept_words
from include.warehouse.base import open_warehouse
from tests.model.histories import FIXED_DATE
from tests.model.shop import Change
from tests.restatements.both_warehouses import WorldOn
from tests.restatements.prelock.planted import PLACED, Planted, fill, findings, order, planted, reviewed
from tests.restatements.prelock.test_extension import listed

LONG_AGO = PLACED - timedelta(days=50)


def missing(world: WorldOn, lost: Change) -> None:
    """A create that CJ never showed, as a reconciliation judged it."""
    with open_warehouse(world.location) as session:
        session.create_tables()
        session.execute(
            "INSERT INTO cj.reconciliation (run_id, advertiser_id, enterprise_id, action_tracker_id, order_id, updated_at, operation, status, reason, "
            "submitted_amount, currency, submitted_at, commission_at_risk, attempts, within_band, checked_at, plan_number) "
            "VALUES ('r', :advertiser, :enterprise, :tracker, :order_id, :updated_at, 'create', 'missing', 'unknown', 100, 'USD', :at, 10, 1, FALSE, :at, 1)",
            {
                "advertiser": world.advertiser, "enterprise": world.enterprise, "tracker": FIXED_DATE, "order_id": lost.key.order_id,
                "updated_at": lost.updated_at, "at": world.now() - timedelta(days=5),
            },
        )  # fmt: skip


def test_an_old_break_is_found_in_the_warehouse_and_one_that_nobody_has_is_said_to_be_nowhere(world: WorldOn) -> None:
    lost, gone = (order(name, event_time=LONG_AGO, updated_at=LONG_AGO) for name in ("lost-create", "gone"))
    agrees = planted()["agrees"]
    fill(world, {"agrees": agrees, "lost-create": Planted(None, (lost,), "", None)})
    missing(world, lost)
    missing(world, gone)
    made = reviewed(world)
    found = findings(world)
    assert found["gone"] == ("nowhere", None)
    assert found["lost-create"][0] not in ("not_in_warehouse", "nowhere")
    assert "neither side has a record" in listed(made.files)["gone"]["meaning"]
    assert swept_words(made.pack).endswith("1 that neither side has.")
    assert made.pack.breaks[0].orders == 2
