"""Where a person looks at what a message is about: one place, so that every message leads to the same page."""

from __future__ import annotations

from urllib.parse import quote


def page_of_run(dag_id: str, run_id: str) -> str:
    """The run's own page in Airflow's UI; a path where Airflow has no `[api] base_url`."""
    from airflow.configuration import conf

    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    return f"{base}/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}"
