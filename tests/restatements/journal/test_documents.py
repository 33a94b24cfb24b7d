"""The journal's documents: read as any version wrote them, written with one, refused with a sentence where they make no sense."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pendulum
import pytest

from include.domain.errors import RestatementsError, StorageError, UnreadableDocument
from include.domain.states import Mode, Operation
from include.restatements.journal.documents import VERSION, Answered, Intent, InTestMode, Manifest, PlannedChunk, Revocation, Summary
from include.restatements.journal.journal import ROOT, ChunkRef, ChunkState, Journal, Visit
from include.restatements.submit import submit
from include.storage.local import LocalFolder
from tests.model.world import BEGIN, Options
from tests.restatements.nights import NewWorld, placed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(microseconds=250_000)
REF = ChunkRef("night", Operation.RESTATE, "0f" * 8)

# -- as they were written before they had a version, byte for byte -------------------------------------------------------------------

MANIFEST = """{
  "run_id": "night",
  "interval": [
    "2026-02-28T00:00:00+00:00",
    "2026-03-01T00:00:00+00:00"
  ],
  "planned_at": "2026-03-01T12:00:00+00:00",
  "cj_time": "2026-03-01T12:00:00.250000+00:00",
  "sent_before": null,
  "modes": {
    "cj": "live"
  },
  "advertisers": {
    "1500001": "5500001"
  },
  "at_stake": "12.50",
  "summary": {
    "picked": 4,
    "to_send": 2,
    "create": 0,
    "restate": 2,
    "cancel": 0,
    "quarantined": 1,
    "skipped": 1,
    "quarantined_by_reason": {
      "locked": 1
    },
    "skipped_by_reason": {
      "unchanged": 1
    },
    "chunks": 1
  },
  "problems": [
    "Account 'other' was left out."
  ],
  "chunks": [
    {
      "ref": "night/restate/0f0f0f0f0f0f0f0f",
      "enterprise_id": "1500001",
      "operation": "restate",
      "orders": 2,
      "content_hash": "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
      "amounts": {
        "": "120.00"
      }
    }
  ]
}"""
INTENT = (
    '{"chunk_id":"0f0f0f0f0f0f0f0f","payload_hash":"ab","declared_at":"2026-03-01T12:00:00+00:00","orders":[[401,"SO-1"],[401,"SO-2"]]}'
)
REVOCATION = '{"chunk_id":"0f0f0f0f0f0f0f0f","revoked_by":"other","revoked_at":"2026-03-01T12:00:00+00:00"}'
TAKEN_BACK = '{"version":1,"chunk_id":"0f0f0f0f0f0f0f0f","taken_back_by":"worker-1, process 7","taken_back_at":"2026-03-01T12:00:00Z","why":"CJ says too many calls."}'
TESTED = (
    '{"chunk_id":"0f0f0f0f0f0f0f0f","tested_at":"2026-03-01T12:00:00.250000+00:00","requests":3,"refused":[[401,"SO-2","No such order"]]}'
)
ANSWER = (
    '{"chunk_id":"0f0f0f0f0f0f0f0f","submitted_at":"2026-03-01T12:00:00+00:00","mode":"live","accepted":[[401,"SO-1","s-1","b-1"]],'
    '"rejected":[[401,"SO-2","no"]],"payload_hash":"ab"}'
)
UNKNOWN = '{"chunk_id":"0f0f0f0f0f0f0f0f","submitted_at":"2026-03-01T12:00:00+00:00","mode":"live","payload_hash":"ab","unknown":true,"error":"cut"}'
IN_TEST_MODE = '{"chunk_id":"0f0f0f0f0f0f0f0f","submitted_at":"2026-03-01T12:00:00+00:00","mode":"test","accepted":[[401,"SO-1","s","b"]],"rejected":[]}'

PLAN = Manifest(
    run_id="night",
    interval=(NOON - timedelta(hours=36), NOON - timedelta(hours=12)),
    planned_at=NOON,
    cj_time=LATER,
    modes={"cj": Mode.LIVE},
    advertisers={"1500001": "5500001"},
    at_stake="12.50",
    summary=Summary(
        picked=4, to_send=2, create=0, restate=2, cancel=0, quarantined=1, skipped=1,
        quarantined_by_reason={"locked": 1}, skipped_by_reason={"unchanged": 1}, chunks=1,
    ),
    problems=["Account 'other' was left out."],
    chunks=[
        PlannedChunk(
            ref=str(REF), enterprise_id="1500001", operation=Operation.RESTATE, orders=2, content_hash="0f" * 16, amounts={"": "120.00"}
        )
    ],
)  # fmt: skip
DECLARED = Intent(chunk_id=REF.chunk_id, payload_hash="ab", declared_at=NOON, orders=[(401, "SO-1"), (401, "SO-2")])
REVOKED = Revocation(chunk_id=REF.chunk_id, revoked_by="other", revoked_at=NOON)
ASKED = InTestMode(chunk_id=REF.chunk_id, tested_at=LATER, requests=3, refused=[(401, "SO-2", "No such order")])
ACCEPTED = Answered(
    chunk_id=REF.chunk_id, submitted_at=NOON, mode=Mode.LIVE, accepted=[(401, "SO-1", "s-1", "b-1")], rejected=[(401, "SO-2", "no")], payload_hash="ab"
)  # fmt: skip
CUT = Answered(chunk_id=REF.chunk_id, submitted_at=NOON, mode=Mode.LIVE, payload_hash="ab", unknown=True, error="cut")
ONLY_ASKED = Answered(chunk_id=REF.chunk_id, submitted_at=NOON, mode=Mode.TEST, accepted=[(401, "SO-1", "s", "b")], rejected=[])


@dataclass
class Counted(LocalFolder):
    """A folder that tells what it was asked."""

    root: Path
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.root)

    def below(self, path: str) -> LocalFolder:
        return self

    def read(self, path: str) -> bytes | None:
        self.asked.append(path.removeprefix(f"{REF}."))
        return super().read(path)

    def exists(self, path: str) -> bool:
        self.asked.append(path.removeprefix(f"{REF}."))
        return super().exists(path)


@pytest.fixture
def files(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


@pytest.fixture
def journal(files: Counted) -> Journal:
    return Journal(files)


def lay(files: LocalFolder, **documents: str) -> None:
    for name, text in documents.items():
        files.write(f"{REF}.{name}.json", text.encode())


STATES = [
    pytest.param({}, ChunkState.PLANNED, Visit(REF, None, None, None), id="planned"),
    pytest.param({"tested": TESTED}, ChunkState.PLANNED, Visit(REF, None, ASKED, None), id="tested"),
    pytest.param({"intent": REVOCATION}, ChunkState.REVOKED, Visit(REF, REVOKED, None, None), id="revoked"),
    pytest.param({"intent": INTENT, "tested": TESTED}, ChunkState.INTENDED, Visit(REF, DECLARED, ASKED, None), id="intended"),
    pytest.param({"intent": INTENT, "answer": ANSWER, "tested": TESTED}, ChunkState.ANSWERED, Visit(REF, None, ASKED, ACCEPTED), id="answered"),
    pytest.param({"intent": INTENT, "answer": UNKNOWN}, ChunkState.ANSWERED, Visit(REF, None, None, CUT), id="unknown"),
    pytest.param({"answer": IN_TEST_MODE}, ChunkState.ANSWERED, Visit(REF, None, None, ONLY_ASKED), id="only tested"),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "state", "expected"), STATES)
def test_what_was_written_before_there_were_versions_is_read_as_it_is(
    journal: Journal, files: Counted, documents: dict[str, str], state: ChunkState, expected: Visit
) -> None:
    lay(files, **documents)
    found = journal.visit(REF, always_tested=True)
    assert (found, found.state) == (expected, state)
    assert found.only_tested == (found.answer == ONLY_ASKED)


@pytest.mark.parametrize(("documents", "state", "expected"), STATES)
def test_a_visit_reads_each_file_at_most_once_and_none_that_says_nothing(
    journal: Journal, files: Counted, documents: dict[str, str], state: ChunkState, expected: Visit
) -> None:
    lay(files, **documents)
    asked = {
        ChunkState.PLANNED: ["answer.json", "intent.json"],
        ChunkState.REVOKED: ["answer.json", "intent.json"],
        ChunkState.INTENDED: ["answer.json", "intent.json", "intent.taken-back.json", "tested.json"],
        ChunkState.ANSWERED: ["answer.json", "tested.json"],
    }
    journal.visit(REF)
    assert files.asked == asked[state]
    files.asked.clear()
    journal.visit(REF, always_tested=True)
    assert files.asked == list(dict.fromkeys([*asked[state], "tested.json"]))


def test_the_manifest_from_before_is_read_and_written_again_with_the_same_names_and_values(journal: Journal, files: Counted) -> None:
    files.write("night/manifest.json", MANIFEST.encode())
    found = journal.manifest("night")
    assert found == PLAN
    journal.commit_plan(PLAN)
    again = json.loads((files.root / "night/manifest.json").read_bytes())
    assert again.pop("version") == VERSION
    assert again.pop("plan_number") is None  # it was planned before plans had numbers
    assert (again.pop("digest"), again.pop("turn"), again.pop("unpriced"), again.pop("questions_before")) == (None, 1, 0, 0)
    assert (again.pop("moves"), again.pop("gate"), again.pop("sent"), again.pop("found")) == (
        [],
        [],
        [],
        0,
    )  # planned before there was a money gate
    assert {(chunk.pop("canary"), chunk.pop("taken_back")) for chunk in again["chunks"]} == {(False, None)}
    assert again["summary"].pop("in_cents_by_kind") == {}
    before = json.loads(MANIFEST)
    del before["sent_before"]  # a moment, which says nothing of order any more
    assert list(again) == list(before)
    assert json.loads(json.dumps(again).replace('Z"', '+00:00"')) == before
    assert (files.root / "night/manifest.json").read_text().startswith('{\n  "version": 1,\n')


def record(journal: Journal) -> None:
    journal.record_tested(REF, ASKED)
    assert journal.declare_intent(REF, "ab", DECLARED.orders, NOON)
    journal.record_answer(REF, ACCEPTED)


def test_what_is_written_has_the_version_and_the_names_from_before(journal: Journal, files: Counted) -> None:
    record(journal)
    for name, before in (("tested", TESTED), ("intent", INTENT), ("answer", ANSWER)):
        written = (files.root / f"{REF}.{name}.json").read_text()
        assert json.loads(written.replace('Z"', '+00:00"')) == {"version": VERSION, **json.loads(before)}
    assert journal.visit(REF).answer == Answered(**{n: getattr(ACCEPTED, n) for n in ACCEPTED.__struct_fields__} | {"version": VERSION})


def test_a_revocation_has_the_version_too_and_a_time_of_airflows_is_a_time(journal: Journal, files: Counted) -> None:
    journal.revoke(REF, "other", pendulum.datetime(2026, 3, 1, 12, tz="UTC"))
    assert json.loads((files.root / f"{REF}.intent.json").read_bytes()) == {"version": VERSION, **json.loads(REVOCATION)}
    assert not journal.declare_intent(REF, "ab", DECLARED.orders, NOON)
    assert journal.visit(REF).state is ChunkState.REVOKED


def test_a_field_that_a_later_release_may_add_is_left_aside(journal: Journal, files: Counted) -> None:
    lay(
        files,
        intent=INTENT[:-1] + ',"why":"new"}',
        answer=ANSWER[:-1] + ',"version":1,"more":{"a":[1]}}',
        tested=TESTED[:-1] + ',"x":null}',
    )
    found = journal.visit(REF)
    assert (found.tested, found.answer is not None and found.answer.accepted) == (ASKED, ACCEPTED.accepted)


READERS: dict[str, tuple[str, Callable[[Journal], Any]]] = {
    "manifest": (MANIFEST, lambda journal: journal.manifest("night")),
    "intent": (INTENT, lambda journal: journal.visit(REF)),
    "revocation": (REVOCATION, lambda journal: journal.visit(REF)),
    "tested": (TESTED, lambda journal: journal.visit(REF, always_tested=True)),
    "answer": (ANSWER, lambda journal: journal.visit(REF)),
}


def path_of(kind: str) -> str:
    return "night/manifest.json" if kind == "manifest" else f"{REF}.{kind.replace('revocation', 'intent')}.json"


ATTEMPTS = [
    pytest.param({"intent": INTENT, "intent.taken-back": TAKEN_BACK}, ChunkState.PLANNED, None, id="taken back"),
    pytest.param({"intent": INTENT, "intent.taken-back": TAKEN_BACK, "intent-2": INTENT}, ChunkState.INTENDED, DECLARED, id="the second"),
    pytest.param({"intent": INTENT, "intent.taken-back": TAKEN_BACK, "intent-2": REVOCATION}, ChunkState.REVOKED, REVOKED, id="revoked then"),
    pytest.param({"intent": REVOCATION, "intent.taken-back": TAKEN_BACK, "intent-2": INTENT}, ChunkState.REVOKED, REVOKED, id="revoked for good"),
    pytest.param({"intent-2": INTENT}, ChunkState.PLANNED, None, id="a second without a first is nobody's"),
]  # fmt: skip


@pytest.mark.parametrize(("documents", "state", "stands"), ATTEMPTS)
def test_the_newest_attempt_that_was_not_taken_back_stands(
    journal: Journal, files: Counted, documents: dict[str, str], state: ChunkState, stands: Intent | Revocation | None
) -> None:
    lay(files, **documents)
    found = journal.visit(REF)
    assert (found.state, found.intent) == (state, stands)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda text: text[:-1].rstrip() + ',"version":2}', r"newer package: it is of version 2.*reads up to 1", id="newer"),
        pytest.param(lambda text: '{"version":3,"chunk_id":{"all":"new"}}', r"newer package: it is of version 3", id="newer and of another shape"),
        pytest.param(lambda text: text.replace("2026-03-01T12:00:00", "noon"), r"not as this package writes it", id="no time"),
        pytest.param(lambda text: text.replace("+00:00", ""), r"not as this package writes it", id="no zone"),
        pytest.param(lambda text: '{"version":1}', r"not as this package writes it", id="nothing in it"),
        pytest.param(lambda text: '{"version":"one"}', r"not as this package writes it|no document of this package", id="no number"),
        pytest.param(lambda text: "[]", r"not as this package writes it|no document of this package", id="a list"),
        pytest.param(lambda text: text[: len(text) // 2], r"it is not JSON", id="half"),
        pytest.param(lambda text: "", r"it is not JSON", id="empty"),
        pytest.param(lambda text: text + "}", r"it is not JSON", id="more than one"),
        pytest.param(lambda text: '{"x":' + "[" * 100_000, r"it is not JSON", id="a pit"),
    ],
)  # fmt: skip
def test_a_document_that_makes_no_sense_is_refused_with_its_name_and_what_to_do(
    journal: Journal, files: Counted, kind: str, spoil: Callable[[str], str], says: str
) -> None:
    text, read = READERS[kind]
    files.write(path_of(kind), spoil(text).encode())
    with pytest.raises(StorageError, match=says) as refused:
        read(journal)
    assert str(refused.value).startswith(f"{files.url}/{path_of(kind)} ")
    assert "Nothing is sent until " in str(refused.value)
    assert isinstance(refused.value, UnreadableDocument)
    assert not refused.value.transient


@pytest.mark.parametrize("kind", READERS)
def test_bytes_that_are_no_text_are_refused(journal: Journal, files: Counted, kind: str) -> None:
    text, read = READERS[kind]
    files.write(path_of(kind), text.replace("night" if kind == "manifest" else "0f0f", "\udcff").encode("utf-8", "surrogateescape"))
    with pytest.raises(UnreadableDocument):
        read(journal)


@pytest.mark.parametrize("kind", ["manifest", "tested", "intent", "answer"])
@pytest.mark.parametrize("spoiled", ['{"version": 2}', '{"chunk_id": 7}', '{"chunk'], ids=["newer", "wrong", "damaged"])
def test_nothing_is_sent_where_a_document_makes_no_sense(new_world: NewWorld, kind: str, spoiled: str) -> None:
    world = new_world(Options())
    world.append([placed()])
    night = world.prepare(BEGIN - timedelta(days=9), world.now())
    ((ref,),) = night.prepared.batches
    path = f"{ref.split('/')[0]}/manifest.json" if kind == "manifest" else f"{ref}.{kind}.json"
    world.journal.files.write(path, spoiled.encode())
    with pytest.raises(RestatementsError, match="Nothing is sent until") as refused:
        submit(night.run, world.settings, [ref])
    assert f"/{ROOT}/{path} " in str(refused.value)
    assert world.fates() == []
    assert world.rows("SELECT order_id FROM cj.planned") == [{"order_id": "o-1"}]
