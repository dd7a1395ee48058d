"""Damaged files of all formats end as a picture or as a PictureError, never as anything else.

A longer search: pytest tests/files/test_fuzz.py --hypothesis-profile=long
"""

import numpy as np
import pytest
from fakes import noise, smooth
from files.samples import PROFILE, full_exif, jpeg_file, saved
from files.tiff_samples import DEFLATE, mask_page, page, tiff_file
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.errors import PictureError
from anonymizer.files import heic
from anonymizer.files.encode import encode_picture
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings

SEEDS = {
    "baseline": jpeg_file(smooth(40, 33)),
    "progressive": jpeg_file(smooth(40, 33), progressive=True, restart=2),
    "gray": jpeg_file(smooth(20, 20)[:, :, :1]),
    "exif": saved("JPEG", exif=full_exif(), comment=b"a comment", xmp=b"xmp", icc_profile=PROFILE),
    "png": saved("PNG", "RGBA", exif=full_exif(), icc_profile=PROFILE),
    "palette": saved("PNG", "P"),
    "bmp": saved("BMP"),
    "tiff": saved("TIFF", compression="tiff_lzw"),
    "bands": tiff_file(page(noise(20, 24, 4), extra=(0,), tile=(16, 16), compression=DEFLATE, predictor=2)),
    "mask": tiff_file(page(noise(20, 24)), mask_page(noise(20, 24, 1)[:, :, 0] > 99), page(noise(9, 9), tags={254: 1})),
    "webp": saved("WEBP", exif=full_exif()),
    "cmyk": saved("JPEG", "CMYK"),
    "progressive cmyk": saved("JPEG", "CMYK", progressive=True),
    "progressive rgb": saved("JPEG", "RGB", progressive=True, keep_rgb=True),
    "gif": saved("GIF", "P", frames=3, duration=100, loop=2),
    "apng": saved("PNG", "RGBA", frames=3, duration=100),
    "animated webp": saved("WEBP", "RGBA", frames=3, duration=100, lossless=True),
    "pages": saved("TIFF", "RGBA", frames=3),
    "avif": saved("AVIF", exif=full_exif()),
    "jp2": saved("JPEG2000", irreversible=False),
}


if heic.can_read_heic():
    SEEDS["heic"] = saved("HEIF", exif=full_exif())
MUTATIONS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6)


@pytest.mark.parametrize("name", SEEDS)
@given(
    mutations=MUTATIONS,
    near_start=st.booleans(),
    length=st.floats(0.2, 1),
    allow_truncated=st.booleans(),
    change=st.booleans(),
)
def test_damaged_files(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    mutations: list[tuple[float, int]],
    near_start: bool,
    length: float,
    allow_truncated: bool,
    change: bool,
) -> None:
    content = bytearray(SEEDS[name])
    reach = min(len(content), 200) if near_start else len(content)
    for place, value in mutations:
        content[int(place * (reach - 1))] = value
    path = tmp_path_factory.mktemp("fuzz") / "a"
    path.write_bytes(content[: int(length * len(content))] if length < 0.9 else content)
    try:
        picture = read_picture(path, ReadSettings(max_pixels=1_000_000, allow_truncated=allow_truncated))
    except PictureError:
        return
    changed = [np.full(frame.pixels.shape[:2], change) for frame in picture.frames]
    for policy in ("strip", "safe", "keep"):
        try:
            encoded = encode_picture(picture, picture.frames, changed, policy)
        except PictureError:
            return
        path.write_bytes(encoded.content)
        after = read_picture(path, ReadSettings(allow_truncated=True))
        shapes = [[frame.pixels.shape for frame in one.frames] for one in (picture, after)]
        assert shapes[0] == shapes[1]
