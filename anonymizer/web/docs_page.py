"""The page that shows the API: made on the server from the table of operations, without any script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from anonymizer.web.operations import Operation, Parameter
from anonymizer.web.problems import PROBLEMS


def render_docs(operations: Sequence[Operation]) -> str:
    """An HTML page."""
    return "\n".join(_lines([operation for operation in operations if operation.is_documented]))


def _lines(operations: Sequence[Operation]) -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>API of anonymizer</title>'
    yield '<meta name="viewport" content="width=device-width">\n<link rel="stylesheet" href="/static/docs.css">'
    yield "</head>\n<body>\n<main>\n<h1>API of anonymizer</h1>"
    yield "<p>Pictures and films go in, and come back without faces and licence plates. Nothing is stored. "
    yield 'Programs read <a href="/openapi.json">openapi.json</a>.</p>'
    for operation in operations:
        yield from _operation(operation)
    yield "<h2>Problems</h2>\n<p>Errors are answered as RFC 9457 says, as <code>application/problem+json</code>.</p>"
    yield from _table(
        ("type", "status", "meaning"),
        [(f'<code id="{name}">{name}</code>', str(each.status), escape(each.title)) for name, each in PROBLEMS.items()],
    )
    yield "</main>\n</body>\n</html>"


def _operation(operation: Operation) -> Iterator[str]:
    yield f"<h2><code>{operation.method} {escape(operation.path)}</code></h2>\n<p>{escape(operation.text)}</p>"
    if operation.body:
        yield f"<p>Takes {_codes(operation.body)}.</p>"
    for status, answer in operation.answers.items():
        media = f": {_codes(answer.media)}" if answer.media else ""
        yield f"<p>{status} {escape(answer.text)}{media}</p>"
    if operation.parameters:
        yield from _table(("name", "in", "meaning"), [_row(parameter) for parameter in operation.parameters])


def _row(parameter: Parameter) -> tuple[str, str, str]:
    return f"<code>{escape(parameter.name)}</code>", parameter.place, escape(parameter.text)


def _codes(names: object) -> str:
    return ", ".join(f"<code>{escape(str(name))}</code>" for name in names)  # type: ignore[attr-defined]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "<table>\n<thead><tr>" + "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead>\n<tbody>"
    yield from ("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    yield "</tbody>\n</table>"
