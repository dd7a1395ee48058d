from pathlib import Path

import numpy as np
import pytest
from audit import drawn
from fakes import FixedDetector

from anonymizer.audit.film import shake
from anonymizer.audit.film_files import look_at, read_frames, redact_film, write_frames
from anonymizer.audit.redactions import redaction
from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels


class CountingDetector(FixedDetector):
    """Finds the drawn face, and as much around it as a shaky camera moves."""

    def __init__(self) -> None:
        super().__init__(Detection(Box(y_min=24, x_min=34, y_max=140, x_max=126), 0.9, "face"))
        self.calls = 0

    def detect(self, picture: Pixels) -> list[Detection]:
        self.calls += 1
        return super().detect(picture)


def knowing() -> ModelFinder:
    return ModelFinder([CountingDetector()], DetectSettings(kinds="face", preset="fast"))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    write_frames(tmp_path / "film.mkv", shake(drawn.face(1), 4, seed=1).shown())
    return tmp_path / "film.mkv"


def test_frames_come_back_nearly_as_they_were(tmp_path: Path) -> None:
    wide = np.full((33, 51, 3), (200, 120, 60), np.uint8)
    write_frames(tmp_path / "film.mkv", [wide, wide])
    first, second = read_frames(tmp_path / "film.mkv")
    assert first.shape == second.shape == (32, 50, 3)
    assert np.abs(first.astype(int) - wide[0, 0]).max() < 8


@pytest.mark.parametrize("name", ["default", "solid", "inpaint", "understand-ai", "deface-mosaic"])
def test_every_frame_of_a_film_is_redacted(film: Path, name: str) -> None:
    finder = knowing()
    output = redact_film(film, redaction(name), drawn.face(1), finder, look_at(film, finder))
    pairs = list(zip(read_frames(film), read_frames(output), strict=True))
    assert len(pairs) == 4
    for before, after in pairs:
        assert np.abs(before.astype(int) - after)[60:100, 65:95].mean() > 8


def test_what_models_found_is_not_looked_for_again(film: Path) -> None:
    finder = knowing()
    (detector,) = finder.detectors
    assert isinstance(detector, CountingDetector)
    known = look_at(film, finder)
    calls = detector.calls
    assert calls
    redact_film(film, redaction("solid"), drawn.face(1), finder, known)
    redact_film(film, redaction("none"), drawn.face(1), finder, known)
    assert detector.calls == calls


def test_a_film_that_cannot_be_redacted_is_named(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_bytes(b"no film")
    with pytest.raises(PictureError, match=r"p1/0\.png as a film: "):
        redact_film(tmp_path / "film.mkv", redaction("solid"), drawn.face(1), knowing(), {})
