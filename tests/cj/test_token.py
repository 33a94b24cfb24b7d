"""The token goes into one header of requests to CJ's two addresses, and nowhere else."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from include.cj.client import CJClient, Timeouts
from include.cj.errors import CJError, CJInvalidToken, CJRedirected
from include.domain.account import Account, Token
from include.domain.states import Mode, Operation

if TYPE_CHECKING:
    from tests.cj.conftest import Scripted, Server


def test_the_token_is_sent_to_both_addresses_of_the_account(
    servers: Callable[[], Server], page: Callable[..., dict[str, Any]], echoes: Callable[..., dict[str, Any]], token: str
) -> None:
    tracking, commissions = servers(), servers()
    tracking.answers(echoes("A"))
    commissions.answers(page())
    account = Account("cj", "1501", "5501", Token(token), tracking_url=tracking.url, commissions_url=commissions.url + "/query")
    with CJClient(account) as client:
        client.submit(Operation.CREATE, Mode.TEST, b"{}")
        client.commission_page("5501")
    for server in (tracking, commissions):
        assert [asked.headers["authorization"] for asked in server.asked] == [f"Bearer {token}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_so_the_token_goes_nowhere_else(
    cj: Server, servers: Callable[[], Server], connect: Callable[..., CJClient], scripted: type[Scripted], status: int
) -> None:
    elsewhere = servers()
    cj.answers(scripted(status=status, headers={"Location": elsewhere.url + "/graphql"}))
    with pytest.raises(CJRedirected):
        connect(cj).submit(Operation.CREATE, Mode.LIVE, b"{}")
    assert elsewhere.asked == []
    assert len(cj.asked) == 1


def test_a_request_to_any_other_address_leaves_without_the_token(
    cj: Server, servers: Callable[[], Server], connect: Callable[..., CJClient]
) -> None:
    elsewhere = servers()
    client = connect(cj)
    client._http.post(elsewhere.url, content=b"{}")
    assert "authorization" not in elsewhere.asked[0].headers


def test_no_log_record_at_any_level_holds_the_token(
    cj: Server,
    connect: Callable[..., CJClient],
    scripted: type[Scripted],
    echoes: Callable[..., dict[str, Any]],
    page: Callable[..., dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    token: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    client = connect(cj)
    cj.answers(echoes("A"), scripted(status=503), scripted(cut=True), page())
    client.submit(Operation.CREATE, Mode.LIVE, b"{}")
    client.commission_page("5501")
    assert len(cj.asked) == 4
    assert len(caplog.records) > 10
    for entry in caplog.records:
        assert token not in entry.getMessage()
        assert token not in repr(entry.__dict__)


def ours(error: Exception) -> Any:
    """The traceback from the package's first frame on: the test's own frame knows the token."""
    frames = error.__traceback__
    while frames is not None and "/include/cj/" not in frames.tb_frame.f_code.co_filename:
        frames = frames.tb_next
    assert frames is not None
    return frames


FAILURES = [{"status": 500}, {"cut": True}, {"body": b"<html>"}, {"status": 401}, {"silence": 3.0}, {"body": b" " * 5_000}]


@pytest.mark.parametrize("script", FAILURES)
@pytest.mark.parametrize("read", [False, True])
def test_no_exception_nor_the_locals_of_its_traceback_hold_the_token(
    cj: Server, connect: Callable[..., CJClient], scripted: type[Scripted], token: str, script: dict[str, Any], read: bool
) -> None:
    cj.answers(scripted(**script))
    client = connect(cj, timeouts=Timeouts(read=0.05), max_answer_bytes=1_000, attempts=2)
    with pytest.raises(CJError) as raised:
        client.commission_page("5501") if read else client.submit(Operation.CREATE, Mode.LIVE, b"{}")
    error = raised.value
    assert token not in f"{error!s} {error!r} {error.__dict__}"
    assert error.__context__ is None
    frames = ours(error)
    assert token not in "".join(traceback.TracebackException(type(error), error, frames, capture_locals=True).format())
    console = Console(width=400, record=True, file=io.StringIO())
    trace = Traceback.from_exception(type(error), error, frames, show_locals=True, locals_max_string=10_000)
    console.print(trace)
    assert token not in console.export_text()


def test_neither_client_nor_account_show_the_token(cj: Server, connect: Callable[..., CJClient], token: str) -> None:
    client = connect(cj)
    assert token not in f"{client!r} {client} {client.account!r} {client._http.auth!r} {client.__dict__}"


@pytest.mark.parametrize(
    "show",
    [repr, str, format, "{}".format, "{:>60}".format, "{!s}".format, "%s".__mod__, "%r".__mod__, pretty_repr, lambda token: f"{token} {token!r}"],
    ids=["repr", "str", "format", "braces", "braces with a width", "braces as text", "%s", "%r", "rich", "f-string"],
)  # fmt: skip
def test_a_token_prints_as_stars_however_it_is_printed(token: str, show: Callable[[object], str]) -> None:
    hidden = Token(token)
    assert token not in show(hidden)
    assert "***" in show(hidden)
    assert hidden.reveal() == token


def test_a_log_line_made_of_a_token_or_its_account_holds_stars(caplog: pytest.LogCaptureFixture, token: str) -> None:
    caplog.set_level(logging.DEBUG)
    account = Account("cj", "1501", "5501", Token(token))
    logging.getLogger("include.cj").warning("%s %r %s", account.token, account.token, account)
    assert token not in caplog.text
    assert caplog.text.count("***") == 3


def test_the_locals_of_a_frame_that_holds_the_account_show_stars(token: str) -> None:
    """The same two instruments see a token that nothing masks: they can tell."""
    for held, told in ((Account("cj", "1501", "5501", Token(token)), False), (token, True)):
        shown = locals_shown(held)
        assert (token in shown) is told
        assert told or "***" in shown


def locals_shown(held: object) -> str:
    """What a traceback with local variables tells of a frame that holds this and nothing else."""
    try:
        raise_holding(held)
    except RuntimeError as error:
        assert error.__traceback__ is not None
        frames = error.__traceback__.tb_next
        plain = "".join(traceback.TracebackException(RuntimeError, error, frames, capture_locals=True).format())
        console = Console(width=400, record=True, file=io.StringIO())
        console.print(Traceback.from_exception(RuntimeError, error, frames, show_locals=True, locals_max_string=10_000))
        return plain + console.export_text()
    raise AssertionError


def raise_holding(held: object) -> None:
    raise RuntimeError("as any line of ours might")


@pytest.mark.parametrize("bad", ["with space", "line\nbreak", "ümlaut", "nul\x00"])
def test_a_token_that_no_header_can_carry_is_refused_without_quoting_it(cj: Server, connect: Callable[..., CJClient], bad: str) -> None:
    account = Account("cj", "1501", "5501", Token(bad), tracking_url=cj.url, commissions_url=cj.url)
    with pytest.raises(CJInvalidToken, match="Connection 'cj': the token holds") as raised:
        CJClient(account)
    assert bad not in str(raised.value)
    shown = traceback.TracebackException(type(raised.value), raised.value, ours(raised.value), capture_locals=True)
    assert bad not in "".join(shown.format())
