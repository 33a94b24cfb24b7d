"""What the drivers of other databases say, in our words: what, where, what to do, and whether trying again, unchanged, helps.

An error is told apart by its number where the driver is one that is known (MySQL's, Snowflake's), then by its SQLSTATE, then by its class, whose names PEP 249
fixes for all. The driver's own text goes no further: it may quote the statement with its values. Only the names of a table, a column or a database are
taken out of it.

What it does not do: know every number. What is not known and may pass by itself is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from include.domain.errors import RestatementsError, SettingError, WarehouseError, WarehouseShapeError, WarehouseUnavailable


class Refusal(NamedTuple):
    """A kind of refusal. In `sentence`, `{}` is the name that the pattern finds in the driver's text, empty where it finds none."""

    raises: type[RestatementsError]
    sentence: str
    name: str = ""


_LOST = Refusal(WarehouseUnavailable, "the connection was lost, or its server is being stopped. Nothing was kept; try again")
_SILENT = Refusal(
    WarehouseUnavailable, "no server answers there. Check host and port of the connection, and what stands between; then try again"
)
_LOGIN = Refusal(SettingError, "it refused the login. Correct login and password of the connection")
_TABLE = Refusal(
    WarehouseShapeError,
    "there is no table or view{}, or the login may not see it. Create it, or correct the order changes SQL",
    r"[Tt]able '([\w.$-]+)'|Object '([\w.$\"-]+)'",
)
_COLUMN = Refusal(
    WarehouseShapeError, "there is no column{}. Correct the order changes SQL", r"[Cc]olumn '([\w.$]+)'|identifier '?([\w.$\"]+)'?"
)
_SYNTAX = Refusal(
    WarehouseError,
    "it cannot read the SQL{}. The order changes SQL is to be in this database's own dialect; correct it",
    r"at (line \d+)|(line \d+ at position \d+)",
)
_TIMEOUT = Refusal(
    WarehouseError,
    "it ended the statement, which took longer than it allows this login. Allow it more, or make the order changes SQL faster (an index on what it compares :interval_start with)",
)
_BUSY = Refusal(WarehouseUnavailable, "it is too busy just now, or somebody else held a lock for too long. Nothing was kept; try again")
_RIGHTS = Refusal(SettingError, "the login may not read{}. Ask its administrator to GRANT SELECT on it", r"table [`']?([\w.$`]+)[`']?")

_NUMBERS = {
    # MySQL and MariaDB.
    1045: _LOGIN, 1698: _LOGIN, 1251: _LOGIN, 1862: _LOGIN,
    1044: Refusal(SettingError, "the login may not use database{}. Correct the connection's schema, or ask its administrator for the right", r"database '([\w$-]+)'"),
    1049: Refusal(SettingError, "there is no database{}. Correct the connection's schema", r"database '([\w$-]+)'"),
    1046: Refusal(SettingError, "no database is named. Put its name into the connection's schema"),
    1142: _RIGHTS, 1143: _RIGHTS, 1227: _RIGHTS, 1370: _RIGHTS,
    1146: _TABLE, 1051: _TABLE, 1054: _COLUMN, 1064: _SYNTAX, 1305: Refusal(WarehouseError, "it knows no such function. The order changes SQL is to be in this database's own dialect; correct it"),
    2002: _SILENT, 2003: _SILENT, 2006: _LOST, 2013: _LOST, 2055: _LOST, 1053: _LOST, 1317: _LOST, 1927: _LOST, 1152: _LOST, 1158: _LOST, 1159: _LOST, 1160: _LOST, 1161: _LOST,
    2005: Refusal(SettingError, "no machine has that name. Correct the connection's host"),
    1205: _BUSY, 1213: _BUSY, 1040: _BUSY, 1203: _BUSY, 1226: _BUSY,
    1969: _TIMEOUT, 3024: _TIMEOUT,
    # Snowflake; 250001 covers whatever hinders a connection, the login included.
    250001: Refusal(SettingError, "it could not be connected to, or refused the login. Correct account, login and password of the connection"),
    251001: Refusal(SettingError, "the connection names no account, or a wrong one. Put it into the extra"),
    2043: _TABLE, 904: _COLUMN, 1003: _SYNTAX, 604: _TIMEOUT, 630: _TIMEOUT,
    606: Refusal(SettingError, "no Snowflake warehouse is chosen, so nothing can be run. Put one into the connection's extra, or give the login a default"),
    250003: _LOST, 250002: _LOST, 390114: _LOST, 390112: _LOST,
}  # fmt: skip

