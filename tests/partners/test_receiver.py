"""The receiver: what it answered is on the disk, once; and who may not, or asks too much, is refused and stored nowhere."""

from __future__ import annotations

import os
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import httpx
import pytest

from include.partners.mapping import read_mapping
from tests.partners.ground import SOLD, PartnerGround
from tests.partners.receiver import GOOD, MAPPING, TOKEN, Receiver, command, receiving, stored
from tests.policy.sources import ROOT

YES = "success=true;"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver") / "received") as receiver:
        yield receiver


def values(place: Path) -> list[tuple[str, str]]:
    return [(line["values"]["transaction_id"], line["values"]["payout"]) for line in stored(place)]


def test_a_postback_is_stored_before_it_is_answered_without_what_nobody_asked_for(one: Receiver) -> None:
    answer = one.send(transaction_id="plain", aff_sub="ada@example.org", ip="203.0.113.9", name="Ada")
    assert (answer.status_code, answer.text) == (200, YES)
    (line,) = [line for line in stored(one.place) if line["values"]["transaction_id"] == "plain"]
    assert line["values"] == {name: value for name, value in GOOD.items() if name != "token"} | {
        "transaction_id": "plain",
        "aff_sub": "[hidden]",
    }
    assert line["dropped"] == ["ip", "name"]
    assert set(line) == {"digest", "received_at", "values", "dropped"}
    said = "".join(file.read_text(encoding="utf-8") for file in (*one.place.glob("received-*"), one.log))
    assert [word for word in (TOKEN, "ada", "Ada", "203.0.113.9") if word in said] == []


def test_a_form_is_as_good_as_a_query_and_what_comes_again_is_stored_once(one: Receiver) -> None:
    said = GOOD | {"transaction_id": "form"}
    for answer in (
        httpx.post(one.url, data=said), httpx.post(one.url, params={"token": TOKEN}, data={n: v for n, v in said.items() if n != "token"}),
        one.send(transaction_id="form", name="other"),
    ):  # fmt: skip
        assert (answer.status_code, answer.text) == (200, YES)
    assert values(one.place).count(("form", "8.00")) == 1


