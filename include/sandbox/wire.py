"""Below HTTP: a protocol that lets a handler reach its TCP connection, and answers that break it off.

A proxy that dies and a network that cuts cannot be told by status codes; the socket itself has to close.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "sandbox.transport"


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with the connection's transport in the scope."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required]


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class CutResponse(Response):
    """No answer: the connection closes without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[TRANSPORT].abort()
        await _until_gone(receive)


class TruncatedResponse(Response):
    """Half an answer under the whole one's Content-Length, then the connection closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        scope[TRANSPORT].close()
        await _until_gone(receive)
