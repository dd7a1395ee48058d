from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from av.video.frame import VideoFrame
from fakes import face, plate
from hypothesis import given, settings
from hypothesis import strategies as st
from video.film_samples import write_film
from video.frames import FORMATS, MATRICES, facts_of, frame_of, random_frame

from anonymizer.errors import PictureError
from anonymizer.redact.cells import LEVELS, TONES, Levels
from anonymizer.redact.mask import draw_mask
from anonymizer.redact.scene import Seed
from anonymizer.redact.targets import to_targets
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection
from anonymizer.video.components import components_of
from anonymizer.video.paint import Painter, refusal
from anonymizer.video.source import open_film
from anonymizer.video.tracks import Track

SIZE = (96, 64)
FOUND = [face(20, 12, 40, 36), plate(50, 30, 80, 42), face(34, 20, 50, 44)]
PAINTED = [
    RedactSettings(),
    RedactSettings(cells=1),
    RedactSettings(cells=3),
    RedactSettings(method="mosaic"),
    RedactSettings(method="mosaic", cells=1),
    RedactSettings(method="solid", color="#c81e5a"),
    RedactSettings(method="solid", color="mean"),
    RedactSettings(method="image"),
    RedactSettings(feather=0),
]


@dataclass
class FixedTracks:
    """The same in every frame."""

    found: Sequence[Detection]
    tracks: Sequence[Track] = field(default_factory=list)

    def in_frame(self, index: int) -> Sequence[Detection]:
        return self.found

    def levels_of(self, number: int) -> Levels | None:
        return self.tracks[number - 1].levels

    def seed_of(self, number: int) -> Seed:
        return (number,)


def tracked(found: Sequence[Detection] = FOUND, level: int = 2, cells: tuple[int, int] = (1, 1)) -> FixedTracks:
    levels = np.full(cells, level, np.uint8)
    numbered = [Detection(one.box, one.score, one.kind, track=number) for number, one in enumerate(found, start=1)]
    return FixedTracks(numbered, [Track(one.track or 0, one.kind, levels) for one in numbered])


def painter(
    settings: RedactSettings,
    orientation: int = 1,
    tracks: FixedTracks | None = None,
    size: tuple[int, int] = SIZE,
    interlaced: bool = False,
) -> Painter:
    facts = facts_of(*size, MATRICES[orientation], interlaced=interlaced)
    return Painter(tracks or tracked(), facts, settings)


def samples_of(frame: VideoFrame, orientation: int = 1) -> list[npt.NDArray[np.int64]]:
    return [component.samples.astype(np.int64) for component in components_of(frame, orientation)]


def shares_of(
    frame: VideoFrame, orientation: int, settings: RedactSettings, interlaced: bool = False
) -> list[npt.NDArray[np.float32]]:
    """How far each sample of each component is hidden, by the pixels that it stands for, one after the other."""
    components = components_of(frame, orientation, interlaced)
    whole = components[0].samples
    targets = to_targets(FOUND, (whole.shape[0], whole.shape[1]), settings)
    mask = draw_mask(whole[:, :, np.newaxis], [target.region for target in targets]).mask
    shares = []
    for component in components:
        share = np.zeros(component.samples.shape, np.float32)
        (rows, columns), (by_y, by_x) = component.group, component.block
        for y, x in np.ndindex(share.shape):
            top, left = y * by_y // rows * rows, x * by_x // columns * columns
            share[y, x] = mask[top : top + rows, left : left + columns].max()
        shares.append(share)
    return shares


