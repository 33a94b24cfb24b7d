"""What a run's files rest on, promised alike by a directory and by a bucket behind a real S3 API."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.domain.errors import SettingError, StorageError
from include.storage.folder import Folder
from include.storage.local import LocalFolder
from include.storage.opening import folder

ROOT = Path(__file__).parents[2]
RACER = Path(__file__).with_name("racer.py")


def test_a_file_that_is_not_there_is_none_and_not_an_error(place: Folder) -> None:
    assert place.read("create/a.json") is None
    assert not place.exists("create/a.json")
    assert place.names() == [] == place.names("create")
    place.remove("create/a.json")


def test_what_was_written_is_read_seen_and_listed_at_once(place: Folder) -> None:
    place.write("create/a.json", b"first")
    assert (place.read("create/a.json"), place.exists("create/a.json"), place.names("create")) == (b"first", True, ["a.json"])
    place.write("create/a.json", b"second")
    place.write("b.json", b"")
    assert (place.read("create/a.json"), place.read("b.json"), place.names()) == (b"second", b"", ["b.json", "create"])
    assert place.names("create/a.json") == []
    place.remove("create/a.json")
    assert (place.read("create/a.json"), place.exists("create/a.json"), place.names("create")) == (None, False, [])


def test_the_second_creation_is_refused_and_changes_nothing(place: Folder) -> None:
    assert place.create("create/a.intent.json", b"mine")
    assert not place.create("create/a.intent.json", b"yours")
    assert not place.create("create/a.intent.json", b"mine")
    assert place.read("create/a.intent.json") == b"mine"
    place.remove("create/a.intent.json")
    assert place.create("create/a.intent.json", b"again")


def test_a_written_file_cannot_be_created(place: Folder) -> None:
    place.write("a.json", b"there")
    assert not place.create("a.json", b"new")
    assert place.read("a.json") == b"there"


def test_creating_leaves_no_other_file_behind(place: Folder) -> None:
    place.create("a.json", b"1")
    place.create("a.json", b"2")
    place.write("b.json", b"3")
    assert place.names() == ["a.json", "b.json"]


def test_a_folder_below_is_the_same_place_by_another_path(place: Folder, tmp_path: Path) -> None:
    below = place.below("cj_restatements/night")
    (tmp_path / "made-here").write_bytes(b"parquet")
    below.put("create/a.parquet", tmp_path / "made-here")
    assert place.read("cj_restatements/night/create/a.parquet") == b"parquet"
    assert below.url == f"{place.url}/cj_restatements/night"
    assert place.names("cj_restatements") == ["night"]


def test_of_two_processes_exactly_one_creates_each_file(place: Folder, conn_id: str) -> None:
    command = [sys.executable, str(RACER), place.url, "" if isinstance(place, LocalFolder) else place.conn_id]  # type: ignore[attr-defined]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    racers = [
        subprocess.Popen([*command, name, "100"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for name in ("one", "two")
    ]  # fmt: skip
    try:
        assert [racer.stdout and racer.stdout.readline() for racer in racers] == ["ready\n", "ready\n"]
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("go\n")
            racer.stdin.flush()
        won = [{int(n) for n in racer.communicate(timeout=60)[0].split()} for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
            racer.wait()
    assert won[0] | won[1] == set(range(100))
    assert not won[0] & won[1]
    for name, mine in zip((b"one", b"two"), won, strict=True):
        assert {place.read(f"chunks/{n}.intent.json") for n in mine} <= {name}


def test_a_directory_that_cannot_hold_files_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a directory")
    place = folder(f"file://{tmp_path}/taken")
    assert place.read("a.json") is None
    with pytest.raises(
        StorageError, match=r"Could not write .*taken/a\.json: .*Check the storage \(space, rights, reachability\), then retry\."
    ):
        place.write("a.json", b"1")


def test_a_link_whose_answer_was_lost_is_still_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def made_and_not_told(source: str, target: str) -> None:
        link(source, target)
        raise FileExistsError(target)

    monkeypatch.setattr(os, "link", made_and_not_told)
    place = LocalFolder(tmp_path)
    assert place.create("a.json", b"mine")
    monkeypatch.setattr(os, "link", link)
    assert not place.create("a.json", b"yours")
    assert place.read("a.json") == b"mine"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("/var/cj", "Variable cj_storage is '/var/cj': it must be a URL such as file:///var/cj or s3://bucket/cj."),
        ("s3:///cj", "Variable cj_storage is 's3:///cj': it names no bucket. Write it as s3://bucket/prefix."),
        ("ftpx://host/cj", "Storage 'ftpx://host/cj' cannot be used"),
    ],
)  # fmt: skip
def test_a_url_that_cannot_hold_a_runs_files_is_a_sentence(url: str, says: str) -> None:
    with pytest.raises(SettingError) as refused:
        folder(url)
    assert says in str(refused.value)
