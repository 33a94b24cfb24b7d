"""The two tasks around the lock, as Airflow runs them: the review leaves the pages a newer copy, and a sign-off is of whoever triggered its run."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from include.airflow.prelock import review_before_lock, sign_off
from include.warehouse.base import open_for_reading
from tests.model.world import Options, World
from tests.restatements.nights import NewWorld
from tests.restatements.prelock.planted import PLACED, SUBSCRIPTION, pixel_order, planted


@pytest.fixture
def world(new_world: NewWorld, monkeypatch: pytest.MonkeyPatch) -> World:
    made = new_world(Options())
    (account,) = made.settings.accounts
    extra = {
        "enterprise_id": account.enterprise_id, "advertiser_id": account.advertiser_id, "mode": "live", "tracking_url": account.tracking_url,
        "commissions_url": account.commissions_url, "extension_subscription_id": SUBSCRIPTION,
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_CJ", json.dumps({"conn_type": "http", "password": account.token.reveal(), "extra": extra}))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(made.path)}))
    for name, value in {"CONN_IDS": '["cj"]', "STORAGE": made.settings.storage, "RETURN_DAYS": "20"}.items():
        monkeypatch.setenv(f"AIRFLOW_VAR_CJ_{name}", value)
    return made


def context(run_id: str, who: str = "ursula", **conf: Any) -> dict[str, Any]:
    return {"dag_run": SimpleNamespace(conf=conf, triggering_user_name=who), "params": conf, "run_id": run_id}


def test_a_review_and_its_sign_off_as_airflow_runs_them(world: World) -> None:
    order = planted()["restated"]
    world.pixel([pixel_order(order.states[0], PLACED)])
    world.append(order.states)
    made = review_before_lock(context("scheduled__1", days_before_lock=3))
    assert made["findings"] == {"to_send": 1}
    with open_for_reading(world.location, 5) as session:
        (sweep,) = session.rows("SELECT digest, days_before_lock FROM cj.prelock_sweeps")
    assert sweep == {"digest": made["digest"], "days_before_lock": 3}  # the lock is eight days away
    again = review_before_lock(context("scheduled__2", days_before_lock=None))
    assert again["digest"] != made["digest"]
    assert sign_off(context("manual__1", digest=again["digest"], note="Seen.")) == {"digest": again["digest"], "by": "ursula"}
    with open_for_reading(world.location, 5) as session:
        assert session.rows("SELECT digest, reviewed_by, note FROM cj.prelock_reviews") == [
            {"digest": again["digest"], "reviewed_by": "ursula", "note": "Seen."}
        ]
