import pytest

from anonymizer.detect.load import load_detectors
from anonymizer.detect.model_detector import ModelDetector
from anonymizer.settings import DetectSettings


@pytest.mark.parametrize("kind", ["face", "text"])
def test_films_are_looked_at_for_weaker_objects_by_the_same_kind_of_detector(kind: str) -> None:
    (detector,) = load_detectors(DetectSettings(kind).with_thresholds({kind: 0.8}))
    assert isinstance(detector, ModelDetector)
    in_films = detector.for_films(0.5)
    assert type(in_films) is type(detector)
    assert in_films.kinds == {kind}
    assert in_films.thresholds == {kind: 0.4}
    assert detector.thresholds == {kind: 0.8}
