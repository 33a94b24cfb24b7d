"""Connections, Variables and a run's params become `Settings`: the only module that knows where a setting is written down.

A setting is looked for in the run's own conf, then in the Variable `cj_<name>`, then it has the default of `Settings`. Two settings can
only be made more careful by a run: `mode` (checked by `Settings`) and `approve_above` (the lower of the two counts).
Every mistake raises SettingError with one sentence that names the connection or Variable and says what to do; no sentence repeats a value
that could be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from include.domain.account import MAX_ORDERS_PER_REQUEST, Account, Token, check_mode
from include.domain.errors import SettingError
from include.domain.money import NotMoney, money
from include.domain.states import Mode
from include.restatements.settings import Settings

EXTRA_KEYS = ("enterprise_id", "advertiser_id", "currency", "mode", "tracking_url", "commissions_url", "sale_amount_basis")
NULLABLE_FIELDS = frozenset({"coupon", "discount", "items"})
LONGEST = timedelta(days=3650)
"""No setting needs to look further back or wait longer, and no date of a run leaves the calendar."""


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


def extra_of(conn_id: str, connection: Any) -> dict[str, Any]:
    """The connection's extra, a JSON object. Raises SettingError."""
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        raise SettingError(
            f'Connection {conn_id!r}: extra is not JSON. Write it as {{"enterprise_id": "…", "advertiser_id": "…"}}.'
        ) from None
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
    if "mode" in fields:
        fields["mode"] = _mode(fields["mode"], f"Connection {conn_id!r}: extra mode")
    currency = fields.get("currency", "USD")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise SettingError(f"Connection {conn_id!r}: extra currency is {currency!r}; it must be a three-letter code like USD.")
    if "tracking_url" in fields:
        fields["tracking_url"] = fields["tracking_url"].rstrip("/")
    return fields


def _mode(text: Any, where: str) -> Mode:
    try:
        return Mode(str(text))
    except ValueError:
        raise SettingError(f"{where} is {str(text)!r}; it must be 'test' or 'live'.") from None


# --- settings ---------------------------------------------------------------------------------------------------------------------------


def account_ids(secrets: Secrets | None = None) -> list[str]:
    """The connection ids in the Variable cj_conn_ids (a JSON list, default ["cj"]). Raises SettingError."""
    text = (secrets or Secrets()).variable("cj_conn_ids")
    if text is None:
        return ["cj"]
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise SettingError('Variable cj_conn_ids must be a JSON list of connection ids that is not empty, like ["cj", "cj_uk"].')
    if len(set(names)) != len(names):
        raise SettingError("Variable cj_conn_ids names a connection twice. Name each once.")
    return names


def settings_from_airflow(
    said: Mapping[str, Any] | None = None, secrets: Secrets | None = None, *, only: Sequence[str] | None = None
) -> Settings:
    """Everything a run needs to know. Raises SettingError.

    `said` is what this run's own conf says (`include.airflow.runs.said`); `only` reads these accounts and not the others, so that a
    mistake in one connection does not hold the rest.
    """
    secrets = secrets or Secrets()
    said = _given(said)
    accounts = tuple(account_from_connection(conn_id, secrets) for conn_id in only or account_ids(secrets))
    _one_connection_an_account(accounts)
    fields: dict[str, Any] = {}
    for name, parse in _FIELDS.items():
        value, where = _look_up(name, said, secrets)
        if value is not None:
            fields[name] = parse(value, where)
            if name == "mode":
                _allowed(fields[name], accounts, where)
    settings = Settings(accounts=accounts, storage=_storage(secrets), **fields)
    return replace(settings, approve_above=approval_limit(said, secrets))


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
    return secrets.variable(f"cj_{name}") or None, f"Variable cj_{name}"


def _allowed(mode: Mode, accounts: Sequence[Account], where: str) -> None:
    """Settings checks this too, and cannot say where the mode is written down."""
    for account in accounts:
        check_mode(mode, account, where)


def _storage(secrets: Secrets) -> str:
    storage = secrets.variable("cj_storage") or f"file://{airflow_home()}/cj_data"
    if "://" not in storage:
        raise SettingError(f"Variable cj_storage is {storage!r}; it must be a URL like file:///var/cj or s3://bucket/cj.")
    scheme, _, rest = storage.partition("://")
    # A URL's first part is a host: file://relative/x would be the folder /x.
    if scheme == "file" and not (rest.startswith("/") and rest.strip("/")):
        raise SettingError(f"Variable cj_storage is {storage!r}, which names no folder by its whole path; write file:///absolute/path.")
    return storage.rstrip("/")


