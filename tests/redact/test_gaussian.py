import numpy as np
from fakes import face
from redact.strategies import bare, redacted

from anonymizer.redact.cells import TONES


def test_one_cell_is_painted_in_the_color_around_with_a_smooth_transition() -> None:
    pixels = np.full((60, 60, 3), (0, 60, 0), np.uint8)
    pixels[20:40, 20:40] = (255, 200, 255)
    colors = redacted(pixels, [face(20, 20, 40, 40)], bare("gaussian", cells=1))[20:40, 20:40].astype(int)
    assert (colors[:, :, 1] - colors[:, :, 0] > 15).all()
    assert (colors[:, :, 0] == colors[:, :, 2]).all()
    assert (np.diff(colors[:11, 10, 1]) >= 0).all()
    assert colors[0, 10, 1] + 30 < colors[10, 10, 1]


def test_without_cells_the_tone_is_that_of_the_surroundings_with_narrow_transitions() -> None:
    shown = []
    for ground in (0, 128, 255):
        pixels = np.full((240, 240, 3), ground, np.uint8)
        pixels[80:160, 80:160] = 255 - ground
        shown.append(redacted(pixels, [face(80, 80, 160, 160)], bare("gaussian"))[80:160, 80:160].astype(int))
    for colors, tone in zip(shown, TONES, strict=True):
        assert np.abs(colors[16:-16, 16:-16] - [*bytes.fromhex(tone[1:])]).max() <= 1
        assert (colors[40] == colors[40, 40]).all(axis=1).mean() > 0.6
    assert (shown[0][0] < shown[0][40]).all()
    assert (shown[2][0] > shown[2][40]).all()
