from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("av")

from video.film_samples import load_square, write_film

from anonymizer.errors import PictureError, TooLargeError
from anonymizer.settings import Settings
from anonymizer.types import Progress
from anonymizer.web.film_redaction import redact_film
from anonymizer.web.orders import Done, FilmLimits, Order

LIMITS = FilmLimits(max_bytes=1_000_000, max_pixels=100_000, max_frames=100, max_s=60, timeout_s=600)
BOUNDED = """
from pathlib import Path
from anonymizer.errors import PictureError
from anonymizer.files.memory import written_in_memory
from anonymizer.web.film_redaction import bound_worker
from anonymizer.web.orders import FilmLimits
bound_worker(FilmLimits(max_bytes=10_000, max_pixels=1, max_frames=1, max_s=1, timeout_s=1))
try:
    with written_in_memory(Path(), [Path("film")]) as (place,):
        place.write_bytes(bytes(40_000))
        place.write_bytes(bytes(40_001))
except PictureError as error:
    print(error)
try:
    bytearray(5_000_000_000)
except MemoryError:
    print("no more memory")
"""


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_film(tmp_path / "a.mp4", frames=6, size=(160, 96)).read_bytes()


def work(content: bytes, limits: FilmLimits = LIMITS, only_detects: bool = False) -> tuple[Done, list[Progress]]:
    told: list[Progress] = []
    order = Order(content, Settings(), only_detects=only_detects, is_film=True)
    return redact_film(order, load_square, limits, told.append, 0.0), told


def test_it_tells_how_far_it_is_through_all_of_its_parts(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymizer.video.beats.SECONDS_BETWEEN_BEATS", 0.0)
    monkeypatch.setattr("time.perf_counter", lambda: 1.0)
    done, told = work(content)
    shares = [progress.share for progress in told if progress.share is not None]
    assert len(shares) == len(told) == 18
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert (done.extension, done.media_type, list(done.sizes)) == ("mp4", "video/mp4", [(160, 96)])
    assert done.film is not None
    assert done.film["frames"] == 6


def test_where_no_file_is_wanted_there_is_none(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.perf_counter", lambda: 1.0)
    done, _ = work(content, only_detects=True)
    assert (done.file, done.counts) == (b"", {"face": 1})


@pytest.mark.parametrize("now_s", [601.0, 1e9])
def test_what_takes_too_long_ends(content: bytes, monkeypatch: pytest.MonkeyPatch, now_s: float) -> None:
    monkeypatch.setattr("anonymizer.video.beats.SECONDS_BETWEEN_BEATS", 0.0)
    monkeypatch.setattr("time.perf_counter", lambda: now_s)
    with pytest.raises(PictureError, match=r"^took longer than 600 seconds$"):
        work(content)


def test_what_is_too_long_is_known_as_such(content: bytes) -> None:
    with pytest.raises(TooLargeError, match="more than 5 frames"):
        work(content, replace(LIMITS, max_frames=5))
    with pytest.raises(PictureError, match="not a film") as caught:
        work(b"\0\0\0\x20ftypisom" + bytes(100))
    assert "/proc" not in str(caught.value)


def test_a_worker_writes_and_takes_no_more_than_it_may() -> None:
    done = subprocess.run([sys.executable, "-c", BOUNDED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["becomes larger than may be written", "no more memory"]
