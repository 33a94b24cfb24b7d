"""Where a person looks at what a message is about: one place, so that every message leads to the same page."""

from __future__ import annotations

from urllib.parse import quote

FRAME = "cj"
"""What names the frame of our pages in Airflow's UI (`url_route` in `include.airflow.pages`)."""
PREFIX = "/cj"
"""Where our pages are mounted on the API server."""
IN_THE_FRAME = f"/plugin/{FRAME}{PREFIX}"
"""Before the path of a page, where Airflow shows it in its frame."""


def page_of_dag(dag_id: str) -> str:
    """The DAG's own page in Airflow's UI; a path where Airflow has no `[api] base_url`."""
    return f"{_base()}/dags/{quote(dag_id)}"


def page_of_run(dag_id: str, run_id: str) -> str:
    """The run's own page in Airflow's UI; a path where Airflow has no `[api] base_url`."""
    return f"{page_of_dag(dag_id)}/runs/{quote(run_id, safe='')}"


def page_of_plan(run_id: str) -> str:
    """The night's page among ours, within Airflow's frame: what was planned, why the gate asked, what became of it."""
    return _page(f"runs/{quote(run_id, safe='')}")


def page_of_case(case_id: str) -> str:
    """One case for CJ's support among our pages."""
    return _page(f"cases/{quote(case_id, safe='')}")


def page_of_order(enterprise_id: str, action_tracker_id: int, order_id: str) -> str:
    """The story of one order among our pages."""
    return _page(f"orders/{quote(enterprise_id, safe='')}/{action_tracker_id}/{quote(order_id, safe='')}")


def page_of_prelock() -> str:
    """The pre-lock review's page among ours: what locks when, and what of it is wrong."""
    return _page("prelock")


def _page(path: str) -> str:
    return f"{_base()}{IN_THE_FRAME}/{path}"


def _base() -> str:
    from airflow.configuration import conf

    return (conf.get("api", "base_url", fallback="") or "").rstrip("/")
