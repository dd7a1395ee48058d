"""Answers from memory: files in pieces that wait for the client, forms with several files."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from anonymizer.web.limits import CHUNK_BYTES
from anonymizer.web.orders import Done

RESULT_HEADER = "Anonymizer-Result"
"""Counts and warnings beside a file, as JSON in ASCII."""
MAX_RESULT_CHARS = 2000
"""nginx takes 4,096 bytes for all headers of an answer, and ours have 1,000."""
_MAX_WARNINGS = 20
_MAX_WARNING_CHARS = 200


class FileResponse(Response):
    """Sends a file from memory as fast as the client reads."""

    def __init__(
        self,
        content: bytes,
        media_type: str,
        headers: Mapping[str, str] | None = None,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            on_sent: called when nothing is to be sent any more, also when the client has gone.
        """
        super().__init__(content, 200, headers, media_type)
        self._on_sent = on_sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            view = memoryview(self.body)
            for begin in range(0, len(view), CHUNK_BYTES):
                await send(
                    {
                        "type": "http.response.body",
                        "body": bytes(view[begin : begin + CHUNK_BYTES]),
                        "more_body": True,
                    }
                )
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.body = b""
            self._on_sent()


def file_headers(done: Done) -> dict[str, str]:
    """What is said beside a file. Its own name is not known here."""
    return {
        "Content-Disposition": f'attachment; filename="anonymized.{done.extension}"',
        RESULT_HEADER: result_header(done),
    }


def result_header(done: Done) -> str:
    """The summary in ASCII, with as many warnings as fit: reverse proxies answer 502 for long headers."""
    said = summary(done)
    warnings = [*done.warnings[:_MAX_WARNINGS]]
    while len(text := json.dumps(said)) > MAX_RESULT_CHARS and warnings:
        warnings.pop()
        said = {**said, "warnings": _short(warnings), "more_warnings": len(done.warnings) - len(warnings)}
    return text


def summary(done: Done) -> dict[str, object]:
    """Counts and warnings."""
    warnings = _short(done.warnings[:_MAX_WARNINGS])
    film = {} if done.film is None else {"film": dict(done.film), "sure_from": dict(done.sure_from)}
    return {"counts": dict(done.counts), "warnings": warnings, **film}


def _short(warnings: Sequence[str]) -> list[str]:
    return [text[:_MAX_WARNING_CHARS] for text in warnings]


def detections_answer(done: Done) -> dict[str, object]:
    """What `/v1/detect` answers."""
    return {
        "detections": json.loads(done.detections),
        "sizes": [list(size) for size in done.sizes],
        **summary(done),
    }


def to_form(done: Done) -> tuple[bytes, str]:
    """File, detections and mask as one form, which browsers and programs can take apart; and its media type."""
    parts: Sequence[tuple[str, str, str, bytes]] = [
        ("file", f"anonymized.{done.extension}", done.media_type, done.file),
        ("detections", "anonymized.json", "application/json", done.detections),
        *([("mask", "mask.png", "image/png", done.mask)] if done.mask is not None else []),
    ]
    boundary = secrets.token_hex(16)
    pieces = []
    for name, filename, media_type, content in parts:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
            f"Content-Type: {media_type}\r\n\r\n"
        )
        pieces += [head.encode(), content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/form-data; boundary={boundary}"
