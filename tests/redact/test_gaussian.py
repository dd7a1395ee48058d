import numpy as np
from fakes import face
from redact.strategies import bare, redacted


def test_one_cell_is_painted_in_the_color_around_with_a_smooth_transition() -> None:
    pixels = np.full((60, 60, 3), (0, 60, 0), np.uint8)
    pixels[20:40, 20:40] = (255, 200, 255)
    colors = redacted(pixels, [face(20, 20, 40, 40)], bare("gaussian"))[20:40, 20:40].astype(int)
    assert (colors[:, :, 1] - colors[:, :, 0] > 15).all()
    assert (colors[:, :, 0] == colors[:, :, 2]).all()
    assert (np.diff(colors[:11, 10, 1]) >= 0).all()
    assert colors[0, 10, 1] + 30 < colors[10, 10, 1]
