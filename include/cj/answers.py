"""What CJ's answers mean: HTTP and GraphQL on one side, an `Answer` or one of our errors on the other.

CJ checks in this order and stops at the first stage that fails: authentication, schema, authorization, fields. All come as HTTP 200 with
an `errors` array. The first three refuse the request; the last is about orders and comes back in `Answer.errors`.

    certain, nothing was done    `errors` without `data` and without a `path`: CJ stopped before it executed anything
                                 errors of the mutation's own and no order named: CJ executed, and took none
    not certain (`begun`)        an error with a `path`, or beside `data`: the execution broke, and nobody knows how far it had come

Of a live call only what is certain is a refusal. Test Mode does nothing in either case, so there every error is taken by its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

import msgspec
import orjson

from include.cj.errors import (
    CJAnswerMalformed,
    CJError,
    CJGatewayError,
    CJInternalError,
    CJInvalidSyntax,
    CJInvalidToken,
    CJMissingToken,
    CJNotJson,
    CJOverloaded,
    CJPageForbids,
    CJRateLimited,
    CJRedirected,
    CJRefused,
    CJRequestRefused,
    CJRequestTooLarge,
    CJTimeout,
    CJUnauthorized,
    CJWrongType,
    RequestProblem,
)
from include.domain.states import Mode, Operation


class OrderEcho(msgspec.Struct, frozen=True, gc=False):
    """An order that CJ's answer names: the only proof that CJ accepted it."""

    order_id: str
    enterprise_id: str
    action_tracker_id: int
    submission_id: str
    batch_id: str


@dataclass(frozen=True)
class Answer:
    """What CJ answered to one request: the orders it names, its problems in words, and when, by CJ's clock."""

    orders: list[OrderEcho]
    errors: list[RequestProblem]
    received_at: datetime
    begun: bool = False
    """Its errors do not say that CJ refused before executing: what is not named may have been done all the same."""


def status_error(status: int, headers: Mapping[str, str], host: str, body: bytes) -> CJError | None:
    """The error an HTTP status stands for; None for a 200, and for a 400 (which may carry GraphQL's own words). Of `body` it asks only whether CJ
    may have written it: CJ answers in JSON, and a proxy in a page.
    """
    if status in (200, 400):
        return None
    if 300 <= status < 400:
        return CJRedirected(
            f"{host} answered with a redirect ({status}). It was not followed, so that the token goes nowhere else. "
            "Put CJ's own address into the connection.",
            host=host,
            status=status,
        )
    if status == 403 and body and not _is_object(body):
        return CJPageForbids(
            f"{host} answered 403 with a page that is not CJ's: a proxy in between? See that it lets requests to {host} through.",
            host=host,
            status=status,
        )
    if status == 401:
        return CJInvalidToken(_token_words(host), host=host, status=status)
    if status == 403:
        return CJUnauthorized(_owner_words(host), host=host, status=status)
    if status == 408:
        return CJTimeout(f"{host} gave up waiting for the request (408). It may or may not have been taken.", host=host, status=status)
    if status == 413:
        return CJRequestTooLarge(f"{host} says the request is too large (413). Make the chunks smaller.", host=host, status=status)
    if status == 429:
        wait = retry_after(headers)
        return CJRateLimited(f"{host} says too many calls (429). Wait{_seconds(wait)} and try again.", host=host, retry_after=wait)
    if status == 503:
        wait = retry_after(headers)
        return CJOverloaded(f"{host} is overloaded or down (503). Try again{_seconds(wait)} later.", host=host, retry_after=wait)
    if 400 < status < 500:
        return CJRequestRefused(
            f"{host} refused the request with HTTP {status}. Look at the address in the connection.", host=host, status=status
        )
    words = "is overloaded, or the request is too large" if status == 504 else "failed"
    return CJGatewayError(f"{host} {words} ({status}). CJ may or may not have taken the request.", host=host, status=status)


