"""The sandbox over HTTP: CJ's endpoints, and a control API under `/_sandbox`.

Every answer carries a `Date` header by the sandbox's clock; the server's own is turned off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.domain.money import NotMoney
from include.sandbox import seed as seeds
from include.sandbox import views
from include.sandbox.accounts import SeedError
from include.sandbox.acts import ActError
from include.sandbox.answers import Answer
from include.sandbox.clock import instant, parse_instant, second
from include.sandbox.faults import ANSWER_KINDS, FaultError
from include.sandbox.knobs import KnobError
from include.sandbox.limits import TooMany
from include.sandbox.sandbox import Sandbox
from include.sandbox.wire import CutResponse, TruncatedResponse

HTML = "<html><head><title>{status}</title></head><body><h1>{status}: the gateway answered instead of CJ</h1></body></html>"
LINES = "application/x-ndjson"
PROCESS_EVERY_SECONDS = 0.5


class DateHeader:
    """Puts the sandbox's clock on every answer that a fault has not dated otherwise."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._clock = sandbox.clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start" and b"date" not in dict(message.get("headers", ())):
                message["headers"] = [*message.get("headers", ()), (b"date", self._clock.http_date().encode())]
            await send(message)

        await self._app(scope, receive, dated)


def create_app(sandbox: Sandbox) -> FastAPI:
    """The ASGI application for one CJ."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(_process_forever(sandbox))
        yield
        task.cancel()

    app = FastAPI(title="CJ sandbox", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(DateHeader, sandbox=sandbox)
    _cj_routes(app, sandbox)
    _control_routes(app, sandbox)
    for refusal in (KnobError, FaultError, ActError, SeedError, NotMoney, BadControl):
        app.add_exception_handler(refusal, _refused)
    return app


class BadControl(ValueError):
    """A call to the control API that cannot be understood."""


async def _refused(_: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, 400)


async def _process_forever(sandbox: Sandbox) -> None:
    """Posts what falls due even if nobody reads, so that a big night is ready when somebody does."""
    while True:
        await run_in_threadpool(lambda: sandbox.processing.run_due(sandbox.knobs))
        await asyncio.sleep(PROCESS_EVERY_SECONDS)


Work = Callable[[str | None, bytes, dict[str, Any] | None], Answer]
"""From a request's authorization and body, and the answer fault it met, to its answer."""


def _cj_routes(app: FastAPI, sandbox: Sandbox) -> None:
    def tracking(live: bool) -> Work:
        return lambda authorization, body, fault: sandbox.tracking.answer(authorization, body, live, sandbox.knobs, fault)

    def commissions(authorization: str | None, body: bytes, _: dict[str, Any] | None) -> Answer:
        knobs = sandbox.knobs
        try:
            with sandbox.limits.one_call(authorization or "", knobs):
                return sandbox.commissions.answer(authorization, body, knobs)
        except TooMany as too_many:
            headers = {"Retry-After": str(too_many.wait)} if knobs.retry_after else {}
            return Answer(429, b'{"errors":[{"message":"Too Many Requests"}]}', headers=headers)

    for path, work in (("/graphql", tracking(True)), ("/graphqltest", tracking(False)), ("/query", commissions)):
        app.add_api_route(path, _endpoint(sandbox, path, work), methods=["POST"], response_model=None)


