"""The environment under which every Airflow process of the cluster runs: CeleryExecutor, PostgreSQL for metadata and warehouse, one storage."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from include.commands.demo import demo_environment
from include.commands.up import LOOPBACK
from lab.scale import bucket
from lab.scale.services import METADATA, WAREHOUSE

BUCKET, BUCKET_CONNECTION = "cj-restatements", "cj_bucket"
HEARTBEAT_TIMEOUT = 30
"""Seconds without a sign of life after which a task counts as dead and is tried again."""


def cluster_environment(
    folder: Path,
    sandbox_url: str,
    port: int,
    postgres_host: str,
    redis_socket: Path,
    given: Mapping[str, str],
    bucket_url: str | None = None,
) -> dict[str, str]:
    """`given` without its Airflow settings, and with the cluster's. Chunks go to a folder, or to the bucket at `bucket_url`."""
    metadata = f"postgresql://postgres@/{METADATA}?host={postgres_host}"
    environment = demo_environment(folder, sandbox_url, given)
    environment |= {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]),
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.replace("postgresql:", "postgresql+psycopg2:"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": metadata.replace("postgresql:", "postgresql+asyncpg:"),
        "AIRFLOW__CELERY__BROKER_URL": f"redis+socket://{redis_socket}?virtual_host=0",
        "AIRFLOW__CELERY__RESULT_BACKEND": metadata.replace("postgresql:", "db+postgresql:"),
        "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        # What the tasks import, a worker imports once before it forks them.
        "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": json.dumps({"imports": ["include.airflow.preload_worker"]}),
        # Longer than the longest task: Redis hands a message out again after it.
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "86400",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__CORE__PARALLELISM": "16",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{LOOPBACK}:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
        # Only ever on loopback: this removes the login everywhere.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        # The same in every process, as on several machines.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "postgres", "host": postgres_host, "login": "postgres", "schema": WAREHOUSE}),
    }
    if bucket_url is not None:
        environment |= {
            "AIRFLOW_VAR_CJ_STORAGE": f"s3://{BUCKET}/restatements",
            "AIRFLOW_VAR_CJ_STORAGE_CONN_ID": BUCKET_CONNECTION,
            f"AIRFLOW_CONN_{BUCKET_CONNECTION.upper()}": bucket.connection(bucket_url),
        }
    return environment
