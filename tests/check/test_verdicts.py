"""What a detection in a picture that is to be published means, in the light of its record."""

from collections.abc import Sequence

import numpy as np
import pytest
from fakes import face, noise, plate

from anonymizer.check.thresholds import Thresholds
from anonymizer.check.verdicts import CONTEXT_PX, compare_with_record, judge
from anonymizer.outlines import PolygonOutline
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import RedactSettings, Settings
from anonymizer.types import Detection, Pixels

THRESHOLDS = Thresholds(
    reported={"face": 0.1, "plate": 0.25, "text": 0.4},
    run={"face": 0.2, "plate": 0.5, "text": 0.7},
    sure={"face": 0.52, "plate": 0.7, "text": 0.8},
)
RECORDED = face(20, 20, 60, 60)


def levels(pixels: Pixels, recorded: Sequence[Detection] | None, *found: Detection) -> list[str]:
    redacted = compare_with_record(pixels, recorded, Settings())
    return [finding.level for finding in judge("a.png", found, redacted, THRESHOLDS)]


@pytest.fixture
def picture() -> Pixels:
    """Redacted where RECORDED is."""
    return redact_detections(noise(100, 1000), [RECORDED], RedactSettings())


def test_without_a_record_everything_counts(picture: Pixels) -> None:
    assert levels(picture, None, face(20, 20, 60, 60, 0.1), plate(70, 70, 90, 80, 0.3)) == ["finding", "finding"]


def test_what_is_seen_again_is_noted(picture: Pixels) -> None:
    assert levels(picture, [RECORDED], face(20, 20, 60, 60, 0.9), face(12, 20, 55, 60, 0.9)) == ["noted", "noted"]
    assert levels(picture, [RECORDED], plate(25, 35, 55, 45, 0.9)) == ["noted"]


def test_a_sure_face_elsewhere_counts(picture: Pixels) -> None:
    assert levels(picture, [RECORDED], face(100, 20, 140, 60, 0.53)) == ["finding"]
    assert levels(picture, [RECORDED], face(45, 20, 125, 90, 0.53)) == ["finding"]  # partly redacted


def test_weak_ones_are_warnings_near_redacted_areas(picture: Pixels) -> None:
    assert levels(picture, [RECORDED], face(100, 20, 140, 60, 0.5), plate(70, 70, 90, 80, 0.6)) == ["warning"] * 2


def test_weak_ones_count_where_redaction_cannot_have_changed_what_the_models_see(picture: Pixels) -> None:
    far = 90 + CONTEXT_PX
    assert levels(picture, [RECORDED], face(far, 20, far + 40, 60, 0.3)) == ["finding"]
    assert levels(picture, [RECORDED], face(far, 20, far + 40, 60, 0.19)) == ["warning"]
    assert levels(noise(100, 100), [], face(10, 10, 40, 40, 0.2)) == ["finding"]
    assert levels(noise(100, 100), [], face(10, 10, 40, 40, 0.19)) == ["warning"]


def test_a_record_is_not_taken_at_its_word() -> None:
    """The picture was not redacted where the record says so."""
    pixels = noise(100, 1000)
    redacted = compare_with_record(pixels, [RECORDED], Settings())
    assert not redacted.mask.any()
    assert redacted.broken == [RECORDED]
    (finding,) = judge("a.png", [face(20, 20, 60, 60, 0.1)], redacted, THRESHOLDS)
    assert (finding.level, finding.text) == ("finding", "recorded as redacted, but the pixels show detail")


def test_one_wrong_box_does_not_spoil_the_others(picture: Pixels) -> None:
    wrong = face(200, 20, 240, 60)
    assert levels(picture, [RECORDED, wrong], face(20, 20, 60, 60), face(205, 25, 240, 60, 0.1)) == ["noted", "finding"]


def test_boxes_outside_the_picture_are_no_matter(picture: Pixels) -> None:
    outside = face(5000, 5000, 5040, 5040)
    assert levels(picture, [RECORDED, outside], face(20, 20, 60, 60)) == ["noted"]


def test_sixteen_bits() -> None:
    pixels = noise(100, 100).astype(np.uint16) * 257
    redacted = redact_detections(pixels, [RECORDED], RedactSettings())
    assert levels(redacted, [RECORDED], face(20, 20, 60, 60)) == ["noted"]
    assert levels(pixels, [RECORDED], face(20, 20, 60, 60)) == ["finding"]


def turned(center: tuple[float, float], length: float, thickness: float, score: float = 0.9) -> Detection:
    """A text that lies aslant."""
    along = np.array([0.8, 0.6])
    across = np.array([-0.6, 0.8]) * thickness / 2
    ends = np.array(center) + np.array([[-1], [1]]) * along * length / 2
    corners = [*(ends[0] - across, ends[1] - across), *(ends[1] + across, ends[0] + across)]
    return Detection.of(PolygonOutline(tuple((float(x), float(y)) for x, y in corners)), "text", score)


def test_text_that_is_seen_again_around_hidden_text_is_noted() -> None:
    """A hidden line looks like a line to the model, which draws its outline wide around it."""
    recorded = turned((100, 100), 120, 24)
    redacted = redact_detections(noise(200, 200), [recorded], RedactSettings())
    assert levels(redacted, [recorded], turned((100, 100), 190, 80)) == ["noted"]
    longer, beside = turned((120, 115), 300, 40), turned((60, 150), 80, 20)
    assert levels(redacted, [recorded], longer, beside) == ["warning", "warning"]
    assert levels(redacted, [], longer, beside) == ["finding", "finding"]
    far = redact_detections(noise(200, 600), [recorded], RedactSettings())
    assert levels(far, [recorded], turned((500, 100), 80, 20)) == ["finding"]
