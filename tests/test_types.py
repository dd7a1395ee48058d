"""The plain values that the stages hand on."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import face

from anonymizer.geometry import Box
from anonymizer.outlines import StrokeOutline
from anonymizer.types import Detection, Job, Progress


def test_what_is_hidden_covers_the_weaker_detections_too() -> None:
    found = face(1, 2, 3, 4)
    assert found.redaction_box == found.box
    assert replace(found, extent=Box(0, 2, 3, 5)).redaction_box == Box(0, 2, 3, 5)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="kind 'cat' is not one of face, plate"):
        Detection(Box(0, 0, 1, 1), 0.5, "cat")


def test_the_box_of_an_outline_is_that_of_the_detection() -> None:
    found = Detection.of(StrokeOutline(((2, 3), (8, 3)), 2), "face")
    assert (found.box, found.redaction_box, found.score) == (Box(1, 2, 9, 4), Box(1, 2, 9, 4), 1)
    with pytest.raises(ValueError, match="has the outline's box, and no extent"):
        replace(found, box=Box(1, 2, 9, 5))
    with pytest.raises(ValueError, match="has the outline's box, and no extent"):
        replace(found, extent=Box(0, 0, 9, 9))


def test_jobs_are_named_with_forward_slashes() -> None:
    path = Path("sub") / "a.png"
    assert Job(path, path, path.with_suffix(".json")).name == "sub/a.png"


def test_progress_is_a_text_that_keeps_its_share_on_the_way_to_another_process() -> None:
    sent = pickle.loads(pickle.dumps(Progress("frame 3 of 4", 0.75)))
    assert (sent, sent.share) == ("frame 3 of 4", 0.75)
    assert Progress("frame 3").share is None
