"""Pages are asked for one ahead: what a reader sees is the same, page by page, and nothing is left behind when it stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from include.cj import errors as e
from include.cj.ask_ahead import Ahead
from include.cj.client import CJClient
from include.cj.limits import SlidingWindow
from include.cj.records import Seam, seam_of

if TYPE_CHECKING:
    from tests.cj.conftest import Scripted, Server

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
Page = Callable[..., dict[str, Any]]


def until(true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("cj-ahead")]


def ids(page: Any) -> Any:
    return page.table["commission_id"].to_pylist()


def test_the_next_page_is_asked_for_while_this_one_is_used_and_the_one_after_it_is_not(
    cj: Server, connect: Callable[..., CJClient], page: Page, records: Page
) -> None:
    cj.answers(page(records("1"), complete=False), page(records("2"), complete=False), page(records("3")))
    pages = connect(cj).commission_pages("5501")
    assert ids(next(pages)) == ["1"]
    until(lambda: len(cj.asked) == 2)
    time.sleep(0.05)
    assert len(cj.asked) == 2
    assert [ids(p) for p in pages] == [["2"], ["3"]]
    assert len(cj.asked) == 3
    assert threads() == []


def test_the_first_page_of_the_next_window_is_asked_for_ahead_too(cj: Server, connect: Callable[..., CJClient], page: Page) -> None:
    cj.answers(page())
    pages = connect(cj).commission_pages("5501", since_posting=EPOCH, before_posting=EPOCH + timedelta(days=40), since_commission_id="7")
    next(pages)
    until(lambda: len(cj.asked) == 2)
    assert 'sincePostingDate: "2026-04-01T00:00:00Z"' in cj.asked[1].json()["query"]
    assert 'sinceCommissionId: "7"' in cj.asked[1].json()["query"]
    assert len(list(pages)) == 1
    assert len(cj.asked) == 2


def test_the_next_portion_of_ids_is_asked_for_ahead_too(cj: Server, connect: Callable[..., CJClient], page: Page) -> None:
    cj.answers(page())
    assert len(list(connect(cj).commission_pages("5501", commission_ids=[str(n) for n in range(1_001)]))) == 3
    assert ['"500"' in asked.json()["query"] for asked in cj.asked] == [False, True, False]
    assert ['"1000"' in asked.json()["query"] for asked in cj.asked] == [False, False, True]


def test_a_reader_that_stops_early_leaves_neither_thread_nor_request(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], page: Page, records: Page
) -> None:
    first, second = page(records("1"), complete=False), page(records("2"), complete=False)
    cj.answers(scripted(body=orjson.dumps(first)), scripted(body=orjson.dumps(second), silence=0.3))
    pages = connect(cj).commission_pages("5501")
    next(pages)
    until(lambda: len(cj.asked) == 2)
    pages.close()  # type: ignore[attr-defined]
    assert threads() == []
    time.sleep(0.05)
    assert len(cj.asked) == 2


def test_an_error_of_the_second_page_comes_after_the_first_was_handed_out(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], page: Page, records: Page
) -> None:
    cj.answers(scripted(body=orjson.dumps(page(records("1"), complete=False))), scripted(status=401))
    pages = connect(cj).commission_pages("5501")
    assert ids(next(pages)) == ["1"]
    until(lambda: len(cj.asked) == 2)
    with pytest.raises(e.CJInvalidToken):
        next(pages)
    assert len(cj.asked) == 2
    assert threads() == []


def test_a_page_asked_for_ahead_has_as_many_attempts_as_any_other(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], page: Page, records: Page
) -> None:
    first = scripted(body=orjson.dumps(page(records("1"), complete=False)))
    cj.answers(first, scripted(status=503), scripted(cut_within=True), page(records("2")))
    assert [ids(p) for p in connect(cj).commission_pages("5501")] == [["1"], ["2"]]
    assert len(cj.asked) == 4
    cj.asked.clear()
    cj.answers(first, scripted(status=503))
    with pytest.raises(e.CJOverloaded):
        list(connect(cj).commission_pages("5501"))
    assert len(cj.asked) == 1 + 3


def test_every_request_made_ahead_takes_its_place_in_the_allowance(
    cj: Server, connect: Callable[..., CJClient], page: Page, records: Page
) -> None:
    cj.answers(page(records("1"), complete=False), page(records("2"), complete=False), page(records("3")))
    limits = SlidingWindow(3, 3_600.0)
    assert len(list(connect(cj, limits=limits).commission_pages("5501"))) == 3
    assert not limits.try_acquire()


def test_where_the_allowance_is_used_up_nothing_is_asked_ahead_and_the_page_waits_its_turn(
    cj: Server, connect: Callable[..., CJClient], page: Page, records: Page
) -> None:
    cj.answers(page(records("1"), complete=False), page(records("2")))
    now, waits = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    pages = connect(cj, limits=SlidingWindow(1, 60.0, clock=lambda: now[0], sleep=sleep)).commission_pages("5501")
    next(pages)
    assert (threads(), waits, len(cj.asked)) == ([], [], 1)
    assert ids(next(pages)) == ["2"]
    assert waits == [60.0]


def without_records(answer: dict[str, Any]) -> dict[str, Any]:
    """A page that is none, though it names its cursor."""
    answer["data"]["advertiserCommissions"]["records"] = None
    return answer


def test_a_page_is_used_only_when_its_own_records_were_read_whatever_was_asked_ahead(
    cj: Server, connect: Callable[..., CJClient], page: Page, records: Page
) -> None:
    cj.answers(without_records(page(records("1"), complete=False)), page(records("2")))
    handed_out: list[Any] = []
    with pytest.raises(e.CJAnswerMalformed):
        handed_out.extend(connect(cj, attempts=1).commission_pages("5501"))
    assert handed_out == []
    assert threads() == []


def test_a_broken_page_is_asked_for_again_itself_and_its_cursor_is_forgotten(
    cj: Server, connect: Callable[..., CJClient], page: Page, records: Page
) -> None:
    cj.answers(without_records(page(records("1"), complete=False, cursor="9")), page(records("1")))
    assert [ids(p) for p in connect(cj).commission_pages("5501")] == [["1"]]
    # What was asked ahead may reach CJ last, though it was given up before.
    assert sum("sinceCommissionId" not in request.json()["query"] for request in cj.asked) == 2
    assert threads() == []


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"data": null}', b"[" * 100_000, b'{"data":' * 5_000, b"\xff"])
def test_no_seam_is_read_where_there_is_no_page(body: bytes) -> None:
    assert seam_of(body) is None


def test_a_seam_is_read_only_from_one_whole_object_without_errors(page: Page, records: Page) -> None:
    answer = page(records("1"), complete=False)
    body = orjson.dumps(answer)
    assert seam_of(body) == Seam(False, "1")
    assert seam_of(orjson.dumps(page())) == Seam(True, "")
    assert seam_of(body[:-1]) is None
    assert seam_of(body + body) is None
    assert seam_of(orjson.dumps(answer | {"errors": [{"message": "no"}]})) is None


def test_what_is_asked_for_by_nobody_is_given_up() -> None:
    given_up = threading.Event()

    def call(request: bytes, wanted: Callable[[], bool]) -> bytes:
        while request == b"endless" and wanted():
            time.sleep(0.005)
        if not wanted():
            given_up.set()
        return request

    with Ahead(call) as ahead:
        assert ahead.take(b"other") is None
        ahead.begin(b"endless")
        assert ahead.take(b"other") is None
        assert given_up.wait(5)
        ahead.begin(b"endless")
        ahead.begin(b"next")
        assert ahead.take(b"next") == b"next"
        ahead.begin(b"endless")
    assert threads() == []
