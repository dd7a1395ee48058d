"""Tests of anonymizer.video.view: what detectors are shown of HDR films and of squeezed pixels."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from fakes import FixedDetector, face
from hypothesis import given
from hypothesis import strategies as st
from video.frames import MATRICES, facts_of

from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline
from anonymizer.types import Detection
from anonymizer.video.facts import Colour
from anonymizer.video.view import BT2020, HLG, PQ, WHITE_NITS, View, ViewingDetector, view_of

TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""ITU-R BT.2087."""


def hdr(pixels: npt.NDArray[np.uint8], transfer: int) -> npt.NDArray[np.uint8]:
    """Standard pixels as the signal of an HDR film, white at 203 cd/m2."""
    nits = WHITE_NITS * ((pixels / 255) ** 2.2) @ TO_BT2020.T
    if transfer == PQ:
        power = (nits / 10000) ** (2610 / 16384)
        signal = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    else:
        scene = (nits / 1000) ** (1 / 1.2)
        above = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), above)
    return np.asarray(np.rint(255 * signal), np.uint8)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hdr_frames_are_shown_as_standard_ones(transfer: int) -> None:
    levels = np.array([0, 60, 120, 180, 220], np.uint8)
    pixels = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 25, 3)
    view = View(transfer, has_wide_colours=True)
    shown = view.show(hdr(pixels, transfer))
    off = np.abs(shown.astype(int) - pixels)
    assert np.percentile(off[(pixels > 30).all(axis=2)], 95) <= 16  # roundings of 8 bits, and the soft shoulder
    assert np.abs(hdr(pixels, transfer).astype(int) - pixels).mean() > 5 * off.mean() / 2


@given(st.integers(0, 255), st.sampled_from([PQ, HLG]), st.booleans())
def test_brighter_signals_are_not_shown_darker(level: int, transfer: int, is_wide: bool) -> None:
    gray = np.full((1, 1, 3), level, np.uint8)
    brighter = (np.minimum(gray, 254) + 1).astype(np.uint8)
    shown = View(transfer, is_wide).show(np.hstack([gray, brighter])).astype(int)
    assert shown[0, 0].max() <= shown[0, 1].max() + 1
    assert np.ptp(shown[0, 0]) <= 2  # gray stays gray


def test_other_films_are_shown_as_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    for facts in (facts_of(9, 8), replace(facts_of(9, 8), sample_aspect_ratio=Fraction(50, 49))):
        assert not view_of(facts).changes
        assert view_of(facts).show(pixels) is pixels
    assert not view_of(replace(facts_of(9, 8), sample_aspect_ratio=Fraction(1, 1000))).changes


@pytest.mark.parametrize(
    ("ratio", "orientation", "shape"),
    [
        (Fraction(64, 45), 1, (576, 1024)),
        (Fraction(4, 3), 3, (576, 960)),
        (Fraction(4, 3), 6, (960, 576)),
        (Fraction(1, 2), 1, (1152, 720)),
        (Fraction(1, 2), 8, (720, 1152)),
    ],
)
def test_pixels_are_shown_square(ratio: Fraction, orientation: int, shape: tuple[int, int]) -> None:
    facts = replace(facts_of(720, 576, MATRICES[orientation]), sample_aspect_ratio=ratio)
    width, height = facts.upright_size
    shown = view_of(facts).show(np.zeros((height, width, 3), np.uint8))
    assert shown.shape == (*shape, 3)


def test_hdr_films_are_known_by_their_colour() -> None:
    facts = replace(facts_of(9, 8), colour=Colour(BT2020, PQ, 9, 1))
    assert view_of(facts) == View(PQ, has_wide_colours=True)
    assert view_of(facts).changes


def test_boxes_come_back_in_pixels_of_the_frame() -> None:
    found = Detection(Box(20, 30, 60, 70), 0.9, "face", Box(10, 20, 80, 90))
    detector = ViewingDetector(FixedDetector(found), View(stretch=(2.0, 1.0)))
    assert detector.kinds == {"face"}
    assert detector.detect(np.zeros((100, 50, 3), np.uint8)) == [
        Detection(Box(10, 30, 30, 70), 0.9, "face", Box(5, 20, 40, 90))
    ]
    assert View(stretch=(1.0, 4.0)).back(face(0, 4, 2, 8)) == face(0, 1, 2, 2)


def test_a_box_of_the_frame_and_the_same_where_detectors_see_it() -> None:
    view, box = View(stretch=(2.0, 1.0)), Box(1, 2, 3, 4)
    assert view.place(box) == Box(2, 2, 6, 4)
    assert view.back(Detection(view.place(box), 1.0, "face")).box == box


def test_outlines_in_stretched_frames_lie_in_the_frame() -> None:
    shown = Detection.of(PolygonOutline(((20, 10), (40, 12), (30, 30))), "text")
    (found,) = ViewingDetector(FixedDetector(shown), View(stretch=(2.0, 1.0))).detect(np.zeros((40, 40, 3), np.uint8))
    assert found == Detection.of(PolygonOutline(((10, 10), (20, 12), (15, 30))), "text")
