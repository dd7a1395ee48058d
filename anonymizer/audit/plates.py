"""Which plate is it? A reader of text tries to read what is hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from anonymizer.audit.faces import Face
from anonymizer.audit.labels import Label, Labelled
from anonymizer.audit.pictures import found_in, read_pixels
from anonymizer.audit.redactions import Redaction
from anonymizer.errors import SettingsError
from anonymizer.pipeline import Finder
from anonymizer.recognise.align import Landmarks
from anonymizer.types import Pixels8

READ_PX = 96
"""Height to which plates are scaled for the reader, which sees the plate and as much around it on every side."""
FOUND_IOU = 0.3
_NO_LANDMARKS: Landmarks = np.zeros((5, 2))


class Reader(Protocol):
    """Reads text."""

    def read(self, pixels: Pixels8) -> list[str]:
        """The lines of text in a picture, uint8 (H, W, 3): their letters and digits alone, in capitals."""


class RapidReader:
    """RapidOCR, see https://github.com/RapidAI/RapidOCR."""

    def __init__(self) -> None:
        """
        Raises:
            SettingsError: it is not installed.
        """
        try:
            from rapidocr_onnxruntime import RapidOCR
        except ImportError:
            raise SettingsError("plates need a reader of text: pip install 'anonymizer[audit]'") from None
        self._engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def read(self, pixels: Pixels8) -> list[str]:
        found, _ = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))
        return [letters_of(str(line[1])) for line in found or []]


@dataclass(frozen=True)
class Reading:
    """What the reader makes of the plates whose text is known."""

    redaction: str
    plates: int
    missed: int
    """Plates that the program had not found, so that it hid nothing of them."""
    read: int
    """Plates that were found and whose whole text is read all the same."""
    missed_and_read: int

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def read_plates(
    folder: Path,
    pictures: Sequence[Labelled],
    redactions: Sequence[Redaction],
    finder: Finder,
    reader: Reader,
    on_picture: Callable[[], None] = lambda: None,
) -> list[Reading]:
    """
    Raises:
        SettingsError: a picture cannot be read, or no label says what is written on a plate.
    """
    readings = {row.name: Reading(row.name, 0, 0, 0, 0) for row in redactions}
    for picture in pictures:
        plates = [label for label in picture.labels if label.kind == "plate" and label.text]
        if not plates:
            continue
        on_picture()
        pixels = read_pixels(folder, picture.name)
        found = found_in(pixels, finder)
        # A redaction takes a picture and what was found in it; nobody asks for the landmarks of a plate.
        shown = Face(picture.name, "", pixels, found, plates[0].box, _NO_LANDMARKS)
        is_found = [any(one.box.iou(plate.box) >= FOUND_IOU for one in found) for plate in plates]
        for row in redactions:
            redacted = row.redact(shown)
            is_read = [_is_read(redacted, plate, reader) for plate in plates]
            before = readings[row.name]
            pairs = list(zip(is_found, is_read, strict=True))
            readings[row.name] = replace(
                before,
                plates=before.plates + len(plates),
                missed=before.missed + is_found.count(False),
                read=before.read + pairs.count((True, True)),
                missed_and_read=before.missed_and_read + pairs.count((False, True)),
            )
    if not any(reading.plates for reading in readings.values()):
        raise SettingsError(f"{folder}: no label says what is written on a plate")
    return list(readings.values())


def letters_of(text: str) -> str:
    """Its letters and digits alone, in capitals."""
    return "".join(char for char in text.upper() if char.isalnum())


def _is_read(pixels: Pixels8, plate: Label, reader: Reader) -> bool:
    box, height = plate.box, plate.box.height
    rows = slice(max(0, int(box.y_min - height)), int(box.y_max + height))
    columns = slice(max(0, int(box.x_min - height)), int(box.x_max + height))
    crop, factor = pixels[rows, columns], READ_PX / height
    size = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    scaled = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA)
    wanted, lines = letters_of(plate.text or ""), reader.read(np.asarray(scaled, np.uint8))
    return any(wanted in line for line in lines) or wanted in "".join(lines)
