"""Reads the words in a part of a picture. What it reads exists in memory only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from anonymizer.detect.catalogue import BUNDLED
from anonymizer.detect.small_model import SmallModel
from anonymizer.detect.stderr import suppress_native_stderr
from anonymizer.errors import ModelError
from anonymizer.geometry import Box, Point, corners_of
from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection, Pixels8

HEIGHT_PX = 48
"""Of what the model sees."""
WIDTH_STEP_PX = 160
"""The width of what it sees is a multiple of this, so that it is prepared for few sizes."""
MAX_WIDTH_PX = 1600
"""Longer lines are in doubt."""
LEAST_HEIGHT_PX = 10.0
"""Of a text in the picture. Smaller ones are in doubt."""
LEAST_SCORE = 0.9
"""Of the letter that the model is least sure of; others are in doubt."""
TALL = 1.5
"""A text so many times as high as wide may run from top to bottom: it is read from both sides."""
DESCRIPTION = "reader.yaml"

Scores = npt.NDArray[np.float32]
"""(T, C): of each of T steps along a text the probability of each character; the first one stands for none."""


@dataclass(frozen=True)
class Reading:
    """What can be said of one text."""

    texts: tuple[str, ...] = ()
    """What it may say, the likeliest first: read upright, and upside down."""
    score: float = 0.0
    """How sure that is, 0..1."""
    doubt: str | None = None
    """Why it cannot be said for sure."""


class TextModel:
    """A recogniser of text lines, run by LiteRT."""

    def __init__(self, path: Path, characters: Sequence[str]) -> None:
        """
        Args:
            characters: those of the model's classes from the second on; the first stands for none.

        Raises:
            ModelError: the file is missing, damaged or has other characters.
        """
        self._call = SmallModel(path)
        self._characters = ["", *characters]
        if self._call.answer_length != len(self._characters):
            raise ModelError(f"model {path} does not fit its characters")

    def read(self, line: Pixels8) -> tuple[str, float]:
        """The text of a line, uint8 (48, W, 3), RGB, W a multiple of WIDTH_STEP_PX; and how sure its least sure
        character is, 0..1: 0 where there is none.
        """
        return to_text(self._call(line), self._characters)


def to_text(scores: Scores, characters: Sequence[str]) -> tuple[str, float]:
    """The likeliest text, without repetitions and blanks (Graves et al. 2006), and the score of its least sure letter.

    Spaces are often in doubt, and do not count: texts are also compared without them.
    """
    best = scores.argmax(axis=1).tolist()
    text, sure = "", [1.0]
    for step, (index, before) in enumerate(zip(best, [0, *best], strict=False)):
        if index and index != before:
            text += characters[index]
            sure.append(0.0)
        if index:  # a letter may last for several steps, of which the surest counts
            is_space = characters[index] == " "
            sure[-1] = 1.0 if is_space else max(sure[-1], float(scores[step, index]))
    return text.strip(), min(sure) if text.strip() else 0.0


class TextReader:
    """Reads what a detection of text surrounds."""

    def __init__(self, model: TextModel) -> None:
        self._model = model

    def read_detection(self, rgb: Pixels8, found: Detection) -> Reading:
        """Of a picture, uint8 (H, W, 3)."""
        outline = found.outline
        is_quad = isinstance(outline, PolygonOutline) and len(outline.corners) == 4
        corners = outline.corners if is_quad and isinstance(outline, PolygonOutline) else None
        return self.read_quad(rgb, corners or corners_of(found.redaction_box))

    def read(self, rgb: Pixels8, box: Box) -> Reading:
        """The same of a box, in which a turned text is in doubt."""
        return self.read_quad(rgb, corners_of(box))

    def read_quad(self, rgb: Pixels8, corners: Sequence[Point]) -> Reading:
        """Of a rectangle, which may be turned."""
        quad = upright_quad(corners)
        width = float(np.linalg.norm(quad[1] - quad[0]))
        height = float(np.linalg.norm(quad[3] - quad[0]))
        if min(width, height) < LEAST_HEIGHT_PX:
            return Reading(doubt=f"is smaller than {LEAST_HEIGHT_PX:g} pixels")
        # The first turn reads upright, or from bottom to top.
        turns = (1, 3) if height >= TALL * width else (0, 2)
        lines = [line_of(rgb, np.roll(quad, turn, axis=0)) for turn in turns]
        if any(line is None for line in lines):
            return Reading(doubt="is too long")
        read = sorted((self._model.read(line) for line in lines if line is not None), key=lambda one: -one[1])
        texts = tuple(dict.fromkeys(text for text, _ in read if text))
        score = read[0][1]
        if not texts:
            return Reading(doubt="cannot be read")
        return Reading(texts, score, None if score >= LEAST_SCORE else "cannot be read for sure")


def upright_quad(corners: Sequence[Point]) -> npt.NDArray[np.float64]:
    """(4, 2): the corners of a rectangle clockwise, of its sides that nearest to level and on top first."""
    quad = np.asarray(corners, np.float64)
    along = quad[1] - quad[0]
    if along[0] * (quad[2] - quad[1])[1] - along[1] * (quad[2] - quad[1])[0] < 0:
        quad = quad[::-1]
    directions = np.roll(quad, -1, axis=0) - quad
    first = int(np.argmax(directions[:, 0] / np.maximum(np.linalg.norm(directions, axis=1), 1e-9)))
    return np.roll(quad, -first, axis=0)


def line_of(rgb: Pixels8, quad: npt.NDArray[np.float64]) -> Pixels8 | None:
    """What lies in a rectangle, uint8 (48, W, 3), with gray behind it; None if that were too long.

    Args:
        quad: (4, 2), corners clockwise from that at the top left of the text.
    """
    width, height = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    width_px = max(1, round(float(width / height) * HEIGHT_PX))
    if width_px > MAX_WIDTH_PX:
        return None
    target = np.array([[0, 0], [width_px, 0], [width_px, HEIGHT_PX]], np.float32)
    # Centres of pixels lie half a pixel from their corners.
    matrix = cv2.getAffineTransform((quad[[0, 1, 2]] - 0.5).astype(np.float32), target - 0.5)
    part, matrix = _near(rgb, quad, np.asarray(matrix, np.float64))
    if height > 2 * HEIGHT_PX:  # the transformation would skip pixels
        sigma = float(height / HEIGHT_PX) / 3
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), sigma), np.uint8)
    line = cv2.warpAffine(part, matrix, (width_px, HEIGHT_PX), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    padding = -width_px % WIDTH_STEP_PX
    return np.asarray(np.pad(line, ((0, 0), (0, padding), (0, 0)), constant_values=_GRAY), np.uint8)


_GRAY = 127
"""What the model was trained to see behind a text: 0 after the normalisation."""


def _near(
    rgb: Pixels8, quad: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64]
) -> tuple[Pixels8, npt.NDArray[np.float64]]:
    """The part of a picture around a rectangle, and the transformation from there."""
    low = np.maximum(np.floor(quad.min(axis=0)) - 2, 0).astype(int)
    high = np.minimum(np.ceil(quad.max(axis=0)) + 2, (rgb.shape[1], rgb.shape[0])).astype(int)
    low, high = np.minimum(low, (rgb.shape[1] - 1, rgb.shape[0] - 1)), np.maximum(high, low + 1)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ low
    return np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]]), moved


@dataclass(frozen=True)
class ReaderDescription:
    """What `reader.yaml` says."""

    name: str
    path: Path
    sha256: str
    characters: tuple[str, ...]
    licence: str
    origin: str


def describe_reader(folder: Path = BUNDLED / "text") -> ReaderDescription:
    """
    Raises:
        ModelError: there is none, it is damaged, or its description is.
    """
    path = folder / DESCRIPTION
    try:
        content: Mapping[str, Any] = yaml.safe_load(path.read_bytes())
        file, characters = folder / content["file"], folder / content["characters"]
        found = hashlib.sha256(file.read_bytes() + characters.read_bytes()).hexdigest()
        if found != content["sha256"]:
            raise ModelError(f"model {file} has SHA-256 {found}, its {path.name} says {content['sha256']}: damaged?")
        return ReaderDescription(
            str(content["name"]),
            file,
            found,
            tuple(characters.read_text(encoding="utf-8").split("\n")),
            str(content["licence"]),
            str(content["origin"]),
        )
    except OSError as error:
        raise ModelError(f"model {error.filename}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}") from None


def load_text_reader(folder: Path = BUNDLED / "text") -> TextReader:
    """
    Raises:
        ModelError: the model is missing or damaged.
    """
    described = describe_reader(folder)
    with suppress_native_stderr():
        return TextReader(TextModel(described.path, described.characters))
