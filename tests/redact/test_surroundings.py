import numpy as np
from fakes import face, noise, scene_of
from redact.strategies import bare

from anonymizer.redact.surroundings import area_around, mean_around


def test_surroundings_reach_a_quarter_of_the_longer_side_and_end_with_the_picture() -> None:
    scene, (target,) = scene_of(noise(100, 60), [face(20, 40, 40, 80)], bare("solid"))
    around = area_around(scene, target)
    assert (around.top, around.left, around.bottom, around.right) == (29, 9, 91, 51)
    scene, (target,) = scene_of(noise(100, 60), [face(0, 70, 60, 100)], bare("solid"))
    around = area_around(scene, target)
    assert (around.top, around.left, around.bottom, around.right) == (54, 0, 100, 60)


def test_what_is_hidden_for_neighbours_does_not_count() -> None:
    pixels = np.full((40, 60, 3), (10, 200, 90), np.uint8)
    pixels[10:30, 30:50] = 255
    scene, targets = scene_of(pixels, [face(10, 10, 30, 30), face(30, 10, 50, 30)], bare("solid"))
    assert [mean_around(scene, target).tolist() for target in targets] == [[10, 200, 90]] * 2


def test_where_nothing_is_visible_the_mean_is_medium_gray() -> None:
    scene, (target,) = scene_of(noise(20, 20), [face(0, 0, 20, 20)], bare("solid"))
    assert mean_around(scene, target).tolist() == [127.5] * 3
