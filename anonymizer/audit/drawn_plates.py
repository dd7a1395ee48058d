"""Drawn number plates in drawn pictures: as many as a reader needs for training, and what is written on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from anonymizer.audit.faces import Face
from anonymizer.geometry import Box
from anonymizer.recognise.align import Landmarks
from anonymizer.types import Detection, Pixels8

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
"""Without I, O and Q, as many countries have it: they look like digits."""
LENGTH = 7
CELL_PX, BORDER_PX = (32, 52), 8
"""Width and height of the place of a letter on a plate as it is drawn; what is left beside the outer ones."""
PLATE_PX = (LENGTH * CELL_PX[0] + 2 * BORDER_PX, CELL_PX[1])
PICTURE_PX = (224, 96)
"""Width and height."""
WIDTHS_PX = (90, 170)
"""Of plates in pictures."""
TURN = 4.0
"""Plates are turned by up to so many degrees."""
SHIFT = 0.04
"""The program finds the box up to so much too far in each direction, as a share of its size."""
_HERSHEY = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_NO_LANDMARKS: Landmarks = np.zeros((5, 2))

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DrawnPlate:
    """A picture with one plate."""

    text: str
    scene: Face
    """The picture, and where the program finds the plate; nobody's face."""
    matrix: Matrix
    """(2, 3): takes a point of the plate as it was drawn, see `PLATE_PX`, to its place in the picture."""

    def cut_out(self, pixels: Pixels8) -> Pixels8:
        """The plate as it was drawn, from this picture or what was made of it, uint8 (52, 240, 3)."""
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_AREA
        return np.asarray(cv2.warpAffine(pixels, self.matrix, PLATE_PX, flags=flags), np.uint8)


def draw_plates(number: int, seed: int) -> Iterator[DrawnPlate]:
    """So many plates, the same ones for the same seed."""
    for index in range(number):
        yield draw_plate(np.random.default_rng([seed, index]))


def draw_plate(random: np.random.Generator) -> DrawnPlate:
    """A plate with random letters, in random colours and one of several fonts, somewhere in a picture."""
    text = "".join(LETTERS[index] for index in random.integers(len(LETTERS), size=LENGTH))
    plate = _painted(text, random)
    width = float(random.uniform(*WIDTHS_PX))
    scale, turn = width / PLATE_PX[0], np.radians(random.uniform(-TURN, TURN))
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array(PICTURE_PX) / 2 + random.uniform(-6, 6, 2)
    matrix: Matrix = np.hstack([linear, (centre - linear @ (np.array(PLATE_PX) / 2))[:, np.newaxis]])
    canvas = _background(random)
    # Averaged over as many pixels as lie on one of the picture, so that thin lines do not flicker.
    soft = cv2.GaussianBlur(plate, (0, 0), max(0.3, 0.4 / scale))
    cv2.warpAffine(soft, matrix, PICTURE_PX, canvas, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    noisy = canvas + random.normal(0, 3, canvas.shape)
    box = _box(matrix)
    by_x, by_y = random.uniform(-SHIFT, SHIFT, 2) * [box.width, box.height]
    found = Box(box.x_min + by_x, box.y_min + by_y, box.x_max + by_x, box.y_max + by_y)
    pixels = np.asarray(noisy.clip(0, 255), np.uint8)
    return DrawnPlate(text, Face(text, text, pixels, [Detection(found, 0.9, "plate")], box, _NO_LANDMARKS), matrix)


def _box(matrix: Matrix) -> Box:
    """Around the plate."""
    width, height = PLATE_PX
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ matrix.T
    (x_min, y_min), (x_max, y_max) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Box(x_min, y_min, x_max, y_max)


def _painted(text: str, random: np.random.Generator) -> Pixels8:
    """The plate by itself, dark on light or light on dark, with a rim."""
    light, dark = random.integers(170, 256, 3), random.integers(0, 80, 3)
    ground, ink = (light, dark) if random.random() < 0.8 else (dark, light)
    font = int(random.integers(len(_HERSHEY) + 1))
    strength = np.zeros((PLATE_PX[1], PLATE_PX[0]), np.float32)
    cv2.rectangle(strength, (1, 1), (PLATE_PX[0] - 2, PLATE_PX[1] - 2), 1.0, 1)
    for index, letter in enumerate(text):
        left = BORDER_PX + index * CELL_PX[0]
        glyph = _glyph(letter, font)
        strength[10 : 10 + glyph.shape[0], left + 3 : left + 3 + glyph.shape[1]] = glyph
    mixed = ground + strength[:, :, np.newaxis] * (ink - ground)
    return np.asarray(mixed.clip(0, 255), np.uint8)


@lru_cache(maxsize=256)
def _glyph(letter: str, font: int) -> npt.NDArray[np.float32]:
    """How far ink covers each pixel of the place of a letter, (32, 26), 0..1."""
    large = np.zeros((96, 96), np.uint8)
    if font < len(_HERSHEY):
        cv2.putText(large, letter, (10, 80), _HERSHEY[font], 2.6, 255, 8, cv2.LINE_AA)
    else:
        picture = Image.fromarray(large)
        ImageDraw.Draw(picture).text((16, 0), letter, fill=255, font=ImageFont.load_default(80))
        large = np.asarray(picture, np.uint8)
    rows, columns = np.flatnonzero(large.any(axis=1)), np.flatnonzero(large.any(axis=0))
    tight = large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = min(26, max(6, round(32 * tight.shape[1] / tight.shape[0])))
    glyph = np.zeros((32, 26), np.float32)
    left = (26 - width) // 2
    glyph[:, left : left + width] = cv2.resize(tight, (width, 32), interpolation=cv2.INTER_AREA) / 255
    return glyph


def _background(random: np.random.Generator) -> Pixels8:
    """Something like paint and shadow: colours that change slowly."""
    coarse = random.integers(0, 256, (4, 7, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, PICTURE_PX, interpolation=cv2.INTER_CUBIC), np.uint8)
