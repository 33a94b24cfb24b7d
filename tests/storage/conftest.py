"""One S3 server on loopback for the session; a bucket and an Airflow connection of its own for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.storage.bucket import ObjectFolder
from include.storage.opening import folder
from lab.scale.bucket import BucketServer, connection


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    with BucketServer(tmp_path_factory.mktemp("s3") / "server.log") as server:
        yield server


@pytest.fixture
def conn_id(s3: BucketServer, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"bucket_{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", connection(s3.url))
    return name


@pytest.fixture
def bucket_url(s3: BucketServer) -> str:
    name = f"cj-{uuid.uuid4().hex[:12]}"
    s3.make_bucket(name)
    return f"s3://{name}/restatements"


@pytest.fixture
def bucket(bucket_url: str, conn_id: str) -> ObjectFolder:
    found = folder(bucket_url, conn_id)
    assert isinstance(found, ObjectFolder)
    return found


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """A folder of either kind: what one promises, the other promises."""
    return folder(f"file://{tmp_path}/cj") if request.param == "local" else request.getfixturevalue("bucket")
