"""What came of asking each account, kept in cj.account_states: one row for each change, so that its last row is how the account stands."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from include.domain.account import Account
from include.domain.errors import WarehouseError
from include.restatements.settings import Settings
from include.warehouse.base import Session, WarehouseLocation, open_warehouse

log = logging.getLogger(__name__)


class AccountAsked(NamedTuple):
    """An account, and why it could not be read; None where it could."""

    account: Account
    said: str | None


def note(location: WarehouseLocation, settings: Settings, asked: Iterable[AccountAsked]) -> None:
    """Appends a row for each account that stands otherwise than its last row says. A warehouse that is away loses a note, never a night."""
    try:
        with open_warehouse(location) as session:
            session.create_tables()
            with session.transaction():
                session.serialize("cj.account_states")
                for one in asked:
                    _note(session, settings, one)
    except WarehouseError as error:
        log.warning("How the accounts stand was not noted for the pages: %s", error)


def _note(session: Session, settings: Settings, asked: AccountAsked) -> None:
    account = asked.account
    row: dict[str, object] = {
        "conn_id": account.conn_id,
        "enterprise_id": account.enterprise_id,
        "advertiser_id": account.advertiser_id,
        "currency": account.currency,
        "mode": settings.effective_mode(account).value,
        "reached": asked.said is None,
        "said": asked.said,
    }
    newest = session.rows(
        "SELECT change, conn_id, enterprise_id, advertiser_id, currency, mode, reached, said FROM cj.account_states WHERE conn_id = :conn_id "
        "ORDER BY change DESC LIMIT 1",
        {"conn_id": account.conn_id},
    )
    changes = int(str(newest[0].pop("change"))) if newest else 0
    if newest == [row]:
        return
    row |= {"change": changes + 1, "seen_at": datetime.now(UTC)}
    names = [name for name, value in row.items() if value is not None]
    session.execute(f"INSERT INTO cj.account_states ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})", row)
