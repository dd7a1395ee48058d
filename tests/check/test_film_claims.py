"""Tests of anonymizer.check.film_claims."""

from math import inf
from typing import Any

import pytest

from anonymizer.check.film_claims import NO_CLAIMS, FilmClaims


def test_what_a_report_says() -> None:
    entry = {
        "film": {"frames_copied": 15, "copied": [[30, 34], [0, 9]]},
        "edits": [{"mute": [1, 2.5]}, {"mute": [None, 1]}, {"mute": [3, None]}, {"add": {}}],
    }
    assert FilmClaims.of(entry) == FilmClaims(((0, 10), (30, 35)), ((1.0, 2.5), (-inf, 1.0), (3.0, inf)))


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"film": None, "edits": None},
        {"film": {"frames": 3}},
        {"film": {"copied": [[1]]}, "edits": [{"mute": 3}, {"mute": ["a", 1]}, 7]},
        {"film": 3, "edits": 3},
    ],
)
def test_what_makes_no_sense_claims_nothing(entry: dict[str, Any]) -> None:
    assert FilmClaims.of(entry) == NO_CLAIMS
