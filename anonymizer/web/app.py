"""The application: the table of operations, and what is put around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from anonymizer.web.api import FORM, Api
from anonymizer.web.docs_page import render_docs
from anonymizer.web.guard import Guard
from anonymizer.web.metrics import MEDIA_TYPE as METRICS_TYPE
from anonymizer.web.offer import render_kinds
from anonymizer.web.openapi import to_openapi
from anonymizer.web.operations import BINARY, TEXT, Answer, Operation, Parameter, Schema, to_routes
from anonymizer.web.problems import Problem
from anonymizer.web.request_settings import FIELDS, schema_of
from anonymizer.web.responses import RESULT_HEADER
from anonymizer.web.review_operations import review_operations

_SWEEP_S = 2.0
"""How often jobs are looked through for those that are too old."""
_STATIC = Path(__file__).with_name("static")
_STATIC_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "png": "image/png"}

_KINDS_GO_HERE = "<!-- kinds -->"
"""In the page."""

_OBJECT: Schema = {"type": "object"}
_FILE: Schema = {"image/*": BINARY, "video/*": BINARY}
_JOB_ID = Parameter("id", "path", "What the answer to the upload names.")
_UPLOAD_PROBLEMS = (
    *("too-slow", "too-large", "unsupported", "wrong-setting", "picture-failed", "too-many", "busy"),
    "method-not-allowed",
)
_SETTINGS = tuple(Parameter(key, "query", field.metadata["help"], schema_of(key)) for key, field in FIELDS.items())
_ASYNC = Parameter("Prefer", "header", "respond-async: answer 202 at once, and do the work as a job.")
_MASK = Parameter("mask", "query", "Whether a mask is wanted, too.", {"type": "boolean"})
_ANSWER = Parameter(
    "answer",
    "query",
    "file, or form for a form with the file, its detections and, if asked for, its mask. By default as Accept says.",
    {"type": "string", "enum": ["file", "form"]},
)
_SURE_FROM = Parameter(
    "sure-from",
    "query",
    "Of a film with detections: the scores that /v1/detect answered as sure_from, such as face=0.2,plate=0.5.",
)


def _bodies() -> dict[str, Schema]:
    further = {parameter.name: parameter.schema for parameter in (*_SETTINGS, _MASK, _ANSWER, _SURE_FROM)}
    detections = {"type": "string", "description": "Detection JSON to take in place of what models find."}
    properties = {"file": BINARY, "detections": detections, **further}
    return {
        "application/octet-stream": BINARY,
        FORM: {"type": "object", "required": ["file"], "properties": properties},
    }


def operations_of(api: Api) -> list[Operation]:
    """The API."""
    accepted = Answer("A job does the work; its address stands in Location", {"application/json": _OBJECT})
    job_problems = ("not-found", "not-done", "picture-failed", "busy", "method-not-allowed")
    return [
        Operation(
            "POST",
            "/v1/redact",
            api.redact,
            "Hides what models find in a picture or film, or what the detections in the form say. "
            f"The header {RESULT_HEADER} tells counts and warnings.",
            {200: Answer("The file, in the format that it had", {**_FILE, FORM: _OBJECT}), 202: accepted},
            _UPLOAD_PROBLEMS,
            (_ASYNC, _ANSWER, _MASK, _SURE_FROM, *_SETTINGS),
            _bodies(),
        ),
        Operation(
            "POST",
            "/v1/detect",
            api.detect,
            "Says what is in a picture or film, as detections that can be posted back.",
            {200: Answer("Detections and the size of each frame", {"application/json": _OBJECT}), 202: accepted},
            _UPLOAD_PROBLEMS,
            (_ASYNC, _MASK, *_SETTINGS),
            _bodies(),
        ),
        Operation(
            "GET",
            "/v1/jobs/{id}",
            api.get_job,
            "Says how far a job is.",
            {200: Answer("State, progress, warnings and links", {"application/json": _OBJECT})},
            ("not-found", "method-not-allowed"),
            (_JOB_ID,),
        ),
        Operation(
            "DELETE",
            "/v1/jobs/{id}",
            api.delete_job,
            "Ends a job, and forgets at once all that is in memory of it.",
            {204: Answer("It is forgotten")},
            ("not-found", "method-not-allowed"),
            (_JOB_ID,),
        ),
        *(
            Operation(
                "GET",
                f"/v1/jobs/{{id}}/{part}",
                handler,
                text,
                {200: Answer(text, {media: BINARY})},
                job_problems,
                (_JOB_ID,),
            )
            for part, handler, text, media in (
                ("result", api.get_result, "The redacted picture or film; it can be fetched once.", "*/*"),
                ("detections", api.get_detections, "Detection JSON; it can be fetched once.", "application/json"),
                ("mask", api.get_mask, "The mask, a PNG file; it can be fetched once.", "image/png"),
            )
        ),
        Operation(
            "GET",
            "/v1/jobs/{id}/events",
            api.get_events,
            "Server-sent events: the job, whenever something about it changes, until it is done.",
            {200: Answer("A stream of events", {"text/event-stream": TEXT})},
            ("not-found", "method-not-allowed"),
            (_JOB_ID,),
        ),
        Operation(
            "POST",
            "/v1/session",
            api.open_session,
            "Signs a browser in: the cookie stands for the token, and binds jobs to this browser.",
            {204: Answer("A cookie is set"), 303: Answer("The same, for a form of a page")},
            ("unauthorized", "too-slow", "too-large", "too-many", "busy", "method-not-allowed"),
            (),
            {"application/x-www-form-urlencoded": {"type": "object", "properties": {"token": TEXT}}},
            is_public=True,
        ),
        Operation(
            "DELETE",
            "/v1/session",
            api.close_session,
            "Signs a browser out: its cookie is worth nothing any more, and its jobs are forgotten.",
            {204: Answer("The cookie is gone")},
            ("method-not-allowed",),
            is_public=True,
        ),
        Operation(
            "GET",
            "/health",
            api.get_health,
            "Whether the server is alive.",
            {200: Answer("It is", {"application/json": _OBJECT})},
            ("method-not-allowed",),
            is_public=True,
        ),
        Operation(
            "GET",
            "/ready",
            api.get_ready,
            "Whether it takes pictures.",
            {200: Answer("It does", {"application/json": _OBJECT})},
            ("busy", "method-not-allowed"),
            is_public=True,
        ),
        Operation(
            "GET",
            "/v1/settings",
            api.get_settings,
            "What requests may set, from which scores on detections count, and how much the server takes.",
            {200: Answer("Settings, kinds, extensions of files and limits", {"application/json": _OBJECT})},
            ("method-not-allowed",),
        ),
        Operation(
            "GET",
            "/metrics",
            api.get_metrics,
            "Numbers for Prometheus.",
            {200: Answer("Text of version 0.0.4", {METRICS_TYPE: TEXT})},
            ("method-not-allowed",),
        ),
    ]


def pages_of(documented: Sequence[Operation], api: Api) -> list[Operation]:
    """What browsers show."""
    document, page = to_openapi(documented), render_docs(documented)
    index, sign_in = ((_STATIC / name).read_text(encoding="utf-8") for name in ("index.html", "sign-in.html"))
    index = index.replace(_KINDS_GO_HERE, render_kinds(api.defaults.detect, api.thresholds))

    async def get_openapi(request: Request) -> Response:
        return JSONResponse(document)

    async def get_docs(request: Request) -> Response:
        return HTMLResponse(page)

    async def get_index(request: Request) -> Response:
        return HTMLResponse(index if api.is_signed_in(request) else sign_in)

    async def get_static(request: Request) -> Response:
        return _static(request.path_params["name"])

    return [
        Operation("GET", path, handler, text, {200: Answer(text)}, is_public=True, is_documented=False)
        for path, handler, text in (
            ("/", get_index, "The page"),
            ("/docs", get_docs, "This page"),
            ("/openapi.json", get_openapi, "OpenAPI"),
            ("/static/{name}", get_static, "What pages consist of"),
        )
    ]


def _static(name: str) -> Response:
    """A file that pages consist of. Only those of the package are there, by their names."""
    media_type = _STATIC_TYPES.get(name.rpartition(".")[2])
    if media_type is None or name not in {entry.name for entry in _STATIC.iterdir()}:
        raise Problem("not-found", "there is no such file")
    return Response((_STATIC / name).read_bytes(), headers={"Cache-Control": "no-cache"}, media_type=media_type)


def make_app(api: Api) -> ASGIApp:
    """The whole application."""
    documented = operations_of(api)
    of_review = [] if api.review is None else review_operations(api.review, api.read)
    routes = to_routes([*documented, *of_review, *pages_of(documented, api)], api.check_token)
    router = Router(routes, redirect_slashes=False, default=_not_found, lifespan=lambda app: _sweeping(api))
    return Guard(router, api.serve.server_name, api.metrics)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        raise Problem("not-found", "there is nothing at this address")


@asynccontextmanager
async def _sweeping(api: Api) -> AsyncIterator[None]:
    """While the server runs, forgets jobs that are too old."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            api.jobs.sweep()

    task = asyncio.ensure_future(sweep())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
