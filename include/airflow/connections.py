"""Connections, Variables and a run's params become `Settings`: the only module that knows where a setting is written down.

A setting is looked for in the run's own conf, then in the Variable `cj_<name>`, then it has the default of `Settings`. Two settings can
only be made more careful by a run: `mode` (checked by `Settings`) and `approve_above` (the lower of the two counts); the money gate's and the canary's no run can change.
Every mistake raises SettingError with one sentence that names the connection or Variable and says what to do; no sentence repeats a value
that could be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from include.domain import kinds
from include.domain.account import Account, Token, check_mode
from include.domain.errors import SettingError
from include.domain.states import Mode
from include.restatements.settings import DEFAULT_CONNECTIONS, DEFAULT_STORAGE, TOLD, Settings, few_settings, variable_of

EXTRA_KEYS = (
    "enterprise_id", "advertiser_id", "currency", "mode", "tracking_url", "commissions_url", "sale_amount_basis", "extension_subscription_id"
)  # fmt: skip
READ_APART = frozenset({"accounts", "storage", "approve_above"})
"""Settings with a rule of their own; each of the others is its Variable or the run's param."""
NOT_A_RUNS = frozenset({"never_above", "canary_orders", "send_found", *(name for name in TOLD if name.startswith("gate_"))})
"""What says when a person is asked, what nobody may let go, what goes first and what waits: no run says it for itself."""


class Secrets:
    """Airflow's connections and Variables, as this module reads them. Tests pass an object with the same two methods."""

    def connection(self, conn_id: str) -> Any:
        """The Airflow connection, or None when there is none."""
        from airflow.sdk import BaseHook
        from airflow.sdk.exceptions import AirflowNotFoundException

        try:
            return BaseHook.get_connection(conn_id)
        except AirflowNotFoundException:
            return None

    def variable(self, name: str) -> str | None:
        """The Variable's text, or None when there is none."""
        from airflow.sdk import Variable

        value = Variable.get(name, default=None)
        return None if value is None else str(value)


def mask(secret: str) -> None:
    """Stars for this text in every task log, whoever prints it."""
    from airflow.sdk.log import mask_secret

    mask_secret(secret)


# --- one account -----------------------------------------------------------------------------------------------------------------------


def account_from_connection(conn_id: str, secrets: Secrets) -> Account:
    """The CJ account that Airflow connection `conn_id` describes. Raises SettingError."""
    connection = secrets.connection(conn_id)
    if connection is None:
        raise SettingError(f"{no_connection(conn_id)}, or take it out of the Variable cj_conn_ids.")
    password = connection.password or ""
    if password:
        mask(password)
    extra = extra_of(conn_id, connection)
    return Account(conn_id=conn_id, token=Token(password), **_account_fields(conn_id, extra))


def no_connection(conn_id: str) -> str:
    """The beginning of a sentence. Airflow says that there is none also where there is one it cannot read."""
    return f"There is no connection {conn_id!r} that Airflow can read. Create it (in AIRFLOW_CONN_{conn_id.upper()}: whole JSON, or a URI)"


def extra_of(conn_id: str, connection: Any, like: str = '{"enterprise_id": "…", "advertiser_id": "…"}') -> dict[str, Any]:
    """The connection's extra, a JSON object; `like` is one for the sentence. Raises SettingError."""
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        raise SettingError(f"Connection {conn_id!r}: extra is not JSON. Write it as {like}.") from None
    if not isinstance(extra, dict):
        raise SettingError(f"Connection {conn_id!r}: extra must be a JSON object.")
    return extra


def _account_fields(conn_id: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(extra) - set(EXTRA_KEYS))
    if unknown:
        raise SettingError(
            f"Connection {conn_id!r}: extra has {', '.join(unknown)}, which nothing reads. Known keys: {', '.join(EXTRA_KEYS)}."
        )
    fields: dict[str, Any] = {key: str(value).strip() for key, value in extra.items() if value not in (None, "")}
    for required in ("enterprise_id", "advertiser_id"):
        if not fields.get(required):
            raise SettingError(
                f"Connection {conn_id!r}: extra has no {required}. Add it; CJ's account manager or the account's address bar tells it."
            )
        if not fields[required].isdigit():
            raise SettingError(f"Connection {conn_id!r}: extra {required} must be the number CJ gave the account.")
    if not fields.get("extension_subscription_id", "0").isdigit():
        raise SettingError(
            f"Connection {conn_id!r}: extra extension_subscription_id must be the number CJ gave the subscription (Account Manager, Subscriptions)."
        )
    if "mode" in fields:
        fields["mode"] = kinds.MODE.read(fields["mode"], f"Connection {conn_id!r}: extra mode")
    currency = fields.get("currency", "USD")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise SettingError(f"Connection {conn_id!r}: extra currency is {currency!r}; it must be a three-letter code like USD.")
    if "tracking_url" in fields:
        fields["tracking_url"] = fields["tracking_url"].rstrip("/")
    return fields


