"""What holds for every answer and every request: strict headers, and nothing but reading without evidence of where it comes from.

Airflow's cookie can be read by scripts, and a browser sends it with any form: so no script but ours may run on a page, and a request that would change
something is taken only where the browser itself says that this very site sent it, with a content type that no form can send.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)

OF_OTHERS = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""For a page that is not ours: it is of no site, runs nothing and loads nothing."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

READING = ("GET", "HEAD")


class Guard:
    """An ASGI app before another."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        heads = scope["method"] == "HEAD"

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_ours(message.get("headers", []))
            elif heads and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        if scope["method"] not in READING and (why := suspicious(scope)):
            await _refuse(sent, why)
            return
        # A page answers HEAD as it answers GET, without the body: whoever checks a link asks so.
        await self.app({**scope, "method": "GET"} if heads else scope, receive, sent)


def suspicious(scope: Scope) -> str:
    """Why a request that would change something is not taken; empty where there is nothing against it."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return "It was sent by another site."
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return "It was sent by another site."
    if site is None and origin is None:
        return "Nothing says which site sent it."
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return "Its content type is not application/json."
    return ""


def _with_ours(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = {name.lower() for name, _ in headers}
    ours = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in given]
    return [*headers, *ours, *([] if b"cache-control" in given else [(b"cache-control", b"no-store")])]


async def _refuse(send: Send, why: str) -> None:
    body = b'{"detail": "' + why.encode() + b'"}'
    await send(
        {
            "type": "http.response.start",
            "status": 403,
            "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})
