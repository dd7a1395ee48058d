"""Masks are read back as they were, by others too, and no frame is lost."""

import io

import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from anonymizer.files.mask_png import encode_masks

Mask = npt.NDArray[np.uint8]
MASKS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def frames_of(content: bytes) -> list[Mask]:
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image).copy())
        return frames


@given(MASKS)
def test_one_mask(mask: Mask) -> None:
    content = encode_masks([mask])
    (read,) = frames_of(content)
    assert np.array_equal(read, mask)
    assert np.array_equal(np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)), mask)
    assert b"acTL" not in content


@given(st.lists(MASKS, min_size=2, max_size=4))
def test_every_frame_is_kept_and_widened_by_0(masks: list[Mask]) -> None:
    frames = frames_of(encode_masks(masks))
    assert len(frames) == len(masks)
    height, width = (max(mask.shape[axis] for mask in masks) for axis in (0, 1))
    for frame, mask in zip(frames, masks, strict=True):
        assert frame.shape == (height, width)
        assert np.array_equal(frame[: mask.shape[0], : mask.shape[1]], mask)
        assert frame.sum() == mask.sum()


def test_frames_that_are_the_same_are_not_merged() -> None:
    mask = np.eye(5, dtype=np.uint8)
    assert len(frames_of(encode_masks([mask] * 4))) == 4
