"""Errors of the server as RFC 9457, Problem Details for HTTP APIs, says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ProblemType:
    """A row of the table."""

    status: int
    title: str
    """The same for all of its kind."""


PROBLEMS: Mapping[str, ProblemType] = {
    "bad-request": ProblemType(400, "The request cannot be understood"),
    "wrong-host": ProblemType(400, "The server is not known by this name"),
    "unauthorized": ProblemType(401, "A token is needed"),
    "cross-site": ProblemType(403, "Another site may not ask for this"),
    "not-found": ProblemType(404, "There is no such thing, or not any more"),
    "method-not-allowed": ProblemType(405, "This cannot be done here"),
    "too-slow": ProblemType(408, "The request took too long to arrive"),
    "not-done": ProblemType(409, "The job is not done yet"),
    "conflict": ProblemType(409, "Something else has changed it meanwhile"),
    "too-large": ProblemType(413, "That is more than the server takes"),
    "unsupported": ProblemType(415, "The server does not take files of this kind"),
    "wrong-setting": ProblemType(422, "A setting is wrong"),
    "picture-failed": ProblemType(422, "The picture cannot be processed"),
    "too-many": ProblemType(429, "Too many pictures at once from this address"),
    "internal": ProblemType(500, "The server has made a mistake"),
    "busy": ProblemType(503, "The server has too much to do, or is about to stop"),
}
"""By the names that stand in `type`, behind the page that explains them."""


class Problem(Exception):  # noqa: N818 - the standard's word
    """Ends a request."""

    def __init__(self, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **further: object) -> None:
        """
        Args:
            name: a key of `PROBLEMS`.
            detail: what is wrong with this request.
            further: members beside the usual ones.
        """
        # Names of files may hold bytes that are not UTF-8; answers may not.
        self.detail = detail.encode("utf-8", "backslashreplace").decode()
        super().__init__(self.detail)
        self.name = name
        self.headers = dict(headers or {})
        self.further = further

    @property
    def status(self) -> int:
        return PROBLEMS[self.name].status

    def as_dict(self) -> dict[str, Any]:
        known = PROBLEMS[self.name]
        members = {"type": f"/docs#{self.name}", "title": known.title, "status": known.status, "detail": self.detail}
        return {**self.further, **members}

    def to_response(self, accept: str = "") -> Response:
        """
        Args:
            accept: the header of the request: browsers that show the answer itself get a page.
        """
        if "text/html" in accept:
            return HTMLResponse(self._to_page(), self.status, self.headers)
        return JSONResponse(self.as_dict(), self.status, self.headers, MEDIA_TYPE)

    def _to_page(self) -> str:
        title = escape(PROBLEMS[self.name].title)
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
            '<meta name="viewport" content="width=device-width">\n<link rel="stylesheet" href="/static/page.css">\n'
            '<link rel="icon" href="/static/icon.svg" type="image/svg+xml">\n'
            f"</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{escape(str(self))}</p>\n"
            '<p><a href="/">Back to the page</a></p>\n</main>\n</body>\n</html>\n'
        )
