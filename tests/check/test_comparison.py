"""A redacted frame is its original but for what was redacted, and nothing that was found there is left."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from check.samples import anonymize, check, kinds_of, texts_of
from fakes import Folders, KeenDetector, UseDetectors, face, load, noise, noise16, save, smooth
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.comparison import FramePair, Seen, compare, max_detail_left, uncovered
from anonymizer.check.finding import Finding
from anonymizer.detect.frames import ModelFinder
from anonymizer.files.picture import Encoding, Frame, Picture
from anonymizer.geometry import Box
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import DetectSettings, RedactSettings, Settings
from anonymizer.types import Alpha, Detection, Pixels

FACE = face(20, 20, 60, 60)
WEAK = face(70, 70, 90, 90, 0.15)


def pair_of(original: Frame, redacted: Frame) -> FramePair:
    source = Picture((original,), b"", Encoding("PNG"))
    return FramePair("a.png", source, original, redacted, "lossless")


def seen(*found: Detection, in_alpha: Sequence[Detection] = (), weaker: Sequence[Detection] = ()) -> Seen:
    return Seen(found, in_alpha, [*found, *weaker])


def findings(pair: FramePair, seen: Seen, recorded: Sequence[Detection] = ()) -> list[tuple[str, str, str]]:
    return [(each.level, each.kind, each.text) for each in compare(pair, seen, recorded, Settings())]


def redact(pixels: Pixels) -> Pixels:
    return redact_detections(pixels, [FACE], RedactSettings())


UNCOVERED = ("finding", "uncovered", "face of the original is not hidden")
RESIZED = ("finding", "changed", "another size or other channels than its original")


@pytest.mark.parametrize("pixels", [noise(100, 100), noise(100, 100, 1), noise16(100, 100), noise16(100, 100, 1)])
def test_a_redacted_frame(pixels: Pixels) -> None:
    pair = pair_of(Frame(pixels), Frame(redact(pixels)))
    assert findings(pair, seen(FACE)) == []
    assert findings(pair_of(Frame(pixels), Frame(pixels)), seen()) == []


@pytest.mark.parametrize("pixels", [noise(100, 100), noise(100, 100, 1), noise16(100, 100)])
def test_what_is_not_hidden(pixels: Pixels) -> None:
    pair = pair_of(Frame(pixels), Frame(pixels))
    assert compare(pair, seen(FACE), [], Settings()) == [
        Finding("a.png", "uncovered", "face of the original is not hidden", "finding", FACE.box, FACE.score)
    ]


def test_what_is_seen_weakly_is_a_warning() -> None:
    pixels = noise(100, 100)
    pair = pair_of(Frame(pixels), Frame(redact(pixels)))
    assert compare(pair, seen(FACE, weaker=[WEAK]), [], Settings()) == [
        Finding("a.png", "uncovered", "perhaps a face, seen weakly in the original", "warning", WEAK.box, WEAK.score)
    ]


def test_what_is_left_of_hardly_anything_counts_in_pictures_and_not_in_films() -> None:
    """A hidden part of a bare bonnet, where encoding leaves a little of what little detail there is."""
    detail = np.random.default_rng(0).normal(0, 2.0, (100, 100, 1))
    before, after, seen = (
        np.rint(np.clip(value + share * detail, 0, 255)).astype(np.uint8).repeat(3, axis=2)
        for value, share in ((200, 1.0), (160, 0.38), (200, 0.9))
    )
    before[80:], before[90:] = 0, 255  # pale pictures are spread out
    bonnet = [face(20, 20, 60, 40)]
    assert uncovered(before, after, bonnet) == bonnet
    assert uncovered(before, after, bonnet, least_levels=1.0) == []
    assert uncovered(before, seen, bonnet, least_levels=1.0) == bonnet


def test_what_the_record_says_was_redacted_may_differ() -> None:
    pixels = noise(100, 100)
    pair = pair_of(Frame(pixels), Frame(redact(pixels)))
    (finding,) = findings(pair, seen())
    assert finding[:2] == ("finding", "changed")
    assert findings(pair, seen(), [FACE]) == []


@pytest.mark.parametrize("number", [1, 3])
def test_pixels_that_differ_elsewhere_are_counted(number: int) -> None:
    pixels = noise(100, 100)
    redacted = redact(pixels)
    redacted[95, 5 : 5 + number, 0] ^= 1
    pair = pair_of(Frame(pixels), Frame(redacted))
    text = f"{number} pixels differ outside the redacted areas"
    assert findings(pair, seen(FACE)) == [("finding", "changed", text)]


@pytest.mark.parametrize(("change", "kinds"), [(4, []), (40, ["changed"])])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_was_encoded_anew_may_differ_slightly(change: int, kinds: list[str], dtype: type) -> None:
    level = 1 if dtype == np.uint8 else 257
    pixels = (smooth(100, 100) // 2).astype(dtype) * dtype(level)
    changed = pixels + dtype(change * level)
    pair = replace(pair_of(Frame(pixels), Frame(changed)), fidelity="reencoded")
    assert [kind for _, kind, _ in findings(pair, seen())] == kinds
    assert [kind for _, kind, _ in findings(replace(pair, fidelity=None), seen())] == ["changed"]


def test_another_size_or_depth() -> None:
    pixels = noise(100, 100)
    for other in (noise(50, 50), noise(100, 99), noise16(100, 100)):
        assert findings(pair_of(Frame(pixels), Frame(other)), seen(FACE)) == [RESIZED]


def test_gray_and_rgb_of_the_same_gray_are_the_same() -> None:
    gray = noise(100, 100, 1)
    rgb = gray.repeat(3, axis=2)
    assert findings(pair_of(Frame(gray), Frame(rgb)), seen()) == []
    assert findings(pair_of(Frame(rgb), Frame(gray)), seen()) == []
    rgb[0, 0, 1] ^= 1
    assert [kind for _, kind, _ in findings(pair_of(Frame(gray), Frame(rgb)), seen())] == ["changed"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_opaque_and_without_alpha_are_the_same(dtype: type) -> None:
    pixels = noise(100, 100) if dtype == np.uint8 else noise16(100, 100)
    opaque: Alpha = np.full((100, 100), np.iinfo(dtype).max, dtype)
    assert findings(pair_of(Frame(pixels, opaque), Frame(pixels)), seen()) == []
    assert findings(pair_of(Frame(pixels), Frame(pixels, opaque)), seen()) == []
    holed = opaque.copy()
    holed[0, 0] = 0
    expected = [("finding", "changed", "1 pixels differ outside the redacted areas")]
    assert findings(pair_of(Frame(pixels), Frame(pixels, holed)), seen()) == expected


def test_an_alpha_channel_may_show_what_the_pixels_hide() -> None:
    pixels, alpha = noise(100, 100), noise(100, 100, 1, seed=1)[:, :, 0]
    shown = pair_of(Frame(pixels, alpha), Frame(redact(pixels), alpha))
    assert findings(shown, seen(FACE, in_alpha=[FACE])) == [UNCOVERED]
    assert findings(shown, seen(FACE)) == []
    flat = alpha.copy()
    flat[20:60, 20:60] = 128
    hidden = pair_of(Frame(pixels, alpha), Frame(redact(pixels), flat))
    assert findings(hidden, seen(FACE, in_alpha=[FACE])) == []


def test_a_frame_in_other_colours_is_compared_as_it_is_shown() -> None:
    shown = noise(100, 100)
    inks = noise(100, 100, 4, seed=1)
    pair = pair_of(Frame(inks, shown=shown), Frame(inks, shown=redact(shown).astype(np.uint8)))
    assert UNCOVERED not in findings(pair, seen(FACE))
    assert UNCOVERED in findings(pair_of(Frame(inks, shown=shown), Frame(inks, shown=shown)), seen(FACE))


@given(height=st.integers(1, 60), width=st.integers(1, 60), seed=st.integers(0, 9))
def test_nothing_is_covered_where_nothing_changed(height: int, width: int, seed: int) -> None:
    pixels = noise(100, 100, seed=seed)
    found = face(10, 10, 10 + width, 10 + height)
    is_visible = max(height, width) >= 6
    assert uncovered(pixels, pixels, [found] if is_visible else []) == ([found] if is_visible else [])
    assert uncovered(pixels, np.zeros_like(pixels), [found]) == []


@given(one=st.floats(0, 5000), more=st.floats(0, 5000))
def test_the_larger_an_object_the_less_of_its_detail_may_be_left(one: float, more: float) -> None:
    small, large = (max_detail_left(Box(0, 0, side, 1)) for side in (one, one + more))
    assert 0.2 <= large <= small <= 0.4


@pytest.fixture
def redacted(folders: Folders, use_detectors: UseDetectors) -> Path:
    save(folders[0] / "a.png", noise(100, 100))
    use_detectors(KeenDetector(FACE))
    return anonymize(folders)


def test_jpeg_blocks_that_redacted_areas_touch_may_differ(folders: Folders, use_detectors: UseDetectors) -> None:
    for sampling in (0, 1, 2):
        save(folders[0] / f"{sampling}.jpg", noise(99, 101), subsampling=sampling, quality=95)
    save(folders[0] / "webp.png", noise(99, 101), format="WEBP")  # lossy: encoded anew as a whole
    use_detectors(KeenDetector(FACE))
    assert check(anonymize(folders), against=folders[0]) == []


def test_an_untouched_copy_with_an_empty_record(folders: Folders, redacted: Path) -> None:
    shutil.copy(folders[0] / "a.png", redacted / "a.png")
    (redacted / "a.json").write_text("[]")
    found = check(redacted, against=folders[0])
    assert ("a.png", "uncovered") in kinds_of(found)
    assert "face of the original is not hidden" in texts_of(found)


def test_what_only_the_gate_sees_in_the_original(
    folders: Folders, redacted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensitive = ModelFinder([KeenDetector(FACE, WEAK)], DetectSettings())
    monkeypatch.setattr("anonymizer.check.thresholds.load_finder", lambda settings: sensitive)
    found = check(redacted, against=folders[0])
    assert kinds_of(found) == []
    assert ("a.png", "uncovered") in kinds_of(found, "warning")


def test_changes_elsewhere_in_a_file(folders: Folders, redacted: Path) -> None:
    pixels = load(redacted / "a.png").copy()
    pixels[95, 95:98, 0] ^= 1
    save(redacted / "a.png", pixels)
    (finding,) = check(redacted, against=folders[0])
    assert (finding.kind, finding.text) == ("changed", "3 pixels differ outside the redacted areas")


def test_a_file_of_another_size(folders: Folders, redacted: Path) -> None:
    save(redacted / "a.png", smooth(50, 50))
    assert "another size or other channels than its original" in texts_of(check(redacted, against=folders[0]))


def test_small_objects_may_keep_more_of_their_few_pixels() -> None:
    limits = [max_detail_left(Box(0, 0, side, side / 2)) for side in (1, 20, 30, 48, 50, 500)]
    assert limits == sorted(limits, reverse=True)
    assert (limits[0], limits[-1]) == (0.4, 0.2)


def test_faint_pictures_are_compared_with_all_their_contrast() -> None:
    pixels = noise(100, 100) // 16 + np.uint8(100)
    assert uncovered(pixels, redact(pixels), [FACE]) == []
    assert uncovered(pixels, pixels, [FACE]) == [FACE]
