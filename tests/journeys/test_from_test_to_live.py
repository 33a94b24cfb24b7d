"""A night that was rehearsed in mode test and is run again live is sent: the rehearsal's answer does not stand in its way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from include.domain.states import Mode
from include.restatements.settings import Run
from include.sandbox.process import start_sandbox
from include.warehouse.base import WarehouseLocation
from lab.night import run_night
from lab.real_month import settings_for

LOG = """
CREATE TABLE order_changes AS SELECT '1500001' AS enterprise_id, 401 AS action_tracker_id, 'SO-1' AS order_id, 'new' AS change_type,
    $at::timestamptz AS event_time, $at::timestamptz AS updated_at, 10.00::decimal(38, 10) AS amount, NULL::decimal(38, 10) AS discount,
    'USD' AS currency, NULL::text AS coupon, NULL::text AS items, NULL::text AS status, NULL::text AS correction_reason, 'event1' AS cj_event,
    NULL::bigint AS ad_id, NULL::bigint AS promotional_property_id, NULL::text AS sid, NULL::text AS custom_parameters,
    NULL::text AS vertical_parameters
"""


def test_a_rehearsed_night_goes_live_under_the_same_run_id(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute(LOG, {"at": now - timedelta(hours=3)})
    location = WarehouseLocation("duckdb", path=str(tmp_path / "w.duckdb"))
    run = Run("manual__1", now - timedelta(hours=24), now - timedelta(hours=1))
    with start_sandbox(tmp_path / "cj.sqlite") as sandbox:
        live = settings_for(sandbox.url, tmp_path / "storage")
        tested = run_night(run, replace(live, mode=Mode.TEST), location)
        assert (tested.published.counts["accepted"], tested.published.due_at) == (1, None)
        assert list(sandbox.control.submissions()) == []
        for _ in range(2):
            sent = run_night(run, live, location)
            assert sent.published.incomplete == 0
            assert [update["order_id"] for update in sandbox.control.submissions()] == ["SO-1"]
