"""What only a bucket has to prove: multipart uploads, lost answers, and stores that are less than they say."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.domain.errors import SettingError, StorageError
from include.storage.bucket import CONFLICT_TRIES, ObjectFolder
from include.storage.opening import folder
from lab.scale.bucket import BucketServer, connection
from tests.storage.proxy import Proxy, first_times, lose_the_answer, proxy_before

ROOT = Path(__file__).parents[2]
MULTIPART = 101 * 2**20
"""s3fs sends more than 100 MiB in parts."""


@pytest.fixture
def proxy(s3: BucketServer) -> Iterator[Proxy]:
    with proxy_before(s3.url) as running:
        yield running


@pytest.fixture
def proxied(proxy: Proxy, bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> ObjectFolder:
    """The bucket as somebody sees it who goes through the proxy."""
    conn_id = f"proxied_{proxy.server_port}"
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", connection(proxy.url))
    found = folder(bucket_url, conn_id)
    assert isinstance(found, ObjectFolder)
    return found


def test_a_file_sent_in_parts_is_created_once(bucket: ObjectFolder) -> None:
    first = bytes(MULTIPART)
    assert bucket.create("large.parquet", first)
    assert not bucket.create("large.parquet", b"\1" * MULTIPART)
    assert bucket.read("large.parquet") == first


WRITER = """
import os, sys
from include.storage.opening import folder
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # Airflow logs to standard output
place = folder(sys.argv[1], sys.argv[2])
print("writing", file=answers)
place.write("large.parquet", bytes(int(sys.argv[3])))
print("done", file=answers)
"""


def _parts_sent(bucket: ObjectFolder) -> int:
    """How many parts of unfinished uploads the store holds."""
    name = bucket.key.partition("/")[0]
    uploads: list[dict[str, Any]] = bucket.fs.call_s3("list_multipart_uploads", Bucket=name).get("Uploads", [])
    return sum(len(bucket.fs.call_s3("list_parts", Bucket=name, Key=u["Key"], UploadId=u["UploadId"]).get("Parts", [])) for u in uploads)


@pytest.mark.parametrize("there", [None, b"the old state"], ids=["new", "replaced"])
def test_of_a_writer_killed_half_way_nothing_is_seen(
    bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy, there: bytes | None
) -> None:
    if there is not None:
        bucket.write("large.parquet", there)
    over = threading.Event()

    def hold(_: object) -> None:
        over.wait(60)

    proxy.faults.append(first_times(100, hold, lambda h: "partNumber=" in h.path and "partNumber=1&" not in f"{h.path}&"))
    command = [sys.executable, "-c", WRITER, proxied.url, str(proxied.conn_id), str(MULTIPART)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as writer:
        try:
            assert writer.stdout
            assert writer.stdout.readline() == "writing\n"
            while not _parts_sent(bucket):
                assert writer.poll() is None
                time.sleep(0.05)
        finally:
            writer.kill()
            over.set()
        assert writer.stdout.read() == ""
    assert bucket.read("large.parquet") == there
    assert bucket.names() == ([] if there is None else ["large.parquet"])
    assert bucket.exists("large.parquet") is (there is not None)


def test_what_the_network_library_says_is_a_sentence_too(bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy) -> None:
    def babble(handler: Any) -> None:
        handler.wfile.write(b"no HTTP at all\r\n\r\n")
        handler.close_connection = True

    bucket.write("a.json", b"there")
    proxy.faults.append(first_times(100, babble, lambda h: True))
    with pytest.raises(StorageError, match="Could not look for"):
        proxied.exists("a.json")


def test_a_creation_whose_answer_was_lost_is_still_ours(bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy) -> None:
    proxy.faults.append(first_times(2, lose_the_answer))
    assert proxied.create("a.intent.json", b"mine")
    assert bucket.read("a.intent.json") == b"mine"
    assert not bucket.create("a.intent.json", b"mine")


def test_a_creation_whose_answer_was_lost_after_another_was_first_is_not_ours(
    bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy
) -> None:
    assert bucket.create("a.intent.json", b"theirs")
    proxy.faults.append(first_times(2, lose_the_answer))
    assert not proxied.create("a.intent.json", b"mine")
    assert bucket.read("a.intent.json") == b"theirs"


def test_a_store_that_ignores_the_condition_gets_no_file(bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy) -> None:
    def ignore(handler: Any) -> bool:
        del handler.headers["If-None-Match"]
        return False

    proxy.faults.append(ignore)
    for _ in range(2):
        with pytest.raises(SettingError, match="cannot create a file exclusively, which keeps a chunk from being posted twice"):
            proxied.create("a.intent.json", b"1")
    assert bucket.names() == []


def test_a_store_that_knows_no_condition_gets_no_file(bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy) -> None:
    proxy.faults.append(first_times(1, lambda h: h.refuse(501, "NotImplemented"), lambda h: h.headers.get("If-None-Match") is not None))
    with pytest.raises(SettingError, match="Use file:// or an S3-compatible bucket that honours If-None-Match"):
        proxied.create("a.intent.json", b"1")
    assert bucket.names() == []


def test_two_creations_that_meet_are_tried_again(bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy) -> None:
    proxy.faults.append(first_times(2, lambda h: h.refuse(409, "ConditionalRequestConflict")))
    assert proxied.create("a.intent.json", b"mine")
    proxy.faults.append(first_times(CONFLICT_TRIES, lambda h: h.refuse(409, "ConditionalRequestConflict")))
    with pytest.raises(StorageError, match=r"Could not create s3://.*/b\.intent\.json: .* then retry\."):
        proxied.create("b.intent.json", b"mine")
    assert bucket.names() == ["a.intent.json"]


def test_a_refusal_that_names_no_condition_is_a_refusal(bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy) -> None:
    bucket.write("a.intent.json", b"theirs")
    proxy.faults.append(first_times(1, lambda h: h.refuse(412, "PreconditionFailed")))
    assert not proxied.create("a.intent.json", b"mine")


@pytest.mark.parametrize("verb", ["read", "exists", "names", "remove"])
def test_what_could_not_be_asked_is_never_taken_for_missing(bucket: ObjectFolder, proxied: ObjectFolder, proxy: Proxy, verb: str) -> None:
    bucket.write("a.json", b"there")

    def refuse(handler: Any) -> bool:
        handler.refuse(403, "AccessDenied")
        return True

    proxy.faults.append(refuse)
    with pytest.raises(StorageError, match="Check the storage") as refused:
        getattr(proxied, verb)("a.json")
    assert "rehearsal-secret" not in str(refused.value)
    assert bucket.read("a.json") == b"there"


@pytest.mark.parametrize("verb", ["read", "exists", "names", "remove"])
def test_a_missing_bucket_is_not_an_empty_one(s3: BucketServer, conn_id: str, verb: str) -> None:
    with pytest.raises(StorageError, match=r"the bucket does not exist\. Create it, or correct the Variable cj_storage, then retry"):
        getattr(folder("s3://nobodys-bucket/cj", conn_id), verb)("a.json")


def test_a_connection_that_does_not_exist_is_not_an_anonymous_one(bucket_url: str) -> None:
    with pytest.raises(SettingError, match="Variable cj_storage_conn_id names connection 'nobody', which cannot be read"):
        folder(bucket_url, "nobody")


def test_what_another_process_wrote_is_listed_at_once(bucket: ObjectFolder, proxied: ObjectFolder) -> None:
    assert proxied.names("night") == []
    bucket.write("night/a.json", b"1")
    assert proxied.names("night") == ["a.json"]
    assert proxied.exists("night/a.json")
    bucket.remove("night/a.json")
    assert not proxied.exists("night/a.json")
    assert proxied.names("night") == []
