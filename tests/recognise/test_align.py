import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.recognise.align import SIDE, TEMPLATE, align, misfit, similarity

angles = st.floats(-math.pi, math.pi)
scales = st.floats(0.2, 8)
shifts = st.floats(-500, 500)


@given(angle=angles, scale=scales, x=shifts, y=shifts)
def test_similarity_undoes_turning_scaling_and_moving(angle: float, scale: float, x: float, y: float) -> None:
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    placed = TEMPLATE @ turn.T + (x, y)
    matrix = similarity(placed, TEMPLATE)
    np.testing.assert_allclose(placed @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-6)
    assert misfit(placed) < 1e-6


def test_landmarks_of_a_face_that_looks_aside_do_not_fit() -> None:
    aside = TEMPLATE.copy()
    aside[:, 0] *= 0.4
    assert misfit(aside) > 0.2


def test_an_aligned_face_has_its_landmarks_at_the_template() -> None:
    rgb = np.zeros((400, 300, 3), np.uint8)
    landmarks = TEMPLATE * 2 + (30, 60)
    for x, y in landmarks.round().astype(int):
        rgb[y - 4 : y + 5, x - 4 : x + 5] = 255
    aligned = align(rgb, landmarks)
    assert aligned.shape == (SIDE, SIDE, 3)
    assert all(aligned[y, x].min() > 200 for x, y in TEMPLATE.round().astype(int))
    assert aligned.mean() < 30
