"""The one address it answers: GET and POST in TUNE's shape, each stored before `success=true;` is said.

    who may      the address is on the list, then the token is right, compared in constant time; who may not is told no more than that
    what it says query and form together; the parameters that the mapping names or keeps are stored, of any other only the name. What looks like an
                 e-mail address is taken out of a value
    how much     so many bytes, parameters and characters, and no more
    the answer   `success=true;` also for what was stored before, or `success=false; err_msg=…` with a status that says whether to try again

Source: TUNE's documentation of server postbacks (a token in the URL, an allow-list of addresses, these two answers).
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from include.domain.errors import StorageError
from include.domain.personal import without_emails
from include.partners.mapping import PartnerMapping
from include.partners.receiver.journal import Journal

log = logging.getLogger(__name__)

PATH, TOKEN = "/postback", "token"
MOST_BYTES, MOST_PARAMETERS, LONGEST = 16_384, 100, 2_000
"""Of a query or a body; of one postback; of one value, in characters."""
SECONDS = 10
"""In which a body has to arrive."""

Network = IPv4Network | IPv6Network
FORM = "application/x-www-form-urlencoded"


class Refused(Exception):
    """A postback that is not stored: the status it is answered with, and why. Neither names a value."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass(frozen=True)
class Door:
    """Who may come in: a token, and the addresses it may come from. Behind a proxy that is named, the address it forwards counts."""

    token: str
    allowed: Sequence[Network]
    proxies: Sequence[Network] = ()

    def check_address(self, request: Request) -> None:
        """Raises Refused."""
        if not _is_in(self._caller(request), self.allowed):
            raise Refused(403, "this address may not post here")

    def check_token(self, given: str) -> None:
        """Raises Refused."""
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self.token.encode()):
            raise Refused(403, "the token is wrong")

    def _caller(self, request: Request) -> IPv4Address | IPv6Address | None:
        peer = _address(request.client.host if request.client else "")
        if not _is_in(peer, self.proxies):
            return peer
        # The last one was written by the proxy itself; those before it by whoever came to it.
        return _address(",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2])


def create_app(mapping: PartnerMapping, door: Door, journal: Journal) -> Starlette:
    """The ASGI application for one partner."""
    kept = frozenset([*mapping.columns.values(), *mapping.keep, *([mapping.negative_where.column] if mapping.negative_where else [])])

    async def postback(request: Request) -> Response:
        try:
            door.check_address(request)
            async with asyncio.timeout(SECONDS):
                given = await _parameters(request)
            door.check_token(next((value for name, value in given if name == TOKEN), ""))
            values, dropped = _sorted_out(given, kept)
            new = await run_in_threadpool(journal.store, values, dropped)
        except Refused as refused:
            log.warning("Refused with %s: %s.", refused.status, refused.why)
            return _no(refused.why, refused.status)
        except (ClientDisconnect, TimeoutError):
            return _no("cut short", 408)
        except StorageError as error:
            log.error("%s", error)
            return _no("it could not be stored; send it again", 503)
        log.info("Stored." if new else "Stored before.")
        return PlainTextResponse("success=true;")

    return Starlette(routes=[Route(PATH, postback, methods=["GET", "POST"])])


def _no(why: str, status: int) -> Response:
    return PlainTextResponse(f"success=false; err_msg={why}", status)


async def _parameters(request: Request) -> list[tuple[str, str]]:
    """Query and form, in their order. Raises Refused for more than a postback is, or another kind of body."""
    if request.method not in ("GET", "POST"):  # HEAD comes along with GET
        raise Refused(405, "only GET and POST")
    body = bytearray()
    query = request.scope["query_string"]
    if request.method == "POST":
        kind = request.headers.get("content-type", FORM).partition(";")[0].strip().lower()
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                raise Refused(413, f"more than {MOST_BYTES} bytes")
        if body and kind != FORM:
            raise Refused(415, f"the body must be {FORM}")
    if len(query) > MOST_BYTES:
        raise Refused(414, f"more than {MOST_BYTES} bytes")
    found: list[tuple[str, str]] = []
    for part in (query, bytes(body)):
        try:
            found += parse_qsl(part.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        except ValueError:
            raise Refused(400, f"no query of at most {MOST_PARAMETERS} parameters in UTF-8") from None
    if len(found) > MOST_PARAMETERS:
        raise Refused(400, f"more than {MOST_PARAMETERS} parameters")
    return found


def _sorted_out(given: Iterable[tuple[str, str]], kept: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """What is stored, and the names of what is not. Raises Refused for a parameter said twice, too long, or when none is ours."""
    values: dict[str, str] = {}
    dropped: set[str] = set()
    for name, value in given:
        if name == TOKEN:
            continue
        if name not in kept:
            dropped.add(without_emails(name)[:100])
            continue
        if name in values:
            raise Refused(400, "a parameter is said twice")
        if len(value) > LONGEST or any(ord(letter) < 32 for letter in value):
            raise Refused(400, f"a value is longer than {LONGEST} characters, or no plain text")
        values[name] = without_emails(value)
    if not any(values.values()):
        raise Refused(400, "it says nothing that the mapping names")
    return values, sorted(dropped)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _is_in(address: IPv4Address | IPv6Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)
