"""The advertisers this CJ knows: their tokens, currencies, action trackers and publishers.

Tokens are kept as SHA-256 digests only; the state file gives none away.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from include.domain.money import money, money_text
from include.domain.states import LockingMethod
from include.sandbox.store import Store


class SeedError(ValueError):
    """The seed says something the sandbox cannot use."""


@dataclass(frozen=True)
class Tracker:
    """An action tracker: how its orders lock, and what they cost."""

    id: int
    name: str
    locking_method: str
    lock_days: int
    commission_rate: Decimal
    fee_rate: Decimal
    reports_items: bool
    """Whether its records show the items they were sent."""


@dataclass(frozen=True)
class Account:
    """One advertiser. `rates` bring one unit of another currency into the functional one; `sale_amount_basis` is `net` or `gross`."""

    enterprise_id: str
    advertiser_id: str
    advertiser_name: str
    token_hash: str
    currency: str
    sale_amount_basis: str
    rates: Mapping[str, Decimal]
    excluded_coupons: frozenset[str]
    trackers: Mapping[int, Tracker]
    publishers: tuple[str, ...]

    def rate(self, currency: str) -> Decimal | None:
        """The rate into the functional currency; None where the account has none."""
        return Decimal(1) if currency == self.currency else self.rates.get(currency)

    def publisher_of(self, attribution: str) -> str:
        """The publisher a click belongs to: the same one every time."""
        digest = hashlib.blake2b(attribution.encode(), digest_size=8).digest()
        return self.publishers[int.from_bytes(digest) % len(self.publishers)]


DEFAULT: dict[str, Any] = {
    "token": "sandbox-token",
    "enterprise_id": "1500001",
    "advertiser_id": "5500001",
    "advertiser_name": "Sandbox Shop",
    "currency": "USD",
    "sale_amount_basis": "net",
    "rates": {"EUR": "1.08", "GBP": "1.27"},
    "action_trackers": [
        {"id": 401, "name": "Shop", "locking_method": "FIXED_DATE", "lock_days": 0, "commission_rate": "0.08", "fee_rate": "0.02"},
        {"id": 402, "name": "Travel", "locking_method": "OPEN_ENDED", "lock_days": 0, "commission_rate": "0.05", "fee_rate": "0.01"},
        {
            "id": 403,
            "name": "Subscription",
            "locking_method": "FIXED_DURATION",
            "lock_days": 30,
            "commission_rate": "0.10",
            "fee_rate": "0.02",
        },
    ],
    "publishers": [{"id": "7108602", "name": "Aspire"}, {"id": "7200001", "name": "Deal Finder"}, {"id": "7200002", "name": "Review Desk"}],
    "excluded_coupons": [],
}
"""The account made when there is neither a seed nor a state."""


class Accounts:
    """All accounts, in memory; read again whenever a seed changed them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self.reload()

    def reload(self) -> None:
        accounts = read_accounts(self._store)
        with self._lock:
            self._by_enterprise = {a.enterprise_id: a for a in accounts}
            self._by_token: dict[str, tuple[Account, ...]] = {}
            for account in accounts:
                self._by_token[account.token_hash] = (*self._by_token.get(account.token_hash, ()), account)
        self._store.set_usd_rates({a.advertiser_id: _usd_rate(a) for a in accounts})

    def __len__(self) -> int:
        return len(self._by_enterprise)

    def of_token(self, token: str) -> tuple[Account, ...]:
        """The accounts a token may act for; none for a token nobody has."""
        return self._by_token.get(token_hash(token), ())

    def of_enterprise(self, enterprise_id: str) -> Account:
        return self._by_enterprise[enterprise_id]

    def find_enterprise(self, enterprise_id: str) -> Account | None:
        return self._by_enterprise.get(enterprise_id)


def token_hash(token: str) -> str:
    """A token as it is stored: never as text."""
    return hashlib.sha256(token.encode()).hexdigest()


def _usd_rate(account: Account) -> Decimal:
    """USD per functional unit; 1 where the account has no USD rate."""
    if account.currency == "USD" or not account.rates.get("USD"):
        return Decimal(1)
    return 1 / account.rates["USD"]


