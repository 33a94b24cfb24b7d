"""Registers the pages and their entry in the navigation, and nothing else. The code is in include.web, its place in Airflow in include.airflow.pages."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from include.airflow import pages


class CJPagesPlugin(AirflowPlugin):
    name = "cj_pages"
    fastapi_apps = pages.APPS
    external_views = pages.VIEWS
