"""Where a person looks at what a message is about: one place, so that every message leads to the same page."""

from __future__ import annotations

from urllib.parse import quote


def page_of_dag(dag_id: str) -> str:
    """The DAG's own page in Airflow's UI; a path where Airflow has no `[api] base_url`."""
    return f"{_base()}/dags/{quote(dag_id)}"


def page_of_run(dag_id: str, run_id: str) -> str:
    """The run's own page in Airflow's UI; a path where Airflow has no `[api] base_url`."""
    return f"{page_of_dag(dag_id)}/runs/{quote(run_id, safe='')}"


def _base() -> str:
    from airflow.configuration import conf

    return (conf.get("api", "base_url", fallback="") or "").rstrip("/")
