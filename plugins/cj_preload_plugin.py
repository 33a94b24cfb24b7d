"""Registers the listener that loads heavy libraries before tasks are forked, and nothing else. The code is in include.airflow.preload."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from include.airflow import preload


class CJPreloadPlugin(AirflowPlugin):
    name = "cj_preload"
    listeners = [preload]  # noqa: RUF012
