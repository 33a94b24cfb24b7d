"""One POST to CJ, and everything that can go wrong on the way, as our own errors.

The token is added to requests for the account's own two addresses and to no other; redirects are never followed; an answer is read up
to a limit. An error is raised outside the handler that met the library's own, so no traceback leads to frames that hold the header.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import httpx

from include.cj.errors import CJAnswerTooLarge, CJCut, CJError, CJInvalidToken, CJNotJson, CJTimeout, CJUnreachable
from include.domain.account import LOOPBACK, Account, Token

MAX_ANSWER_BYTES = 256_000_000
"""An echo of 10,000 orders is some 2 MB, a page of 10,000 records some 20 MB."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds. `read` is long because CJ answers a mutation of 10,000 orders only once all are checked. It is the longest pause of an answer; `whole` is
    the longest that reading one may take from the call on, so that none drips in when its outcome was settled long ago."""

    connect: float = 10.0
    read: float = 600.0
    write: float = 120.0
    pool: float = 30.0
    whole: float = 1_200.0


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    headers: httpx.Headers
    body: bytes


class BearerToken(httpx.Auth):
    """Adds the token to requests for the given addresses; a request for any other leaves without it."""

    def __init__(self, token: Token, *urls: str) -> None:
        self._token = token
        self._origins = {_origin(httpx.URL(url)) for url in urls}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if _origin(request.url) in self._origins:
            request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        yield request


def http_client(account: Account, timeouts: Timeouts, transport: httpx.BaseTransport | None) -> httpx.Client:
    """The connection pool of one account. Proxies of the environment are used, but never for loopback.

    Raises CJInvalidToken for a token that no header can carry: like one that CJ refuses, it concerns this account alone.
    """
    if not _is_header_text(account.token):
        # The HTTP library would quote the header in its own complaint.
        raise CJInvalidToken(
            f"Connection {account.conn_id!r}: the token holds a space, a line break or a character no token has. "
            "Copy it into the connection's password again."
        )
    urls = (account.tracking_url, account.commissions_url)
    return httpx.Client(
        auth=BearerToken(account.token, *urls),
        timeout=httpx.Timeout(connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool),
        follow_redirects=False,
        trust_env=all(httpx.URL(url).host not in LOOPBACK for url in urls),
        transport=transport,
        # Idle connections are dropped early: a live call on one that the other side has just closed would be an unknown outcome.
        limits=httpx.Limits(max_connections=16, keepalive_expiry=5.0),
        headers={"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "cj-restatements"},
    )


def always() -> bool:
    """The answer is wanted, however long it takes."""
    return True


def post(
    http: httpx.Client,
    url: str,
    body: bytes,
    *,
    max_bytes: int,
    longest: float,
    on_headers: Callable[[httpx.Headers], None],
    wanted: Callable[[], bool] = always,
) -> Reply:
    """Posts `body` and reads the answer. Raises CJUnreachable, CJTimeout, CJCut, CJNotJson or CJAnswerTooLarge.

    `wanted` is asked while the answer comes: once it says no, the connection is closed, which is a CJCut. `longest` is how many seconds all of it
    may take: an answer that drips in longer is a CJTimeout.
    """
    failure: CJError
    late = time.monotonic() + longest
    try:
        with http.stream("POST", url, content=body) as response:
            on_headers(response.headers)
            parts, size = [], 0
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > max_bytes or time.monotonic() > late or not wanted():
                    break
            else:
                return Reply(response.status_code, response.headers, b"".join(parts))
        if size > max_bytes:
            failure = _too_large(host_of(url), max_bytes)
        else:
            failure = _late(host_of(url), longest) if time.monotonic() > late else _given_up(host_of(url))
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        failure = _translated(error, host_of(url))
    raise failure


def _is_header_text(token: Token) -> bool:
    text = token.reveal()
    return text.isascii() and text.isprintable() and " " not in text


def _translated(error: Exception, host: str) -> CJError:
    kind = type(error).__name__
    if isinstance(
        error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL)
    ):
        return CJUnreachable(
            f"{host} cannot be reached ({kind}). Nothing was sent. Check the address and the network; trying again is safe.", host=host
        )
    if isinstance(error, httpx.TimeoutException):
        return CJTimeout(f"{host} did not answer in time ({kind}). CJ may or may not have taken the request.", host=host)
    if isinstance(error, httpx.DecodingError):
        return CJNotJson(
            f"{host} answered with bytes that cannot be unpacked ({kind}). CJ may or may not have taken the request.", host=host
        )
    return CJCut(f"The connection to {host} broke ({kind}). CJ may or may not have taken the request.", host=host)


def _too_large(host: str, max_bytes: int) -> CJError:
    return CJAnswerTooLarge(
        f"{host} answered with more than {max_bytes} bytes. Reading stopped; CJ may or may not have taken the request.", host=host
    )


def _late(host: str, longest: float) -> CJError:
    return CJTimeout(f"{host} did not answer whole within {longest:g} seconds. CJ may or may not have taken the request.", host=host)


def _given_up(host: str) -> CJError:
    return CJCut(f"The answer of {host} was given up: what asked for it has ended.", host=host)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def host_of(url: str) -> str:
    """The host, and the port where one is given: what an error may name of an address."""
    parts = httpx.URL(url)
    return parts.host if parts.port is None else f"{parts.host}:{parts.port}"
