"""The detection JSON is read back as it was written."""

from dataclasses import replace

import pytest
from fakes import face, plate
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.geometry import Box
from anonymizer.record.detections import from_json, to_json

SIDES = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(SIDES, SIDES, SIDES, SIDES, st.floats(0, 1)), max_size=5))
def test_round_trip(entries: list[tuple[float, float, float, float, float]]) -> None:
    found = [face(min(a, b), min(c, d), max(a, b), max(c, d), score) for a, b, c, d, score in entries]
    found += [plate(1, 2, 3, 4), replace(plate(1, 2, 3, 4), extent=Box(0, 2, 3, 5))]
    assert from_json(to_json([found])) == {0: found}
    assert from_json(to_json([[], found, found])) == {1: found, 2: found}


def test_frames() -> None:
    entry = '{"kind": "face", "x_min": 0, "y_min": 0, "x_max": 1, "y_max": 1, "score": 1'
    found = from_json(f'[{entry}, "frame": 2}}, {entry}}}]'.encode())
    assert found == {2: [face(0, 0, 1, 1, 1)], 0: [face(0, 0, 1, 1, 1)]}
    assert from_json(b"[]") == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"[1]",
        b'[{"kind": "face"}]',
        b'[{"kind": "cat", "x_min": 0, "y_min": 0, "x_max": 1, "y_max": 1, "score": 1}]',
        b'[{"kind": "face", "x_min": 2, "y_min": 0, "x_max": 1, "y_max": 1, "score": 1}]',
        b'[{"kind": "face", "x_min": NaN, "y_min": 0, "x_max": 1, "y_max": 1, "score": 1}]',
        b'[{"kind": "face", "x_min": null, "y_min": 0, "x_max": 1, "y_max": 1, "score": 1}]',
        b'[{"kind": ["face"], "x_min": 0, "y_min": 0, "x_max": 1, "y_max": 1, "score": 1}]',
    ],
)
def test_damaged(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(content)
