"""The table of operations: from its rows come the routes, the OpenAPI document and the page that shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anonymizer.web.problems import Problem

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema."""

TEXT: Schema = {"type": "string"}
BINARY: Schema = {"type": "string", "format": "binary"}


@dataclass(frozen=True)
class Parameter:
    """What stands in the address, or in a header."""

    name: str
    place: Literal["path", "query", "header"]
    text: str
    schema: Schema = field(default_factory=lambda: TEXT)


@dataclass(frozen=True)
class Answer:
    """One of the answers when all is well."""

    text: str
    media: Mapping[str, Schema] = field(default_factory=dict)
    """Schemas by media types."""


@dataclass(frozen=True)
class Operation:
    """A row."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    handler: Handler
    text: str
    """One sentence."""
    answers: Mapping[int, Answer]
    problems: Sequence[str] = ()
    """Keys of `PROBLEMS` beside those that any request may meet."""
    parameters: Sequence[Parameter] = ()
    body: Mapping[str, Schema] = field(default_factory=dict)
    """Schemas of what is posted, by media types."""
    is_public: bool = False
    """Whether no token is needed."""
    is_documented: bool = True
    """Whether it is part of the API."""

    @property
    def name(self) -> str:
        return self.handler.__name__


def to_routes(operations: Sequence[Operation], check_token: Callable[[Request], None]) -> list[Route]:
    """One route for each path.

    Args:
        check_token: raises a `Problem` for requests that need the token and have none.
    """
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    routes = [Route(path, _dispatch(methods, check_token)) for path, methods in by_path.items()]
    for route in routes:
        route.methods = None  # `dispatch` refuses methods, as a problem
    return routes


def _dispatch(methods: Mapping[str, Operation], check_token: Callable[[Request], None]) -> Handler:
    async def dispatch(request: Request) -> Response:
        is_head = request.method == "HEAD"
        operation = methods.get("GET" if is_head else request.method)
        if operation is None or (is_head and not operation.is_public):  # else it would use up a result
            allowed = ", ".join(methods)
            raise Problem("method-not-allowed", f"allowed here: {allowed}", headers={"Allow": allowed})
        if not operation.is_public:
            check_token(request)
        return await operation.handler(request)

    return dispatch
