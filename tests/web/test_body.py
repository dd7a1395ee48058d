from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.types import Message

from anonymizer.web.admission import Admission, Queue
from anonymizer.web.body import read_body
from anonymizer.web.problems import Problem


def read(chunks: Iterable[bytes], max_bytes: int = 10, length: int | None = None, max_memory: int = 100) -> bytes:
    """What is read of a body that comes in these pieces, and hangs after b"HANGS"."""
    pieces = iter(chunks)

    async def receive() -> Message:
        piece = next(pieces, None)
        if piece == b"HANGS":
            await asyncio.sleep(3600)
        if piece == b"GONE":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    place = Admission(Queue("pictures", 1, 1, 1, lambda: 0), None, 2 * max_memory).enter("a")
    content = asyncio.run(read_body(request, max_bytes, place))
    assert place.held_bytes == len(content)
    return content


def test_a_body_comes_in_pieces() -> None:
    assert read([b"abc", b"", b"defg"]) == b"abcdefg"
    assert read([b"0123456789"], length=10) == b"0123456789"


def test_a_body_that_is_too_large_is_refused_by_its_length_or_by_counting() -> None:
    for chunks, length in (([], 11), ([b"x"] * 11, None), ([b"x" * 11], 2)):
        with pytest.raises(Problem, match="takes 10 bytes") as caught:
            read(chunks, length=length)
        assert caught.value.status == 413


def test_memory_is_bounded() -> None:
    with pytest.raises(Problem, match="of the memory"):
        read([b"x"] * 6, max_memory=5)


def test_a_body_must_arrive_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.web.body.UPLOAD_TIMEOUT_S", 0.05)
    with pytest.raises(Problem, match="did not arrive") as caught:
        read([b"x", b"HANGS"])
    assert caught.value.status == 408


def test_a_client_that_goes_has_sent_nothing() -> None:
    with pytest.raises(Problem, match="has gone"):
        read([b"x", b"GONE"])
