"""What a run is allowed to do and where things are: read once at the edge, passed inwards as narrow frozen values.

Nothing here knows Airflow. `include.airflow.connections` builds these from connections, variables and params.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from include.domain import kinds
from include.domain.account import MAX_ORDERS_PER_REQUEST, Account, check_mode
from include.domain.kinds import Kind
from include.domain.states import Mode

DEFAULT_CONNECTIONS = ("cj",)
DEFAULT_STORAGE = "file://{home}/cj_data"


@dataclass(frozen=True)
class Told:
    """What is told about a setting, once: the edge reads it by `kind`, and the README's table of Variables is made of this."""

    kind: Kind
    meaning: str
    unset: str
    """What holds where nobody set it and the field's own default does not say."""
    variable: str
    """The Airflow Variable, where it is not `cj_` and the field's name."""


def _told(kind: Kind, meaning: str, unset: str = "", variable: str = "") -> dict[str, Told]:
    return {"told": Told(kind, meaning, unset, variable)}


@dataclass(frozen=True)
class Settings:
    """Everything a run needs to know besides its interval. Each field tells its kind and its meaning; a new one becomes a Variable by that."""

    accounts: tuple[Account, ...] = field(
        metadata=_told(kinds.CONNECTIONS, "the accounts' connections", unset=f"`{json.dumps(DEFAULT_CONNECTIONS)}`", variable="cj_conn_ids")
    )
    storage: str = field(
        metadata=_told(
            kinds.URL,
            "where chunks and the journal of what was sent are kept. Workers must share it",
            unset=f"`{DEFAULT_STORAGE.format(home='<AIRFLOW_HOME>')}`",
        )
    )
    storage_conn_id: str | None = field(
        default=None, metadata=_told(kinds.CONNECTION, "the connection `cj_storage` is reached with, where it needs one", unset="none")
    )
    mode: Mode | None = field(
        default=None,
        metadata=_told(
            kinds.MODE,
            "`test` keeps every account in Test Mode, whatever its connection says",
            unset="the connection's",
        ),
    )
    order_changes_sql: str | None = field(
        default=None, metadata=_told(kinds.PATH, "the file of another `order_changes.sql`", unset="the shipped one")
    )
    chunk_size: int = field(default=MAX_ORDERS_PER_REQUEST, metadata=_told(kinds.ORDERS, "orders a request"))
    chunks_per_task: int = field(default=4, metadata=_told(kinds.WHOLE, "requests a mapped task"))
    max_quarantine_ratio: Decimal = field(
        default=Decimal("0.05"),
        metadata=_told(
            kinds.RATIO,
            "where more than this share of the rows that could go to CJ fail validation (counted from 20 failures), nothing is sent",
        ),
    )
    approve_above: Decimal | None = field(
        default=None,
        metadata=_told(
            kinds.AMOUNT,
            "money at stake in one night above which, or where it is not known, a person must approve; a run may lower it",
            unset="off",
        ),
    )
    gate_touched: Decimal | None = field(
        default=Decimal("0.05"),
        metadata=_told(kinds.SHARE_OR_OFF, "share of the open orders that a night may restate or cancel before a person is asked"),
    )
    gate_taken_back: Decimal | None = field(
        default=Decimal("0.05"),
        metadata=_told(kinds.SHARE_OR_OFF, "share of the open money that a night may take back before a person is asked"),
    )
    gate_times_usual: Decimal | None = field(
        default=Decimal("3"),
        metadata=_told(
            kinds.TIMES_OR_OFF, "how many times the orders of a large usual night a night may restate or cancel before a person is asked"
        ),
    )
    gate_new_cancelled: Decimal | None = field(
        default=Decimal("0.5"),
        metadata=_told(kinds.SHARE_OR_OFF, "share of one day's new orders that may be cancelled at once before a person is asked"),
    )
    gate_new_tracker: bool = field(
        default=True,
        metadata=_told(kinds.FLAG, "whether a person is asked where an order goes to an action tracker that CJ has never shown"),
    )
    gate_fewest: int = field(default=20, metadata=_told(kinds.WHOLE, "orders a night may restate or cancel whatever their share"))
    gate_fewest_cancelled: int = field(default=10, metadata=_told(kinds.WHOLE, "new orders that may be cancelled whatever their share"))
    never_above: Decimal | None = field(
        default=None,
        metadata=_told(
            kinds.AMOUNT, "money at stake in one night of an account above which nothing is sent, whoever approves", unset="off"
        ),
    )
    canary_orders: int | None = field(
        default=None,
        metadata=_told(
            kinds.WHOLE_OR_OFF,
            "orders of each operation that go live before the others of their account, which wait until CJ shows as they were sent those that it took, at least half of "
            "each operation that others follow",
            unset="off",
        ),
    )
    late_hours: float = field(
        default=0,
        metadata=_told(kinds.HOURS, "how late a row may reach the warehouse after its `updated_at`: a run looks that much further back"),
    )
    processing_minutes: float = field(default=60, metadata=_told(kinds.MINUTES, "CJ's hour: until then an order is `awaiting`"))
    deadline_hours: float = field(default=36, metadata=_told(kinds.HOURS, "after this, an order that never posted is `missing`"))
    open_ended_status: str | None = field(
        default=None,
        metadata=_told(
            kinds.OPEN_ENDED_STATUS, "what a restated open-ended order without a status is sent with", unset="none: it is held back"
        ),
    )
    combine_items: bool = field(
        default=False,
        metadata=_told(
            kinds.FLAG,
            "orders over 100 items: combine the smallest lines into one, the amount exact, instead of holding the order back",
        ),
    )
    allow_field_loss: frozenset[str] = field(
        default=frozenset(),
        metadata=_told(
            kinds.FIELDS, "what may be empty in the warehouse where CJ holds one; an order that would lose another is held back"
        ),
    )
    currency_band: Decimal = field(
        default=Decimal("0.03"),
        metadata=_told(kinds.BAND, "how far an amount that CJ converted may be from the rate its other orders of that currency show"),
    )
    ids_must_meet: Decimal = field(
        default=Decimal("0.1"),
        metadata=_told(
            kinds.BAND,
            "orders are not created while a smaller share of a night's affiliate orders is known to CJ, and of CJ's orders to the warehouse: their ids differ, "
            "and each would be paid twice. 0 creates whatever the ids",
        ),
    )
    night_hours: float = field(
        default=6, metadata=_told(kinds.HOURS, "how many hours after it was due a night has to be finished, or somebody is told")
    )
    notice_break_above: Decimal | None = field(
        default=Decimal(100), metadata=_told(kinds.AMOUNT_OR_OFF, "money at risk in one break above which somebody is told of it")
    )
    notice_lock_days: int = field(default=3, metadata=_told(kinds.DAYS, "how many days before orders that are wrong lock somebody is told"))
    days_before_lock: int = field(
        default=10, metadata=_told(kinds.DAYS, "how many days before CJ locks an order the pre-lock review puts it before a person")
    )
    send_found: bool = field(
        default=True,
        metadata=_told(
            kinds.FLAG,
            "whether a night takes what a pre-lock review found; false leaves that for a later night, so that what changed at the shop goes without it",
        ),
    )
    return_days: int | None = field(
        default=None,
        metadata=_told(
            kinds.DAYS,
            "how many days after an order was placed its return may still come: the pre-lock review lists what to put off by it",
            unset="nothing is listed",
        ),
    )
    notifiers: tuple[Mapping[str, Any], ...] = field(
        default=(),
        metadata=_told(kinds.NOTIFIERS, "through which of Airflow's notifiers people are told", unset="none: the log of `cj_watch` alone"),
    )
    case_after_attempts: int = field(
        default=1, metadata=_told(kinds.WHOLE, "how often an order has to have been sent in vain before it is in a case for CJ's support")
    )
    case_region: str = field(default="us", metadata=_told(kinds.REGION, "whose desk at CJ's support answers"))
    case_line: str | None = field(
        default=None, metadata=_told(kinds.WORDS, "that desk's telephone line", unset="the region's (docs/support-cases.md)")
    )
    case_desk_hours: tuple[time, time] | None = field(
        default=None,
        metadata=_told(kinds.DESK_HOURS, "when that desk is open, by its own clock", unset="`06:00-17:00` in the US; not known in the UK"),
    )
    case_days_closed: frozenset[date] = field(
        default=frozenset(), metadata=_told(kinds.DATES, "days on which CJ is closed besides the country's holidays")
    )
    case_days_open: frozenset[date] = field(default=frozenset(), metadata=_told(kinds.DATES, "holidays of the country on which CJ works"))
    case_reason: str | None = field(
        default=None, metadata=_told(kinds.WORDS, "the case reason to choose in CJ's form", unset="none: CJ publishes no list")
    )
    case_sub_reason: str | None = field(
        default=None, metadata=_told(kinds.WORDS, "the sub-reason to choose in CJ's form", unset="none: CJ publishes no list")
    )
    case_cc: tuple[str, ...] = field(
        default=(), metadata=_told(kinds.ADDRESSES, "who is to get CJ's mail about a case too", unset="nobody")
    )
    ledger_days: int = field(default=400, metadata=_told(kinds.DAYS, "how far back the first reading of Commission Detail goes"))
    partner_mappings: str | None = field(
        default=None,
        metadata=_told(kinds.PATH, "the folder with one mapping file a partner (docs/partners.md)", unset="the shipped one, of Aspire"),
    )
    partner_days: int = field(default=120, metadata=_told(kinds.DAYS, "how far back a partner's log and CJ's records are compared"))
    partner_payment_day: int = field(
        default=1, metadata=_told(kinds.DAY_OF_MONTH, "the day of the month on which CJ pays publishers what locked in the month before")
    )
    keep_skipped_days: int = field(default=90, metadata=_told(kinds.DAYS, "how long `cj.skipped` is kept; what still waits stays"))
    keep_settled_days: int | None = field(
        default=None,
        metadata=_told(
            kinds.DAYS_FROM_A_YEAR,
            "how long what was sent of an order is kept once CJ has locked it (docs/warehouses.md#how-long-rows-are-kept)",
            unset="for ever",
        ),
    )

    def __post_init__(self) -> None:
        kinds.ORDERS.read(self.chunk_size, "chunk_size")
        for account in self.accounts:
            self.effective_mode(account)

    def effective_mode(self, account: Account) -> Mode:
        """The mode for one account. Raises SettingError for `live` against a connection that says test."""
        check_mode(self.mode, account)
        return self.mode or account.mode

    @property
    def advertisers(self) -> dict[str, str]:
        """Enterprise id → advertiser id, of the accounts there are now."""
        return {a.enterprise_id: a.advertiser_id for a in self.accounts}

    def account_of(self, enterprise_id: str) -> Account | None:
        return next((a for a in self.accounts if a.enterprise_id == enterprise_id), None)


