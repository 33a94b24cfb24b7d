"""What a run is allowed to do and where things are: read once at the edge, passed inwards as narrow frozen values.

Nothing here knows Airflow. `include.airflow.connections` builds these from connections, variables and params.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from include.domain.account import MAX_ORDERS_PER_REQUEST, Account, check_mode
from include.domain.errors import SettingError
from include.domain.states import Mode


@dataclass(frozen=True)
class Settings:
    """Everything a run needs to know besides its interval. `storage` is a URL that ObjectStoragePath takes."""

    accounts: tuple[Account, ...]
    storage: str
    storage_conn_id: str | None = None
    mode: Mode | None = None
    """The run's own wish; may only be more careful than the connection's."""
    chunk_size: int = MAX_ORDERS_PER_REQUEST
    max_quarantine_ratio: Decimal = Decimal("0.05")
    approve_above: Decimal | None = None
    processing_minutes: float = 60
    deadline_hours: float = 36
    combine_items: bool = False
    """Orders over 100 items: False holds them back, True combines the smallest lines into one, the amount exact."""
    allow_field_loss: frozenset[str] = frozenset()
    """Which of coupon, discount, items may be null in the warehouse where CJ holds one. Empty: such orders are held back."""
    open_ended_status: str | None = None
    """What a restated open-ended order without a status is sent with: `Pending`, `Accepted` (which locks it), or None: held back."""
    currency_band: Decimal = Decimal("0.03")
    """How far an amount that CJ converted may be from the rate the other orders of that currency show."""
    ledger_days: int = 400
    """How far back the first reading of Commission Detail goes."""
    late_hours: float = 0
    """How long after its `updated_at` a row may still reach the warehouse: that much before its interval a run looks as well."""
    keep_skipped_days: int = 90
    chunks_per_task: int = 4
    order_changes_sql: str | None = None
    """Path of another order_changes.sql; None is the shipped one."""

    def __post_init__(self) -> None:
        if not 1 <= self.chunk_size <= MAX_ORDERS_PER_REQUEST:
            raise SettingError(
                f"chunk_size is {self.chunk_size}: CJ takes at most 10,000 orders a request, so it must be between 1 and 10000."
            )
        for account in self.accounts:
            self.effective_mode(account)

    def effective_mode(self, account: Account) -> Mode:
        """The mode for one account. Raises SettingError for `live` against a connection that says test."""
        check_mode(self.mode, account)
        return self.mode or account.mode

    def account_of(self, enterprise_id: str) -> Account | None:
        return next((a for a in self.accounts if a.enterprise_id == enterprise_id), None)


@dataclass(frozen=True)
class Run:
    """One night: its id and the interval whose touched orders it picks. Times are aware UTC."""

    run_id: str
    interval_start: datetime
    interval_end: datetime
