"""Bands beside the colours stay bit for bit, or the file is refused; masks become alpha channels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FixedDetector, KeenDetector, face, noise, noise16
from files.samples import alpha_of, rewrite_frames
from files.tiff_samples import DEFLATE, PACKBITS, RAW, Order, mask_page, page, tiff_file
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.check.comparison import FramePair, Seen, compare
from anonymizer.detect.frames import find_in_frame
from anonymizer.errors import PictureError
from anonymizer.files.decode import decode_picture
from anonymizer.files.orientation import turn_upright
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture
from anonymizer.redact.frame import redact_frame
from anonymizer.settings import DetectSettings, RedactSettings, Settings

KINDS: dict[str, tuple[int, int, int, tuple[int, ...]]] = {
    "gray and another": (1, 1, 8, (0,)),
    "gray, premultiplied": (1, 1, 8, (1,)),
    "near infrared": (2, 3, 8, (0,)),
    "two more": (2, 3, 8, (0, 0)),
    "three more": (2, 3, 8, (0, 0, 0)),
    "alpha and another": (2, 3, 8, (2, 0)),
    "premultiplied": (2, 3, 8, (1,)),
    "premultiplied and another": (2, 3, 8, (1, 0)),
    "near infrared of 16 bits": (2, 3, 16, (0,)),
    "premultiplied of 16 bits": (2, 3, 16, (1,)),
    "spot colour": (5, 4, 8, (0,)),
}
"""How the colours are told, how many samples they have, of how many bits, and the kinds of further samples."""


@given(
    kind=st.sampled_from(list(KINDS)),
    compression=st.sampled_from([RAW, DEFLATE, PACKBITS]),
    predictor=st.sampled_from([1, 2]),
    is_planar=st.booleans(),
    tile=st.sampled_from([None, (16, 16), (32, 16)]),
    rows=st.sampled_from([None, 5]),
    order=st.sampled_from(["little", "big"]),
    is_big=st.booleans(),
    orientation=st.integers(1, 8),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_bands_stay_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    compression: int,
    predictor: int,
    is_planar: bool,
    tile: tuple[int, int] | None,
    rows: int | None,
    order: Order,
    is_big: bool,
    orientation: int,
    size: tuple[int, int],
) -> None:
    photometric, colours, bits, extra = KINDS[kind]
    pixels = (noise if bits == 8 else noise16)(*size, colours + len(extra))
    stored = page(
        pixels,
        photometric=photometric,
        extra=extra,
        compression=compression,
        predictor=predictor if compression == DEFLATE else 1,
        is_planar=is_planar and colours > 1 and compression != RAW,  # else Pillow does not open them
        tile=tile,
        rows=rows,
        order=order,
        tags={274: orientation},
    )
    path = tmp_path_factory.mktemp("bands") / "a.tif"
    path.write_bytes(tiff_file(stored, order=order, is_big=is_big and order == "little"))
    upright = turn_upright(pixels, orientation)
    (frame,) = read_picture(path).frames
    assert (frame.pixels == upright).all()
    assert frame.view.shape[2] == (3 if colours == 4 else colours)
    assert len(frame.bands) == len(extra)
    new, (redacted,) = rewrite_frames(path, np.s_[:3, :3])
    (after,) = read_picture(new).frames
    assert (after.pixels == redacted.pixels).all()
    assert (after.pixels[:3, :3] == ~upright[:3, :3]).all()
    with Image.open(new) as image:
        tags = image.tag_v2
        assert (tags[262], tags[277], tags[338]) == (photometric, colours + len(extra), extra)


@pytest.mark.parametrize(
    ("samples", "options"),
    [
        (8, {"extra": (0,) * 5}),
        (5, {"photometric": 1, "extra": (0,) * 4}),
        (5, {"extra": (0, 2)}),
        (2, {"photometric": 3, "extra": (0,)}),
        (2, {"photometric": 0, "extra": (0,)}),
        (4, {"extra": (0,), "tags": {339: (3,) * 4}}),
        (4, {"extra": (0,), "tags": {259: 7}}),
        (2, {"extra": (0,), "is_planar": True}),
        (5, {"photometric": 5, "extra": (2,)}),
    ],
)
def test_bands_of_other_kinds_are_refused(tmp_path: Path, samples: int, options: dict[str, Any]) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_file(page(noise(20, 20, samples), **options)))
    with pytest.raises(PictureError, match=f"with {samples} bands, . of them beside the colours"):
        read_picture(path)


def test_each_band_is_searched_and_redacted(tmp_path: Path) -> None:
    pixels = np.dstack([np.full((60, 60, 3), 99, np.uint8), noise(60, 60, 1)])
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_file(page(pixels, extra=(0,))))
    picture = read_picture(path)
    frame = picture.frames[0]
    found = find_in_frame(frame, [KeenDetector(face(20, 20, 40, 40))], DetectSettings())
    assert len(found.detections) == 1
    redacted, changed = redact_frame(frame, found, RedactSettings())
    assert redacted.further == 1
    assert (redacted.pixels[~changed] == pixels[~changed]).all()
    assert (redacted.pixels[25:35, 25:35, 3] != pixels[25:35, 25:35, 3]).mean() > 0.9
    seen = Seen(found.detections, (), ())
    pair = FramePair("a.tif", picture, frame, redacted, "lossless")
    assert compare(pair, seen, found.detections, Settings()) == []
    kept = np.dstack([redacted.pixels[:, :, :3], pixels[:, :, 3]])
    shown = FramePair("a.tif", picture, frame, Frame(kept, further=1), "lossless")
    assert [finding.kind for finding in compare(shown, seen, found.detections, Settings())] == ["uncovered"]


def test_constant_bands_are_not_searched() -> None:
    frame = read_frame(tiff_file(page(np.full((9, 9, 4), 5, np.uint8), extra=(0,))))
    detector = FixedDetector(face(1, 1, 5, 5))
    assert len(find_in_frame(frame, [detector], DetectSettings()).detections) == 1


def read_frame(content: bytes) -> Frame:
    return decode_picture(content).frames[0]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("samples", [1, 3])
def test_masks_become_alpha(tmp_path: Path, bits: int, orientation: int, samples: int) -> None:
    pixels = (noise if bits == 8 else noise16)(20, 30, samples)
    opaque = noise(20, 30, 1).squeeze() > 99
    smaller, its_mask = page(noise(10, 15), tags={254: 1}), mask_page(opaque[::2, ::2], 5)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_file(page(pixels, tags={274: orientation}), mask_page(opaque), smaller, its_mask))
    picture = read_picture(path)
    assert len(picture.frames) == 1
    assert (picture.pixels == turn_upright(pixels, orientation)).all()
    assert (alpha_of(picture) == turn_upright(opaque, orientation) * (2**bits - 1)).all()
    assert picture.left_out == (
        "1 previews in pages of their own are left out",
        "1 transparency masks in pages of their own are left out: they are written as alpha channels",
    )
    after = read_picture(rewrite_frames(path, np.s_[3:6, 3:6])[0])
    assert (alpha_of(after) == alpha_of(picture)).all()


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (page(noise(10, 15)), "no page of its size"),
        (page(noise(20, 30, 4), extra=(2,)), "beside CMYK colours"),
        (page(noise(20, 30, 4), photometric=5), "beside CMYK colours"),
        (page(noise(20, 30, 4), extra=(0,)), "beside CMYK colours"),
    ],
)
def test_masks_of_other_kinds_are_refused(tmp_path: Path, first: Any, reason: str) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_file(first, mask_page(np.ones((20, 30), bool))))
    with pytest.raises(PictureError, match=reason):
        read_picture(path)
