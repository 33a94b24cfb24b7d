"""The figures of a reconciliation as Airflow metrics, over StatsD or OpenTelemetry, as Airflow is configured; nothing where it is not.

cj.orders.<status>          orders of the last thirty nights by verdict
cj.breaks                   mismatched and missing together
cj.money_at_risk            commission and fee at risk in this round, in the advertisers' currencies added as they stand
cj.posting_lag_seconds.p50  how long CJ took to post; also p90
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from include.airflow.warehouse import warehouse_location
from include.domain.states import BREAKS, Status

log = logging.getLogger(__name__)


def gauges_of(counts: Mapping[str, int], round_: Mapping[str, object]) -> dict[str, float]:
    """Name → value. `round_` is the row of cj.reconciliation_runs; what it does not know is left out."""
    gauges = {f"cj.orders.{status.value}": float(counts.get(status.value, 0)) for status in Status}
    gauges["cj.breaks"] = float(sum(counts.get(status.value, 0) for status in BREAKS))
    known = {
        "cj.money_at_risk": round_.get("commission_at_risk"),
        "cj.posting_lag_seconds.p50": round_.get("posting_lag_p50_seconds"),
        "cj.posting_lag_seconds.p90": round_.get("posting_lag_p90_seconds"),
    }
    return gauges | {name: float(str(value)) for name, value in known.items() if value is not None}


def measure(run_id: str, counts: Mapping[str, int]) -> None:
    """Hands the figures of the reconciliation `run_id` to Airflow. What goes wrong with it is a line of the log."""
    from airflow.sdk.observability.stats import gauge

    from include.warehouse.base import open_warehouse

    try:
        with open_warehouse(warehouse_location()) as session:
            rows = session.rows(
                "SELECT commission_at_risk, posting_lag_p50_seconds, posting_lag_p90_seconds FROM cj.reconciliation_runs "
                "WHERE reconciliation_run_id = :run_id",
                {"run_id": run_id},
            )
        for name, value in gauges_of(counts, rows[0] if rows else {}).items():
            gauge(name, value)
    except Exception as error:  # noqa: BLE001 - nothing here may fail what it is told of
        log.warning("The metrics of this reconciliation were not handed on: %s: %s", type(error).__name__, error)
