"""What stands between here and a PostgreSQL server: TLS, a pooler, a replica, timeouts. Asked of the server itself, by any login."""

from __future__ import annotations

from collections.abc import Iterator

from include.warehouse.base import Circumstance, Session

NIGHT_SECONDS = 600
"""A night is one transaction of minutes: a timeout below this may end a large one."""

_TIMEOUTS = ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")

_SERVER = """
SELECT pg_is_in_recovery() AS replica, CAST(split_part(version(), ' ', 2) AS text) AS version,
    COALESCE((SELECT s.ssl FROM pg_stat_ssl AS s WHERE s.pid = pg_backend_pid()), FALSE) AS tls,
    COALESCE(inet_server_addr() <<= inet '127.0.0.0/8' OR inet_server_addr() = inet '::1', TRUE) AS near
"""


def circumstances_of(session: Session) -> list[Circumstance]:
    """What is to be known of the way to this server. Raises WarehouseError."""
    return list(_found(session))


def _found(session: Session) -> Iterator[Circumstance]:
    server = session.rows(_SERVER)[0]
    yield Circumstance(f"PostgreSQL {server['version']}.")
    if server["replica"]:
        yield Circumstance("It is a replica, and schema cj is written to.", "Name the primary in connection `warehouse`.", stops=True)
    if not server["tls"] and not server["near"]:
        yield Circumstance(
            "The connection has no TLS: orders and the password's proof cross the network readable.", 'Put {"sslmode": "require"} into the extra of connection `warehouse`.'
        )  # fmt: skip
    else:
        yield Circumstance("The connection has TLS." if server["tls"] else "The connection does not leave this machine.")
    if _pooled(session):
        yield Circumstance("A pooler in transaction mode stands before it, which is fine.")
    yield from _short_timeouts(session)


def _pooled(session: Session) -> bool:
    """Whether one transaction is served by another process than the one before. A pooler that has nobody else to serve may not show."""
    return len({session.rows("SELECT pg_backend_pid() AS pid")[0]["pid"] for _ in range(4)}) > 1


def _short_timeouts(session: Session) -> Iterator[Circumstance]:
    for name in _TIMEOUTS:
        found = session.rows("SELECT CAST(setting AS bigint) AS thousandths FROM pg_settings WHERE name = :name", {"name": name})
        thousandths = found[0]["thousandths"] if found else 0
        assert isinstance(thousandths, int)
        if 0 < thousandths < NIGHT_SECONDS * 1000:
            yield Circumstance(
                f"{name} is {thousandths / 1000:g} s, and a night is one transaction that may take minutes.",
                f"ALTER ROLE … SET {name} = 0 for the login, or some {NIGHT_SECONDS} s.",
                stops=thousandths < 60_000,
            )
