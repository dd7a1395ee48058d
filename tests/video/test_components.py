import numpy as np
import pytest
from av.video.frame import VideoFrame
from video.frames import FORMATS, frame_of, random_frame

from anonymizer.errors import PictureError
from anonymizer.files.orientation import turn_back, turn_upright
from anonymizer.video.components import can_paint, components_of

COLOUR = (200, 30, 90)
RGB_OF = {"r": 200, "g": 30, "b": 90}


def uniform(pixel_format: str) -> VideoFrame:
    return frame_of(np.full((32, 64, 3), COLOUR, np.uint8), pixel_format)


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_each_component_is_what_its_role_says(pixel_format: str) -> None:
    expected = dict(zip("yuv", (plane.mean() for plane in uniform("yuv444p").to_ndarray()), strict=True))
    for component in components_of(uniform(pixel_format)):
        value = (component.samples.astype(float).mean() - component.low) / (component.high - component.low)
        if component.role == "a":
            assert value == pytest.approx(1)
        elif component.role in RGB_OF:
            assert value == pytest.approx(RGB_OF[component.role] / 255, abs=0.01)
        else:
            span = 219 if component.role == "y" else 224
            assert value == pytest.approx((expected[component.role] - 16) / span, abs=0.015)


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("size", [(64, 32), (33, 17), (5, 3), (1, 1)])
def test_together_they_are_the_whole_frame(pixel_format: str, size: tuple[int, int]) -> None:
    frame = random_frame(*size, pixel_format)
    first, *rest = components_of(frame)
    assert first.samples.shape == size[::-1]
    assert first.block == (1, 1)
    for component in rest:
        rows, columns = component.block
        assert component.samples.shape == (-(-size[1] // rows), -(-size[0] // columns))


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_what_is_written_is_in_the_frame(pixel_format: str) -> None:
    frame = uniform(pixel_format)
    for component in components_of(frame):
        component.samples[:] = component.low if component.role != "a" else component.high
    first = components_of(frame)[0]
    assert (first.samples == first.low).all()
    shown = frame.reformat(format="rgb24", threads=1).to_ndarray()
    assert shown[..., 0].max() < 90 if first.role == "r" else shown.mean() < 140


@pytest.mark.parametrize("orientation", range(1, 9))
def test_components_are_upright(orientation: int) -> None:
    frame = random_frame(48, 32, "yuv420p")
    stored = [component.samples.copy() for component in components_of(frame)]
    upright = components_of(frame, orientation)
    for before, component in zip(stored, upright, strict=True):
        assert np.array_equal(component.samples, turn_upright(before, orientation))
        component.samples[0, 0] = 7
    for before, component in zip(stored, upright, strict=True):
        after = turn_back(component.samples, orientation)
        assert (before != after).sum() <= 1


@pytest.mark.parametrize(("orientation", "block", "group"), [(1, (2, 2), (4, 2)), (6, (2, 2), (2, 4))])
def test_rows_of_colour_of_two_fields_are_taken_together(
    orientation: int, block: tuple[int, int], group: tuple[int, int]
) -> None:
    components = components_of(random_frame(48, 32, "yuv420p"), orientation, has_fields=True)
    assert [component.group for component in components] == [(1, 1), group, group]
    assert components[1].block == block


@pytest.mark.parametrize("pixel_format", ["pal8", "monow", "rgb565le", "bayer_bggr8", "grayf32le", "xyz12le"])
def test_other_formats_are_refused(pixel_format: str) -> None:
    assert not can_paint(pixel_format)
    with pytest.raises(PictureError, match=f"pixel format {pixel_format}, in which nothing can be hidden"):
        components_of(VideoFrame(16, 16, pixel_format))


def test_full_range_is_told_apart() -> None:
    limited, full = uniform("yuv420p"), uniform("yuvj420p")
    assert [(part.low, part.high, part.middle) for part in components_of(limited)][:2] == [
        (16, 235, 125.5),
        (16, 240, 128),
    ]
    assert [(part.low, part.high) for part in components_of(full)] == [(0, 255)] * 3
