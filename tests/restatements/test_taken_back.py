"""An intent whose call certainly never left is taken back, by one more file and never by removing one; too late for that, it is left and settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from include.cj.breaker import Breaker
from include.cj.client import CJClient
from include.cj.errors import CJRateLimited, CJUnreachable
from include.domain.states import Mode
from include.restatements.journal.documents import TakenBack, decoded
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal
from include.restatements.posting import poster
from include.restatements.posting.poster import Poster, Submitted
from include.restatements.publish import publish
from include.storage.local import LocalFolder
from tests.model.world import World
from tests.restatements.nights import NewWorld, quiet_night
from tests.restatements.test_tried_again import NAMES, creates, planned, verdicts


@dataclass
class Counting(LocalFolder):
    """A folder that tells what it was asked."""

    root: Path
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.root)

    def below(self, path: str) -> Counting:
        return Counting(self.root / path, self.asked)

    def read(self, path: str) -> bytes | None:
        self._tell("read", path)
        return super().read(path)

    def create(self, path: str, data: bytes) -> bool:
        self._tell("create", path)
        return super().create(path, data)

    def write(self, path: str, data: bytes) -> None:
        self._tell("write", path)
        super().write(path, data)

    def remove(self, path: str) -> None:
        self._tell("remove", path)
        super().remove(path)

    def _tell(self, verb: str, path: str) -> None:
        self.asked.append(f"{verb} {path.partition('.')[2]}")


def submitted(world: World, ref: ChunkRef, content: str, way: httpx.BaseTransport | None = None) -> tuple[Submitted, list[str]]:
    """The chunk, submitted alone: what became of it, and what the storage was asked for it."""
    done, files = Submitted(), Counting(world.journal.files.root.parent)  # type: ignore[attr-defined]
    with CJClient(world.settings.accounts[0], transport=way, attempts=1) as client:
        breaker = Breaker(LocalFolder(world.path.parent), "breaker.json", client.now)
        Poster(client, breaker, Mode.LIVE, Journal(files)).submit(ref, content, done)
    return done, files.asked


ORDINARY = ["read answer.json", "read intent.json", "read tested.json", "read parquet"]


def test_an_ordinary_chunk_costs_seven_requests(new_world: NewWorld) -> None:
    world = creates(new_world)
    _, ref, content = planned(world)
    done, asked = submitted(world, ref, content)
    assert done.accepted == 3
    assert asked == [*ORDINARY, "create tested.json", "create intent.json", "write answer.json"]


def test_what_was_taken_back_says_by_whom_and_why_and_the_next_attempt_posts(new_world: NewWorld) -> None:
    world = creates(new_world)
    _, ref, content = planned(world)
    world.sandbox.control.add_faults([{"kind": "status", "status": 429, "path": "/graphql"}])
    with pytest.raises(CJRateLimited):
        submitted(world, ref, content)
    data = world.journal.files.read(f"{ref}.intent.taken-back.json")
    assert data is not None
    found = decoded(data, TakenBack, "there")
    assert ", process " in found.taken_back_by
    assert "too many calls (429)" in found.why
    done, asked = submitted(world, ref, content)
    assert done.accepted == len(world.fates()) == 3
    again = ["read intent.taken-back.json", "read intent-2.json"]
    assert asked == [
        *ORDINARY[:2], *again, *ORDINARY[2:],
        "create intent.json", "read intent.json", "read intent.taken-back.json", "create intent-2.json", "write answer.json",
    ]  # fmt: skip


@dataclass
class Unreachable(httpx.BaseTransport):
    """The way to CJ, on which the live call finds nobody, and so late that others have moved on."""

    patched: pytest.MonkeyPatch
    calls: int = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/graphql":
            self.calls += 1
            self.patched.setattr(poster, "INTENT_LASTS", timedelta(seconds=-1))
            raise httpx.ConnectError("refused", request=request)
        with httpx.Client(trust_env=False, timeout=30) as way:
            answer = way.send(httpx.Request(request.method, request.url, headers=request.headers, content=request.read()))
        return httpx.Response(answer.status_code, headers={"Date": answer.headers["Date"]}, content=answer.content)


def test_an_intent_that_is_too_old_to_be_taken_back_is_left_and_settled(new_world: NewWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world = creates(new_world)
    played, ref, content = planned(world)
    way, lasts = Unreachable(monkeypatch), poster.INTENT_LASTS
    with pytest.raises(CJUnreachable):
        submitted(world, ref, content, way)
    assert world.journal.visit(ref).state is ChunkState.ANSWERED
    monkeypatch.setattr(poster, "INTENT_LASTS", lasts)
    done, _ = submitted(world, ref, content)
    assert (done.unknown, way.calls, world.fates()) == (3, 1, [])
    publish(played.run, world.settings, world.location)
    world.advance(timedelta(hours=2))
    world.reconcile()
    quiet_night(world)
    assert len(world.fates()) == 3
    assert verdicts(world) == dict.fromkeys(NAMES, ("matched", None))


def test_the_journal_never_removes_anything() -> None:
    source = Path(__file__).parents[2] / "include/restatements/journal"
    assert not [path.name for path in source.glob("*.py") if ".remove(" in path.read_text()]
