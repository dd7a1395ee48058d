"""Makes the picture of the README that shows frames of a film before and after, from the pictures in images/originals.

    python -m tests.benchmarks.film_strip

A camera moves over the pictures, see `film_maker`. The program anonymizes the film, with its default settings.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anonymizer.cli.main import run
from anonymizer.video.source import open_film, to_rgb

from .film_maker import MOVES, SCENE_FRAMES, SIZE, Rgb, make

IMAGES = Path(__file__).parents[2] / "images"
TARGET = IMAGES / "film.jpg"
PICTURES = ("swearing_in_group.jpg", "drawn_car.jpg")
SHOWN = (3, 17, 31, 45, SCENE_FRAMES + 15, SCENE_FRAMES + 45)
"""The frames in the strip."""
WIDTH = 320
BORDER = 4


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        film = source / "film.mp4"
        entries: list[dict[str, Any]] = [{"image": name, "boxes": []} for name in PICTURES]
        make(IMAGES / "originals", entries, MOVES["pan"], film)
        if run(["--input", str(source), "--image-output", str(output), "--quiet"]):
            raise SystemExit("the film could not be anonymized")
        rows = [_row(path, SHOWN) for path in (film, output / film.name)]
    Image.fromarray(np.vstack(rows)[BORDER:, BORDER:]).save(TARGET, quality=88)


def _row(film: Path, frames: Sequence[int]) -> Rgb:
    height = WIDTH * SIZE[1] // SIZE[0]
    shown = [to_rgb(frame.picture, size=(WIDTH, height)) for frame in open_film(film).frames() if frame.index in frames]
    border = (BORDER, 0), (BORDER, 0), (0, 0)
    return np.hstack([np.pad(each, border, constant_values=255) for each in shown])


if __name__ == "__main__":
    main()
