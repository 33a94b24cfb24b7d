"""Registers the listener that creates the pools, and nothing else. Airflow executes every file here: the code is in include.airflow.pools."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from include.airflow import pools


class CJPoolsPlugin(AirflowPlugin):
    name = "cj_pools"
    listeners = [pools]  # noqa: RUF012
