"""A redacted picture is its original, but for what was to be hidden; or the comparison says what speaks against it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fakes import face, noise, noise16

from anonymizer.check.comparison import FramePair, Seen, compare, max_detail_left, uncovered
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.geometry import Box
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import RedactSettings, Settings
from anonymizer.types import Pixels

FACE, OTHER = face(20, 20, 60, 60), face(70, 20, 95, 60, 0.15)
NOTHING = Seen([], [], [])


def pair(before: Pixels, after: Pixels, alphas: tuple[Pixels | None, Pixels | None] = (None, None)) -> FramePair:
    original, redacted = Frame(before, alphas[0]), Frame(after, alphas[1])
    return FramePair("a.png", Picture((original,), b"", Encoding("PNG")), original, redacted, None)


def hidden(pixels: Pixels) -> Pixels:
    return redact_detections(pixels, [FACE], RedactSettings())


def told(pair: FramePair, seen: Seen, *, is_recorded: bool = False) -> list[tuple[str, str]]:
    found = compare(pair, seen, [FACE] if is_recorded else [], Settings())
    return [(finding.kind, finding.level) for finding in found]


@pytest.mark.parametrize("make", [noise, noise16])
def test_what_the_run_saw_is_hidden_and_nothing_else_differs(make: Callable[[int, int], Pixels]) -> None:
    pixels = make(100, 100)
    assert told(pair(pixels, hidden(pixels)), Seen([FACE], [], [FACE])) == []
    assert told(pair(pixels, hidden(pixels)), NOTHING, is_recorded=True) == []


def test_what_is_seen_and_not_hidden() -> None:
    pixels = noise(100, 100)
    assert told(pair(pixels, pixels), Seen([FACE], [], [FACE])) == [("uncovered", "finding")]
    assert told(pair(pixels, hidden(pixels)), Seen([FACE], [], [FACE, OTHER])) == [("uncovered", "warning")]


def test_pixels_that_differ_elsewhere() -> None:
    pixels = noise(100, 100)
    changed = hidden(pixels)
    changed[90, 90] ^= 1
    (finding,) = compare(pair(pixels, changed), Seen([FACE], [], []), [], Settings())
    assert (finding.kind, finding.text) == ("changed", "1 pixels differ outside the redacted areas")


def test_files_that_were_encoded_anew_may_differ_a_little() -> None:
    pixels = noise(100, 100)
    after = (hidden(pixels) ^ 1).astype(np.uint8)
    anew = replace(pair(pixels, after), fidelity="reencoded")
    assert told(anew, Seen([FACE], [], [])) == []
    far = replace(pair(pixels, (hidden(pixels) ^ 64).astype(np.uint8)), fidelity="reencoded")
    assert told(far, Seen([FACE], [], [])) == [("changed", "finding")]


@pytest.mark.parametrize("after", [noise(100, 99), noise16(100, 100), noise(99, 100, 1)])
def test_other_sizes_and_depths_cannot_be_compared(after: Pixels) -> None:
    (finding,) = compare(pair(noise(100, 100), after), NOTHING, [], Settings())
    assert finding.text == "another size or other channels than its original"


def test_gray_and_opaque_pictures_may_have_become_rgb_and_alpha() -> None:
    gray = noise(100, 100, 1)
    opaque = np.full((100, 100), 255, np.uint8)
    assert told(pair(gray, gray.repeat(3, axis=2), (None, opaque)), NOTHING) == []
    see_through = opaque.copy()
    see_through[5, 5] = 254
    assert told(pair(gray, gray, (opaque, see_through)), NOTHING) == [("changed", "finding")]


def test_what_the_alpha_channel_shows_is_to_be_hidden_there() -> None:
    pixels, alpha = noise(100, 100), noise(100, 100, 1, seed=5)[:, :, 0]
    without = redact_detections(alpha[:, :, np.newaxis], [FACE], RedactSettings())[:, :, 0]
    seen = Seen([FACE], [FACE], [])
    assert told(pair(pixels, hidden(pixels), (alpha, without)), seen) == []
    assert told(pair(pixels, hidden(pixels), (alpha, alpha)), seen) == [("uncovered", "finding")]


def test_small_objects_may_keep_more_of_their_few_pixels() -> None:
    limits = [max_detail_left(Box(0, 0, side, side / 2)) for side in (1, 20, 30, 48, 50, 500)]
    assert limits == sorted(limits, reverse=True)
    assert (limits[0], limits[-1]) == (0.4, 0.2)


def test_faint_pictures_are_compared_with_all_their_contrast() -> None:
    pixels = noise(100, 100) // 16 + np.uint8(100)
    assert uncovered(pixels, hidden(pixels), [FACE]) == []
    assert uncovered(pixels, pixels, [FACE]) == [FACE]
