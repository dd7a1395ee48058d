"""The operations of a review. They are for the page alone, and not part of the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from anonymizer.web.limits import MAX_DETECTIONS_BYTES
from anonymizer.web.operations import Answer, Operation
from anonymizer.web.problems import Problem
from anonymizer.web.review import Review


def review_operations(review: Review, read: Callable[[Request, int], Awaitable[bytes]]) -> list[Operation]:
    """
    Args:
        read: gives the body of a request, up to a number of bytes.
    """

    async def get_review(request: Request) -> Response:
        return _to_json(await asyncio.to_thread(review.describe))

    async def get_original(request: Request) -> Response:
        content = await asyncio.to_thread(review.original, _number(request))
        return Response(content, media_type="application/octet-stream")

    async def save_edits(request: Request) -> Response:
        content = await read(request, MAX_DETECTIONS_BYTES)
        await asyncio.to_thread(review.save, _number(request), content)
        return Response(status_code=204)

    async def redact_again(request: Request) -> Response:
        return _to_json({"text": await asyncio.to_thread(review.redact_again)})

    return [
        Operation("GET", "/v1/review", get_review, "All pictures", {200: Answer("")}, is_documented=False),
        Operation("GET", "/v1/review/{number}/original", get_original, "One", {200: Answer("")}, is_documented=False),
        Operation("POST", "/v1/review/{number}/edits", save_edits, "Changes", {204: Answer("")}, is_documented=False),
        Operation("POST", "/v1/review/redact", redact_again, "Runs again", {200: Answer("")}, is_documented=False),
    ]


def _to_json(plain: object) -> Response:
    """In ASCII: names of files may hold bytes that are not UTF-8."""
    return Response(json.dumps(plain), media_type="application/json")


def _number(request: Request) -> int:
    text = request.path_params["number"]
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Problem("not-found", "there is no such picture")
    return int(text)
