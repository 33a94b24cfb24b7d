"""The client for CJ: one account, both of its APIs.

How it works: every call is one POST over HTTP/1.1; its answer is decoded strictly into Arrow or an `Answer`, or becomes one error of
`include.cj.errors`. Reads and Test Mode are repeated after transient errors. A live mutation is called once and never again: what its
error leaves open (`maybe_done`) is settled from Commission Detail by the caller.
CJ's clock is learned from the `Date` header of every answer; `now()` is ours moved by the difference.
Pages of Commission Detail are read one ahead: the next is asked for while this one is decoded.
What it does not do: keep a journal, split refused requests, or decide what an unanswered order means.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import zip_longest
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from include.cj.answers import Answer, OrderEcho, decode_answer, decode_text, http_date, refusal_error, status_error
from include.cj.ask_ahead import Ahead
from include.cj.errors import CJCursorStuck, CJError, CJRequestRefused, RequestProblem
from include.cj.limits import SlidingWindow, check_window, reads_of, windows
from include.cj.payload import query
from include.cj.records import CommissionPage, Seam, decode_page, seam_of
from include.cj.transport import MAX_ANSWER_BYTES, Reply, Timeouts, always, host_of, http_client, post
from include.domain.account import Account
from include.domain.states import Mode, Operation

__all__ = ["Answer", "CJClient", "CommissionPage", "OrderEcho", "RequestProblem", "Timeouts"]

log = logging.getLogger(__name__)

T = TypeVar("T")

CLOCK_TOLERANCE = timedelta(seconds=2)
"""`Date` has whole seconds and is written before the answer travels: a smaller difference says nothing."""
LARGEST_OFFSET = timedelta(days=3_650)
"""A `Date` further from our own clock than this is a mistake of whoever wrote it, and no clock."""
COMMISSION_IDS_PER_CALL = 500

_PATHS = {Mode.TEST: "/graphqltest", Mode.LIVE: "/graphql"}


class CJClient:
    """Talks to CJ for one account. Use as a context manager; safe between threads.

    `attempts`, `first_wait` and `longest_wait` (seconds) steer the repetition of reads and Test Mode calls; a `Retry-After` is honoured up
    to `longest_wait`. `limits` counts the reads; by default all clients of this process share one count an account.
    """

    def __init__(
        self,
        account: Account,
        *,
        timeouts: Timeouts | None = None,
        transport: httpx.BaseTransport | None = None,
        limits: SlidingWindow | None = None,
        attempts: int = 5,
        first_wait: float = 1.0,
        longest_wait: float = 60.0,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.account = account
        timeouts = timeouts or Timeouts()
        self._http, self._longest_call = http_client(account, timeouts, transport), timeouts.whole
        self._reads = limits or reads_of(account.commissions_url, account.advertiser_id)
        self._attempts = attempts
        self._backoff = wait_random_exponential(multiplier=first_wait, max=longest_wait)
        self._longest_wait = longest_wait
        self._max_answer_bytes = max_answer_bytes
        self._sleep: Callable[[float], None] = time.sleep
        self._offset = timedelta(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"CJClient({self.account.conn_id!r})"

    def close(self) -> None:
        self._http.close()

    def now(self) -> datetime:
        """CJ's time, aware UTC: our clock moved by what CJ's answers showed. Our own until the first answer."""
        return datetime.now(UTC) + self._offset

    def ping(self) -> str:
        """CJ's build number: proves the address and the token without touching an order. Also teaches `now()`."""
        url = self._tracking_url(Mode.TEST)
        body = orjson.dumps({"query": query("build_number"), "operationName": "BuildNumber"})

        def call() -> str:
            reply = self._post(url, body, "ping")
            return decode_text("getBuildNumber", reply.body, reply.status, host_of(url))

        return self._repeated(call)

    def submit(self, operation: Operation, mode: Mode, body: bytes) -> Answer:
        """Sends one request made by `payload.request_body`. Test Mode posts nothing at CJ and is repeated; live is called exactly once.

        An order is accepted only if `Answer.orders` names it. Raises an error of `include.cj.errors`; for a live call its `maybe_done` says
        whether CJ may have done the work.
        """
        url = self._tracking_url(mode)

        def call() -> Answer:
            reply = self._post(url, body, f"{operation} {mode}")
            return decode_answer(operation, reply.body, reply.status, host_of(url), self.now(), mode)

        return call() if mode is Mode.LIVE else self._repeated(call)

    def commission_page(
        self,
        advertiser_id: str,
        *,
        since_posting: datetime | None = None,
        before_posting: datetime | None = None,
        since_commission_id: str | None = None,
        commission_ids: Sequence[str] | None = None,
    ) -> CommissionPage:
        """One page of an advertiser's records: `since` inclusive, `before` exclusive, by posting date.

        CJ: one bound alone means 24 hours, none at all the past 24. Raises CJWindowTooLong over 31 days.
        """
        check_window(since_posting, before_posting)
        request = _commissions_request(advertiser_id, since_posting, before_posting, commission_ids, since_commission_id)

        def call() -> CommissionPage:
            self._reads.acquire()
            return self._decoded(self._fetched(request))

        return self._repeated(call)

    def commission_pages(
        self,
        advertiser_id: str,
        *,
        since_posting: datetime | None = None,
        before_posting: datetime | None = None,
        since_commission_id: str | None = None,
        commission_ids: Sequence[str] | None = None,
    ) -> Iterator[CommissionPage]:
        """All pages of a range of any length, split into CJ's 31 days, or of any number of `commission_ids`.

        CJ's cursor may hand a record out twice, at the seam of two pages; `commission_id` tells. Raises CJCursorStuck if CJ says there is
        more and its cursor stands still. While a page is decoded and used, the one after it is on its way, which a reader that stops waits for.
        """
        ranges: list[tuple[datetime | None, datetime | None]] = [(since_posting, before_posting)]
        if since_posting and before_posting:
            ranges = list(windows(since_posting, before_posting))
        asks = [
            partial(_commissions_request, advertiser_id, since, before, ids)
            for since, before in ranges
            for ids in _portions(commission_ids)
        ]
        with Ahead(self._fetched) as ahead:
            for ask, next_ask in zip_longest(asks, asks[1:]):
                yield from self._pages_of(ask, next_ask, since_commission_id, ahead)

    def _pages_of(self, ask: _Ask, next_ask: _Ask | None, cursor: str | None, ahead: Ahead[_Fetched]) -> Iterator[CommissionPage]:
        afterwards = partial(next_ask, cursor) if next_ask else None
        used = {cursor or ""}
        while True:
            following = partial(_following, ask, used, afterwards)
            page = self._repeated(partial(self._page, ask(cursor), following, ahead))
            yield page
            if page.payload_complete:
                return
            cursor = page.max_commission_id
            if cursor in used:
                host = host_of(self.account.commissions_url)
                raise CJCursorStuck(
                    f"{host} says there are more records, and its cursor (maxCommissionId) stands still. "
                    "What came so far is good; ask for a shorter range.",
                    host=host,
                )
            used.add(cursor)

    def _page(self, request: bytes, following: Callable[[Seam], bytes | None], ahead: Ahead[_Fetched]) -> CommissionPage:
        """One attempt at a page, the first of which was mostly made ahead. Starts the page after it before this one is decoded.

        What was started after a page that is then refused, or whose cursor reads differently, is asked for by nobody and given up.
        """
        fetched = ahead.take(request)
        if fetched is None:
            self._reads.acquire()
            fetched = self._fetched(request)
        after = following(fetched.seam) if fetched.seam else None
        # Where CJ's allowance is used up, nobody waits ahead of time: the turn of that page will come.
        if after is not None and self._reads.try_acquire():
            ahead.begin(after)
        return self._decoded(fetched)

    def _fetched(self, request: bytes, wanted: Callable[[], bool] = always) -> _Fetched:
        reply = self._post(self.account.commissions_url, request, "commissions", wanted)
        return _Fetched(reply, seam_of(reply.body))

    def _decoded(self, fetched: _Fetched) -> CommissionPage:
        reply, host = fetched.reply, host_of(self.account.commissions_url)
        try:
            found = decode_page(reply.body, host, known_object=fetched.seam is not None)
        except CJError as error:
            if reply.status == 200:
                raise
            found = ()
            log.debug("The body of the %s is no page: %s", reply.status, type(error).__name__)
        if isinstance(found, CommissionPage):
            return found
        problems = list(found)
        raise refusal_error(problems, reply.status, host) or CJRequestRefused(
            f"{host} refused to read Commission Detail. `problems` holds its words; check the advertiser's id and the range.",
            host=host,
            status=reply.status,
            problems=tuple(problems),
        )

    def _post(self, url: str, body: bytes, what: str, wanted: Callable[[], bool] = always) -> Reply:
        started = time.monotonic()
        try:
            reply = post(
                self._http,
                url,
                body,
                max_bytes=self._max_answer_bytes,
                longest=self._longest_call,
                on_headers=self._learn_clock,
                wanted=wanted,
            )
        except CJError as error:
            log.info("%s: %s after %.1f s", what, type(error).__name__, time.monotonic() - started)
            raise
        log.info("%s: HTTP %d in %.1f s, %d bytes out, %d in", what, reply.status, time.monotonic() - started, len(body), len(reply.body))
        if refusal := status_error(reply.status, reply.headers, host_of(url), reply.body):
            raise refusal
        return reply

    def _learn_clock(self, headers: httpx.Headers) -> None:
        theirs = http_date(headers.get("date", ""))
        if theirs is not None:
            offset = theirs - datetime.now(UTC)
            if abs(offset) > LARGEST_OFFSET:
                log.warning("CJ says that it is %s: no clock is that wrong, so this answer's Date counts for nothing.", theirs.isoformat())
                return
            self._offset = offset if abs(offset) >= CLOCK_TOLERANCE else timedelta(0)

    def _tracking_url(self, mode: Mode) -> str:
        return self.account.tracking_url.rstrip("/") + _PATHS[mode]

    def _repeated(self, call: Callable[[], T]) -> T:
        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, CJError) and error.transient),
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )(call)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        return min(asked, self._longest_wait) if asked is not None else self._backoff(state)


