"""Clients that mean no good: they are answered, memory is bounded, and others are served meanwhile."""

from __future__ import annotations

import io
import resource
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fakes import noise
from PIL import Image
from web.served import Served, png, problem_of, serving

PICTURE = png(noise(40, 60))
LOCAL = b"Host: localhost\r\n"
CONNECTIONS = 1_000
MEMORY = 300_000_000
"""Bytes by which the processes may grow."""


@pytest.fixture(scope="module")
def usual() -> Iterator[Served]:
    """A server with the usual limits."""
    with serving(max_bytes=4_000_000) as served:
        yield served


@pytest.fixture
def guarded(usual: Served) -> Iterator[Served]:
    """The same, which holds nothing any more in the end, and serves others."""
    yield usual
    while usual.api.admission.on_hand():
        time.sleep(0.05)
    assert usual.api.admission.held_bytes == 0
    assert usual.redact(PICTURE).status_code == 200


def resident_bytes() -> int:
    """Of this process, in which the server is."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *further: bytes) -> bytes:
    """A PNG file that claims this size."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(bytes(height * (width + 1)) if width * height < 1_000_000 else b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(further) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def gif_of(frames: int, side: int) -> bytes:
    """Many frames, each the same but for a pixel."""
    file = io.BytesIO()
    images = [Image.new("P", (side, side), number % 2) for number in range(frames)]
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], optimize=False)
    return file.getvalue()


@pytest.mark.slow
def test_a_thousand_connections_that_say_nothing_keep_nobody_out(guarded: Served) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 3 * CONNECTIONS:
        pytest.skip("not so many connections are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3 * CONNECTIONS, hard))
    before = resident_bytes()
    with ExitStack() as stack:
        connections = [stack.enter_context(guarded.connect()) for _ in range(CONNECTIONS)]
        for number, connection in enumerate(connections):
            if number % 2:
                connection.sendall(b"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nX: ")
        assert guarded.redact(PICTURE).status_code == 200
        assert resident_bytes() - before < MEMORY
        for connection in connections:
            assert connection.recv(1000) == b""  # each is closed in the end


def test_slow_uploads_keep_nobody_out_beyond_their_share(guarded: Served) -> None:
    with ExitStack() as stack:
        for _ in range(guarded.api.serve.max_jobs):
            connection = stack.enter_context(guarded.connect())
            connection.sendall(b"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nx")
        while guarded.api.admission.on_hand() < guarded.api.serve.max_jobs:
            time.sleep(0.01)
        refused = guarded.redact(PICTURE)
        assert problem_of(refused)["status"] == 429
        assert guarded.client.get("/health").status_code == 200


@pytest.mark.parametrize("size", [500_000, 50_000_000])
def test_a_body_without_length_is_counted(guarded: Served, size: int) -> None:
    def chunks() -> Iterator[bytes]:
        yield PICTURE
        yield from (bytes(10_000) for _ in range(size // 10_000))

    before = resident_bytes()
    with guarded.connect() as connection:
        connection.sendall(b"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for data in chunks():
                connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            connection.sendall(b"0\r\n\r\n")
        except OSError:  # it was refused already
            assert size > 4_000_000
        answer = connection.recv(1000)
    assert answer.split()[1] == (b"413" if size > 4_000_000 else b"200")
    assert resident_bytes() - before < MEMORY


def test_ten_thousand_parts_are_refused(guarded: Served) -> None:
    parts = [(f"a{number}", (None, "x")) for number in range(10_000)]
    response = guarded.client.post("/v1/redact", files=parts)
    assert response.status_code == 413
    assert "64 parts" in problem_of(response)["detail"]


@pytest.mark.parametrize(
    ("bomb", "status"),
    [
        (png_of(100_000, 100_000), 413),
        (png_of(30_000, 30_000), 413),
        (gif_of(300, 500), 413),
        (png_of(40, 40, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000)))), None),
        (png_of(40, 40, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000)))), None),
        (png_of(40, 40, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(200_000_000)))), None),
    ],
    ids=["size", "less", "frames", "text", "profile", "xmp"],
)
def test_bombs_are_answered(guarded: Served, bomb: bytes, status: int | None) -> None:
    assert len(bomb) < 1_000_000
    worker = guarded.api.desk._pool._workers[0]._process.pid
    response = guarded.redact(bomb)
    assert response.status_code == status or (status is None and response.status_code in (200, 422)), response.text
    peak = int(Path(f"/proc/{worker}/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
    assert peak < 3 * MEMORY, "the worker took much memory, or it died"


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        (b"GET / HTTP/1.1", b""),
        (b"GET / HTTP/1.1", b"Host: a\r\nHost: b\r\n"),
        (b"POST /v1/redact HTTP/1.1", LOCAL + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
        (b"POST /v1/redact HTTP/1.1", LOCAL + b"Content-Length: -5\r\n"),
        (b"POST /v1/redact HTTP/1.1", LOCAL + b"Content-Length: 5, 6\r\n"),
        (b"POST /v1/redact?%ff=%ff HTTP/1.1", LOCAL + b"Content-Length: 0\r\n"),
        (b"GET http://evil.example/ HTTP/1.1", b"Host: evil.example\r\n"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1", LOCAL),
        (b"GET /v1/jobs/..%2f..%2fetc%2fpasswd HTTP/1.1", LOCAL),
        (b"GET /static/..%2f..%2fapp.py HTTP/1.1", LOCAL),
        (b"GET /static/%2e%2e/%2e%2e/setup.py HTTP/1.1", LOCAL),
        (b"GET /\xff HTTP/1.1", LOCAL),
        (b"GET /v1/jobs/%ff%00 HTTP/1.1", LOCAL + b"Cookie: anonymizer_session=\xff\r\n"),
        (b"GET /metrics HTTP/1.1", LOCAL + b"Authorization: Bearer \xff\r\nCookie: anonymizer_session=a.b.c\r\n"),
    ],
)
def test_odd_requests_are_answered_and_none_is_a_mistake_of_ours(guarded: Served, line: bytes, headers: bytes) -> None:
    with guarded.connect() as connection:
        port = guarded.address.rpartition(":")[2].encode()
        connection.sendall(line + b"\r\n" + headers.replace(b"_session=", b"_session_%s=" % port) + b"\r\n")
        status = int(connection.recv(1000).split()[1])
    assert status in (200, 303, 400, 404, 422)
