"""The journal as Airflow's connections and Variables name it, for whoever needs nothing else of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.airflow.connections import Secrets, storage_url

if TYPE_CHECKING:
    from include.restatements.journal.journal import Journal


def journal_from_airflow(secrets: Secrets | None = None) -> Journal:
    """Raises SettingError and StorageError."""
    from include.restatements.journal.journal import Journal
    from include.restatements.settings import variable_of
    from include.storage.opening import folder

    secrets = secrets or Secrets()
    return Journal(folder(storage_url(secrets), secrets.variable(variable_of("storage_conn_id")) or None))