@pytest.mark.parametrize("settings", PAINTED)
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "nv12", "gray", "gbrp", "rgb24", "yuyv422"])
@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_nothing_changes_outside_of_the_mask(settings: RedactSettings, pixel_format: str, orientation: int) -> None:
    frame = random_frame(*SIZE, pixel_format)
    before = samples_of(frame, orientation)
    shares = shares_of(frame, orientation, settings)
    assert painter(settings, orientation).paint(frame, 0)
    for was, became, share in zip(before, samples_of(frame, orientation), shares, strict=True):
        assert np.array_equal(was[share == 0], became[share == 0])
        assert (was[share == 1] != became[share == 1]).mean() > 0.8


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("interlaced", [False, True])
def test_every_pixel_format_can_be_painted(pixel_format: str, interlaced: bool) -> None:
    for size in ((97, 65), (96, 64)):
        frame = random_frame(*size, pixel_format)
        before = samples_of(frame)
        shares = shares_of(frame, 1, RedactSettings(), interlaced)
        assert painter(RedactSettings(), size=size, interlaced=interlaced).paint(frame, 0)
        for was, became, share in zip(before, samples_of(frame), shares, strict=True):
            assert np.array_equal(was[share == 0], became[share == 0])
            assert len(np.unique(became[share == 1])) < len(np.unique(was[share == 1]))


@settings(max_examples=40)
@given(
    st.sampled_from(PAINTED),
    st.sampled_from(("yuv420p", "yuv422p10le", "nv21", "gbrp", "rgb24", "yuva420p", "gray")),
    st.sampled_from((1, 3, 8)),
    st.integers(0, LEVELS - 1),
    st.booleans(),
)
def test_the_output_depends_on_what_is_visible_and_on_the_frozen_values_alone(
    how: RedactSettings, pixel_format: str, orientation: int, level: int, interlaced: bool
) -> None:
    """Frames of a track differ in what they hide: whatever that is, the output is the same to the last bit.

    So it is a function of what is visible and of the levels of the track, 6 for each cell, as in a still picture.
    """
    outputs = []
    shares = shares_of(random_frame(*SIZE, pixel_format), orientation, how, interlaced)
    for seed in (1, 2, 3):
        frame = random_frame(*SIZE, pixel_format)
        hidden = samples_of(random_frame(*SIZE, pixel_format, seed=seed), orientation)
        for component, share, values in zip(components_of(frame, orientation), shares, hidden, strict=True):
            component.samples[share == 1] = values[share == 1]
        frozen = tracked(level=level % (LEVELS if how.cells else len(TONES)), cells=(max(how.cells, 1), 2))
        painter(how, orientation, frozen, interlaced=interlaced).paint(frame, 0)
        outputs.append(samples_of(frame, orientation))
    for first, second, third in zip(*outputs, strict=True):
        assert np.array_equal(first, second)
        assert np.array_equal(first, third)


def test_the_brightness_is_that_of_the_track() -> None:
    means = []
    for level in range(LEVELS):
        frame = frame_of(np.full((64, 96, 3), 128, np.uint8))
        painter(RedactSettings(cells=1), tracks=tracked([FOUND[0]], level)).paint(frame, 0)
        means.append(samples_of(frame)[0][24, 30])
    assert means == sorted(means)
    assert means[0] < 60
    assert means[-1] > 190


def test_without_a_known_brightness_it_is_that_of_the_surroundings() -> None:
    frame = frame_of(np.full((64, 96, 3), (90, 120, 60), np.uint8))
    before = samples_of(frame)
    painter(RedactSettings(cells=1), tracks=FixedTracks(FOUND)).paint(frame, 0)
    for was, became in zip(before, samples_of(frame), strict=True):
        assert np.abs(was - became).max() <= 1


@pytest.mark.parametrize("method", ["gaussian", "mosaic"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "gbrp", "rgb24"])
def test_without_cells_an_object_has_one_tone_whatever_is_around(pixel_format: str, method: str) -> None:
    shown = []
    for ground in (0, 128, 255):
        frame = frame_of(np.full((64, 96, 3), ground, np.uint8), pixel_format)
        painter(RedactSettings(method=method, feather=0), tracks=tracked([FOUND[0]])).paint(frame, 0)
        shown.append(frame.reformat(format="rgb24", src_colorspace="ITU601", threads=1).to_ndarray()[24, 30])
    off = 4 if method == "gaussian" else 60
    tone = [*bytes.fromhex(TONES[2][1:])]
    assert all(of_ground.astype(int) == pytest.approx(tone, abs=off) for of_ground in shown)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "gbrp", "rgb24", "yuvj420p", "yuv420p10le", "p010le"])