def test_a_reversal_is_a_line_of_its_own(one: Receiver) -> None:
    for payout in ("8.00", "-8.00", "-8.00"):
        assert one.send(transaction_id="reversed", payout=payout).text == YES
    assert [payout for name, payout in values(one.place) if name == "reversed"] == ["8.00", "-8.00"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"token": None}, 403), ({"token": ""}, 403), ({"token": TOKEN[:-1]}, 403), ({"token": TOKEN + "0"}, 403), ({"token": "ÿ" * 24}, 403),
        ({"transaction_id": "x" * 2_001}, 400), ({"transaction_id": "x\0"}, 400), ({"transaction_id": "a\nb"}, 400),
        ({f"more{n}": "x" for n in range(100)}, 400),
        ({"transaction_id": "x" * 20_000}, 414),
        (dict.fromkeys(["transaction_id", "adv_unique1", "datetime", "sale_amount", "payout"]), 400),
    ],
)  # fmt: skip
def test_a_hostile_postback_is_refused_and_stored_nowhere(one: Receiver, said: dict[str, str | None], status: int) -> None:
    before = stored(one.place)
    answer = one.send(**said)
    assert answer.status_code == status
    assert answer.text.startswith("success=false; err_msg=")
    assert TOKEN not in answer.text
    assert stored(one.place) == before


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "HEAD", "params": GOOD}, 405), ({"method": "PUT", "params": GOOD}, 405), ({"method": "DELETE", "params": GOOD}, 405),
        ({"method": "POST", "params": GOOD, "json": {"a": 1}}, 415), ({"method": "POST", "content": b"x" * 20_000}, 413),
        ({"method": "POST", "params": GOOD, "content": b"payout=9.00"}, 400),
        ({"method": "POST", "params": GOOD, "content": b"\xff\xfe=1"}, 400), ({"method": "POST", "params": GOOD, "content": b"aff_sub=%ff"}, 400),
    ],
)  # fmt: skip
def test_a_request_of_another_shape_is_refused_and_stored_nowhere(one: Receiver, request_: dict[str, object], status: int) -> None:
    before = stored(one.place)
    with httpx.Client() as client:
        answer = client.request(url=one.url, **request_)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert stored(one.place) == before


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /postback HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /postback?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /postback HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\ntoken=" + TOKEN.encode(),
    ],
)  # fmt: skip
def test_bytes_that_are_no_request_leave_it_standing(one: Receiver, raw: bytes) -> None:
    before = stored(one.place)
    address = urlsplit(one.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        line.settimeout(20)
        try:
            answer = line.recv(4_096)
        except ConnectionError:
            answer = b""
    assert b"200 OK" not in answer
    assert stored(one.place) == before
    assert one.send(transaction_id="after").text == YES


def test_an_address_that_is_not_on_the_list_is_refused_and_a_forged_one_counts_for_nothing(tmp_path: Path) -> None:
    with receiving(tmp_path / "r" / "received", allow="198.51.100.0/24") as receiver:
        assert receiver.send().status_code == 403
        forged = httpx.get(receiver.url, params=GOOD, headers={"X-Forwarded-For": "198.51.100.7"})
        assert forged.status_code == 403
        assert stored(receiver.place) == []


def test_behind_a_proxy_that_was_named_the_last_address_it_forwards_counts(tmp_path: Path) -> None:
    with receiving(tmp_path / "r" / "received", "--proxy", "127.0.0.1", allow="198.51.100.0/24") as receiver:
        for forwarded, status in (
            ("198.51.100.7", 200),
            ("203.0.113.9, 198.51.100.7", 200),
            ("198.51.100.7, 203.0.113.9", 403),
            ("", 403),
            ("no address", 403),
        ):
            answer = httpx.get(receiver.url, params=GOOD, headers={"X-Forwarded-For": forwarded})
            assert answer.status_code == status, forwarded


def test_killed_under_load_nothing_that_was_answered_is_lost_and_nothing_is_stored_twice(tmp_path: Path, ground: PartnerGround) -> None:
    """Four senders fire 240 postbacks, each of them until it is answered; after a hundred answers the receiver is killed, and started again."""
    place = tmp_path / "r" / "received"
    answered: list[str] = []
    killed, again = Event(), Event()
    urls: list[str] = []

    def fire(name: str) -> None:
        for _ in range(200):
            try:
                if httpx.get(urls[-1], params=GOOD | {"transaction_id": name}, timeout=30).text == YES:
                    answered.append(name)
                    return
            except httpx.HTTPError:
                killed.set()
                again.wait(60)
        raise AssertionError(f"{name} was never answered")

    names = [f"t{n}" for n in range(240)]
    with ThreadPoolExecutor(4) as senders:
        with receiving(place) as receiver:
            urls.append(receiver.url)
            fired = [senders.submit(fire, name) for name in names]
            while len(answered) < 100:
                if killed.wait(0.01):
                    break
            receiver.kill()
            safe = set(answered)
        before = {name for name, _ in values(place)}
        assert safe <= before
        # As a power cut leaves it: half a line at the end, of a postback that was not answered.
        newest = max(place.glob("received-*.jsonl"))
        with newest.open("ab") as lines:
            lines.write(b'{"digest": "half')
        with receiving(place) as receiver:
            urls.append(receiver.url)
            again.set()
            for one in fired:
                one.result(120)
    assert sorted(answered) == sorted(names)
    assert Counter(name for name, _ in values(place)) == Counter(names)
    # And the reconciliation loads every one of them, once.
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    from include.partners.loading import load

    mapping = replace(read_mapping(tmp_path / "mapping.yaml"), files=f"file://{place}")
    assert load(mapping, ground.location, SOLD).appended == len(names)
    assert load(mapping, ground.location, SOLD).sources == 0


def test_a_second_receiver_of_one_folder_a_short_token_and_a_wrong_address_are_refused_with_a_sentence(one: Receiver) -> None:
    mapping = one.place.parent / "mapping.yaml"
    for more, token, said in (
        (["--allow", "127.0.0.1"], TOKEN, "Another receiver writes"),
        (["--allow", "127.0.0.1"], "short", "CJ_RECEIVER_TOKEN is too short"),
        (["--allow", "127.0.0.1"], "", "CJ_RECEIVER_TOKEN is not set"),
        (["--allow", "everybody"], TOKEN, "'everybody' is no address and no network"),
    ):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "CJ_RECEIVER_TOKEN": token}
        done = subprocess.run(command(one.place, mapping, more), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert said in done.stderr
        assert TOKEN not in done.stderr


def test_where_nothing_can_be_stored_it_says_so_and_the_platform_tries_again(tmp_path: Path) -> None:
    with receiving(tmp_path / "r" / "received") as receiver:
        # A folder in the place of today's file: no right on the disk stops the user that tests often run as.
        from datetime import UTC, datetime

        today = receiver.place / f"received-{datetime.now(UTC):%Y-%m-%d}.jsonl"
        today.mkdir()
        answer = receiver.send()
        assert (answer.status_code, answer.text.startswith("success=false; err_msg=it could not be stored")) == (503, True)
        today.rmdir()
        assert receiver.send().text == YES
    assert len(stored(tmp_path / "r" / "received")) == 1
