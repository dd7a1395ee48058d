"""Making one training example: a worn crop around a head, and what the network shall answer."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator

from weights.data.labels import BACKGROUND, BODY, FACE, HEAD, IGNORED
from weights.plate.augment import wear

from .data import Row

CONTEXT = 2.6
"""Side of a crop as a multiple of the longer side of the face in its middle, before it is varied."""
OUTSIDE = 127
"""Level of pixels that lie outside of the picture."""


def example(
    rng: Generator, row: Row, others: Sequence[Row], scenes: Sequence[np.ndarray], size: int, channels: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """A crop, uint8 (S, S, C), and its answer, float32 (S, S, 2): whether a pixel is of the head; weight of its loss.

    Args:
        others: of whom one may stand beside the head.
        scenes: pictures that heads are pasted on, uint8 RGB, at least as large as a crop; there may be none.
    """
    matrix = _matrix(rng, row, size)
    pixels, mask = _seen(row, matrix, size)
    if scenes and rng.random() < 0.5 and (mask == BACKGROUND).any():
        ground = _ground(rng, others, scenes, size)
        person = np.isin(mask, (HEAD, FACE, BODY)).astype(np.float32)
        share = cv2.GaussianBlur(person, (0, 0), float(rng.uniform(0.4, 1.4)))[:, :, np.newaxis]
        pixels = np.rint(pixels * share + ground * (1 - share)).astype(np.uint8)
        mask = np.where(mask == IGNORED, np.where(share[:, :, 0] > 0.5, mask, BACKGROUND), mask)
    if rng.random() < 0.2:
        _cut(rng, pixels, mask)
    pixels = _coarsen(rng, wear(rng, pixels))
    if channels == 1 or rng.random() < 0.06:
        gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, np.newaxis]
        pixels = gray if channels == 1 else np.repeat(gray, 3, axis=2)
    answer = np.stack([np.isin(mask, (HEAD, FACE)), mask != IGNORED], axis=-1)
    return pixels, answer.astype(np.float32)


def _matrix(rng: Generator, row: Row, size: int) -> np.ndarray:
    """Maps pixels of the picture to the crop: scale, squeeze, turn, mirror, shift. float64 (2, 3)."""
    sides = row.box[2:] - row.box[:2]
    scale = size / (CONTEXT * float(sides.max())) * np.exp(rng.uniform(-0.3, 0.3))
    squeeze = np.exp(rng.normal(0, 0.05))
    angle = rng.normal(0, 0.25)
    if rng.random() < 0.08:
        angle = rng.uniform(-np.pi, np.pi)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([mirror * scale * squeeze, scale / squeeze])
    middle = (row.box[:2] + row.box[2:]) / 2
    shift = size / 2 + rng.normal(0, 0.04 * size, 2) - linear @ middle
    return np.column_stack([linear, shift])


def _seen(row: Row, matrix: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The crop and its mask; what is outside of the picture is not known."""
    fill = (OUTSIDE,) * 3
    pixels = cv2.warpAffine(row.pixels, matrix, (size, size), flags=cv2.INTER_AREA, borderValue=fill)
    mask = cv2.warpAffine(row.mask, matrix, (size, size), flags=cv2.INTER_NEAREST, borderValue=(IGNORED,))
    return np.asarray(pixels), np.asarray(mask)


def _ground(rng: Generator, others: Sequence[Row], scenes: Sequence[np.ndarray], size: int) -> np.ndarray:
    """What is behind a head: a part of a scene, and sometimes another person beside, uint8 (S, S, 3)."""
    scene = scenes[int(rng.integers(len(scenes)))]
    top, left = (int(rng.integers(side - size + 1)) for side in scene.shape[:2])
    ground = scene[top : top + size, left : left + size]
    if rng.random() < 0.35:
        other = others[int(rng.integers(len(others)))]
        matrix = _matrix(rng, other, size)
        matrix[0, 2] += (1 if rng.random() < 0.5 else -1) * rng.uniform(0.4, 0.7) * size
        matrix[1, 2] += rng.normal(0, 0.15) * size
        pixels, mask = _seen(other, matrix, size)
        person = np.isin(mask, (HEAD, FACE, BODY))[:, :, np.newaxis]
        ground = np.where(person, pixels, ground)
    return np.asarray(ground)


def _cut(rng: Generator, pixels: np.ndarray, mask: np.ndarray) -> None:
    """Takes a strip away at one side, as where a picture ends."""
    size = mask.shape[0]
    reach = int(rng.uniform(0.05, 0.45) * size)
    strip = slice(0, reach) if rng.random() < 0.5 else slice(size - reach, size)
    is_side = rng.random() < 0.5
    for plane, value in ((pixels, OUTSIDE), (mask, IGNORED)):
        (plane.swapaxes(0, 1) if is_side else plane)[strip] = value


def _coarsen(rng: Generator, pixels: np.ndarray) -> np.ndarray:
    """The crop as of a small face that was enlarged, in one of three."""
    if rng.random() > 0.35:
        return pixels
    size, small = pixels.shape[0], int(np.exp(rng.uniform(np.log(24), np.log(pixels.shape[0]))))
    shrunk = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR))
