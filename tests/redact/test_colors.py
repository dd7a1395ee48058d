import numpy as np
import pytest
from fakes import face, noise, noise16, scene_of
from redact.strategies import bare

from anonymizer.redact.colors import brightness, chosen_color
from anonymizer.types import Pixels


def test_brightness_of_colors_and_grays() -> None:
    assert brightness(np.array([[255.0, 0, 0], [0, 255, 0], [0, 0, 255]])) == pytest.approx([76.245, 149.685, 29.07])
    assert brightness(np.array([[12.0], [34]])).tolist() == [12, 34]
    assert brightness(np.array([[0.0, 255, 0, 7], [0, 255, 0, 200]])) == pytest.approx([149.685, 149.685])


@pytest.mark.parametrize(
    ("pixels", "color"), [(noise(9, 9), [0, 255, 0]), (noise16(9, 9), [0, 65535, 0]), (noise(9, 9, 1), [149.685])]
)
def test_the_chosen_color_has_the_range_and_channels_of_the_picture(pixels: Pixels, color: list[float]) -> None:
    scene, (target,) = scene_of(pixels, [face(2, 2, 5, 5)], bare("solid", color="#00ff00"))
    assert chosen_color(scene, target) == pytest.approx(color)