# --- settings ---------------------------------------------------------------------------------------------------------------------------


def account_ids(secrets: Secrets | None = None) -> list[str]:
    """The connection ids in the Variable cj_conn_ids, `cj` alone by default. Raises SettingError."""
    variable = variable_of("accounts")
    text = (secrets or Secrets()).variable(variable)
    # One left empty is no answer here: nobody means every account by naming none.
    return list(DEFAULT_CONNECTIONS) if text is None else list(TOLD["accounts"].kind.read(text, f"Variable {variable}"))


def settings_from_airflow(
    said: Mapping[str, Any] | None = None,
    secrets: Secrets | None = None,
    *,
    only: Sequence[str] | None = None,
    names: Collection[str] = TOLD.keys(),
) -> Settings:
    """Everything a run needs to know. Raises SettingError.

    `said` is what this run's own conf says (`include.airflow.runs.said`); `only` reads these accounts and not the others, so that a
    mistake in one connection does not hold the rest. `names` are the settings to ask for, where a task needs few: Airflow's API is asked for each one
    by itself, and knows no way to ask for many that finds all that this finds.
    """
    secrets = secrets or Secrets()
    said = _given(said)
    accounts = tuple(account_from_connection(conn_id, secrets) for conn_id in (account_ids(secrets) if only is None else only))
    _one_connection_an_account(accounts)
    fields: dict[str, Any] = {}
    for name in [name for name in TOLD if name in names and name not in READ_APART]:
        value, where = _look_up(name, {} if name in NOT_A_RUNS else said, secrets)
        if value is not None:
            fields[name] = TOLD[name].kind.read(value, where)
            if name == "mode":
                _allowed(fields[name], accounts, where)
    fields |= {"accounts": accounts, "storage": storage_url(secrets)}
    if "approve_above" in names:
        fields["approve_above"] = approval_limit(said, secrets)
    return Settings(**fields) if len(names) == len(TOLD) else few_settings(names, fields)


def _given(said: Mapping[str, Any] | None) -> dict[str, Any]:
    """A field left empty in Airflow's form arrives as None: nobody said anything."""
    return {name: value for name, value in (said or {}).items() if value is not None}


def _one_connection_an_account(accounts: tuple[Account, ...]) -> None:
    for first, second in ((a, b) for i, a in enumerate(accounts) for b in accounts[i + 1 :]):
        if first.enterprise_id == second.enterprise_id:
            raise SettingError(
                f"Connections {first.conn_id!r} and {second.conn_id!r} have the same enterprise_id: every order would be sent twice. "
                "Take one out of the Variable cj_conn_ids."
            )


def _look_up(name: str, said: Mapping[str, Any], secrets: Secrets) -> tuple[Any, str]:
    if name in said:
        return said[name], f"The run's param {name}"
    return _variable(name, secrets)


def _variable(name: str, secrets: Secrets) -> tuple[str | None, str]:
    """What the setting's Variable says, None where it is not there or empty; and where that is, for a sentence."""
    variable = variable_of(name)
    return secrets.variable(variable) or None, f"Variable {variable}"


def _allowed(mode: Mode, accounts: Sequence[Account], where: str) -> None:
    """Settings checks this too, and cannot say where the mode is written down."""
    for account in accounts:
        check_mode(mode, account, where)


def storage_url(secrets: Secrets) -> str:
    """Where the runs' files are. Raises SettingError."""
    value, where = _variable("storage", secrets)
    return str(TOLD["storage"].kind.read(value or DEFAULT_STORAGE.format(home=airflow_home()), where))


def notifiers_from_airflow(secrets: Secrets | None = None) -> tuple[Mapping[str, Any], ...]:
    """How people are told, though every other setting were wrong. Raises SettingError."""
    value, where = _variable("notifiers", secrets or Secrets())
    return () if value is None else tuple(TOLD["notifiers"].kind.read(value, where))


def airflow_home() -> str:
    """Airflow's home, wherever its configuration says it is."""
    from airflow.configuration import AIRFLOW_HOME

    return str(AIRFLOW_HOME)


def approval_limit(said: Mapping[str, Any] | None = None, secrets: Secrets | None = None) -> Decimal | None:
    """The money above which a person must approve, or None. A run may lower the Variable's limit, never raise it. Raises SettingError."""
    said, kind = _given(said), TOLD["approve_above"].kind
    value, where = _variable("approve_above", secrets or Secrets())
    limits = [] if value is None else [kind.read(value, where)]
    if "approve_above" in said:
        limits.append(kind.read(said["approve_above"], "The run's param approve_above"))
    return min(limits, default=None)
