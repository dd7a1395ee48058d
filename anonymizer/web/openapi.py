"""The OpenAPI document, made from the table of operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from anonymizer._version import __version__
from anonymizer.web.operations import TEXT, Operation, Parameter
from anonymizer.web.problems import MEDIA_TYPE, PROBLEMS

_ANY_REQUEST = ("bad-request", "wrong-host", "internal")
_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT},
}


def to_openapi(operations: Sequence[Operation]) -> dict[str, Any]:
    """A document of version 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        if operation.is_documented:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "anonymizer",
            "version": __version__,
            "description": "Makes faces and licence plates in pictures and films unrecognisable. Nothing is stored.",
            "license": {"name": "Apache-2.0 AND MIT", "identifier": "Apache-2.0 AND MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM_SCHEMA},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.text,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": _responses(operation),
    }
    if operation.body:
        content = {media: {"schema": schema} for media, schema in operation.body.items()}
        plain["requestBody"] = {"required": True, "content": content}
    if not operation.is_public:
        plain["security"] = [{"token": []}, {}]
    return plain


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.text,
        "schema": parameter.schema,
    }


def _responses(operation: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, answer in operation.answers.items():
        content = {media: {"schema": schema} for media, schema in answer.media.items()}
        responses[str(status)] = {"description": answer.text, **({"content": content} if content else {})}
    names = [*_ANY_REQUEST, *operation.problems, *([] if operation.is_public else ["unauthorized"])]
    if operation.method != "GET":
        names.append("cross-site")
    for name in names:
        known = PROBLEMS[name]
        response = responses.setdefault(
            str(known.status),
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
        response["description"] = "; ".join(filter(None, (response["description"], known.title)))
    return dict(sorted(responses.items()))


def path_parameters(path: str) -> list[str]:
    """The names in braces."""
    return re.findall(r"{(\w+)}", path)
