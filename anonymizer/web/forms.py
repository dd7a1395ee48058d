"""Forms in memory: `multipart/form-data` as in RFC 7578. Parsers of libraries write large files to a disk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from anonymizer.web.limits import MAX_PART_HEAD_BYTES, MAX_PARTS
from anonymizer.web.problems import Problem

FILES = ("file", "detections")
"""Parts whose content is not a short text."""
LISTS = ("kinds",)
"""Parts that may be there several times, as browsers send fields of which several are chosen."""
_LONGEST_BOUNDARY = 70  # RFC 2046, section 5.1.1


@dataclass(frozen=True)
class Form:
    """What was posted. Names of files are not kept. Of lists, the items stand behind each other with commas."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]
    """By their names in `FILES`; empty ones are left out."""


def parse_form(content_type: str, body: bytes) -> Form:
    """
    Args:
        content_type: the header.

    Raises:
        Problem: it is not such a form, has too many parts, or has one twice.
    """
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for name, content in _parts(_boundary_of(content_type), body):
        if name in LISTS:
            fields[name] = ",".join(filter(None, (fields.get(name), _to_text(name, content))))
            continue
        if name in fields or name in files:
            raise Problem("bad-request", f"the part {name[:100]!r} is there twice; send one picture at a time")
        if name in FILES:
            files[name] = bytes(content)
        else:
            fields[name] = _to_text(name, content)
    return Form(fields, {name: content for name, content in files.items() if content})


def _boundary_of(content_type: str) -> bytes:
    message = Message()
    message["Content-Type"] = content_type
    try:
        boundary = message.get_boundary()
    except (TypeError, ValueError):  # of contradicting continuations as in RFC 2231, which the library cannot sort
        boundary = None
    if not boundary or len(boundary) > _LONGEST_BOUNDARY or not boundary.isascii():
        raise Problem("bad-request", "the header Content-Type names no boundary between the parts")
    return boundary.encode()


def _parts(boundary: bytes, body: bytes) -> Iterator[tuple[str, memoryview]]:
    """Name and content of each part."""
    delimiter = b"\r\n--" + boundary
    end = len(boundary) + 2 if body.startswith(delimiter[2:]) else _after(body, delimiter, 0)
    view = memoryview(body)
    for _ in range(MAX_PARTS + 1):
        if end < 0 or body[end : end + 2] == b"--":
            break
        begin = body.find(b"\r\n", end, end + 100) + 2  # behind white space that transports may add
        end = _after(body, delimiter, begin - 2)
        if begin < 2 or end < 0:
            break
        yield _split(view[begin : end - len(delimiter)])
    else:
        raise Problem("too-large", f"the form has more than {MAX_PARTS} parts")
    if end < 0:
        raise Problem("bad-request", "the form ends too early, or its parts are not apart")


def _after(body: bytes, delimiter: bytes, begin: int) -> int:
    """Where the next part begins; negative if there is none."""
    place = body.find(delimiter, max(begin, 0))
    return place + len(delimiter) if place >= 0 else -1


def _split(part: memoryview) -> tuple[str, memoryview]:
    head, separator, _ = bytes(part[:MAX_PART_HEAD_BYTES]).partition(b"\r\n\r\n")
    try:
        name = message_from_bytes(head + b"\r\n\r\n").get_param("name", header="content-disposition")
    except (TypeError, ValueError):
        name = None
    if not separator or not isinstance(name, str) or not re.fullmatch(r"[\x20-\x7e]{1,200}", name):
        raise Problem("bad-request", "a part of the form has no name")
    return name, part[len(head) + len(separator) :]


def _to_text(name: str, content: memoryview) -> str:
    try:
        return bytes(content[:MAX_PART_HEAD_BYTES]).decode().strip()
    except UnicodeDecodeError:
        raise Problem("bad-request", f"the part {name[:100]!r} is not text in UTF-8") from None
