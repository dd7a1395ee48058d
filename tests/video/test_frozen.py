import numpy as np
from fakes import face, noise, plate

from anonymizer.redact.cells import LEVELS
from anonymizer.settings import RedactSettings
from anonymizer.video.frozen import freeze

ONE_CELL = RedactSettings(cells=1)


def test_the_brightness_of_each_object_in_the_order_of_the_detections() -> None:
    pixels = np.full((64, 96, 3), 255, np.uint8)
    pixels[:, :48] = 0
    dark, bright = face(5, 20, 15, 30), face(70, 20, 80, 30)
    assert [values.tolist() for values in freeze(pixels, [bright, dark], ONE_CELL) if values is not None] == [
        [[LEVELS - 1]],
        [[0]],
    ]


def test_as_many_cells_as_asked_for() -> None:
    found = [face(5, 20, 45, 60), plate(50, 10, 90, 20)]
    of_face, of_plate = freeze(noise(64, 96), found, RedactSettings(cells=3))
    assert of_face is not None
    assert of_plate is not None
    assert max(of_face.shape) == 3
    assert of_plate.shape == (1, 1)


def test_methods_that_show_nothing_have_no_values() -> None:
    found = [face(5, 20, 45, 60), plate(50, 10, 90, 20)]
    of_face, of_plate = freeze(noise(64, 96), found, RedactSettings(cells=1, face_method="solid"))
    assert of_face is None
    assert of_plate is not None
    assert freeze(noise(64, 96), found, RedactSettings(method="none")) == [None, None]


def test_without_cells_the_tone_is_that_of_the_surroundings() -> None:
    for ground, tone in ((20, 0), (128, 1), (240, 2)):
        pixels = np.full((64, 96, 3), ground, np.uint8)
        pixels[25:35, 10:20] = 255 - ground
        (levels,) = freeze(pixels, [face(10, 25, 20, 35)], RedactSettings())
        assert levels is not None
        assert levels.tolist() == [[tone]]


def test_a_frame_without_objects() -> None:
    assert freeze(noise(64, 96), [], ONE_CELL) == []


def test_what_is_hidden_for_others_is_not_read() -> None:
    pixels = np.zeros((64, 96, 3), np.uint8)
    small, large = face(30, 30, 36, 36), face(10, 10, 60, 60)
    before = freeze(pixels, [small, large], RedactSettings(cells=1, face_shape="box"))
    pixels[25:41, 25:41] = 255
    after = freeze(pixels, [small, plate(24, 24, 42, 42), large], RedactSettings(cells=1, plate_method="solid"))
    assert before[1] is not None
    assert after[2] is not None
    assert after[2].tolist() == before[1].tolist()
