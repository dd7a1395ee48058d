from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer.audit.labels import Label, Labelled
from anonymizer.audit.plates import RapidReader, letters_of, read_plates
from anonymizer.audit.redactions import redaction
from anonymizer.errors import SettingsError
from anonymizer.files.picture import Picture
from anonymizer.geometry import Box
from anonymizer.types import Detection, FrameDetections, Job, Pixels8

FOUND = Box(y_min=20, x_min=20, y_max=40, x_max=90)
MISSED = Box(y_min=60, x_min=20, y_max=80, x_max=90)


class OnlyFirst:
    kinds = frozenset({"plate"})

    def find(self, picture: Picture, job: Job | None = None) -> list[FrameDetections]:
        return [FrameDetections([Detection(FOUND, 0.9, "plate")])]


class WhiteReader:
    """Reads "AB1" where the middle of what it is shown is white."""

    def read(self, pixels: Pixels8) -> list[str]:
        middle = pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]
        return ["A", "B1"] if middle.min() > 250 else ["nothing"]


def pictures(folder: Path) -> Sequence[Labelled]:
    pixels = np.zeros((100, 110, 3), np.uint8)
    for box in (FOUND, MISSED):
        pixels[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)] = 255
    cv2.imwrite(str(folder / "a.png"), pixels)
    labels = [Label("plate", FOUND, "ab-1"), Label("plate", MISSED, "AB 1"), Label("face", FOUND)]
    return [Labelled("a.png", labels), Labelled("b.png", [])]


def test_plates_that_were_found_and_missed_are_told_apart(tmp_path: Path) -> None:
    rows = [redaction("none"), redaction("solid")]
    clear, hidden = read_plates(tmp_path, pictures(tmp_path), rows, OnlyFirst(), WhiteReader())
    assert (clear.plates, clear.missed, clear.read, clear.missed_and_read) == (2, 1, 1, 1)
    assert (hidden.plates, hidden.missed, hidden.read, hidden.missed_and_read) == (2, 1, 0, 1)
    assert hidden.to_json()["redaction"] == "solid"


def test_labels_without_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="what is written"):
        read_plates(tmp_path, [Labelled("a.png", [])], [redaction("none")], OnlyFirst(), WhiteReader())


def test_letters_and_digits_count() -> None:
    assert letters_of("ab-1 é·") == "AB1É"


def test_a_missing_reader_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rapidocr_onnxruntime", None)
    with pytest.raises(SettingsError, match=r"anonymizer\[audit\]"):
        RapidReader()
