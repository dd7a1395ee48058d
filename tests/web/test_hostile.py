"""Clients that mean no good: they are answered, memory is bounded, and others are served meanwhile."""

from __future__ import annotations

import io
import resource
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

pytest.importorskip("av")

from fakes import noise
from PIL import Image
from video.film_samples import load_square, write_film
from web.served import Served, png, problem_of, serving

PICTURE = png(noise(40, 60))
LOCAL = b"Host: localhost\r\n"
CONNECTIONS = 1_000
MEMORY = 300_000_000
"""Bytes by which the processes may grow."""


@pytest.fixture(scope="module")
def usual() -> Iterator[Served]:
    """A server with the usual limits."""
    with serving(max_bytes=4_000_000, films=load_square, max_film_bytes=3_000_000, max_film_frames=500) as served:
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


def box(kind: bytes, content: bytes) -> bytes:
    """A part of an MP4 file."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def mp4_of(samples: int, width: int, height: int) -> bytes:
    """An MP4 file that claims so many samples of one byte each, and holds none."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    mvhd = box(b"mvhd", struct.pack(">5IIH10x", 0, 0, 0, 1000, 1000, 0x10000, 0x100) + matrix + bytes(24) + b"\0\0\0\2")
    sides = struct.pack(">II", width << 16, height << 16)
    tkhd = box(b"tkhd", struct.pack(">6I", 7, 0, 0, 1, 0, 1000) + bytes(16) + matrix + sides)
    entry = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HHIIIH", width, height, 0x480000, 0x480000, 0, 1)
    stsd = box(b"stsd", struct.pack(">II", 0, 1) + box(b"jpeg", entry + bytes(32) + b"\0\x18\xff\xff"))
    tables = (
        box(b"stts", struct.pack(">4I", 0, 1, samples, 1)),
        box(b"stsc", struct.pack(">5I", 0, 1, 1, samples, 1)),
        box(b"stsz", struct.pack(">3I", 0, 1, samples)),
        box(b"stco", struct.pack(">3I", 0, 1, 48)),
    )
    mdhd = box(b"mdhd", struct.pack(">5IHH", 0, 0, 0, 1000, 1000, 0x55C4, 0))
    hdlr = box(b"hdlr", bytes(8) + b"vide" + bytes(13))
    media = mdhd + hdlr + box(b"minf", box(b"vmhd", bytes(12)) + box(b"stbl", stsd + b"".join(tables)))
    ftyp = box(b"ftyp", b"isom\0\0\2\0isomiso2")
    return ftyp + box(b"mdat", bytes(64)) + box(b"moov", mvhd + box(b"trak", tkhd + box(b"mdia", media)))


def nested(depth: int) -> bytes:
    """Boxes in boxes in boxes."""
    content = b""
    for _ in range(depth):
        content = box(b"moov", box(b"trak", content))
    return box(b"ftyp", b"isom\0\0\2\0isomiso2") + content


FILM_BOMBS = {
    "samples": mp4_of((1 << 32) - 1, 160, 96),
    "size": mp4_of(2, 65_000, 65_000),
    "nested": nested(2_000),
    "tracks": mp4_of(2, 16, 16)[:-8] + box(b"trak", b"") * 100_000,
    "elements": b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe" + b"\x42\x82\x84webm" * 50_000,
    "segment": b"\x1a\x45\xdf\xa3\x88\x42\x82\x85webm"
    + b"\x18\x53\x80\x67\x01"
    + b"\xff" * 7
    + b"\x1f\x43\xb6\x75\xff" * 9_999,
    "packets": (b"\x47\x40\x00\x10" + b"\xff" * 184) * 10_000,
    "lists": b"RIFF\xff\xff\xff\x7fAVI " + b"LIST\x04\0\0\0hdrl" * 100_000,
}


@pytest.mark.parametrize("name", FILM_BOMBS)
def test_bombs_that_look_like_films_are_answered(guarded: Served, name: str) -> None:
    answer_film_bomb(guarded, FILM_BOMBS[name])


@pytest.mark.slow
def test_a_film_of_frames_that_cost_nothing_is_refused_before_it_is_looked_at(guarded: Served, tmp_path: Path) -> None:
    bomb = write_film(tmp_path / "a.mp4", "libx264", 20_000, size=(32, 32)).read_bytes()
    assert len(bomb) < 3_000_000
    assert "more than 500 frames" in answer_film_bomb(guarded, bomb)


def answer_film_bomb(served: Served, bomb: bytes) -> str:
    """What is answered, by a worker that lives on and takes little memory; pictures are worked on meanwhile."""
    assert served.api.film_desk is not None
    worker = served.api.film_desk._pool._workers[0]._process.pid
    job = served.client.post("/v1/redact", content=bomb, headers={"Prefer": "respond-async"})
    assert job.status_code == 202, job.text
    location = job.headers["location"]
    assert served.redact(PICTURE).status_code == 200
    while (state := served.client.get(location).json())["state"] in ("waiting", "working"):
        time.sleep(0.05)
    served.client.delete(location)
    assert state["state"] == "failed"
    assert state["problem"]["status"] in (413, 422)
    peak = int(Path(f"/proc/{worker}/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
    assert peak < 3 * MEMORY, "the worker took much memory, or it died"
    return str(state["problem"]["detail"])


def test_a_film_without_end_is_answered(guarded: Served, tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mkv", "ffv1", 20, size=(160, 96), container_options={"live": "1"}).read_bytes()
    before = resident_bytes()
    with guarded.connect() as connection:
        connection.sendall(b"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(OSError):  # it stops reading in the end
            for _ in range(50_000_000 // len(film)):
                connection.sendall(b"%x\r\n%b\r\n" % (len(film), film))
        assert connection.recv(1000).split()[1] == b"413"
    assert resident_bytes() - before < MEMORY


def test_films_that_arrive_slowly_keep_nobody_out(guarded: Served, tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", frames=2, size=(160, 96)).read_bytes()
    with ExitStack() as stack:
        for _ in range(guarded.api.serve.max_jobs - 2):
            connection = stack.enter_context(guarded.connect())
            head = f"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(film)}\r\n\r\n"
            connection.sendall(head.encode() + film[:-1])
        while guarded.api.admission.on_hand() < guarded.api.serve.max_jobs - 2:
            time.sleep(0.01)
        assert guarded.redact(PICTURE).status_code == 200
        assert guarded.redact(film).status_code == 200


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