def _endpoint(sandbox: Sandbox, path: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        authorization = request.headers.get("authorization")
        time = instant(sandbox.clock.now())
        fault = await run_in_threadpool(sandbox.faults.for_request, path, body) or sandbox.weather.of_request(path, sandbox.knobs)
        kind = fault["kind"] if fault else None
        spoils = fault if kind in ANSWER_KINDS else None
        answer: Answer | None = None
        if (
            fault is None
            or spoils
            or kind in ("cut_after", "truncate", "date")
            or (kind in ("status", "html", "slow") and fault.get("done"))
        ):
            answer = await run_in_threadpool(work, authorization, body, spoils)
        if fault and kind == "slow":
            await asyncio.sleep(fault["seconds"])
            answer = answer or await run_in_threadpool(work, authorization, body, None)
        response, status = _respond(fault, answer)
        if fault and kind == "date":
            response.headers["date"] = sandbox.clock.http_date(fault["seconds"])
        operation, orders = (answer.operation, answer.orders) if answer else (None, 0)
        await run_in_threadpool(sandbox.store.log_call, time, path, operation, orders, status, kind)
        return response

    return endpoint


def _respond(fault: dict[str, Any] | None, answer: Answer | None) -> tuple[Response, int | None]:
    """What goes back over the wire, and its status; None where nothing whole does."""
    kind = fault["kind"] if fault else None
    if kind in ("cut_before", "cut_after"):
        return CutResponse(), None
    if fault and kind in ("status", "html"):
        status = fault.get("status", 503 if kind == "status" else 502)
        headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
        body, media = (HTML.format(status=status), "text/html") if kind == "html" else (f"HTTP {status}", "text/plain")
        return Response(body, status, headers, media), status
    assert answer is not None
    if kind == "truncate":
        return TruncatedResponse(answer.body, answer.status, answer.headers, answer.media_type), None
    return Response(answer.body, answer.status, answer.headers, answer.media_type), answer.status


def _control_routes(app: FastAPI, sandbox: Sandbox) -> None:
    @app.get("/_sandbox/health", response_model=None)
    async def health() -> Response:
        return _json({"status": "ok", "now": instant(sandbox.clock.now()), "accounts": len(sandbox.accounts)})

    @app.get("/_sandbox/clock", response_model=None)
    async def read_clock() -> Response:
        return _json({"now": instant(sandbox.clock.now())})

    @app.post("/_sandbox/clock", response_model=None)
    async def move_clock(request: Request) -> Response:
        asked = await _body(request, dict)
        try:
            if "advance_seconds" in asked:
                now = await run_in_threadpool(sandbox.clock.advance, asked["advance_seconds"])
            else:
                now = await run_in_threadpool(sandbox.clock.set, parse_instant(asked["set"]))
        except (KeyError, TypeError, ValueError, OverflowError) as reason:
            raise BadControl(f'The clock takes {{"advance_seconds": n}} or {{"set": "2026-01-31T00:00:00Z"}}: {reason}.') from None
        return _json({"now": instant(now)})

    @app.get("/_sandbox/faults", response_model=None)
    async def list_faults() -> Response:
        return _json(sandbox.faults.listed())

    @app.post("/_sandbox/faults", response_model=None)
    async def add_faults(request: Request) -> Response:
        await run_in_threadpool(sandbox.faults.add, await _body(request, list))
        return _json(sandbox.faults.listed())

    @app.delete("/_sandbox/faults", response_model=None)
    async def clear_faults() -> Response:
        await run_in_threadpool(sandbox.faults.clear)
        return _json([])

    @app.get("/_sandbox/acts", response_model=None)
    async def list_acts() -> Response:
        return _json(await run_in_threadpool(sandbox.acts.listed))

    @app.post("/_sandbox/acts", response_model=None)
    async def act(request: Request) -> Response:
        await run_in_threadpool(_act, sandbox, await _body(request, list))
        return _json(await run_in_threadpool(sandbox.acts.listed))

    @app.post("/_sandbox/seed", response_model=None)
    async def seed(request: Request) -> Response:
        accounts, orders = await run_in_threadpool(_seed, sandbox, await _body(request, dict))
        return _json({"accounts": accounts, "orders_added": orders})

    @app.get("/_sandbox/config", response_model=None)
    async def read_config() -> Response:
        return _json(sandbox.knobs.as_dict())

    @app.post("/_sandbox/config", response_model=None)
    async def configure(request: Request) -> Response:
        turned = await _body(request, dict)
        return _json((await run_in_threadpool(sandbox.configure, turned)).as_dict())

    @app.get("/_sandbox/weather", response_model=None)
    async def read_weather() -> Response:
        return _json(sandbox.weather.met())

    for name, view in (("orders", views.orders), ("submissions", views.submissions), ("calls", views.calls)):
        app.add_api_route(f"/_sandbox/{name}", _streamed(sandbox, view), methods=["GET"], response_model=None)


def _streamed(sandbox: Sandbox, view: Callable[[Sandbox], Any]) -> Callable[[], Awaitable[Response]]:
    async def lines() -> Response:
        return StreamingResponse(view(sandbox), media_type=LINES)

    return lines


def _act(sandbox: Sandbox, specs: list[dict[str, Any]]) -> None:
    """What was due before them is done first, and those that are due at once are done."""
    sandbox.processing.run_due(sandbox.knobs)
    sandbox.acts.plan(specs, since=second(sandbox.clock.now()))
    sandbox.processing.run_due(sandbox.knobs)


def _seed(sandbox: Sandbox, asked: dict[str, Any]) -> tuple[int, int]:
    if "directory" in asked:
        return seeds.seed_folder(sandbox.store, sandbox.accounts, Path(asked["directory"]), sandbox.knobs)
    return seeds.seed(sandbox.store, sandbox.accounts, asked.get("accounts", []), asked.get("orders", []), sandbox.knobs)


async def _body(request: Request, wanted: type) -> Any:
    try:
        parsed = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, wanted):
        raise BadControl(f"{request.url.path} takes a JSON {'list' if wanted is list else 'object'} as its body.")
    return parsed


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
