"""Pictures with drawn text, and what reads them."""

from functools import lru_cache

import cv2
import numpy as np

from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.outlines import PolygonOutline
from anonymizer.recognise.text_reader import TextReader, load_text_reader
from anonymizer.types import Detection, Pixels8


def drawn(*lines: str, size: float = 1.0) -> Pixels8:
    """Dark letters on light ground, one line in every 60 rows, uint8 (H, 600, 3)."""
    picture = np.full((60 * len(lines), 600, 3), 220, np.uint8)
    for row, line in enumerate(lines):
        cv2.putText(picture, line, (20, 60 * row + 40), cv2.FONT_HERSHEY_SIMPLEX, size, (20, 30, 40), 2, cv2.LINE_AA)
    return picture


def line(row: int, x_min: float = 15, x_max: float = 590) -> Detection:
    """The text in one of the lines that `drawn` makes."""
    y_min, y_max = 60.0 * row + 10, 60.0 * row + 52
    return Detection.of(PolygonOutline(((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max))), "text", 0.9)


def picture_of(*frames: Pixels8) -> Picture:
    return Picture(tuple(Frame(rgb) for rgb in frames), b"", Encoding("PNG"))


@lru_cache
def reader() -> TextReader:
    return load_text_reader()
