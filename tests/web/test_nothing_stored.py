"""Nothing of an upload reaches a disk or a log: a real server under strace, through uploads of all formats.

Uploads succeed, fail, are aborted, deleted and posted back; a worker is killed, and in the end the server is.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest

pytest.importorskip("av")

from fakes import smooth
from files.samples import full_exif, jpeg_file, saved
from video.film_samples import write_film

from anonymizer.files import heic

UPLOADS = 220
SECRET = "hushhush"
"""In names of files, and in texts of metadata."""
WRITING = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|O_APPEND|O_TRUNC|^creat\(|^mk|^rename|^link|^symlink|^truncate"
)
IN_MEMORY = re.compile(r'"(/dev/null|/dev/tty|/proc/(self|\d+)/fd/\d+|/proc/self/task/\d+/comm|/dev/pts/\d+)"')
"""Descriptors of memfd_create are opened by /proc/self/fd."""
CALLS = (
    "open,openat,openat2,creat,mknod,mknodat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,"
    "truncate"
)


def samples() -> list[bytes]:
    """Files of all formats."""
    exif = full_exif()
    pictures = [
        saved("JPEG", comment=SECRET.encode()),
        jpeg_file(smooth(40, 33), progressive=True, restart=2),
        saved("JPEG", "CMYK"),
        saved("JPEG", exif=exif),
        saved("PNG", "RGBA", exif=exif),
        saved("PNG", "P"),
        saved("PNG", "RGBA", frames=3, duration=100),
        saved("GIF", "P", frames=3, duration=100),
        saved("BMP"),
        saved("TIFF", compression="tiff_lzw"),
        saved("TIFF", "RGBA", frames=3),
        saved("WEBP", exif=exif),
        saved("WEBP", "RGBA", frames=3, duration=100, lossless=True),
        saved("AVIF", exif=exif),
        saved("JPEG2000", irreversible=False),
    ]
    if heic.can_read_heic():
        pictures.append(saved("HEIF", exif=exif))
    damaged = [picture[: len(picture) * 2 // 3] for picture in pictures]
    return [*pictures, saved("PNG", size=(600, 700)), *damaged, b"hello", b"\0\0\0\x20ftypisom"]


def films(folder: Path) -> list[bytes]:
    """Films of all containers, some of them damaged."""
    folder.mkdir()
    names = {"a.mp4": "libx264", "a.mov": "libx265", "a.webm": "libvpx-vp9", "a.mkv": "ffv1", "a.avi": "mpeg4"}
    sounds = {"a.webm": "libopus"}
    made = [
        write_film(folder / name, codec, 12, sounds=[sounds.get(name, "mp2")], metadata={"title": SECRET}).read_bytes()
        for name, codec in names.items()
    ]
    made += [film[: len(film) // 2] for film in made[:2]]
    shutil.rmtree(folder)
    return made


class Traced:
    """A server under strace."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [
                *("strace", "--follow-forks", "--quiet=all", "--seccomp-bpf", "--trace", CALLS, "--output", str(log)),
                *(sys.executable, "-m", "anonymizer", "serve", "--port", "0", "--workers", "2", "--preset", "fast"),
                *("--film-workers", "1"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("serving on"), self.process.communicate()
        self.address = line.split()[2].removesuffix("/;").removesuffix(";")
        (self.server,) = children_of(self.process.pid)
        self.opened_before = len(self.lines())

    def lines(self) -> list[str]:
        """What the processes asked the system for; without their numbers."""
        return [line.partition(" ")[2].strip() for line in self.log.read_text(errors="replace").splitlines()]


def writes_in(asked: Sequence[str]) -> list[str]:
    """What of that could have left something outside the memory of processes."""
    return [line for line in asked if WRITING.search(line) and not IN_MEMORY.search(line)]


def children_of(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def film_worker_of(server: int) -> int:
    """The worker that lets the others go first."""
    return max(children_of(server), key=lambda child: os.getpriority(os.PRIO_PROCESS, child))


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    probe = subprocess.run(["strace", "--quiet=all", "--seccomp-bpf", "--follow-forks", "true"], capture_output=True)
    if probe.returncode:
        pytest.skip("strace may not trace here")
    server = Traced(tmp_path / "trace")
    yield server
    with suppress(ProcessLookupError):
        os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()


def abort(address: str, content: bytes, sends: float) -> None:
    """Goes away after this share of an upload."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        head = f"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        client.sendall(head.encode() + content[: int(len(content) * sends)])


def upload(client: httpx.Client, address: str, way: int, content: bytes) -> None:
    """One of the ways in which a client may act."""
    files = {"file": (f"{SECRET}.jpg", content)}
    if way == 0:
        client.post("/v1/redact", content=content)
    elif way == 1:
        client.post("/v1/redact", files=files, data={"mask": "true", "answer": "form", "metadata": "keep"})
    elif way == 2:
        found = client.post("/v1/detect", files=files).json().get("detections", [])
        client.post("/v1/redact", files={**files, "detections": str(found).replace("'", '"')})
    elif way in (3, 4):
        job = client.post("/v1/redact", files=files, headers={"Prefer": "respond-async"}).headers.get("location")
        if job is not None and way == 4:
            client.delete(job)
        elif job is not None:
            with client.stream("GET", f"{job}/events") as events:
                events.read()
            client.get(f"{job}/result")
            client.delete(job)
    else:
        abort(address, content, 0.5 if way == 5 else 1.0)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_nothing_reaches_a_disk_or_a_log(traced: Traced, tmp_path: Path) -> None:
    done = 0
    of_films = films(tmp_path / "films")

    def kill_a_worker() -> None:
        while done < UPLOADS // 2:
            time.sleep(0.05)
        os.kill(children_of(traced.server)[0], signal.SIGKILL)

    contents = islice(cycle(samples()), UPLOADS)
    killer = threading.Thread(target=kill_a_worker, daemon=True)
    killer.start()
    with httpx.Client(base_url=traced.address, timeout=120) as client:
        for number, content in enumerate(contents):
            upload(client, traced.address, number % 7, content)
            done += 1
        killer.join()
        for number, content in enumerate([*of_films, *of_films, *of_films]):
            upload(client, traced.address, number % 7, content)
        accepted = client.post("/v1/redact", content=of_films[0], headers={"Prefer": "respond-async"})
        while client.get(accepted.headers["location"]).json()["state"] == "waiting":
            time.sleep(0.05)
        os.kill(film_worker_of(traced.server), signal.SIGKILL)  # it is tried again
        while client.get(accepted.headers["location"]).json()["state"] != "done":
            time.sleep(0.05)
        numbers = client.get("/metrics").text
        assert client.post("/v1/redact", content=saved("PNG")).status_code == 200
        assert client.post("/v1/redact", content=of_films[1], headers={"Prefer": "respond-async"}).status_code == 202
    assert float(re.findall(r'films_total{outcome="done"} (\d+)', numbers)[0]) >= len(of_films)
    assert float(re.findall(r'pictures_total{outcome="done"} (\d+)', numbers)[0]) > UPLOADS / 4
    os.kill(traced.server, signal.SIGKILL)
    output, errors = traced.process.communicate(timeout=60)
    assert (output, errors) == ("", "")

    asked = traced.lines()
    assert len(asked) > traced.opened_before, "nothing was traced"
    assert any("/proc/self/fd/" in line and WRITING.search(line) for line in asked), (
        "not even files in memory were seen"
    )
    assert writes_in(asked) == []
    assert SECRET not in "\n".join(asked)


def test_what_would_be_a_write_is_seen() -> None:
    harmless = [
        'openat(AT_FDCWD, "/usr/lib/libc.so.6", O_RDONLY|O_CLOEXEC) = 3',
        'openat(AT_FDCWD, "/proc/self/fd/9", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 10',
        'openat(AT_FDCWD, "/dev/null", O_RDWR) = 5',
    ]
    writes = [
        'openat(AT_FDCWD, "/tmp/tmpabc", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 7',
        'openat(AT_FDCWD, "/tmp", O_RDWR|O_EXCL|O_NOFOLLOW|O_CLOEXEC|O_TMPFILE, 0600) = 7',
        'openat(AT_FDCWD, "/dev/shm/x", O_WRONLY) = 7',
        'mkdir("/tmp/x", 0700) = 0',
        'renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 0) = 0',
    ]
    assert writes_in([*harmless, *writes]) == writes
