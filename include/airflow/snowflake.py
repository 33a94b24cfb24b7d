"""Snowflake through its own connector: its provider's hook does not import with the SQLAlchemy that this Airflow is pinned with.

The connection is written as for that hook. Every key of the extra goes to the connector under the connector's own name: `account`, `warehouse`, `database`,
`role`, `authenticator`, `private_key_file`, `private_key_file_pwd`, `session_parameters` and the others.
"""

from __future__ import annotations

from typing import Any

_TOLD_APART = ("user", "password", "schema")


class SnowflakeConnector:
    """What is asked of a hook: a connection, and how a value's place is written."""

    placeholder = "%s"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def get_conn(self) -> Any:
        """Connects. Raises ImportError where the connector is not installed, and its own errors."""
        import snowflake.connector

        # Reading the extra so has Airflow mask what is secret in it.
        extra = {
            name: value for name, value in self._connection.extra_dejson.items() if value not in (None, "") and name not in _TOLD_APART
        }
        extra["session_parameters"] = {**extra.get("session_parameters", {}), "TIMEZONE": "UTC"}
        said = {"user": self._connection.login, "password": self._connection.password, "schema": self._connection.schema}
        return snowflake.connector.connect(**extra, **{name: value for name, value in said.items() if value})
