from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer.audit.consumers import Classifier, ObjectDetector
from anonymizer.audit.labels import Label, Labelled
from anonymizer.audit.precision import Objects
from anonymizer.audit.redactions import redaction
from anonymizer.audit.utility import Kept, Utility, listed_pictures, measure_utility
from anonymizer.files.picture import Picture
from anonymizer.geometry import Box
from anonymizer.types import Detection, FrameDetections, Job, Pixels8

FACE = Box(y_min=20, x_min=20, y_max=50, x_max=44)
PERSON, CAR = (16.0, 16.0, 60.0, 110.0), (80.0, 60.0, 150.0, 110.0)


class OneFace:
    kinds = frozenset({"face"})

    def find(self, picture: Picture, job: Job | None = None) -> list[FrameDetections]:
        return [FrameDetections([Detection(FACE, 0.9, "face")])]


class PersonAndCar(ObjectDetector):
    """Finds a person only where the middle of the face is white, and always a car."""

    def __init__(self) -> None:
        pass

    def find(self, pixels: Pixels8) -> Objects:
        score = 0.9 if pixels[35, 32].min() > 250 else 0.2
        return Objects(["person", "car"], np.array([PERSON, CAR]), np.array([score, 0.8]))


def put(folder: Path) -> Pixels8:
    pixels = np.random.default_rng(0).integers(0, 100, (120, 160, 3), np.uint8)
    pixels[22:48, 22:42] = 255
    cv2.imwrite(str(folder / "a.png"), pixels)
    return pixels


def measure(folder: Path, consumer: ObjectDetector | Classifier | None, labelled: bool = False) -> list[Utility]:
    labels = [Label("person", Box(*PERSON)), Label("tree", Box(*CAR))] if labelled else []
    rows = [redaction("none"), redaction("solid")]
    return measure_utility(folder, [Labelled("a.png", labels)], rows, OneFace(), consumer)


def test_what_is_hidden_and_nothing_else_has_changed(tmp_path: Path) -> None:
    put(tmp_path)
    none, solid = measure(tmp_path, None)
    assert none.hidden == 0
    assert none.colours == pytest.approx(1)
    assert none.detected is None
    assert none.classified is None
    assert 0.03 < solid.hidden == solid.most_hidden < 0.2
    assert (solid.changed_outside, solid.largest_outside, solid.unchanged_outside) == (0, 0, 1)
    assert solid.edges_outside == 1
    assert solid.worst[0][0] == "a.png"
    assert solid.to_json()["redaction"] == "solid"


def test_objects_that_a_detector_loses_are_told(tmp_path: Path) -> None:
    put(tmp_path)
    none, solid = (row.detected for row in measure(tmp_path, PersonAndCar(), labelled=True))
    assert none is not None
    assert solid is not None
    assert none.kept == Kept(2, 2, 0, 0)
    assert none.to_itself is not None
    assert none.to_itself.mean == 1
    assert solid.kept == Kept(2, 1, 1, 0)
    assert solid.kept_of_name == {"person": Kept(1, 0, 1, 0), "car": Kept(1, 1, 0, 0)}
    # By labels only people count: nobody labelled the car, and the detector knows no trees.
    assert solid.before is not None
    assert solid.before.at_half == 1


def test_pictures_that_a_classifier_takes_for_something_else(tmp_path: Path) -> None:
    put(tmp_path)
    is_bright = Classifier(lambda given: np.array([[given.max(), 0.5]]), np.dtype(np.float32), (120, 160))
    none, solid = (row.classified for row in measure(tmp_path, is_bright))
    assert none is not None
    assert solid is not None
    assert (none.same_class, solid.same_class, solid.among_five) == (1, 0, 1)


def test_pictures_without_labels_are_listed(tmp_path: Path) -> None:
    put(tmp_path)
    assert [one.name for one in listed_pictures(tmp_path)] == ["a.png"]


def test_the_output_of_another_program_is_judged_by_what_changed(tmp_path: Path) -> None:
    pixels = put(tmp_path)
    (tmp_path / "out").mkdir()
    pixels[20:50, 20:44] = 0
    pixels[110, 150] += 1
    cv2.imwrite(str(tmp_path / "out" / "a.png"), pixels)
    rows = [redaction(f"folder:{tmp_path / 'out'}")]
    (result,) = measure_utility(tmp_path, [Labelled("a.png", [])], rows, OneFace())
    assert result.largest_outside == 1
    assert result.unchanged_outside == 0
    assert result.hidden == pytest.approx(30 * 24 / (120 * 160), rel=0.1)
