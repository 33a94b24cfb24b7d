"""The app: every page with its CSV and its JSON, behind one question of access that is asked for every address there is, also those that are not.

    app = create_app(access=..., warehouse=Warehouse(location), login="auth/login")

`access` is a dependency of FastAPI's that raises HTTPException for whoever may not look. It stands before every route, static files and addresses that
lead nowhere included; FastAPI's own pages of documentation are off, since nothing stands before those.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from include.domain.errors import RestatementsError
from include.web import assets, prelock
from include.web.asked import Asked
from include.web.guard import OF_OTHERS, Guard
from include.web.page import Elsewhere, NoSuchThing, Page
from include.web.pages import PAGES
from include.web.reading import USUAL, NotNow, Patience, Readers, Warehouse
from include.web.shown import rendered
from include.web.table import pieces, written
from include.web.where import Where

API = "/api/v1"
_TITLE = "CJ Restatements"
_TELLS = "What the pages show, as JSON: read-only, for dashboards of your own. Money is exact text with its currency, times are UTC."


def create_app(
    access: Callable[..., Any],
    warehouse: Warehouse,
    login: str = "auth/login",
    pages: tuple[Page, ...] = PAGES,
    data_docs: Callable[[str], bytes | None] = lambda _: None,
    prelock_file: Callable[[str, str], bytes | None] = lambda _run, _name: None,
    attachment: Callable[[str, str, str], bytes | None] = lambda *_: None,
    patience: Patience = USUAL,
) -> Guard:
    """The app, to be mounted under any prefix. `login` is where somebody logs in, from Airflow's own root; `data_docs` finds those of a run,
    `prelock_file` a file of a pre-lock review, `attachment` a file of a case by the case, its digest and its name."""
    app = FastAPI(
        title=_TITLE, description=_TELLS, version="1", dependencies=[Depends(access)], docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    readers = Readers(warehouse, patience)
    for page in pages:
        _add(app, page, readers, pages)
    _add_files(app)
    app.add_api_route("/data-docs/{run:path}", _data_docs(data_docs), include_in_schema=False, response_class=HTMLResponse)
    app.add_api_route("/prelock/files/{file}/{run:path}", _prelock_file(prelock_file), include_in_schema=False, response_class=Response)
    app.add_api_route("/attachments/{case}/{digest}/{file}", _attachment(attachment), include_in_schema=False, response_class=Response)
    app.add_api_route(f"{API}/openapi.json", _described(app), include_in_schema=False)
    # Whatever leads nowhere is asked for access too, whichever way it is asked.
    app.add_api_route(
        "/{nowhere:path}", _nowhere, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], include_in_schema=False
    )
    app.add_exception_handler(StarletteHTTPException, _refusal(login))
    app.add_exception_handler(Exception, _broken)
    return Guard(app)


def _add(app: FastAPI, page: Page, readers: Readers, pages: tuple[Page, ...]) -> None:
    app.add_api_route(page.path, _html(page, readers, pages), include_in_schema=False, response_class=HTMLResponse)
    if page.json:
        app.add_api_route(
            f"{API}{page.path if page.path != '/' else '/overview'}", _json(page, readers), response_model=page.shape, name=page.name,
            summary=page.tells, openapi_extra={"parameters": _parameters(page)},
        )  # fmt: skip
    if page.listing is not None:
        app.add_api_route(f"{page.path}.csv", _csv(page, readers), include_in_schema=False, response_class=StreamingResponse)


def _parameters(page: Page) -> list[dict[str, Any]]:
    named = [part.strip("{}").split(":")[0] for part in page.path.split("/") if part.startswith("{")]
    text = {"type": "string"}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in named] + [
        {"name": name, "in": "query", "required": False, "schema": text, "description": means} for name, means in page.filters.items()
    ]


def _asked(request: Request) -> Asked:
    return Asked(dict(request.path_params), dict(request.query_params))


async def _looked(page: Page, readers: Readers, asked: Asked) -> Any:
    return await readers.look(lambda session: page.look(session, asked))


def _html(page: Page, readers: Readers, pages: tuple[Page, ...]) -> Callable[[Request], Awaitable[Response]]:
    async def shown(request: Request) -> Response:
        where, asked = Where.of(request), _asked(request)
        values = {
            "pages": pages,
            "page": page,
            "to": where.to,
            "asset": where.asset,
            "airflow": where.airflow,
            "asked": asked,
            **page.words,
        }
        try:
            seen = await _looked(page, readers, asked)
        except NoSuchThing as nothing:
            return _page("message", 404, **values, claim="There is no such thing here.", rest=str(nothing), tone="note")
        except Elsewhere as elsewhere:
            return RedirectResponse(where.to(elsewhere.path), 303)
        except NotNow as now:
            return _page("message", now.status, **values, claim=now.claim, rest=now.rest, tone="note")
        return _page(page.name, 200, **values, it=seen)

    return shown


def _page(template: str, code: int, /, **values: Any) -> Response:
    return HTMLResponse(rendered(f"{template}.html.j2", **values), code)


def _json(page: Page, readers: Readers) -> Callable[[Request], Awaitable[Any]]:
    async def told(request: Request) -> Any:
        try:
            return await _looked(page, readers, _asked(request))
        except (NoSuchThing, Elsewhere) as nothing:
            return JSONResponse({"detail": str(nothing)}, 404)
        except NotNow as now:
            return JSONResponse({"detail": str(now)}, now.status)

    return told


def _csv(page: Page, readers: Readers) -> Callable[[Request], Awaitable[Response]]:
    listing = page.listing
    assert listing is not None

    async def filed(request: Request) -> Response:
        asked = _asked(request)

        def read(session: Any) -> Any:
            found = listing(session, asked)
            return written(found.columns, found.rows)

        try:
            file = await readers.look(read, file=True)
        except NoSuchThing as nothing:
            return JSONResponse({"detail": str(nothing)}, 404)
        except NotNow as now:
            return JSONResponse({"detail": str(now)}, now.status)
        name = f"cj-{page.name}-{asked.now:%Y-%m-%d}.csv"
        return StreamingResponse(
            pieces(file), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    return filed


def _add_files(app: FastAPI) -> None:
    async def file(name: str) -> Response:
        if name not in assets.names():
            raise HTTPException(404, "There is no such file.")
        # Its name carries its version, but who may see it is asked each time it is fetched.
        return FileResponse(assets.FOLDER / name, media_type=assets.kind(name), headers={"Cache-Control": "private, max-age=604800"})

    app.add_api_route("/static/{name}", file, include_in_schema=False, response_class=FileResponse)


def _data_docs(find: Callable[[str], bytes | None]) -> Callable[[str], Response]:
    """What Great Expectations wrote of a night, as if it were another site's: nothing in it runs, and nothing in it is asked for elsewhere."""

    def shown(run: str) -> Response:
        try:
            found = find(run)
        except RestatementsError as error:
            raise HTTPException(503, str(error)) from None
        if found is None:
            raise HTTPException(404, "This run has left no Data Docs.")
        return HTMLResponse(found, headers={"content-security-policy": OF_OTHERS})

    return shown


