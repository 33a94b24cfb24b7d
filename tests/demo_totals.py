"""What a night of the demo came to, in figures that a person can go through: counts, reasons and money, and nothing that a clock decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from include.domain.money import money_text
from include.warehouse.base import WarehouseLocation, open_warehouse
from lab.night import NightPlayed

_SENT = """
    SELECT operation, mode, outcome, COALESCE(currency, '') AS currency, COUNT(*) AS orders, SUM(amount) AS amount, SUM(COALESCE(discount, 0)) AS discount
    FROM cj.submissions WHERE run_id = :run_id GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
_HELD_BACK = "SELECT stage, reason, COUNT(*) AS orders FROM cj.quarantine WHERE run_id = :run_id GROUP BY 1, 2 ORDER BY 1, 2"
_SKIPPED = "SELECT reason, COUNT(*) AS orders FROM cj.skipped WHERE run_id = :run_id GROUP BY 1 ORDER BY 1"
_BY_TITLE = {"sent": _SENT, "quarantined": _HELD_BACK, "skipped": _SKIPPED}
_RUN = """
    SELECT orders, awaiting, late, matched, mismatched, missing, superseded, submitted_amount, matched_amount, commission_at_risk,
        other_basis_matches_all
    FROM cj.reconciliation_runs WHERE reconciliation_run_id = :run_id
"""
_VERDICTS = """
    SELECT status, COALESCE(reason, '') AS reason, operation, COUNT(*) AS orders, SUM(submitted_amount) AS submitted, SUM(posted_amount) AS posted,
        SUM(difference) AS difference, SUM(commission_at_risk) AS at_risk, SUM(attempts) AS attempts, SUM(CASE WHEN within_band THEN 1 ELSE 0 END) AS converted
    FROM cj.reconciliation GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_HELD = """
    SELECT COUNT(*) AS orders, SUM(records) AS records, SUM(sale_amount) AS sale, SUM(commission) AS commission, SUM(cj_fee) AS fee FROM cj.order_state
"""


def totals_of_night(location: WarehouseLocation, run_id: str, night: NightPlayed) -> str:
    """What the run planned, sent, held back and skipped."""
    summary = night.prepared.summary
    plain = ", ".join(f"{name} {value}" for name, value in summary.items() if not isinstance(value, dict))
    lines = [f"== {run_id}", f"planned      {plain}", f"at stake     {night.prepared.at_stake}"]
    with open_warehouse(location) as session:
        found = {title: session.rows(sql, {"run_id": run_id}) for title, sql in _BY_TITLE.items()}
    lines += [f"{title:<13}{_line(row)}" for title, rows in found.items() for row in rows]
    # What the run said of itself is what the tables say; CJ's refusals in Test Mode came after it.
    assert summary["quarantined_by_reason"] == {str(r["reason"]): r["orders"] for r in found["quarantined"] if r["stage"] != "test_mode"}
    assert summary["skipped_by_reason"] == {str(r["reason"]): r["orders"] for r in found["skipped"]}
    lines.append("published    " + ", ".join(f"{name} {n}" for name, n in sorted(night.published.counts.items())))
    lines.append(f"not sent     {night.published.incomplete}; problems: {'; '.join(night.published.problems) or 'none'}")
    return "\n".join([*lines, ""])


def totals_of_reconciliation(location: WarehouseLocation, run_id: str) -> str:
    """The row of cj.reconciliation_runs, every verdict there is by then, and what CJ holds."""
    with open_warehouse(location) as session:
        (run,) = session.rows(_RUN, {"run_id": run_id})
        lines = [f"== {run_id}, reconciled", f"this round   {_line(run)}"]
        lines += [f"verdicts     {_line(row)}" for row in session.rows(_VERDICTS)]
        lines += [f"CJ holds     {_line(row)}" for row in session.rows(_HELD)]
    return "\n".join([*lines, ""])


def _line(row: dict[str, Any]) -> str:
    """Words first, then each figure by its name."""
    words = [str(value) for value in row.values() if isinstance(value, str) and value]
    figures = [f"{name} {_figure(name, value)}" for name, value in row.items() if not isinstance(value, str)]
    return "  ".join([" ".join(words), *figures] if words else figures)


def _figure(name: str, value: Any) -> str:
    if isinstance(value, Decimal):
        return str(int(value)) if name in ("orders", "records", "attempts", "converted") else money_text(value)
    return "-" if value is None else str(value)