class _NotAskedFor:
    """In the place of a setting: neither what somebody set nor the default may be taken for it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, settings: object, kind: type | None = None) -> Any:
        raise AttributeError(f"The setting {self._name} was not asked for.")


def few_settings(names: Collection[str], given: Mapping[str, Any]) -> Settings:
    """The settings `names`, the accounts among them, as `given` or by default; to read another is an error. Raises SettingError as `Settings` does."""
    kind = type("FewSettings", (Settings,), {name: _NotAskedFor(name) for name in TOLD if name not in names})
    settings: Settings = object.__new__(kind)
    vars(settings).update(given)
    for account in settings.accounts:
        settings.effective_mode(account)
    return settings


TOLD: dict[str, Told] = {one.name: one.metadata["told"] for one in fields(Settings)}
"""Each setting by its name, in the order of the README's table."""

NEEDED_TO_SUBMIT = frozenset({"accounts", "storage", "storage_conn_id", "mode", "approve_above"})
NEEDED_TO_PREPARE = frozenset(
    {
        "accounts", "storage", "storage_conn_id", "mode", "order_changes_sql", "chunk_size", "chunks_per_task", "max_quarantine_ratio", "never_above",
        "canary_orders", "late_hours", "processing_minutes", "deadline_hours", "open_ended_status", "combine_items", "allow_field_loss", "currency_band",
        "ids_must_meet", "send_found", "ledger_days", "approve_above",
    }
    | {name for name in TOLD if name.startswith("gate_")}
)  # fmt: skip
"""What these two verbs read, after which a night's orders are on their way: they ask for nothing else. A limit that cannot be read stops the night before it is planned."""


GATE_OFF: Mapping[str, bool | None] = MappingProxyType(
    {"gate_touched": None, "gate_taken_back": None, "gate_times_usual": None, "gate_new_cancelled": None, "gate_new_tracker": False}
)
"""The money gate asks for nobody: for rehearsals and measurements, where nights are what they are."""


def variable_of(name: str) -> str:
    """The Airflow Variable a setting is read from."""
    return TOLD[name].variable or f"cj_{name}"


@dataclass(frozen=True)
class Run:
    """One night: its id and the interval whose touched orders it picks. Times are aware UTC."""

    run_id: str
    interval_start: datetime
    interval_end: datetime
    backfill: bool = False
    """One of several that a person started together."""

    @property
    def before(self) -> datetime:
        """Where the interval before its own begins."""
        return self.interval_start - (self.interval_end - self.interval_start)
