"""Two tasks with one chunk, every request of theirs to the storage interleaved with the other's, and each repeated once, late: at most one ever posts."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from include.domain.states import Mode, Operation
from include.restatements.journal.documents import Answered, InTestMode
from include.restatements.journal.journal import ChunkRef, ChunkState, Journal
from include.storage.local import LocalFolder

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = ChunkRef("night", Operation.RESTATE, "0f" * 8)
ORDERS = [(401, "A")]
CALLED = Answered(chunk_id=REF.chunk_id, submitted_at=NOON, mode=Mode.LIVE, accepted=[(401, "A", "s", "b")], payload_hash="ab")
ONLY_TESTED = Answered(chunk_id=REF.chunk_id, submitted_at=NOON, mode=Mode.TEST, accepted=[(401, "A", "s", "b")])


@dataclass
class Wire(LocalFolder):
    """A folder at the end of a wire: each request waits for its turn, and what changes something is remembered, to be repeated."""

    root: Path
    sent: list[Callable[[], object]]
    wait: Callable[[], None]

    def __post_init__(self) -> None:
        super().__init__(self.root)

    def below(self, path: str) -> LocalFolder:
        return self

    def read(self, path: str) -> bytes | None:
        self.wait()
        return super().read(path)

    def create(self, path: str, data: bytes) -> bool:
        return bool(self._change(lambda: LocalFolder.create(self, path, data)))

    def write(self, path: str, data: bytes) -> None:
        self._change(lambda: LocalFolder.write(self, path, data))

    def remove(self, path: str) -> None:
        self._change(lambda: LocalFolder.remove(self, path))

    def _change(self, act: Callable[[], object]) -> object:
        self.wait()
        self.sent.append(act)
        return act()


class Hand(threading.Thread):
    """One task. It stops before each of its requests until it is told to go on."""

    def __init__(self, root: Path, sent: list[Callable[[], object]], plays: Callable[[Journal], None]) -> None:
        super().__init__(daemon=True)
        self._go, self._parked = threading.Semaphore(0), threading.Semaphore(0)
        self._journal, self._plays = Journal(Wire(root, sent, self._park)), plays
        self.over = False
        self.error: Exception | None = None

    def run(self) -> None:
        self._park()
        try:
            self._plays(self._journal)
        except Exception as error:  # noqa: BLE001 - told where the test is
            self.error = error
        self.over = True
        self._parked.release()

    def _park(self) -> None:
        self._parked.release()
        assert self._go.acquire(timeout=60)

    def started(self) -> Hand:
        self.start()
        assert self._parked.acquire(timeout=60)
        return self

    def step(self) -> None:
        """Its next request."""
        self._go.release()
        assert self._parked.acquire(timeout=60)
        if self.error is not None:
            raise self.error


@dataclass
class Told:
    """What happened: who posted, and which states were seen, in their order."""

    posts: list[str] = field(default_factory=list)
    seen: list[ChunkState] = field(default_factory=list)

    def poster(self, name: str, gives_up: Sequence[bool]) -> Callable[[Journal], None]:
        """A task that may declare and take back a few times before it posts."""

        def plays(journal: Journal) -> None:
            for gives_up_now in gives_up:
                self.seen.append(journal.visit(REF).state)
                if self.seen[-1] is not ChunkState.PLANNED:
                    return
                attempt = journal.declare_intent(REF, "ab", ORDERS, NOON)
                if attempt is None:
                    return
                if not gives_up_now:
                    self.posts.append(name)
                    journal.record_answer(REF, CALLED)
                    return
                journal.take_back_intent(REF, attempt, name, NOON, "it never left")

        return plays

    def revoker(self, name: str) -> Callable[[Journal], None]:
        def plays(journal: Journal) -> None:
            journal.revoke(REF, name, NOON)
            self.seen.append(journal.visit(REF).state)

        return plays


def played(hands: list[Hand], sent: list[Callable[[], object]], chance: Random) -> None:
    """One request after the other, by chance; in between and afterwards, some that were made are made once more."""
    waiting, repeated = [hand.started() for hand in hands], set[int]()
    while waiting:
        late = [n for n in range(len(sent)) if n not in repeated]
        if late and chance.random() < 0.25:
            repeated.add(n := chance.choice(late))
            sent[n]()
        else:
            chance.choice(waiting).step()
            waiting = [hand for hand in waiting if not hand.over]
    late = [n for n in range(len(sent)) if n not in repeated and chance.random() < 0.5]
    for n in chance.sample(late, len(late)):
        sent[n]()


posters = st.lists(st.booleans(), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    first=posters,
    second=posters | st.none(),
    revokers=st.integers(0, 2),
    seed=st.integers(0, 2**32),
)
def test_whatever_two_hands_do_in_whatever_order_one_posts_at_most_and_what_was_revoked_stays_revoked(
    first: list[bool], second: list[bool] | None, revokers: int, seed: int
) -> None:
    told, sent = Told(), list[Callable[[], object]]()
    plays = [told.poster("first", first)]
    plays += [told.poster("second", second)] if second is not None else []
    plays += [told.revoker(f"run {n}") for n in range(revokers)]
    with tempfile.TemporaryDirectory() as folder:
        played([Hand(Path(folder), sent, play) for play in plays], sent, Random(seed))
        end = Journal(Wire(Path(folder), [], lambda: None)).visit(REF).state
    assert len(told.posts) <= 1, "two tasks posted"
    if ChunkState.REVOKED in told.seen:
        assert told.posts == [], "a revoked chunk was posted"
        assert end is ChunkState.REVOKED
        assert set(told.seen[told.seen.index(ChunkState.REVOKED) :]) == {ChunkState.REVOKED}
    assert end in ({ChunkState.ANSWERED} if told.posts else {ChunkState.PLANNED, ChunkState.REVOKED})


# -- one at a time -------------------------------------------------------------------------------------------------------------------------


def journal_in(folder: Path) -> Journal:
    return Journal(LocalFolder(folder))


def names(folder: Path) -> list[str]:
    return [path.name.removeprefix(f"{REF.chunk_id}.") for path in sorted(folder.rglob("*.json"))]


def test_a_chunk_that_was_taken_back_is_open_again_under_the_next_name_and_nothing_is_removed(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for attempt in (1, 2):
        assert journal.declare_intent(REF, f"payload {attempt}", ORDERS, NOON) == attempt
        assert journal.visit(REF).state is ChunkState.INTENDED
        journal.take_back_intent(REF, attempt, "worker-1, process 7", NOON, "CJ says too many calls (429).")
        assert journal.visit(REF).state is ChunkState.PLANNED
    assert names(tmp_path) == ["intent-2.json", "intent-2.taken-back.json", "intent.json", "intent.taken-back.json"]
    journal.revoke(REF, "later", NOON)
    journal.revoke(REF, "later still", NOON)
    assert journal.visit(REF).state is ChunkState.REVOKED
    assert journal.declare_intent(REF, "payload 3", ORDERS, NOON) is None
    assert names(tmp_path)[0] == "intent-2.json"
    assert len(names(tmp_path)) == 5


def test_taking_back_twice_and_late_frees_neither_the_next_attempt_nor_a_revocation(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    assert journal.declare_intent(REF, "ab", ORDERS, NOON) == 1
    for _ in range(2):
        journal.take_back_intent(REF, 1, "first", NOON, "refused")
    assert journal.declare_intent(REF, "ab", ORDERS, NOON) == 2
    journal.take_back_intent(REF, 1, "first", NOON, "refused")
    assert journal.visit(REF).state is ChunkState.INTENDED
    assert journal.declare_intent(REF, "ab", ORDERS, NOON) is None


def test_of_two_tasks_that_asked_test_mode_the_first_verdict_stands(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    first = InTestMode(chunk_id=REF.chunk_id, tested_at=NOON, requests=1, refused=[])
    second = InTestMode(chunk_id=REF.chunk_id, tested_at=NOON, requests=3, refused=[(401, "A", "no")])
    assert journal.record_tested(REF, first).refused == []
    assert journal.record_tested(REF, second).refused == []
    assert journal.record_tested(REF, second, anew=True).refused == [(401, "A", "no")]
    assert journal.visit(REF, always_tested=True).refused == [(401, "A", "no")]


def test_an_answer_without_a_call_never_takes_the_place_of_a_calls(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    assert journal.record_answer(REF, ONLY_TESTED) == ONLY_TESTED
    assert journal.record_answer(REF, CALLED) == CALLED
    stands = journal.record_answer(REF, ONLY_TESTED)
    assert (stands.mode, stands.payload_hash) == (Mode.LIVE, "ab")
    assert journal.visit(REF).answer == stands
