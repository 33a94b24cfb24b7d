"""What PostgreSQL and libpq say, in our words: what, where, what to do, and whether trying again, unchanged, helps.

A connection that is refused comes with a text alone, so its kind is told by that (`NOT_CONNECTED`); a statement that is refused comes with an SQLSTATE
(`REFUSED`, by its first letters). Of the server's own words only those about names are passed on: about data it quotes the data.

What it does not do: know every text. A refusal of the connection that is none of these may pass by itself, for all one can tell, and is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from include.domain.errors import (
    RestatementsError,
    SettingError,
    WarehouseError,
    WarehouseForbids,
    WarehouseShapeError,
    WarehouseTookTooLong,
    WarehouseUnavailable,
)


class Refusal(NamedTuple):
    """A kind of refusal. In `sentence`, `{}` is the name that the pattern's group found, or the server's own words."""

    pattern: str
    raises: type[RestatementsError]
    sentence: str


#: The first that is found in the text counts: what a person must correct comes before what may pass, since libpq tells all that it tried.
NOT_CONNECTED = (
    Refusal(r"password authentication failed|authentication failed for user", SettingError, "it refused the login. Correct login and password of the connection; the role may also not be allowed to log in, or its password have run out"),
    Refusal(r"no password supplied", SettingError, "it asks for a password, and the connection has none. Put it there"),
    Refusal(r"is not permitted to log in", SettingError, "the connection's login is a role that may not log in. Use another, or ALTER ROLE … LOGIN"),
    Refusal(r"role \"?.*\"? does not exist", SettingError, "it knows no such login. Correct the connection's login, or create the role"),
    Refusal(r"no pg_hba\.conf entry.*no encryption", SettingError, "its pg_hba.conf lets nobody in from here by this login without TLS. Say sslmode=require in the connection's extra, or ask its administrator for an entry"),
    Refusal(r"no pg_hba\.conf entry|pg_hba\.conf rejects", SettingError, "its pg_hba.conf lets nobody in from here by this login. Ask its administrator for an entry for this machine, login and database"),
    Refusal(r"database \"?.*\"? does not exist|no such database", SettingError, "there is no such database. Correct the connection's schema, which is Airflow's name for the database"),
    Refusal(r"permission denied for database", SettingError, "the login may not connect to this database. Ask its administrator to GRANT CONNECT ON DATABASE to it"),
    Refusal(r"does not support SSL", SettingError, "it speaks no TLS, and sslmode in the connection's extra asks for it. Turn TLS on at the server, or leave sslmode out where the way to it is safe"),
    Refusal(r"certificate|SSL error", SettingError, "TLS failed: the certificates do not fit. Compare sslmode, sslrootcert, sslcert and sslkey in the connection's extra with what the server shows"),
    Refusal(r"invalid URI query parameter: \"([\w-]+)\"|invalid connection option \"([\w-]+)\"", SettingError, "the connection's extra has {}, which libpq does not know. Correct the name, or take it out"),
    Refusal(r"for connection option \"([\w-]+)\"", SettingError, "libpq does not take the value of {} in the connection's extra. Correct it"),
    Refusal(r"invalid ([\w-]+) value", SettingError, "libpq does not take the value of {} in the connection's extra. Correct it"),
    Refusal(r"unsupported startup parameter(?: in options)?: ([\w.-]+)", SettingError, "a pooler stands before it, and takes no {} from a connection. Take that out of the extra and set it for the role (ALTER ROLE … SET …), or name the server itself"),
    Refusal(r"(?:unrecognized configuration parameter|invalid value for parameter|permission denied to set parameter) \"([\w.-]+)\"", SettingError, "options in the connection's extra set {}, and the server does not take that. Correct it"),
    Refusal(r"could not translate host name.*(?:not known|No address|no data)", SettingError, "no machine has that name. Correct the connection's host"),
    Refusal(r"could not translate host name", WarehouseUnavailable, "its name could not be looked up just now"),
    Refusal(r"too many (?:connections|clients)|connection slots|no more connections allowed", WarehouseUnavailable, "all its connections are taken. It has to have one to spare at night: raise the role's or the server's limit"),
    Refusal(r"starting up|shutting down|in recovery mode|not yet accepting", WarehouseUnavailable, "it is being started or stopped"),
    Refusal(r"session is (?:not )?read-only|hot standby", WarehouseUnavailable, "none of its servers is of the kind that target_session_attrs in the connection's extra asks for"),
    Refusal(r"No such file or directory", WarehouseUnavailable, "no server's socket is in that folder. Start the server, or correct the connection's host"),
    Refusal(r"Connection refused", WarehouseUnavailable, "nothing listens there. Start the server, or correct host and port of the connection"),
    Refusal(r"timeout expired|timed out|No route|unreachable", WarehouseUnavailable, "no answer comes from there. Check host and port of the connection, and what stands between (firewall, VPN)"),
)  # fmt: skip

_KEPT = "Nothing of the transaction was kept"
_RECOVERY = Refusal(
    r"conflict with recovery",
    WarehouseUnavailable,
    "PostgreSQL's replica cancelled the statement, which stood in the way of what its primary had changed. Try again; a larger max_standby_streaming_delay there makes it rarer",
)
_DEPENDS = "PostgreSQL: {}, which becomes another thing. Nothing was changed: note the text of what depends on it (pg_get_viewdef), drop that, try again, and make it anew"
_RIGHTS = "docs/warehouses.md lists the rights the package needs"

#: By the beginning of the SQLSTATE, the longest that fits; where several have it, the first whose pattern is found in the text.
REFUSED: Mapping[str, tuple[Refusal, ...]] = MappingProxyType({
    "42501": (
        Refusal(r"for database", WarehouseError, "PostgreSQL: {}. The schema cj is not there, and the login may not create it. Create it once, for the login: CREATE SCHEMA cj AUTHORIZATION <login>; or GRANT CREATE ON DATABASE to it"),
        Refusal(r"must be owner", WarehouseForbids, "PostgreSQL: {}. The schema cj was made by another login. Use that one, or give what is in the schema to this one (REASSIGN OWNED, ALTER … OWNER TO)"),
        Refusal(r"for schema", WarehouseForbids, f"PostgreSQL: {{}}. The login lacks a right on it: GRANT USAGE ON SCHEMA to read from it; schema cj must belong to it. {_RIGHTS}"),
        Refusal(r"", WarehouseForbids, f"PostgreSQL: {{}}. The login may not read it: GRANT SELECT ON it. {_RIGHTS}"),
    ),
    "2BP01": (Refusal(r"DETAIL:\s+(?P<words>[^\n]*)", WarehouseError, _DEPENDS), Refusal("", WarehouseError, _DEPENDS)),
    "42601": (Refusal("", WarehouseError, "PostgreSQL cannot read the SQL: {}. Correct the SQL"),),
    "42": (Refusal("", WarehouseShapeError, "PostgreSQL: {}. Create it, or correct the SQL that names it"),),
    "3F": (Refusal("", WarehouseShapeError, "PostgreSQL: {}. Create it, or correct the SQL that names it"),),
    "0A": (Refusal("", WarehouseError, "PostgreSQL does not do that: {}. Correct the SQL"),),
    "25006": (Refusal("", WarehouseError, "PostgreSQL is read-only here: {}. It is a replica, or the login has default_transaction_read_only. The package keeps its schema cj in the warehouse: name the primary in the connection, or ALTER ROLE … SET default_transaction_read_only = off"),),
    "57014": (
        Refusal(r"user request", WarehouseUnavailable, f"Somebody cancelled the statement at the server. {_KEPT}; try again"),
        Refusal(r"", WarehouseTookTooLong, f"PostgreSQL cancelled the statement: {{}}. {_KEPT}. A night may take minutes: ALTER ROLE … SET statement_timeout = 0 for the connection's login, or a longer one"),
    ),
    "25P": (Refusal("", WarehouseError, f"PostgreSQL ended the session: {{}}. {_KEPT}. A night is one transaction and may take minutes: ALTER ROLE … SET this timeout to 0 for the connection's login"),),
    "53100": (Refusal("", WarehouseError, f"PostgreSQL's disk is full. {_KEPT}. Free space there, then clear the task"),),
    "53400": (Refusal("", WarehouseError, f"PostgreSQL has reached a limit that was set for it: {{}}. {_KEPT}. Raise it for the connection's login"),),
    "57P04": (Refusal("", WarehouseError, f"The database was dropped. {_KEPT}. Correct the connection, or bring the database back"),),
    "26": (Refusal("", WarehouseError, f"PostgreSQL has lost a prepared statement: a pooler stands before it that changes the server within a transaction. {_KEPT}. Use its transaction or session mode, or name the server itself"),),
    "08P01": (Refusal("", WarehouseError, f"PostgreSQL, or a pooler before it, does not take what the driver sends: {{}}. {_KEPT}. A pooler must be in transaction or session mode; or name the server itself"),),
    "22": (Refusal("", WarehouseError, "PostgreSQL refused a value (SQLSTATE {state}). Compare the columns' types with the rows and the SQL"),),
    "23": (Refusal("", WarehouseError, "PostgreSQL refused a row (SQLSTATE {state}): a constraint somebody added to the schema cj. Take it away; the package adds none"),),
    "08": (Refusal("", WarehouseUnavailable, f"PostgreSQL could not finish (SQLSTATE {{state}}): the connection was lost. {_KEPT}; try again"),),
    "40": (_RECOVERY, Refusal("", WarehouseUnavailable, f"PostgreSQL could not finish (SQLSTATE {{state}}): another transaction was in the way. {_KEPT}; try again"),),
    "53": (Refusal("", WarehouseUnavailable, f"PostgreSQL could not finish (SQLSTATE {{state}}): it has too little memory or too few connections just now. {_KEPT}; try again"),),
    "55P03": (Refusal("", WarehouseUnavailable, f"PostgreSQL could not finish (SQLSTATE {{state}}): somebody else held a lock for too long. {_KEPT}; try again"),),
    "57": (Refusal("", WarehouseUnavailable, f"PostgreSQL could not finish (SQLSTATE {{state}}): it is being stopped or started. {_KEPT}; try again"),),
    "54": (Refusal("", WarehouseError, "PostgreSQL has a limit that this statement passes: {}. Correct the SQL"),),
    "58": (Refusal("", WarehouseError, f"PostgreSQL had trouble with its machine (SQLSTATE {{state}}). {_KEPT}. Its own log says what"),),
    "XX": (Refusal("", WarehouseError, f"PostgreSQL had an error of its own (SQLSTATE {{state}}). {_KEPT}. Its own log says what"),),
    "": (
        # In the middle of a COPY the driver leaves the SQLSTATE out.
        _RECOVERY,
        Refusal(r"transaction blocks not allowed", WarehouseError, "A pooler in statement mode stands before PostgreSQL, and lets no transaction through, which the package needs. Use its transaction or session mode, or name the server itself"),
        Refusal(r"connection (to server|not open|is closed)|closed the connection|no connection to the server|terminating connection due to (administrator command|unexpected postmaster exit)|could not receive data from server", WarehouseUnavailable, f"PostgreSQL could not finish (SQLSTATE none): the connection was lost. {_KEPT}; try again"),
        Refusal(r"", WarehouseError, "PostgreSQL refused the statement (SQLSTATE {state}). Compare the columns' types and values with the SQL"),
    ),
})  # fmt: skip


def not_connected(text: str, where: str) -> RestatementsError:
    """The error for a connection that did not come about; `where` names the warehouse."""
    for refusal in NOT_CONNECTED:
        if found := re.search(refusal.pattern, text):
            name = next((group for group in found.groups() if group), "")
            sentence = refusal.sentence.replace("{}", name)
            if refusal.raises.transient:
                return refusal.raises(f"The warehouse, {where}, cannot be reached: {sentence}; then try again.")
            return refusal.raises(f"The warehouse, {where}, cannot be opened: {sentence}.")
    return WarehouseUnavailable(f"The warehouse, {where}, cannot be reached. Check that the server is up, then try again.")


def refused(text: str, state: str) -> WarehouseError:
    """The error for a statement that was refused."""
    said = re.search(r"(?:ERROR|FATAL):\s+([^\n]*)", text)
    words = said.group(1).rstrip(".") if said else "it gave no reason"
    kind = next(state[:length] for length in range(len(state), -1, -1) if state[:length] in REFUSED)
    refusal, found = next((one, found) for one in REFUSED[kind] if (found := re.search(one.pattern, text)))
    words = found.groupdict().get("words") or words
    raised = refusal.raises(refusal.sentence.replace("{}", words).replace("{state}", state or "none") + ".")
    assert isinstance(raised, WarehouseError)
    return raised


@contextmanager
def speaking() -> Iterator[None]:
    """ADBC's exceptions as ours."""
    import adbc_driver_manager as adbc
    import pyarrow as pa

    try:
        yield
    except adbc.Error as error:
        raise refused(str(error), error.sqlstate or "") from None
    except (pa.ArrowException, OSError) as error:
        # Read errors of a result surface as Arrow's, with the server's text inside.
        state = re.search(r"SQLSTATE: (\w{5})", str(error))
        raise refused(str(error), state.group(1) if state else "") from None
