"""Where a warehouse is, and which kinds there are: all that is known before one is opened.

A kind is a module, `include/warehouse/<kind>_warehouse.py`, found by its name and asked for what only it can know: how a connection becomes a
location. Its driver is imported by its `connect`, not before, so that whoever only wants the location (a page, a check) does not pay for it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from include.domain.errors import SettingError

_SUFFIX = "_warehouse"


@dataclass(frozen=True)
class ConnectionParts:
    """What an Airflow connection says, without Airflow. Printing it shows nothing that may hold a secret; a file's name may hold a token."""

    conn_id: str
    conn_type: str
    host: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    schema: str = ""
    port: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    root: Path = Path()
    """The folder that a relative path begins at."""


@dataclass(frozen=True)
class WarehouseLocation:
    """Where the warehouse is: an embedded one by its `path`, a server by its `uri`. Printing it never shows a password.

    A kind with more to say derives a class of its own, beside its `connect`; what of it may hold a secret is `repr=False` there too.
    """

    kind: str
    uri: str = field(default="", repr=False)
    path: str = ""
    wait_seconds: float = 120.0
    """How long to wait for what somebody else holds: a file, a name."""

    def __str__(self) -> str:
        return f"{self.kind} at {self.address}"

    @property
    def address(self) -> str:
        """Host, port and database, or the file: what an error may name."""
        if self.path:
            return self.path
        try:
            parts = urlsplit(self.uri)
            host, port = parts.hostname or "the local socket", f":{parts.port}" if parts.port else ""
        except ValueError:
            return "an address that cannot be read"
        return f"{host}{port}{parts.path}"


class Kind(Protocol):
    """What a kind's module holds, beside its Session."""

    CONNECTION: str
    """How its connection is written down, for a sentence: `type duckdb with the file in host`."""

    ALIASES: tuple[str, ...]
    """Other connection types that mean the same warehouse."""

    DRIVER: str
    """What `connect` imports."""

    def location(self, parts: ConnectionParts) -> WarehouseLocation:
        """Where the connection points. Raises SettingError for what a person must correct; imports no driver."""

    def connect(self, location: WarehouseLocation) -> Any:
        """A Session. Raises SettingError for what a person must correct, WarehouseUnavailable for what may pass by itself."""


def supported_kinds() -> list[str]:
    """The kinds there is a module for."""
    import include.warehouse as package

    return sorted(m.name.removesuffix(_SUFFIX) for m in pkgutil.iter_modules(package.__path__) if m.name.endswith(_SUFFIX))


def kind_named(kind: str) -> Kind:
    """The kind's module. It must be one of `supported_kinds`."""
    return cast(Kind, importlib.import_module(f"include.warehouse.{kind}{_SUFFIX}"))


def kind_of(conn_type: str) -> str | None:
    """The kind that a connection of this type means, or None."""
    kinds = supported_kinds()
    if conn_type in kinds:
        return conn_type
    return next((kind for kind in kinds if conn_type in kind_named(kind).ALIASES), None)


def location_of(parts: ConnectionParts) -> WarehouseLocation:
    """Where the connection points, as its kind's module reads it. Raises SettingError."""
    kind = kind_of(parts.conn_type)
    if kind is None:
        raise not_supported(f"Connection {parts.conn_id!r}", parts.conn_type)
    return kind_named(kind).location(parts)


def ways_to_connect() -> str:
    """How a warehouse's connection is written down, every kind's way, for a sentence."""
    return ", or ".join(kind_named(kind).CONNECTION for kind in supported_kinds())


def not_supported(what: str, kind: str) -> SettingError:
    """The error for a kind that has no module."""
    return SettingError(
        f"{what} is of type {kind!r}, which is not supported. "
        f"Use one of: {', '.join(supported_kinds())}. docs/warehouses.md says how to add another."
    )