def test_a_colour_is_shown_as_it_was_chosen(pixel_format: str) -> None:
    frame = frame_of(np.full((64, 96, 3), 128, np.uint8), pixel_format)
    painter(RedactSettings(method="solid", color="#c81e5a"), tracks=tracked([FOUND[0]])).paint(frame, 0)
    shown = frame.reformat(format="rgb24", src_colorspace="ITU601", threads=1).to_ndarray()[24, 30]
    assert shown == pytest.approx((200, 30, 90), abs=4)


def test_the_overlay_is_laid_over_faces() -> None:
    frame = frame_of(np.full((64, 96, 3), 128, np.uint8))
    painter(RedactSettings(method="image"), tracks=tracked([FOUND[0]])).paint(frame, 0)
    shown = frame.reformat(format="rgb24", threads=1).to_ndarray()
    assert shown[27, 30, 0] > 200
    assert shown[27, 30, 2] < 120


def test_a_drawing_stays_at_its_place_over_a_track() -> None:
    shown = []
    for left in (30, 40):
        frame = frame_of(np.full((128, 160, 3), 128, np.uint8))
        found = tracked([face(left, 40, left + 40, 90)])
        painter(RedactSettings(method="image"), tracks=found, size=(160, 128)).paint(frame, 0)
        shown.append(frame.reformat(format="rgb24", threads=1).to_ndarray()[30:100, left - 10 : left + 50])
    assert (np.abs(shown[0].astype(int) - shown[1]) < 12).mean() > 0.98


def test_a_frame_without_objects_is_not_touched() -> None:
    frame = random_frame(*SIZE, "yuv420p")
    assert not painter(RedactSettings(), tracks=FixedTracks([])).paint(frame, 0)


def test_kinds_that_are_not_hidden_stay_visible() -> None:
    frame = random_frame(*SIZE, "yuv420p")
    assert not painter(RedactSettings(method="none")).paint(frame, 0)


def test_what_has_no_track_is_hidden_too() -> None:
    frame = random_frame(*SIZE, "yuv420p")
    assert Painter(FixedTracks(FOUND[:1]), facts_of(*SIZE), RedactSettings()).paint(frame, 0)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (RedactSettings(method="inpaint"), "--method inpaint is not for films"),
        (RedactSettings(obfuscation_kernel="21,2,9"), "--obfuscation-kernel is not for films"),
    ],
)
def test_methods_that_are_not_for_films_are_refused(settings: RedactSettings, reason: str) -> None:
    assert reason in (refusal(settings, ["face", "plate"]) or "")
    with pytest.raises(PictureError, match=reason):
        painter(settings).paint(random_frame(*SIZE, "yuv420p"), 0)


def test_the_usual_methods_are_not_refused() -> None:
    assert refusal(RedactSettings(), ["face"]) is None


def test_a_frame_wholly_hidden_has_no_surroundings() -> None:
    frame = random_frame(*SIZE, "yuv420p")
    painter(RedactSettings(), tracks=tracked([face(0, 0, *SIZE)])).paint(frame, 0)
    for values in samples_of(frame):
        assert len(np.unique(values)) == 1


@dataclass
class EveryThird(FixedTracks):
    """In every third frame."""

    def in_frame(self, index: int) -> Sequence[Detection]:
        return self.found if index % 3 == 0 else []


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx-vp9"])
def test_later_frames_are_decoded_from_what_was_there_before_painting(tmp_path: Path, codec: str) -> None:
    film = open_film(write_film(tmp_path / "film.mkv", codec, frames=12, size=SIZE))
    clean = [samples_of(frame.picture) for frame in film.frames()]
    some = Painter(EveryThird(FOUND), film.facts, RedactSettings(method="solid"))
    for frame, expected in zip(film.frames(), clean, strict=True):
        assert some.paint(frame.picture, frame.index) == (frame.index % 3 == 0)
        same = all(np.array_equal(was, now) for was, now in zip(expected, samples_of(frame.picture), strict=True))
        assert same == (frame.index % 3 != 0)
