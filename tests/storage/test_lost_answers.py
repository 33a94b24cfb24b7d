"""A chunk on a bucket whose answers get lost: the client makes its request again, and others have moved on meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.errors import CJRateLimited
from include.domain.states import Mode, Operation
from include.restatements.journal.chunks import content_hash
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal
from include.restatements.posting.poster import Poster, Submitted
from include.sandbox.process import SandboxProcess, start_sandbox
from include.storage.bucket import ObjectFolder
from include.storage.local import LocalFolder
from include.storage.opening import folder
from lab.scale.bucket import BucketServer, connection
from tests.cj.test_client_with_sandbox import open_client, orders
from tests.storage.proxy import Handler, Proxy, first_times, lose_the_answer, proxy_before

REF = ChunkRef("night", Operation.CREATE, "0f" * 8)


@dataclass
class Task:
    """A `submit` of one chunk, whose way to the bucket goes through the proxy."""

    poster: Poster
    sandbox: SandboxProcess
    expected: str

    def submit(self) -> Submitted:
        done = Submitted()
        self.poster.submit(REF, self.expected, done)
        return done

    def is_told_to_wait(self) -> None:
        """CJ answers 429 to the live call: it certainly was not done, and the intent is taken back."""
        self.sandbox.control.add_faults([{"kind": "status", "status": 429, "path": "/graphql"}])
        with pytest.raises(CJRateLimited):
            self.submit()

    def received(self) -> list[str]:
        return [line["order_id"] for line in self.sandbox.control.submissions()]


@pytest.fixture
def proxy(s3: BucketServer) -> Iterator[Proxy]:
    with proxy_before(s3.url) as running:
        yield running


@pytest.fixture
def client(tmp_path: Path) -> Iterator[tuple[SandboxProcess, CJClient]]:
    with start_sandbox(tmp_path / "sandbox.sqlite") as sandbox, open_client(sandbox) as opened:
        opened.ping()
        yield sandbox, opened


@pytest.fixture
def task(client: tuple[SandboxProcess, CJClient], proxy: Proxy, bucket_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    conn_id = f"proxied_{proxy.server_port}"
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", connection(proxy.url))
    journal = Journal(folder(bucket_url, conn_id))
    planned = orders(client[1], "LOST", payload_hash="ab", attempt=1)
    journal.put_table(f"{REF}.parquet", planned)
    breaker = Breaker(LocalFolder(tmp_path), "breaker.json", client[1].now)
    return Task(Poster(client[1], breaker, Mode.LIVE, journal), client[0], content_hash("1500001", REF.operation, journal.orders(REF)))


def takes_back(handler: Handler) -> bool:
    return (handler.command == "DELETE" and "intent" in handler.path) or (handler.command == "PUT" and "taken-back" in handler.path)


def test_a_chunk_that_another_run_revoked_while_its_take_back_was_repeated_is_never_posted(
    task: Task, bucket: ObjectFolder, proxy: Proxy
) -> None:
    journal = Journal(bucket)

    def lost_and_meanwhile_revoked(handler: Handler) -> None:
        lose_the_answer(handler)
        journal.revoke(REF, "a later run", datetime.now(UTC))

    proxy.faults.append(first_times(1, lost_and_meanwhile_revoked, takes_back))
    task.is_told_to_wait()
    assert journal.visit(REF).state is ChunkState.REVOKED
    for _ in range(2):
        assert task.submit().notes == [f"chunk {REF}: taken over by a run that planned later; nothing was posted"]
    assert task.received() == []
    assert journal.visit(REF).state is ChunkState.REVOKED


def test_a_chunk_whose_every_change_is_made_twice_is_posted_once(task: Task, bucket: ObjectFolder, proxy: Proxy) -> None:
    twice: set[str] = set()

    def first_of_each(handler: Handler) -> bool:
        fresh = handler.command in ("PUT", "DELETE") and f"{REF}." in handler.path and handler.path not in twice
        twice.update([handler.path] if fresh else [])
        return fresh

    proxy.faults.append(first_times(100, lose_the_answer, first_of_each))
    task.is_told_to_wait()
    assert task.submit().accepted == 1
    assert task.submit().accepted == 1
    assert task.received() == ["LOST-0"]
    assert Journal(bucket).visit(REF).state is ChunkState.ANSWERED
    assert len(twice) == 5, "tested, two intents, one of them taken back, and the answer"