def add_accounts(store: Store, accounts: Iterable[Mapping[str, Any]]) -> int:
    """Adds accounts in the form of `accounts.json`, or replaces those with the same enterprise. Returns how many."""
    added = 0
    with store.writing() as db:
        for raw in accounts:
            enterprise = str(_required(raw, "enterprise_id"))
            if raw.get("sale_amount_basis", "net") not in ("net", "gross"):
                raise SeedError(f"Account {enterprise}: sale_amount_basis is {raw['sale_amount_basis']!r}; it must be 'net' or 'gross'.")
            rates = {code: money_text(money(str(rate))) for code, rate in raw.get("rates", {}).items()}
            advertiser_id = str(_required(raw, "advertiser_id"))
            db.execute("DELETE FROM accounts WHERE enterprise_id = ?", (enterprise,))
            db.execute("DELETE FROM trackers WHERE enterprise_id = ?", (enterprise,))
            db.execute("DELETE FROM publishers WHERE enterprise_id = ?", (enterprise,))
            db.execute(
                "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (enterprise, advertiser_id, str(raw.get("advertiser_name", f"Advertiser {advertiser_id}")),
                 token_hash(str(_required(raw, "token"))), raw.get("currency", "USD"), raw.get("sale_amount_basis", "net"),
                 json.dumps(rates), json.dumps(list(raw.get("excluded_coupons", [])))),
            )  # fmt: skip
            db.executemany(
                "INSERT INTO trackers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [_tracker_row(enterprise, t) for t in _required(raw, "action_trackers")],
            )
            publishers = raw.get("publishers") or DEFAULT["publishers"]
            db.executemany("INSERT INTO publishers VALUES (?, ?, ?)", [(enterprise, str(p["id"]), str(p["name"])) for p in publishers])
            added += 1
    return added


def _tracker_row(enterprise: str, raw: Mapping[str, Any]) -> tuple[Any, ...]:
    try:
        method = LockingMethod(raw.get("locking_method", "FIXED_DATE"))
    except ValueError:
        known = ", ".join(LockingMethod)
        raise SeedError(f"Account {enterprise}: locking_method {raw['locking_method']!r} is unknown; it must be one of {known}.") from None
    rates = [money_text(money(str(raw.get(name, "0")))) for name in ("commission_rate", "fee_rate")]
    return (
        enterprise,
        int(_required(raw, "id")),
        str(raw.get("name", f"Action tracker {raw['id']}")),
        method.value,
        int(raw.get("lock_days") or 0),
        *rates,
        int(bool(raw.get("reports_items", True))),
    )


def _required(raw: Mapping[str, Any], name: str) -> Any:
    if raw.get(name) in (None, ""):
        raise SeedError(f"The seed has an account or action tracker without {name!r}; every one needs it.")
    return raw[name]


def read_accounts(store: Store) -> list[Account]:
    """Every account in the store, with its trackers and publishers."""
    db = store.reader
    trackers: dict[str, dict[int, Tracker]] = {}
    for enterprise, id_, name, method, days, commission, fee, items in db.execute("SELECT * FROM trackers"):
        trackers.setdefault(enterprise, {})[id_] = Tracker(id_, name, method, days, money(commission), money(fee), bool(items))
    publishers: dict[str, list[str]] = {}
    for enterprise, id_, _ in db.execute("SELECT * FROM publishers ORDER BY id"):
        publishers.setdefault(enterprise, []).append(id_)
    return [
        Account(
            enterprise_id=enterprise,
            advertiser_id=advertiser,
            advertiser_name=name,
            token_hash=digest,
            currency=currency,
            sale_amount_basis=basis,
            rates={code: money(rate) for code, rate in json.loads(rates).items()},
            excluded_coupons=frozenset(json.loads(excluded)),
            trackers=trackers.get(enterprise, {}),
            publishers=tuple(publishers.get(enterprise, ())),
        )
        for enterprise, advertiser, name, digest, currency, basis, rates, excluded in db.execute("SELECT * FROM accounts")
    ]
