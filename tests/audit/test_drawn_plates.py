import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.audit.drawn_plates import LENGTH, LETTERS, PICTURE_PX, PLATE_PX, draw_plate, draw_plates
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import RedactSettings


def test_the_same_seed_draws_the_same_plates() -> None:
    first, again = list(draw_plates(3, 7)), list(draw_plates(3, 7))
    assert [plate.text for plate in first] == [plate.text for plate in again]
    np.testing.assert_array_equal(first[2].scene.pixels, again[2].scene.pixels)
    assert len({plate.text for plate in first}) == 3


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_a_plate_lies_in_its_picture_and_is_found_nearly_there(seed: int) -> None:
    plate = draw_plate(np.random.default_rng(seed))
    assert len(plate.text) == LENGTH
    assert set(plate.text) <= set(LETTERS)
    box, (found,) = plate.scene.box, plate.scene.found
    assert min(box.x_min, box.y_min) > 0
    assert (box.x_max, box.y_max) < PICTURE_PX
    assert found.kind == "plate"
    assert found.box.iou(box) > 0.8


def test_the_attacker_cuts_out_what_was_drawn() -> None:
    plate = draw_plate(np.random.default_rng(1))
    clear = plate.cut_out(plate.scene.pixels)
    assert clear.shape == (PLATE_PX[1], PLATE_PX[0], 3)
    assert clear.mean(axis=2).std() > 20
    redacted = redact_detections(plate.scene.pixels, plate.scene.found, RedactSettings(method="solid"))
    hidden = plate.cut_out(np.asarray(redacted, np.uint8))
    assert hidden.mean(axis=2).std() == pytest.approx(0, abs=3)
