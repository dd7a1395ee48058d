"""Each format is one row of `FORMATS` and one codec; so is a new one."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import smooth
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.codecs import Codec, codec_of
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture, may_differ
from anonymizer.files.frames import decode_still
from anonymizer.files.inspect import inspect_file, is_picture
from anonymizer.files.metadata import EmbeddedData, Policy
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame, to_image
from anonymizer.formats import FORMATS, FileFormat
from anonymizer.settings import ReadSettings


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    return decode_still(image, content, settings, "PPM")


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    buffer = io.BytesIO()
    to_image(frames[0].pixels).save(buffer, "PPM")
    return Encoded(buffer.getvalue(), "lossless")


def embedded_data(content: bytes) -> EmbeddedData:
    width, height = map(int, content.split(maxsplit=3)[1:3])
    return EmbeddedData(bytes_behind=len(content) - len(b"P6\n") - len(f"{width} {height}\n255\n") - 3 * width * height)


TOY = Codec(decode, encode, embedded_data)


def ppm_file() -> bytes:
    return b"P6\n30 20\n255\n" + smooth(20, 30).tobytes()


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_has_a_codec(file_format: str) -> None:
    assert isinstance(codec_of(file_format), Codec)


def test_a_format_without_a_row_is_refused() -> None:
    with pytest.raises(PictureError, match="is no picture in JPEG, PNG"):
        decode_picture(ppm_file())


def test_one_row_adds_a_format(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(FORMATS, "PPM", FileFormat("portable pixmap", ("ppm",), rb"P6\s", f"{__name__}:TOY"))
    picture = decode_picture(ppm_file(), name="a.jpg")
    assert picture.encoding.format == "PPM"
    assert picture.remarks == ("is a portable pixmap file with the extension of another format",)
    assert np.array_equal(picture.pixels, smooth(20, 30))
    pixels, changed = picture.pixels.copy(), np.zeros((20, 30), bool)
    changed[3:9, 4:8] = True
    pixels[changed] = 0
    encoded = encode_picture(picture, [Frame(pixels)], [changed], "strip")
    assert np.array_equal(decode_picture(encoded.content).pixels, pixels)
    assert (encoded.fidelity, encoded.left_out) == ("lossless", ())
    assert may_differ(picture, picture.frames[0], changed) is changed
    assert inspect_file(encoded.content, "PPM") == []
    assert [issue.kind for issue in inspect_file(encoded.content + b"behind", "PPM")] == ["trailing"]
    (tmp_path / "a").write_bytes(ppm_file())
    assert is_picture(tmp_path / "a")
    with pytest.raises(PictureError, match="is damaged"):
        decode_picture(b"P6\n30")
