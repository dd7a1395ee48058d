"""Faces of public pictures, and what reads them."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from anonymizer.recognise.models import load_face_reader
from anonymizer.recognise.resemblance import FaceReader
from anonymizer.types import Pixels8

ORIGINALS = Path(__file__).parents[2] / "images" / "originals"


def astronaut() -> Pixels8:
    """One face of about 100 pixels, RGB."""
    picture = cv2.imread(str(ORIGINALS / "astronaut.png"))
    assert picture is not None
    return np.ascontiguousarray(picture[:, :, ::-1].astype(np.uint8))


def couple() -> Pixels8:
    """Two faces, RGB."""
    picture = cv2.imread(str(ORIGINALS / "happy_couple.jpg"))
    assert picture is not None
    return np.ascontiguousarray(picture[:, :, ::-1].astype(np.uint8))


def senator() -> Pixels8:
    """One face, RGB."""
    picture = cv2.imread(str(ORIGINALS / "swearing_in_group.jpg"))
    assert picture is not None
    return np.ascontiguousarray(picture[180:440, 1190:1360, ::-1].astype(np.uint8))


@lru_cache
def reader() -> FaceReader:
    return load_face_reader()