def decode_answer(
    operation: Operation, body: bytes, status: int, host: str, received_at: datetime, mode: Mode = Mode.LIVE
) -> Answer:  # fmt: skip
    """The Answer in the body of a 200 or 400, decoded strictly: an echo that is not whole makes the whole answer malformed,
    and so does an answer that neither names an order nor a problem.

    Raises one of the errors of `include.cj.errors`; for a live call none that says "refused" where the execution had begun. Fields that were
    not asked for are ignored.
    """
    plain = _plain_echoes(operation, body)
    if plain:
        return Answer(plain, [], received_at)
    answer = _object(body, status, host)
    problems = _problems(answer.get("errors"), host)
    found = _mapping(_mapping(answer.get("data"), host).get(f"{operation}Orders"), host)
    echoes = list(dict.fromkeys(_echo(order, host) for order in _list(found.get("orders"), host)))
    if any(_is_internal(problem) for problem in problems):
        # Some of what is not echoed may have been done all the same, so nothing in this answer may be read as a refusal.
        raise _internal(host)
    begun = _begun(answer, host)
    problems += _problems(found.get("errors"), host)
    if echoes or (begun and mode is Mode.LIVE):
        return Answer(echoes, problems, received_at, begun)
    # `data` and no error is what no refusal looks like, whatever the status says.
    if refusal := refusal_error(problems, status if answer.get("data") is None else 200, host):
        if isinstance(refusal, CJRefused):
            refusal.begun = begun
        raise refusal
    return Answer(echoes, problems, received_at, begun)


def decode_text(field: str, body: bytes, status: int, host: str) -> str:
    """A single text field of a query's answer, such as `getBuildNumber`. Raises as `decode_answer` does."""
    answer = _object(body, status, host)
    value = _mapping(answer.get("data"), host).get(field)
    if isinstance(value, str):
        return value
    problems = _problems(answer.get("errors"), host)
    raise refusal_error(problems, status, host) or CJRequestRefused(
        f"{host} refused to say its {field}: {problems[0]}", host=host, status=status, problems=tuple(problems)
    )


def refusal_error(problems: list[RequestProblem], status: int, host: str) -> CJError | None:
    """The error for a request that CJ refused as a whole; None if its problems are about orders. No problems at all is malformed."""
    if not problems:
        if status != 200:
            return CJRequestRefused(f"{host} refused the request with HTTP {status} and no word why.", host=host, status=status)
        return malformed(host, "neither a result nor an error is in it")
    for problem in problems:
        words = problem.message.lower()
        if "missing token" in words:
            return CJMissingToken(f"{host} saw no token ('Missing Token'). Put CJ's personal access token into the connection.", host=host)
        if "invalid token" in words:
            return CJInvalidToken(_token_words(host), host=host)
        if words.startswith(("unauthorized", "not authorized", "forbidden")):
            return CJUnauthorized(_owner_words(host), host=host)
        if words.startswith("invalid syntax"):
            what = f"{host} could not parse the request ('Invalid Syntax'). CJ's schema and this package disagree."
            return CJInvalidSyntax(what, host=host, problems=tuple(problems))
        if words.startswith("validation error"):
            what = f"{host} says the request does not fit its schema: {_kind(problem.message)}. Nothing was done."
            return CJWrongType(what, host=host, problems=tuple(problems))
        if _is_internal(problem):
            return _internal(host)
    return None


def malformed(host: str, what: str) -> CJAnswerMalformed:
    """The error for an answer of another shape; `what` names the part, never a value."""
    return CJAnswerMalformed(f"{host} answered in a shape that CJ's schema does not have: {what}.", host=host)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, whether it was given as seconds or as a date; None if absent or unreadable."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit() and len(given) < 10:
        return float(given)
    until, now = http_date(given), http_date(headers.get("date", "")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0) if until else None


def http_date(text: str) -> datetime | None:
    """An HTTP date as aware UTC, None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Owner(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    enterpriseId: _Text


class _Tracker(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Echo(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    orderId: _Text
    submissionId: _Text
    batchId: _Text
    advertiser: _Owner
    actionTracker: _Tracker


class _Echoes(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    orders: list[_Echo]
    errors: Annotated[list[None], msgspec.Meta(max_length=0)] | None = None


class _Plain(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The usual answer: orders, every one of them whole, no errors, and nothing that was not asked for."""

    data: dict[str, _Echoes]
    errors: Annotated[list[None], msgspec.Meta(max_length=0)] | None = None


_plain = msgspec.json.Decoder(_Plain)


