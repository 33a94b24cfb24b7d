"""The client against real HTTP: which answers count, which errors are raised, and how often CJ is called."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from include.cj import errors as e
from include.cj.client import CJClient, Timeouts
from include.domain.states import Mode, Operation

if TYPE_CHECKING:
    from tests.cj.conftest import Scripted, Server

BODY = b'{"query": "mutation", "variables": {"orders": []}}'
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_order_is_accepted_only_if_the_answer_names_it(
    cj: Server, connect: Callable[..., CJClient], echoes: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(echoes("A", "C", errors=[{"message": "Order may not have more than 100 items", "fields": ["newOrders[1].items"]}]))
    answer = connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert [o.order_id for o in answer.orders] == ["A", "C"]
    assert (answer.orders[0].enterprise_id, answer.orders[0].action_tracker_id) == ("1501", 4001)
    assert (answer.orders[0].submission_id, answer.orders[0].batch_id) == ("sub-1", "batch-1")
    assert [(p.message, p.fields) for p in answer.errors] == [("Order may not have more than 100 items", ("newOrders[1].items",))]
    assert answer.received_at.tzinfo is UTC


def test_only_the_path_separates_test_from_production(
    cj: Server, connect: Callable[..., CJClient], echoes: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(echoes("A"))
    client = connect(cj)
    client.submit(Operation.CREATE, Mode.TEST, BODY)
    client.submit(Operation.CREATE, Mode.LIVE, BODY)
    assert [asked.path for asked in cj.asked] == ["/graphqltest", "/graphql"]
    assert [asked.body for asked in cj.asked] == [BODY, BODY]


def test_field_errors_beside_the_data_come_back_as_problems(cj: Server, connect: Callable[..., CJClient]) -> None:
    cj.answers({"errors": [{"message": "Order may not have a eventTime/updateTime in the future"}], "data": None})
    answer = connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert answer.orders == []
    assert [p.message for p in answer.errors] == ["Order may not have a eventTime/updateTime in the future"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Missing Token", e.CJMissingToken),
        ("Invalid Token", e.CJInvalidToken),
        ("Unauthorized", e.CJUnauthorized),
        ("Invalid Syntax", e.CJInvalidSyntax),
        ("Validation error of type WrongType: argument 'x' with value 'secret-value'", e.CJWrongType),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_refused_request_is_an_error_that_nothing_was_done_and_is_not_repeated(
    cj: Server, connect: Callable[..., CJClient], message: str, kind: type[e.CJError], inside: bool
) -> None:
    problems = [{"message": message}]
    cj.answers({"data": {"createOrders": {"orders": None, "errors": problems}}} if inside else {"errors": problems})
    with pytest.raises(kind) as raised:
        connect(cj).submit(Operation.CREATE, Mode.TEST, BODY)
    assert (raised.value.transient, raised.value.maybe_done) == (False, False)
    assert len(cj.asked) == 1
    assert "secret-value" not in str(raised.value)


@pytest.mark.parametrize("message", ["Exception while fetching data (/createOrders) : boom", "Internal Server Error(s)", "Read timed out"])
def test_an_error_inside_cj_never_reads_as_a_refusal(
    cj: Server, connect: Callable[..., CJClient], echoes: Callable[..., dict[str, Any]], message: str
) -> None:
    cj.answers({"errors": [{"message": message}], **echoes("A")})
    with pytest.raises(e.CJInternalError) as raised:
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert raised.value.maybe_done


BEGUN = [
    {"data": {"createOrders": None}, "errors": [{"message": "boom", "path": ["createOrders"]}]},
    {"data": None, "errors": [{"message": "boom", "path": ["createOrders"]}]},
    {"errors": [{"message": "boom", "path": ["createOrders", "orders", 3]}]},
    {"data": None, "errors": [{"message": "boom"}, {"message": "Invalid Token", "path": ["createOrders"]}]},
    {"data": None, "errors": [{"message": "Validation error of type WrongType: x", "path": ["createOrders"]}]},
    {"data": None, "errors": [{"message": "boom", "extensions": {"classification": "ExecutionAborted"}}]},
    {"data": {"createOrders": None}, "errors": [{"message": "Unauthorized"}]},
    {"data": {"createOrders": {"orders": [], "errors": [{"message": "no"}]}}, "errors": [{"message": "boom"}]},
]


@pytest.mark.parametrize("said", BEGUN)
def test_an_error_of_the_execution_is_a_problem_of_a_call_that_was_begun(
    cj: Server, connect: Callable[..., CJClient], said: dict[str, Any]
) -> None:
    cj.answers(said)
    answer = connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert (answer.orders, answer.begun) == ([], True)
    assert said["errors"][0]["message"] in [problem.message for problem in answer.errors]


@pytest.mark.parametrize("shape", [lambda problems: {"errors": problems, "data": None}, lambda problems: {"errors": problems},
                                   lambda problems: {"data": {"createOrders": {"orders": None, "errors": problems}}}])  # fmt: skip
def test_a_refusal_of_the_fields_is_no_sign_that_the_call_was_begun(
    cj: Server, connect: Callable[..., CJClient], shape: Callable[[Any], dict[str, Any]]
) -> None:
    cj.answers(shape([{"message": "Order may not have more than 100 items"}]))
    answer = connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert (answer.orders, answer.begun, len(answer.errors)) == ([], False, 1)


def test_test_mode_goes_on_telling_an_error_apart_by_its_words(cj: Server, connect: Callable[..., CJClient]) -> None:
    cj.answers({"data": None, "errors": [{"message": "Validation error of type WrongType: x", "path": ["createOrders"]}]})
    with pytest.raises(e.CJWrongType):
        connect(cj).submit(Operation.CREATE, Mode.TEST, BODY)


def test_an_answer_that_says_nothing_about_any_order_is_no_verdict(
    cj: Server, connect: Callable[..., CJClient], echoes: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(echoes())
    with pytest.raises(e.CJAnswerMalformed) as raised:
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert raised.value.maybe_done


STATUSES = [
    (307, e.CJRedirected, False, False),
    (401, e.CJInvalidToken, False, False),
    (403, e.CJPageForbids, False, False),
    (404, e.CJRequestRefused, False, False),
    (400, e.CJRequestRefused, False, False),
    (413, e.CJRequestTooLarge, False, False),
    (429, e.CJRateLimited, True, False),
    (500, e.CJGatewayError, True, True),
    (502, e.CJGatewayError, True, True),
    (503, e.CJOverloaded, True, True),
    (504, e.CJGatewayError, True, True),
    (204, e.CJGatewayError, True, True),
]


@pytest.mark.parametrize(("status", "kind", "transient", "maybe_done"), STATUSES)
def test_a_live_call_is_made_exactly_once_whatever_comes_back(
    cj: Server,
    connect: Callable[..., CJClient],
    scripted: type[Scripted],
    status: int,
    kind: type[e.CJError],
    transient: bool,
    maybe_done: bool,
) -> None:
    body = b"" if status == 204 else b"<html>nginx</html>"
    cj.answers(scripted(status=status, body=body, headers={"Location": "http://127.0.0.1:9/"}))
    with pytest.raises(kind) as raised:
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert (raised.value.transient, raised.value.maybe_done) == (transient, maybe_done)
    assert len(cj.asked) == 1
    assert "127.0.0.1" in str(raised.value)


@pytest.mark.parametrize(("status", "transient"), [(status, transient) for status, _, transient, _ in STATUSES])
def test_test_mode_is_repeated_only_where_that_helps(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], status: int, transient: bool
) -> None:
    cj.answers(scripted(status=status, body=b""))
    with pytest.raises(e.CJError):
        connect(cj).submit(Operation.CREATE, Mode.TEST, BODY)
    assert len(cj.asked) == (3 if transient else 1)


@pytest.mark.parametrize("script", [{"cut": True}, {"cut_within": True, "body": b'{"data": {}}'}])
def test_a_cut_after_sending_may_have_been_done_and_is_not_repeated_live(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], script: dict[str, Any]
) -> None:
    cj.answers(scripted(**script))
    with pytest.raises(e.CJCut) as raised:
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert raised.value.maybe_done
    assert len(cj.asked) == 1


def test_an_answer_that_does_not_come_in_time_may_have_been_done(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted]
) -> None:
    cj.answers(scripted(silence=5.0))
    with pytest.raises(e.CJTimeout) as raised:
        connect(cj, timeouts=Timeouts(read=0.1)).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert raised.value.maybe_done
    assert len(cj.asked) == 1


@pytest.mark.parametrize(("mode", "calls"), [(Mode.LIVE, 1), (Mode.TEST, 3)])
def test_an_answer_that_comes_drop_by_drop_has_a_deadline_as_a_whole(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], mode: Mode, calls: int
) -> None:
    """No pause is long enough to be a timeout, and the call would go on for an hour."""
    cj.answers(scripted(body=b" " * 100_000, drip=0.02))
    with pytest.raises(e.CJTimeout, match="may or may not have taken the request") as raised:
        connect(cj, timeouts=Timeouts(read=5.0, whole=0.3)).submit(Operation.CREATE, mode, BODY)
    assert raised.value.maybe_done
    assert len(cj.asked) == calls


def test_a_refused_connection_certainly_never_left(connect: Callable[..., CJClient]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(e.CJUnreachable) as raised:
            connect(url).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert (raised.value.transient, raised.value.maybe_done) == (True, False)


def test_a_name_that_does_not_exist_certainly_never_left(connect: Callable[..., CJClient]) -> None:
    with pytest.raises(e.CJUnreachable) as raised:
        connect("https://cj.invalid").submit(Operation.CREATE, Mode.LIVE, BODY)
    assert not raised.value.maybe_done


@pytest.mark.parametrize("body", [b"<html>504</html>", b'{"data": {"createOrders": {"orders": [', b"\xff\xfe", b""])
def test_a_200_that_cannot_be_read_may_have_been_done(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], body: Any
) -> None:
    cj.answers(scripted(body=body))
    with pytest.raises(e.CJNotJson) as raised:
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert raised.value.maybe_done


def test_reading_stops_at_an_answer_too_large_to_be_honest(cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted]) -> None:
    cj.answers(scripted(body=b" " * 200_000))
    with pytest.raises(e.CJAnswerTooLarge) as raised:
        connect(cj, max_answer_bytes=100_000).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert raised.value.maybe_done


def test_a_read_goes_on_after_transient_errors(
    cj: Server,
    connect: Callable[..., CJClient],
    scripted: type[Scripted],
    page: Callable[..., dict[str, Any]],
    records: Callable[..., dict[str, Any]],
) -> None:
    cj.answers(scripted(status=503), scripted(cut=True), page(records("1")))
    assert connect(cj).commission_page("5501").count == 1
    assert len(cj.asked) == 3


def test_retry_after_is_honoured_up_to_the_cap(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], page: Callable[..., dict[str, Any]]
) -> None:
    waits: list[float] = []
    cj.answers(scripted(status=429, headers={"Retry-After": "3"}), scripted(status=429, headers={"Retry-After": "900"}), page())
    client = connect(cj, longest_wait=30.0)
    client._sleep = waits.append
    client.commission_page("5501")
    assert waits == [3.0, 30.0]


def test_a_rate_limit_says_how_long_even_as_a_date(cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted]) -> None:
    there = datetime.now(UTC).replace(microsecond=0)
    headers = {"Date": format_datetime(there, usegmt=True), "Retry-After": format_datetime(there + timedelta(seconds=40), usegmt=True)}
    cj.answers(scripted(status=429, headers=headers))
    with pytest.raises(e.CJRateLimited) as raised:
        connect(cj).submit(Operation.CREATE, Mode.LIVE, BODY)
    assert raised.value.retry_after == 40.0


def test_now_follows_cjs_clock_and_ignores_less_than_two_seconds(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted]
) -> None:
    client = connect(cj)
    ahead = datetime.now(UTC) + timedelta(hours=5)
    cj.answers(scripted(body=b'{"data": {"getBuildNumber": "17"}}', headers={"Date": format_datetime(ahead, usegmt=True)}))
    assert client.ping() == "17"
    assert abs(client.now() - ahead) < timedelta(minutes=1)
    cj.answers({"data": {"getBuildNumber": "17"}})
    client.ping()
    assert client._offset == timedelta(0)


@pytest.mark.parametrize(("ahead", "follows"), [(-60, True), (-3, True), (0, False), (1, False), (4, True), (60, True)])
def test_a_clock_is_followed_from_two_seconds_on_to_either_side(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], ahead: int, follows: bool
) -> None:
    """Their `Date` has whole seconds, so it is up to one second less ahead than is said here."""
    client, theirs = connect(cj), datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ahead)
    cj.answers(scripted(body=b'{"data": {"getBuildNumber": "17"}}', headers={"Date": format_datetime(theirs, usegmt=True)}))
    client.ping()
    moved = client.now() - datetime.now(UTC)
    assert (abs(moved) > timedelta(seconds=0.5)) is follows
    assert not follows or abs(moved - timedelta(seconds=ahead)) < timedelta(seconds=2)


def test_a_page_is_asked_for_with_nothing_but_a_query(
    cj: Server, connect: Callable[..., CJClient], page: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(page())
    connect(cj).commission_page(
        '55"01',
        since_posting=EPOCH,
        before_posting=EPOCH + timedelta(days=1, microseconds=250_000),
        since_commission_id="99",
        commission_ids=["1", "2"],
    )
    assert list(cj.asked[0].json()) == ["query"]
    asked = cj.asked[0].json()["query"]
    for part in (
        r'forAdvertisers: ["55\"01"]',
        'commissionIds: ["1","2"]',
        'sincePostingDate: "2026-03-01T00:00:00Z"',
        'beforePostingDate: "2026-03-02T00:00:00.25Z"',
        'sinceCommissionId: "99"',
    ):
        assert part in asked
    assert "$" not in asked
    assert cj.asked[0].path == "/query"


def test_an_argument_that_is_not_given_is_not_sent(
    cj: Server, connect: Callable[..., CJClient], page: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(page())
    connect(cj).commission_page("5501", since_posting=EPOCH)
    assert "beforePostingDate" not in cj.asked[0].json()["query"]
    assert "sinceCommissionId" not in cj.asked[0].json()["query"]


def test_pages_follow_the_cursor_with_the_same_bounds_until_complete(
    cj: Server, connect: Callable[..., CJClient], page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(page(records("1"), complete=False), page(records("2"), complete=False), page(records("3")))
    pages = list(connect(cj).commission_pages("5501", since_posting=EPOCH, before_posting=EPOCH + timedelta(days=1)))
    assert [p.table["commission_id"].to_pylist() for p in pages] == [["1"], ["2"], ["3"]]
    queries = [asked.json()["query"] for asked in cj.asked]
    assert ["sinceCommissionId" in q for q in queries] == [False, True, True]
    assert 'sinceCommissionId: "1"' in queries[1]
    assert 'sinceCommissionId: "2"' in queries[2]
    assert all('beforePostingDate: "2026-03-02T00:00:00Z"' in q for q in queries)


def test_a_long_range_is_asked_for_in_31_days_at_most(
    cj: Server, connect: Callable[..., CJClient], page: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(page())
    assert len(list(connect(cj).commission_pages("5501", since_posting=EPOCH, before_posting=EPOCH + timedelta(days=70)))) == 3


def test_a_window_over_31_days_is_refused_before_anything_is_asked(cj: Server, connect: Callable[..., CJClient]) -> None:
    with pytest.raises(e.CJWindowTooLong):
        connect(cj).commission_page("5501", since_posting=EPOCH, before_posting=EPOCH + timedelta(days=31, seconds=1))
    assert cj.asked == []


def test_a_cursor_that_stands_still_ends_in_an_error_and_not_in_a_loop(
    cj: Server, connect: Callable[..., CJClient], page: Callable[..., dict[str, Any]], records: Callable[..., dict[str, Any]]
) -> None:
    cj.answers(page(records("1"), complete=False))
    with pytest.raises(e.CJCursorStuck):
        list(connect(cj).commission_pages("5501", since_posting=EPOCH))
    assert len(cj.asked) == 2


def test_a_missing_cursor_ends_in_an_error(cj: Server, connect: Callable[..., CJClient], page: Callable[..., dict[str, Any]]) -> None:
    cj.answers(page(complete=False))
    with pytest.raises(e.CJCursorStuck):
        list(connect(cj).commission_pages("5501"))


def test_a_refused_read_raises_with_cjs_words_kept_apart(cj: Server, connect: Callable[..., CJClient]) -> None:
    cj.answers({"errors": [{"message": "Date range is too long"}], "data": None})
    with pytest.raises(e.CJRequestRefused) as raised:
        connect(cj).commission_page("5501")
    assert [p.message for p in raised.value.problems] == ["Date range is too long"]


def test_an_unauthorized_read_is_named_so(cj: Server, connect: Callable[..., CJClient]) -> None:
    cj.answers({"errors": [{"message": "Unauthorized"}]})
    with pytest.raises(e.CJUnauthorized):
        connect(cj).commission_page("5501")
