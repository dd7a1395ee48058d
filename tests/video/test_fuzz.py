"""Damaged films of every container: each is refused with a reason or read to its end, and nothing else happens."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video.film_samples import RATE, TIME_BASE, write_film

from anonymizer.errors import PictureError
from anonymizer.video.source import open_film

FILMS = {
    "a.mp4": ("libx264", "yuv420p"),
    "a.mov": ("prores_ks", "yuv422p10le"),
    "a.mkv": ("libx265", "yuv420p"),
    "a.webm": ("libvpx-vp9", "yuv420p"),
    "a.avi": ("mjpeg", "yuvj420p"),
    "a.ts": ("mpeg2video", "yuv420p"),
    "a.wmv": ("wmv2", "yuv420p"),
}
FRAMES = 6


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("seed", range(3))
def test_flipped_bytes_anywhere(tmp_path: Path, name: str, seed: int) -> None:
    codec, pixel_format = FILMS[name]
    base = Fraction(1, RATE) if codec in ("mjpeg", "mpeg2video") else TIME_BASE
    path = write_film(tmp_path / name, codec, FRAMES, pixel_format=pixel_format, time_base=base)
    content = path.read_bytes()
    rng = np.random.default_rng(seed)
    for number in (1, 3, 10, 40):
        for _ in range(4):
            damaged = bytearray(content)
            for place in rng.integers(0, len(content), number):
                damaged[place] = rng.integers(256)
            path.write_bytes(damaged)
            reason, times = read(path)
            assert "\n" not in reason
            assert str(tmp_path) not in reason
            assert times == sorted(set(times))


def read(path: Path) -> tuple[str, list[int]]:
    """Why a film is refused, and the times of the frames before that."""
    times: list[int] = []
    try:
        for frame in open_film(path).frames():
            assert frame.index == len(times)
            times.append(frame.time)
    except PictureError as error:
        return str(error), times
    return "", times
