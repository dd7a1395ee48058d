from pathlib import Path

import numpy as np
import pytest
from fakes import noise, save
from files.samples import alpha_of

from anonymizer.errors import PictureError
from anonymizer.files.decode import decode_picture
from anonymizer.files.read import read_picture
from anonymizer.settings import ReadSettings


def test_bytes_are_decoded_like_the_file_that_holds_them(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", noise(9, 11, 4))
    read, decoded = read_picture(path), decode_picture(path.read_bytes())
    assert (decoded.content, decoded.encoding, decoded.remarks) == (read.content, read.encoding, ())
    assert np.array_equal(decoded.pixels, read.pixels)
    assert np.array_equal(alpha_of(decoded), alpha_of(read))


@pytest.mark.parametrize(
    ("name", "remarks"),
    [("", ()), ("a.png", ()), ("a.jpg", ("is a PNG file with the extension of another format",)), ("a.data", ())],
)
def test_the_name_may_belong_to_another_format(tmp_path: Path, name: str, remarks: tuple[str, ...]) -> None:
    content = save(tmp_path / "a.png", noise(9, 11)).read_bytes()
    assert decode_picture(content, name=name).remarks == remarks


def test_bytes_that_cannot_be_decoded() -> None:
    with pytest.raises(PictureError, match="is no picture"):
        decode_picture(b"")
    with pytest.raises(PictureError, match="more than --max-pixels"):
        decode_picture(
            b"BM" + bytes(12) + (40).to_bytes(4, "little") + (9).to_bytes(4, "little") * 2 + b"\1\0\x18" + bytes(25),
            ReadSettings(max_pixels=80),
        )


def test_files_that_end_too_early_may_be_allowed(tmp_path: Path) -> None:
    content = save(tmp_path / "a.png", noise(40, 40)).read_bytes()[:-2000]
    with pytest.raises(PictureError, match=r"truncated.*; --allow-truncated processes what is there"):
        decode_picture(content, ReadSettings())
    assert decode_picture(content, ReadSettings(allow_truncated=True)).pixels.shape == (40, 40, 3)
