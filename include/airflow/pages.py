"""The pages within Airflow: the app under `/cj`, its entry in the navigation, and its tab on a DAG run. Registered in plugins/cj_pages_plugin.py.

Airflow executes a plugin in each of its processes, and only the API server ever answers a request: so what is registered is a small thing that makes the
app when the first request comes, and nothing of it is imported before.

Who may look is Airflow's to say: whoever may see the DAG cj_reconciliation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from include.airflow.addresses import FRAME, PREFIX

if TYPE_CHECKING:
    from include.warehouse.location import WarehouseLocation

SEEN_BY_WHO_SEES = "cj_reconciliation"
"""Whoever may see this DAG may see the pages."""

READING_CONN_ID = "warehouse_pages"
"""Where there is such a connection the pages read with it, and their login needs no right but SELECT; otherwise with `warehouse`."""

ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='{colour}' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'%3E%3Cpath d='M3 3v18h18'/%3E%3Cpath d='m7 15 4-5 3 3 5-7'/%3E%3C/svg%3E"

_LIGHT, _DARK = (ICON.format(colour=colour) for colour in ("%23161d2d", "%23f8fafd"))

VIEWS: list[dict[str, Any]] = [
    {
        "name": "CJ",
        "href": f"{PREFIX}/",
        "destination": "nav",
        "url_route": FRAME,
        "nav_top_level": True,
        "icon": _LIGHT,
        "icon_dark_mode": _DARK,
    },
    {
        "name": "CJ",
        "href": f"{PREFIX}/runs/{{RUN_ID}}?tab=1",
        "destination": "dag_run",
        "url_route": "cj-run",
        "icon": _LIGHT,
        "icon_dark_mode": _DARK,
    },
]
"""What Airflow shows of the pages."""


class Pages:
    """An ASGI app that is made when the first request comes, in a thread: what it imports keeps no other answer of Airflow's waiting."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._lock = make, Lock()
        self._made: Any = None

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if self._made is None:
            from anyio import to_thread

            await to_thread.run_sync(self._make_once)
        await self._made(scope, receive, send)

    def _make_once(self) -> None:
        with self._lock:
            if self._made is None:
                self._made = self._make()


def make() -> Any:
    """The app, with Airflow's own question of access before all of it."""
    from airflow.api_fastapi.core_api.security import requires_access_dag
    from airflow.configuration import conf

    from include.web.app import create_app
    from include.web.reading import USUAL, Patience, Warehouse, load_driver

    warehouse = Warehouse(where_to_read)
    load_driver(warehouse)
    seconds = conf.getint("cj_restatements", "page_seconds", fallback=USUAL.statement)
    return create_app(
        access=requires_access_dag("GET", param_dag_id=SEEN_BY_WHO_SEES),
        warehouse=warehouse,
        data_docs=data_docs,
        prelock_file=prelock_file,
        attachment=attachment,
        patience=Patience(seconds, USUAL.page + seconds),
    )


def attachment(case: str, digest: str, name: str) -> bytes | None:
    """A file that goes with a case for CJ's support; None where there is none, or the name is none of an attachment. Raises SettingError and StorageError."""
    from include.restatements.cases.pack import is_attachment, path_of

    return _stored(path_of(case, digest, name)) if is_attachment(case, digest, name) else None


def data_docs(run_id: str) -> bytes | None:
    """The page of rules that Great Expectations wrote for a run; None where there is none. Raises SettingError and StorageError."""
    from include.restatements.journal.journal import run_folder

    return _stored(f"{run_folder(run_id)}/quality/data_docs/rules.html")


def prelock_file(run_id: str, name: str) -> bytes | None:
    """A file of a pre-lock review; None where there is none. Raises SettingError and StorageError."""
    from include.restatements.journal.journal import pack_folder

    return _stored(f"{pack_folder(run_id)}/{name}")


def _stored(path: str) -> bytes | None:
    from include.airflow.journal import journal_from_airflow

    return journal_from_airflow().files.read(path)


def where_to_read() -> WarehouseLocation:
    """The warehouse as the pages reach it. Raises SettingError."""
    from include.airflow.connections import Secrets
    from include.airflow.warehouse import parts_of, warehouse_location
    from include.warehouse.location import location_of

    connection = Secrets().connection(READING_CONN_ID)
    return warehouse_location() if connection is None else location_of(parts_of(READING_CONN_ID, connection))


APPS = [{"app": Pages(make), "url_prefix": PREFIX, "name": "CJ Restatements"}]