def _plain_echoes(operation: Operation, body: bytes) -> list[OrderEcho] | None:
    """The echoes of a plain answer; None for any other, which is read, and if need be refused, with all care instead."""
    try:
        data = _plain.decode(body).data
    except (ValueError, RecursionError):
        return None
    field = f"{operation}Orders"
    if list(data) != [field]:
        return None
    echoes = (OrderEcho(o.orderId, o.advertiser.enterpriseId, o.actionTracker.id, o.submissionId, o.batchId) for o in data[field].orders)
    return list(dict.fromkeys(echoes))


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(orjson.loads(body), dict)
    except orjson.JSONDecodeError:
        return False


def _object(body: bytes, status: int, host: str) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:  # its message and `doc` hold the answer; neither goes further
        answer = None
    if isinstance(answer, dict):
        return answer
    if status != 200:
        raise CJRequestRefused(
            f"{host} refused the request with HTTP {status}. Look at the address in the connection.", host=host, status=status
        )
    if answer is None:
        raise CJNotJson(
            f"{host} answered with something that is no JSON: a gateway's page, or an answer cut short. CJ may or may not have taken the request.",
            host=host,
            status=status,
        )
    raise malformed(host, "it is no object")


def _echo(order: object, host: str) -> OrderEcho:
    found = _mapping(order, host)
    tracker = _mapping(found.get("actionTracker"), host).get("id")
    if isinstance(tracker, str) and tracker.isascii() and tracker.isdigit() and len(tracker) < 19:
        tracker = int(tracker)
    if isinstance(tracker, bool) or not isinstance(tracker, int):
        raise malformed(host, "an order's actionTracker has no id")
    return OrderEcho(
        order_id=_text(found.get("orderId"), "orderId", host),
        enterprise_id=_text(_mapping(found.get("advertiser"), host).get("enterpriseId"), "enterpriseId", host),
        action_tracker_id=tracker,
        submission_id=_text(found.get("submissionId"), "submissionId", host),
        batch_id=_text(found.get("batchId"), "batchId", host),
    )


def _problems(value: object, host: str) -> list[RequestProblem]:
    problems = []
    for entry in _list(value, host):
        found = _mapping(entry, host)
        fields = found.get("fields")
        names = tuple(name for name in fields if isinstance(name, str)) if isinstance(fields, list) else ()
        problems.append(RequestProblem(_text(found.get("message"), "message", host), names))
    return problems


_OF_EXECUTION = frozenset({"DataFetchingException", "NullValueInNonNullableField", "ExecutionAborted", "INTERNAL_ERROR"})
"""graphql-java's and Spring's classifications of what fails after the request was validated."""


def _begun(answer: dict[str, Any], host: str) -> bool:
    """Whether the request's errors may come from its execution."""
    errors = [_mapping(error, host) for error in _list(answer.get("errors"), host)]
    return bool(errors) and (answer.get("data") is not None or any(_is_of_execution(error) for error in errors))


def _is_of_execution(error: dict[str, Any]) -> bool:
    extensions = error.get("extensions")
    classification = extensions.get("classification") if isinstance(extensions, dict) else None
    return error.get("path") is not None or (isinstance(classification, str) and classification in _OF_EXECUTION)


def _mapping(value: object, host: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed(host, "an object was expected where there is none")
    return value


def _list(value: object, host: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed(host, "a list was expected where there is none")
    return value


def _text(value: object, name: str, host: str) -> str:
    if not isinstance(value, str) or not value:
        raise malformed(host, f"{name} is no text")
    return value


def _kind(message: str) -> str:
    # "Validation error of type WrongType: argument 'x' with value 'StringValue{…}' …": the rest quotes what was sent.
    return message.split(":", 1)[0].split("(", 1)[0].strip()[:80]


def _is_internal(problem: RequestProblem) -> bool:
    """graphql-java's words for an exception of its own, and what timeouts inside CJ say."""
    words = problem.message.lower()
    return words.startswith(("exception while fetching", "internal", "unexpected error")) or "timeout" in words or "timed out" in words


def _internal(host: str) -> CJInternalError:
    return CJInternalError(f"{host} broke while executing the request. CJ may or may not have taken it.", host=host)


def _token_words(host: str) -> str:
    return f"{host} does not accept the token ('Invalid Token'). Make a new personal access token at CJ and put it into the connection."


def _owner_words(host: str) -> str:
    return f"{host} says this token may not act for this enterprise or advertiser ('Unauthorized'). Check both ids in the connection."


def _seconds(wait: float | None) -> str:
    return "" if wait is None else f" {wait:.0f} s"