def _prelock_file(find: Callable[[str, str], bytes | None]) -> Callable[[str, str], Response]:
    """A pre-lock review's files, to keep: a name that no review has leads nowhere, whatever stands in the storage."""

    def sent(file: str, run: str) -> Response:
        kind = prelock.kind_of_file(file)
        try:
            found = find(run, file) if kind else None
        except RestatementsError as error:
            raise HTTPException(503, str(error)) from None
        if found is None or kind is None:
            raise HTTPException(404, "This review has left no such file.")
        return Response(found, media_type=kind, headers={"Content-Disposition": f'attachment; filename="cj-prelock-{file}"'})

    return sent


def _attachment(find: Callable[[str, str, str], bytes | None]) -> Callable[[str, str, str], Response]:
    """A file that goes with a case, to be kept: a browser never shows it as a page of ours."""

    def sent(case: str, digest: str, file: str) -> Response:
        try:
            found = find(case, digest, file)
        except RestatementsError as error:
            raise HTTPException(503, str(error)) from None
        if found is None:
            raise HTTPException(404, "No case has such a file.")
        kind = "application/pdf" if file.endswith(".pdf") else "text/plain; charset=utf-8"
        return Response(found, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{case}-{file}"'})

    return sent


def _described(app: FastAPI) -> Callable[[], Awaitable[Response]]:
    async def description() -> Response:
        return JSONResponse(app.openapi())

    return description


async def _nowhere(request: Request) -> Response:
    raise HTTPException(404 if request.method in ("GET", "HEAD") else 405, "There is nothing at this address.")


def _refusal(login: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What somebody gets who may not look, or asked for what is not there: a small page, or JSON where that was asked for. It shows no data."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        where = Where.of(request)
        if where.path.startswith(API) or request.method not in ("GET", "HEAD"):
            return JSONResponse({"detail": str(error.detail)}, error.status_code)
        claim, rest = {
            401: ("You are not logged in.", "Log in to Airflow, then open this page again."),
            403: (
                "You may not see this page.",
                "It is for those who may see the DAG cj_reconciliation. Ask whoever manages Airflow's users.",
            ),
            404: ("There is nothing at this address.", "Perhaps the link is an old one."),
        }.get(error.status_code, ("This cannot be done.", str(error.detail)))
        link = where.airflow(login) if error.status_code == 401 else where.to("")
        return _page("refusal", error.status_code, claim=claim, rest=rest, link=link, status=error.status_code)

    return refused


async def _broken(request: Request, error: Exception) -> Response:
    """A mistake of ours: the log has it, the page does not."""
    return _page(
        "refusal", 500, claim="This page is broken.", rest="The log of Airflow's API server says how. Nothing was changed.",
        link=Where.of(request).to(""), status=500,
    )  # fmt: skip