@dataclass(frozen=True)
class _Fetched:
    """An answer of Commission Detail, not decoded yet, and where the page after it begins, as far as its text shows."""

    reply: Reply
    seam: Seam | None


_Ask = Callable[[str | None], bytes]
"""The request for the page of one range that begins at a cursor."""


def _following(ask: _Ask, used: set[str], afterwards: Callable[[], bytes] | None, seam: Seam) -> bytes | None:
    """The request after a page that ends so: the next of its range, or the first of the range after it, or none."""
    if seam.payload_complete:
        return afterwards() if afterwards else None
    return None if seam.max_commission_id in used else ask(seam.max_commission_id)


def _commissions_request(
    advertiser_id: str, since: datetime | None, before: datetime | None, ids: Sequence[str] | None, cursor: str | None
) -> bytes:
    values = {
        "advertiserIds": [advertiser_id],
        "commissionIds": list(ids) if ids is not None else None,
        "sincePostingDate": _instant(since),
        "beforePostingDate": _instant(before),
        "sinceCommissionId": cursor or None,
    }
    return orjson.dumps({"query": _with_literals(query("commissions"), values)})


def _with_literals(document: str, values: dict[str, Any]) -> str:
    """`document` with its variables written out, absent ones left away.

    CJ documents only `{"query": …}` for Commission Detail, so that is all it is sent.
    """
    head = re.compile(r"^query (\w+)\([^)]*\)")
    argument = re.compile(r"^ *(\w+): \$(\w+)\n", re.MULTILINE)

    def literal(match: re.Match[str]) -> str:
        value = values[match[2]]
        return "" if value is None else f"    {match[1]}: {orjson.dumps(value).decode()}\n"

    return argument.sub(literal, head.sub(r"query \1", document))


def _portions(ids: Sequence[str] | None) -> Iterator[Sequence[str] | None]:
    if ids is None:
        yield None
        return
    for start in range(0, len(ids), COMMISSION_IDS_PER_CALL):
        yield ids[start : start + COMMISSION_IDS_PER_CALL]


def _instant(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time without a time zone was given; times are aware UTC")
    text = moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return text.rstrip("0").rstrip(".") + "Z"
