"""For the setting `imports` of a Celery worker: importing this module is what loads the libraries, before the worker forks its pool."""

from __future__ import annotations

from include.airflow.preload import preload

preload()
