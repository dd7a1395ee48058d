from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from starlette.types import Message

from anonymizer.web.limits import CHUNK_BYTES
from anonymizer.web.orders import Done
from anonymizer.web.responses import (
    MAX_RESULT_CHARS,
    FileResponse,
    detections_answer,
    file_headers,
    result_header,
    summary,
    to_form,
)

DONE = Done(b"file", "image/png", "png", b"[]", b"mask", [(4, 3)], {"face": 1}, ["ä\r\nX: y"] * 30, 0.5)


def test_a_file_is_sent_in_pieces_and_then_forgotten() -> None:
    content, sent, ends = bytes(range(256)) * 1000, list[Message](), list[str]()
    response = FileResponse(content, "image/png", {"X-Y": "z"}, lambda: ends.append("sent"))

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(response({"type": "http"}, None, send))  # type: ignore[arg-type]
    assert dict(sent[0]["headers"])[b"x-y"] == b"z"
    assert max(len(message["body"]) for message in sent[1:]) == CHUNK_BYTES
    assert b"".join(message["body"] for message in sent[1:]) == content
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    assert (response.body, ends) == (b"", ["sent"])


def test_a_client_that_goes_ends_it_as_well() -> None:
    ends: list[str] = []

    async def send(message: Message) -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        asyncio.run(FileResponse(b"x", "image/png", on_sent=lambda: ends.append("sent"))({}, None, send))  # type: ignore[arg-type]
    assert ends == ["sent"]


def test_headers_hold_ascii_on_one_line_and_not_too_much() -> None:
    headers = file_headers(DONE)
    assert headers["Anonymizer-Result"].isascii()
    assert headers["Anonymizer-Result"].isprintable()
    said = json.loads(headers["Anonymizer-Result"])
    assert len(said["warnings"]) == 20
    assert "more_warnings" not in said
    long = json.loads(result_header(replace(DONE, warnings=["ä" * 999] * 30)))
    assert (len(long["warnings"]), long["more_warnings"]) == (1, 29)
    assert len(result_header(replace(DONE, warnings=["ä" * 999] * 30))) <= MAX_RESULT_CHARS
    assert len(json.dumps(summary(Done(b"", "", "", b"", None, [], {}, ["x" * 9999] * 99, 0)))) < 6000


def test_what_detect_answers() -> None:
    assert detections_answer(DONE) | {"warnings": []} == {
        "detections": [],
        "sizes": [[4, 3]],
        "counts": {"face": 1},
        "warnings": [],
    }


def test_a_form_holds_all_files() -> None:
    content, media_type = to_form(DONE)
    boundary = media_type.partition("boundary=")[2].encode()
    pieces = content.split(b"--" + boundary)
    assert [piece.partition(b"\r\n\r\n")[2] for piece in pieces[1:-1]] == [b"file\r\n", b"[]\r\n", b"mask\r\n"]
    assert pieces[-1] == b"--\r\n"
