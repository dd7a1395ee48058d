from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from fakes import FixedDetector, face, noise, plate
from tiny_models import describe, detector_in, picture_with, save_tflite
from video.frames import facts_of

from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import PictureError
from anonymizer.files.picture import Picture
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, FrameDetections, Job, Pixels
from anonymizer.video.finder import frame_finder


def test_models_also_return_what_they_see_weakly(tmp_path: Path) -> None:
    save_tflite(tmp_path / "model.tflite")
    detector = detector_in(describe(tmp_path, "model.tflite"), face_threshold=0.6)
    finder = frame_finder(ModelFinder([detector], DetectSettings()))
    assert finder.thresholds == {"face": 0.6}
    assert len(finder.find(picture_with((20, 40, 60, 80), height=100, width=200))) == 1


def test_other_detectors_are_sure_of_all_that_they_answer() -> None:
    found = [face(5, 5, 20, 20, 0.1), plate(40, 5, 60, 15, 0.2)]
    finder = frame_finder(ModelFinder([FixedDetector(*found, kinds=("face", "plate"))], DetectSettings()))
    assert finder.thresholds == {"face": 0, "plate": 0}
    assert finder.find(noise(50, 80)) == found


def test_of_several_models_the_lower_threshold_counts(tmp_path: Path) -> None:
    save_tflite(tmp_path / "model.tflite")
    detector = detector_in(describe(tmp_path, "model.tflite"), face_threshold=0.6)
    assert frame_finder(ModelFinder([detector, FixedDetector()], DetectSettings())).thresholds == {"face": 0}


def test_zones_say_what_counts() -> None:
    settings = DetectSettings(exclude_zone="0,0 0.5,0 0.5,1 0,1")
    finder = frame_finder(ModelFinder([FixedDetector(face(5, 5, 20, 20), face(50, 5, 70, 20))], settings))
    assert finder.find(noise(50, 80)) == [face(50, 5, 70, 20)]
    assert finder.not_counted == 1


class Recorded:
    """Answers without any model."""

    kinds = frozenset(["face"])

    def find(self, picture: Picture, job: Job | None) -> Sequence[FrameDetections]:
        return [FrameDetections([face(5, 5, 20, 20, 0.1)], not_counted=2)]


def test_other_finders_are_asked_about_each_frame_as_a_picture() -> None:
    finder = frame_finder(Recorded())
    assert finder.thresholds == {"face": 0}
    assert finder.find(noise(50, 80)) == [face(5, 5, 20, 20, 0.1)]
    assert finder.not_counted == 2


def test_answers_that_cannot_be_hidden_are_errors() -> None:
    with pytest.raises(PictureError, match="outside its 4 x 3 pixels"):
        frame_finder(Recorded()).find(noise(3, 4))


def test_what_is_known_of_a_frame_is_not_looked_for_again() -> None:
    settings = DetectSettings(exclude_zone="0,0 0.5,0 0.5,1 0,1")
    pixels, other = noise(50, 80, seed=1), noise(50, 80, seed=2)
    one = frame_finder(ModelFinder([FixedDetector(face(5, 5, 20, 20), face(50, 5, 70, 20))], settings))
    another = frame_finder(ModelFinder([FixedDetector()], settings), known=dict([one.note(pixels)]))
    assert one.not_counted == 0
    assert another.find(pixels) == [face(50, 5, 70, 20)]
    assert another.not_counted == 1
    assert another.find(other) == []


def test_models_are_shown_square_pixels_and_their_boxes_mapped_back() -> None:
    facts = replace(facts_of(80, 50), sample_aspect_ratio=Fraction(2))
    shapes: list[tuple[int, ...]] = []

    class Noting(FixedDetector):
        def detect(self, picture: Pixels) -> list[Detection]:
            shapes.append(picture.shape)
            return super().detect(picture)

    finder = frame_finder(
        ModelFinder([Noting(face(100, 10, 140, 50))], DetectSettings(exclude_zone="0,0 45,0 45,50 0,50")), facts
    )
    assert finder.find(noise(50, 80)) == [face(50, 10, 70, 50)]
    assert shapes == [(50, 160, 3)]
    assert finder.not_counted == 0