#: By its first letters; the longer ones count first.
_STATES = {
    "28": _LOGIN, "42501": _RIGHTS, "42S02": _TABLE, "02000": _TABLE, "42S22": _COLUMN, "42703": _COLUMN, "42000": _SYNTAX, "42601": _SYNTAX, "08": _LOST, "57014": _TIMEOUT, "57": _LOST,
    "40": _BUSY, "53": _BUSY, "55": _BUSY,
}  # fmt: skip

_CLASSES = {
    "ProgrammingError": Refusal(WarehouseError, "it refused the order changes SQL. Run it there by hand, between two dates, and correct it"),
    "NotSupportedError": Refusal(WarehouseError, "it does not support what the order changes SQL asks for. Correct it"),
    "DataError": Refusal(WarehouseError, "it refused a value that the order changes SQL works out. Correct it, or the rows"),
    "IntegrityError": Refusal(WarehouseError, "it refused the order changes SQL. Run it there by hand, between two dates, and correct it"),
    "OperationalError": Refusal(WarehouseUnavailable, "it could not do what was asked of it. Nothing was kept; try again, and look into its own log"),
    "InterfaceError": _LOST,
    "InternalError": Refusal(WarehouseUnavailable, "it had an error of its own. Nothing was kept; try again, and look into its own log"),
    "DatabaseError": Refusal(WarehouseUnavailable, "it could not do what was asked of it. Nothing was kept; try again, and look into its own log"),
    "Error": Refusal(WarehouseUnavailable, "its driver could not do what was asked. Nothing was kept; try again"),
}  # fmt: skip


@contextmanager
def speaking(conn_id: str) -> Iterator[None]:
    """A driver's exceptions as ours; what is no driver's goes on as it is."""
    try:
        yield
    except RestatementsError:
        raise
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        raise _said(refusal, error, f"The database of connection {conn_id!r}") from None


def not_opened(error: Exception, conn_id: str, kind: str, where: str) -> RestatementsError:
    """The error for a connection that did not come about; `where` names the database."""
    if isinstance(error, RestatementsError):
        return error
    if isinstance(error, ImportError) or type(error).__name__ == "AirflowOptionalProviderFeatureException" or "pip install" in str(error):
        return SettingError(
            f"Connection {conn_id!r} is of type {kind!r}, and the driver for it is not installed here. Install what that provider names "
            "where Airflow runs (docs/orders.md lists the extras)."
        )
    refusal = _refusal(error)
    if refusal is None:
        return SettingError(
            f"Connection {conn_id!r} is of type {kind!r}, and Airflow's hook for it cannot use what it says ({type(error).__name__}). Compare it with the provider's own page."
        )
    return _said(refusal, error, f"The database of connection {conn_id!r}, {where}")


def _refusal(error: Exception) -> Refusal | None:
    """None where it is no driver's error."""
    names = [one.__name__ for one in type(error).__mro__ if one.__module__ != "builtins"]
    of_a_driver = next((_CLASSES[name] for name in names if name in _CLASSES), None)
    if of_a_driver is None:
        return _LOST if isinstance(error, OSError) else None
    number = getattr(error, "errno", None)
    if not isinstance(number, int):
        number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if number in _NUMBERS:
        return _by_number(number, error)
    state = getattr(error, "sqlstate", None) or ""
    return next((_STATES[state[:length]] for length in range(len(state), 1, -1) if state[:length] in _STATES), of_a_driver)


def _by_number(number: int, error: Exception) -> Refusal:
    # Two drivers use this number: Snowflake's objects, and MySQL's way to say that no server is there.
    return _TABLE if number == 2003 and type(error).__module__.startswith("snowflake") else _NUMBERS[number]


def _said(refusal: Refusal, error: Exception, what: str) -> RestatementsError:
    found = re.search(refusal.name, str(error)) if refusal.name else None
    name = next((group for group in found.groups() if group), "") if found else ""
    return refusal.raises(f"{what}: {refusal.sentence.replace('{}', name and f' {name}')}.")