def airflow_home() -> str:
    """Airflow's home, wherever its configuration says it is."""
    from airflow.configuration import AIRFLOW_HOME

    return str(AIRFLOW_HOME)


def approval_limit(said: Mapping[str, Any] | None = None, secrets: Secrets | None = None) -> Decimal | None:
    """The money above which a person must approve, or None. A run may lower the Variable's limit, never raise it. Raises SettingError."""
    said = _given(said)
    of_variable = (secrets or Secrets()).variable("cj_approve_above")
    limits = []
    if of_variable:
        limits.append(_amount(of_variable, "Variable cj_approve_above"))
    if "approve_above" in said:
        limits.append(_amount(said["approve_above"], "The run's param approve_above"))
    return min(limits, default=None)


def _amount(value: Any, where: str) -> Decimal:
    # JSON gives a run's number as a float; its shortest text is what the person typed.
    try:
        amount = money(repr(value) if isinstance(value, float) else value)
    except NotMoney as problem:
        raise SettingError(f"{where}: {problem}.") from None
    if amount < 0:
        raise SettingError(f"{where} is negative; give an amount of money of zero or more.")
    return amount


def _number(value: Any, where: str) -> Decimal:
    try:
        return money(repr(value) if isinstance(value, float) else value)
    except NotMoney:
        raise SettingError(f"{where} is {value!r}; it must be a number.") from None


def _ratio(value: Any, where: str) -> Decimal:
    ratio = _number(value, where)
    if not 0 <= ratio <= 1:
        raise SettingError(f"{where} is {value!r}; it must be between 0 (one bad row stops the night) and 1 (nothing does).")
    return ratio


def _band(value: Any, where: str) -> Decimal:
    band = _number(value, where)
    if not 0 <= band < 1:
        raise SettingError(f"{where} is {value!r}; it must be at least 0 and below 1, like 0.03 for three per cent.")
    return band


def _at_least_zero(value: Any, where: str) -> float:
    number = _number(value, where)
    if number < 0:
        raise SettingError(f"{where} is {value!r}; it must not be negative.")
    return float(number)


def _whole(value: Any, where: str) -> int:
    number = _number(value, where)
    if number != number.to_integral_value() or number < 1:
        raise SettingError(f"{where} is {value!r}; it must be a whole number of at least 1.")
    return int(number)


def _chunk_size(value: Any, where: str) -> int:
    size = _whole(value, where)
    if size > MAX_ORDERS_PER_REQUEST:
        raise SettingError(f"{where} is {value!r}; it must be at most {MAX_ORDERS_PER_REQUEST}, the orders CJ takes in a request.")
    return size


def _time(parse: Callable[[Any, str], Any], unit: timedelta) -> Callable[[Any, str], Any]:
    """A length of time in `unit`, at most LONGEST."""

    def parsed(value: Any, where: str) -> Any:
        number = parse(value, where)
        if number > LONGEST / unit:
            raise SettingError(f"{where} is {value!r}; it must be at most {LONGEST // unit}, ten years.")
        return number

    return parsed


def _flag(value: Any, where: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    try:
        return words[str(value).strip().lower()]
    except KeyError:
        raise SettingError(f"{where} is {value!r}; it must be true or false.") from None


def _fields(value: Any, where: str) -> frozenset[str]:
    try:
        names = value if isinstance(value, (list, tuple)) else json.loads(value)
    except ValueError:
        names = None
    if not isinstance(names, (list, tuple)) or not set(map(str, names)) <= NULLABLE_FIELDS:
        raise SettingError(f'{where} must be a JSON list out of "coupon", "discount", "items".')
    return frozenset(map(str, names))


def _open_ended_status(value: Any, where: str) -> str:
    if value not in ("Pending", "Accepted"):
        raise SettingError(f"{where} is {value!r}; it must be 'Pending' or 'Accepted' (which locks the order).")
    return str(value)


def _text(value: Any, where: str) -> str:
    return str(value)


_FIELDS: dict[str, Callable[[Any, str], Any]] = {
    "mode": _mode,
    "storage_conn_id": _text,
    "chunk_size": _chunk_size,
    "max_quarantine_ratio": _ratio,
    "processing_minutes": _time(_at_least_zero, timedelta(minutes=1)),
    "deadline_hours": _time(_at_least_zero, timedelta(hours=1)),
    "late_hours": _time(_at_least_zero, timedelta(hours=1)),
    "combine_items": _flag,
    "allow_field_loss": _fields,
    "open_ended_status": _open_ended_status,
    "currency_band": _band,
    "ledger_days": _time(_whole, timedelta(days=1)),
    "keep_skipped_days": _time(_whole, timedelta(days=1)),
    "chunks_per_task": _whole,
    "order_changes_sql": _text,
}
