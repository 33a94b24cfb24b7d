"""One reading of every account's ledger: one account's failure does not hold the others. What follows from it is the caller's to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from include.cj.client import CJClient
from include.cj.errors import CJError, naming
from include.domain.account import Account
from include.domain.errors import RestatementsError
from include.restatements.checkpoints import Checkpoint, no_checkpoint
from include.restatements.ledger.reading import LedgerRead, read_ledger
from include.restatements.ledger.states import AccountAsked, note
from include.restatements.settings import Settings
from include.warehouse.base import WarehouseLocation


@dataclass(frozen=True)
class AccountFailed:
    """An account whose ledger was not read to its end, and why."""

    account: Account
    error: RestatementsError

    @property
    def named(self) -> RestatementsError:
        """The error with its account's name in it."""
        return naming(self.account.conn_id, self.error) if isinstance(self.error, CJError) else self.error


@dataclass(frozen=True)
class LedgersRead:
    """What came of each account, in their order."""

    now: datetime
    """CJ's present, as the last account that was read told it; our own clock's where none was."""
    reached: tuple[Account, ...]
    readings: tuple[LedgerRead, ...]
    """Those of the accounts reached."""
    failures: tuple[AccountFailed, ...]


def read_accounts(
    accounts: Iterable[Account],
    location: WarehouseLocation,
    settings: Settings,
    *,
    since: date | None = None,
    passed_over: type[RestatementsError] = CJError,
    checkpoint: Checkpoint = no_checkpoint,
) -> LedgersRead:
    """Read the ledger of each. An account that fails with an error of the kind `passed_over` is left out; any other error is raised at once."""
    now = datetime.now(UTC)
    reached: list[Account] = []
    readings: list[LedgerRead] = []
    failures: list[AccountFailed] = []
    for account in accounts:
        try:
            with CJClient(account) as client:
                reading = read_ledger(
                    client,
                    account,
                    location,
                    ledger_days=settings.ledger_days,
                    since=since,
                    deadline=timedelta(hours=settings.deadline_hours),
                    processing=timedelta(minutes=settings.processing_minutes),
                    checkpoint=checkpoint,
                )
                now = client.now()
            reached.append(account)
            readings.append(reading)
        except passed_over as error:
            failures.append(AccountFailed(account, error))
    asked = [AccountAsked(account, None) for account in reached]
    asked += [AccountAsked(failed.account, str(failed.error)) for failed in failures if isinstance(failed.error, CJError)]
    note(location, settings, asked)
    return LedgersRead(now, tuple(reached), tuple(readings), tuple(failures))


def read_ledgers(
    settings: Settings, location: WarehouseLocation, since: date | None = None, conn_id: str | None = None
) -> dict[str, object]:
    """Read the ledgers of every account, or of one. One account's failure does not hold the others; the first failure is raised at the end."""
    accounts = [account for account in settings.accounts if conn_id in (None, account.conn_id)]
    read = read_accounts(accounts, location, settings, since=since, passed_over=RestatementsError)
    if read.failures:
        raise read.failures[0].named
    return {
        account.conn_id: {
            "records": one.records,
            "appended": one.appended,
            "set_aside": one.set_aside,
            "complete_until": one.complete_until.isoformat(),
        }
        for account, one in zip(read.reached, read.readings, strict=True)
    }
