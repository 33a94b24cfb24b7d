"""Every way CJ, or the way to CJ, can fail.

    CJError                          transient?  maybe done?
    ├── CJUnreachable                   yes         no       refused, no such name, no TLS: the request certainly never left
    ├── CJPaused                        yes         no       our own breaker is open
    ├── CJRateLimited                   yes         no       429; `retry_after` says how long
    ├── CJNoVerdict                     yes         yes      the request left and no clear answer came back
    │   ├── CJTimeout                                        no answer in time
    │   ├── CJCut                                            the connection broke after the request began to leave
    │   ├── CJGatewayError                                   500, 502, 504 and their like
    │   ├── CJOverloaded                                     503
    │   ├── CJInternalError                                  a GraphQL answer that says CJ itself broke while executing
    │   ├── CJNotJson                                        a 200 that cannot be read: HTML, cut short, no JSON
    │   ├── CJAnswerMalformed                                JSON of another shape than CJ's schema promises
    │   └── CJAnswerTooLarge                                 more bytes than any honest answer has
    ├── CJAuthError                     no          no       nothing helps until the connection is put right
    │   ├── CJMissingToken
    │   ├── CJInvalidToken
    │   ├── CJUnauthorized                                   the token is good, the enterprise is not its own
    │   └── CJPageForbids                                    a 403 with a page that is not CJ's: a proxy's
    └── CJRefused                       no          no       the same request will be refused again
        ├── CJInvalidSyntax
        ├── CJWrongType
        ├── CJRequestRefused                                 in words; `problems` holds messages and field paths
        ├── CJRedirected                                     never followed: the token stays where it belongs
        ├── CJTooManyOrders
        ├── CJRequestTooLarge                                413, or over 100 MB
        ├── CJWindowTooLong
        ├── CJCursorStuck
        └── CJUnsendable                                     an order that cannot be written as CJ's input types ask

`transient`: does trying again, unchanged, help? `maybe_done`: may CJ have done the work? A live mutation that raised `maybe_done` is
`unknown` and is settled from Commission Detail, never by sending it again. Reads may be repeated whatever `maybe_done` says.

A message names the host and what to do; never a token, never a body, and CJ's own words only where they are CJ's verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from include.domain.errors import RestatementsError


@dataclass(frozen=True)
class RequestProblem:
    """CJ's `RequestError`: a message, and the field paths it names. It names no order."""

    message: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.message} ({', '.join(self.fields)})" if self.fields else self.message


_VALUE = re.compile(r"StringValue\{.*?\}|(?<=value )'[^']*'|(?<=value )\"[^\"]*\"|(?<=value: )\S+|[^\s@'\"]+@[^\s@'\"]+")
_LONGEST = 500


def words_of(problems: Iterable[RequestProblem]) -> str:
    """CJ's words for a table or a log: each once, at most 500 characters, without the values it quotes back (they may be a person's)."""
    words = "; ".join(dict.fromkeys(_VALUE.sub("[hidden]", str(problem)) for problem in problems))
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


class CJError(RestatementsError):
    """CJ, or the way to CJ, failed. Carries `host` and, where one was given, the HTTP `status`."""

    maybe_done = False

    def __init__(self, message: str, *, host: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.host = host
        self.status = status


class CJUnreachable(CJError):
    """The request certainly never left: refused, no such name, no TLS, no free connection."""

    transient = True


class CJPaused(CJError):
    """The breaker is open: CJ failed several times in a row and is left alone until `until`."""

    transient = True

    def __init__(self, until: datetime) -> None:
        super().__init__(f"CJ failed several times in a row, so it is left alone until {until:%Y-%m-%d %H:%M:%S} UTC. Try again then.")
        self.until = until


class CJRateLimited(CJError):
    """HTTP 429. `retry_after` is in seconds, None if CJ gave none."""

    transient = True

    def __init__(self, message: str, *, host: str = "", status: int | None = 429, retry_after: float | None = None) -> None:
        super().__init__(message, host=host, status=status)
        self.retry_after = retry_after


class CJNoVerdict(CJError):
    """The request left, and what came back says nothing certain about it."""

    transient = True
    maybe_done = True


class CJTimeout(CJNoVerdict):
    """No answer in time."""


class CJCut(CJNoVerdict):
    """The connection broke after the request began to leave."""


class CJGatewayError(CJNoVerdict):
    """A 5xx other than 503. CJ: a 504 means the request was too large or the service overloaded."""


class CJOverloaded(CJNoVerdict):
    """HTTP 503. `retry_after` is in seconds, None if CJ gave none."""

    def __init__(self, message: str, *, host: str = "", status: int | None = 503, retry_after: float | None = None) -> None:
        super().__init__(message, host=host, status=status)
        self.retry_after = retry_after


class CJInternalError(CJNoVerdict):
    """A GraphQL answer whose error says CJ broke while executing the request."""


class CJNotJson(CJNoVerdict):
    """A 200 whose body is no JSON: a gateway's page, or an answer cut short."""


class CJAnswerMalformed(CJNoVerdict):
    """JSON, but not of the shape CJ's schema promises."""


class CJAnswerTooLarge(CJNoVerdict):
    """The answer is larger than any honest answer; reading stopped."""


class CJAuthError(CJError):
    """CJ refused the token. Trying again does not help; the connection must be put right."""


class CJMissingToken(CJAuthError):
    """CJ saw no token."""


class CJInvalidToken(CJAuthError):
    """CJ does not know the token, or it was revoked."""


class CJUnauthorized(CJAuthError):
    """The token is good, but the enterprise or advertiser is not its own."""


class CJPageForbids(CJAuthError):
    """A page that is none of CJ's answered 403: what stands in between keeps the request back, or the address is not CJ's."""


class CJRefused(CJError):
    """CJ refused the request as a whole, or we did because CJ would. Nothing was done.

    `problems` holds CJ's own words; they may quote what was sent, so they are no part of the message. `begun`: they may come from an execution that
    broke, so asked again CJ may say otherwise.
    """

    begun = False

    def __init__(self, message: str, *, host: str = "", status: int | None = None, problems: tuple[RequestProblem, ...] = ()) -> None:
        super().__init__(message, host=host, status=status)
        self.problems = problems


class CJInvalidSyntax(CJRefused):
    """CJ could not parse the GraphQL document: the package and CJ's schema disagree."""


class CJWrongType(CJRefused):
    """A value or field does not fit CJ's schema ("Validation error of type WrongType: …").

    One order's value can be the cause, though it sinks the whole request.
    """


class CJRequestRefused(CJRefused):
    """CJ refused the request in words, or with an HTTP status of its own."""


class CJRedirected(CJRefused):
    """CJ's address answered with a redirect. It was not followed."""


class CJTooManyOrders(CJRefused):
    """More orders than one request may hold. Nothing was sent."""


class CJRequestTooLarge(CJRefused):
    """More bytes than one request may hold."""


class CJWindowTooLong(CJRefused):
    """A date range of more than 31 days. Nothing was asked."""


class CJCursorStuck(CJRefused):
    """CJ says there is more, and gives no way to it."""


class CJUnsendable(CJRefused):
    """An order holds a value that CJ's input types cannot carry. Nothing was sent."""


def naming(conn_id: str, error: CJError) -> CJError:
    """The same error, which also says whose it is: several accounts may talk to one host."""
    if repr(conn_id) not in str(error):
        error.args = (f"Connection {conn_id!r}: {error}",)
    return error
