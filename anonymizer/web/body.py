"""Reads what a client sends into memory, with bounds of bytes and seconds."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from anonymizer.web.admission import Place
from anonymizer.web.limits import UPLOAD_TIMEOUT_S
from anonymizer.web.problems import Problem


async def read_body(request: Request, max_bytes: int, place: Place) -> bytes:
    """The body of a request; the place holds its bytes.

    Raises:
        Problem: it is too large, or takes too long.
    """
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > max_bytes:  # h11 lets only digits through
        raise _too_large(max_bytes)
    try:
        return await asyncio.wait_for(_read(request, max_bytes, place), UPLOAD_TIMEOUT_S)
    except asyncio.TimeoutError:
        raise Problem("too-slow", f"the request did not arrive within {UPLOAD_TIMEOUT_S:g} seconds") from None
    except ClientDisconnect:
        raise Problem("bad-request", "the client has gone") from None  # nobody reads that


async def _read(request: Request, max_bytes: int, place: Place) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > max_bytes:
            raise _too_large(max_bytes)
        place.hold(len(chunk))
        body += chunk
    return bytes(body)


def _too_large(max_bytes: int) -> Problem:
    return Problem("too-large", f"the server takes {max_bytes} bytes at once", limit_bytes=max_bytes)
