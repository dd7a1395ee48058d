"""Makes the pictures that show all methods, and all shapes, side by side, from the pictures in images/originals.

python -m tests.benchmarks.methods_picture
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from anonymizer import Settings, anonymize_image
from anonymizer.settings import RedactSettings
from anonymizer.types import Pixels

IMAGES = Path(__file__).parents[2] / "images"
PARTS = (("astronaut.png", slice(0, 300), slice(60, 400)), ("drawn_car.jpg", slice(460, 610), slice(430, 770)))
"""Picture, and its rows and columns that are shown."""
WIDTH = 240
COLUMNS = 4
METHODS = {
    "gaussian (default)": RedactSettings(),
    "mosaic": RedactSettings(method="mosaic"),
    "solid": RedactSettings(method="solid"),
    "solid, color mean": RedactSettings(method="solid", color="mean"),
    "image": RedactSettings(method="image"),
    "inpaint": RedactSettings(method="inpaint"),
    "kernel 21,2,9: cosmetic": RedactSettings(obfuscation_kernel="21,2,9"),
    "none": RedactSettings(method="none"),
}
PARTS_WITH_HEADS = (PARTS[0], ("swearing_in_group.jpg", slice(180, 560), slice(640, 1180)))
SHAPES = {
    "box": RedactSettings(shape="box"),
    "ellipse (default)": RedactSettings(),
    "silhouette": RedactSettings(shape="silhouette"),
}


def main() -> None:
    _save("methods.jpg", [_tile(name, PARTS, settings) for name, settings in METHODS.items()])
    _save("shapes.jpg", [_tile(name, PARTS_WITH_HEADS, settings) for name, settings in SHAPES.items()])


def _save(name: str, tiles: Sequence[Pixels]) -> None:
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    Image.fromarray(np.vstack(rows)).save(IMAGES / name, quality=88)


def _tile(name: str, shown: Sequence[tuple[str, slice, slice]], settings: RedactSettings) -> Pixels:
    parts = [_part(*part, settings) for part in shown]
    label = np.full((28, WIDTH, 3), 255, np.uint8)
    cv2.putText(label, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.pad(np.vstack([label, *parts]), ((0, 6), (3, 3), (0, 0)), constant_values=255)


def _part(name: str, rows: slice, columns: slice, settings: RedactSettings) -> Pixels:
    with Image.open(IMAGES / "originals" / name) as image:
        pixels = np.array(image.convert("RGB"))
    shown = anonymize_image(pixels, Settings(redact=settings))[0][rows, columns]
    size = (WIDTH, round(WIDTH * shown.shape[0] / shown.shape[1]))
    return cv2.resize(shown, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


if __name__ == "__main__":
    main()
