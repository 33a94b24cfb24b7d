"""`make gate`: a night that a bug in the warehouse has spoiled, stopped by the money gate, with the question a person is asked.

The demo's shop after its two short nights; then half of what was sold in the last month is cancelled at once. The night is planned, nothing of it is sent, and what
would be shown in Airflow is printed. Everything is in a fresh folder under .run/gate, against the CJ sandbox on this machine.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from include.airflow.addresses import IN_THE_FRAME
from include.airflow.environment import ROOT
from include.commands.demo import PROCESSING_SECONDS, TOKEN, fresh_folder

if TYPE_CHECKING:
    from include.restatements.prepare import Prepared
    from include.restatements.settings import Run, Settings

GATES = ROOT / ".run" / "gate"
_BUG = """
INSERT INTO order_changes
SELECT * REPLACE ('cancelled' AS change_type, $at AS updated_at) FROM order_changes
WHERE cj_event IS NOT NULL AND event_time > $month AND event_time < $at AND hash(order_id) % 2 = 0
QUALIFY row_number() OVER (PARTITION BY action_tracker_id, order_id ORDER BY updated_at DESC) = 1
"""
"""What a join that lost its condition, or a load that ended half way, does to a warehouse."""


def spoil(warehouse: Path, at: datetime) -> None:
    """Half of the affiliate orders of the month before `at` are cancelled at that moment."""
    import duckdb

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_BUG, {"at": at, "month": at - timedelta(days=31)})


def question_of(run: Run, settings: Settings, prepared: Prepared) -> str:
    """The question as Airflow shows it, which is Markdown; empty where the gate has no reason to ask."""
    from include.restatements.approval.question import Asked, body, subject

    if not prepared.reasons:
        return ""
    asked = Asked(
        run_id=run.run_id,
        digest=prepared.digest,
        at_stake=prepared.at_stake,
        unpriced=prepared.unpriced,
        summary=", ".join(f"{name} {prepared.summary[name]}" for name in ("to_send", "create", "restate", "cancel")),
        modes=", ".join(f"{account.conn_id} {settings.effective_mode(account).value}" for account in settings.accounts),
        moves=prepared.moves,
        reasons=prepared.reasons,
        page=f"{IN_THE_FRAME}/runs/{quote(run.run_id, safe='')}",
        found=prepared.found,
    )
    return f"{subject(asked)}\n\n{body(asked)}"


def main() -> int:
    from include.demo.files import write_shop
    from include.demo.orders import ADVERTISER, ENTERPRISE
    from include.demo.shop import open_shop
    from include.demo.stage import move_to
    from include.domain.account import Account, Token
    from include.domain.errors import PlanReplaced
    from include.domain.states import Mode
    from include.restatements.prepare import prepare
    from include.restatements.settings import Run, Settings
    from include.restatements.submit import submit
    from include.sandbox.process import start_sandbox
    from include.warehouse.base import WarehouseLocation

    folder = fresh_folder(GATES)
    shop = open_shop(datetime.now(UTC))
    night = shop.story.nights[-1]
    write_shop(folder / "warehouse.duckdb", folder / "seed", shop, night.runs_at)
    spoil(folder / "warehouse.duckdb", night.runs_at - timedelta(hours=1))
    with start_sandbox(folder / "sandbox.sqlite", seed=folder / "seed", delay_seconds=PROCESSING_SECONDS) as sandbox:
        sandbox.control.set_clock(shop.story.nights[0].runs_at)
        move_to(sandbox.control, folder / "seed", night.runs_at)
        account = Account(
            "cj", ENTERPRISE, ADVERTISER, Token(TOKEN), mode=Mode.LIVE, tracking_url=sandbox.url, commissions_url=f"{sandbox.url}/query"
        )
        settings, location = (
            Settings((account,), storage=(folder / "storage").as_uri()),
            WarehouseLocation("duckdb", path=str(folder / "warehouse.duckdb")),
        )
        run = Run(f"night_{night.end:%Y-%m-%d}", night.runs_at - timedelta(days=1), night.runs_at)
        print(
            f"The night of {night.end:%Y-%m-%d}, in which a bug has cancelled half of the last month's orders. It is planned …\n",
            flush=True,
        )
        prepared = prepare(run, settings, location)
        question = question_of(run, settings, prepared)
        if not question:
            print("The money gate had no reason to ask.")
            return 1
        print(question)
        print("\nIn Airflow the run waits here for an answer. Meanwhile, asked to send it all the same:", flush=True)
        try:
            submit(run, settings, prepared.batches[0])
        except PlanReplaced as refused:
            print(f"  {refused}")
        sent = len(list(sandbox.control.submissions()))
    print(
        f"\nOrders CJ has received: {sent}. Answered in Airflow, the decision stands in cj.approvals; rejected or not answered, the orders are planned again."
    )
    print(f"What was planned: {folder / 'storage'}. To answer such a question yourself: make up.")
    return 0 if sent == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
