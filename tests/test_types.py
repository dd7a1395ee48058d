"""The plain values that the stages hand on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import face

from anonymizer.geometry import Box
from anonymizer.types import Detection, Job


def test_what_is_hidden_covers_the_weaker_detections_too() -> None:
    found = face(1, 2, 3, 4)
    assert found.redaction_box == found.box
    assert replace(found, extent=Box(0, 2, 3, 5)).redaction_box == Box(0, 2, 3, 5)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="kind 'cat' is not one of face, plate"):
        Detection(Box(0, 0, 1, 1), 0.5, "cat")


def test_detections_are_compared_without_their_masks() -> None:
    """Arrays would not say whether they are equal."""
    found = face(0, 0, 2, 2)
    assert replace(found, mask=np.ones((2, 2), bool)) == found
    assert replace(found, track=1) != found


def test_jobs_are_named_with_forward_slashes() -> None:
    path = Path("sub") / "a.png"
    assert Job(path, path, path.with_suffix(".json")).name == "sub/a.png"
