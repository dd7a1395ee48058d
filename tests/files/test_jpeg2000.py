import io
from pathlib import Path

import numpy as np
import pytest
from fakes import noise, noise16, save
from files.samples import PROFILE, rewrite, saved
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files import iso_boxes, jpeg2000
from anonymizer.files.decode import decode_picture
from anonymizer.files.read import read_picture
from anonymizer.types import Pixels


@pytest.mark.parametrize("pixels", [noise(20, 30), noise(20, 30, 1), noise(20, 30, 4), noise16(20, 30, 1)])
@pytest.mark.parametrize("extension", ["jp2", "j2k"])
def test_lossless_jpeg_2000(tmp_path: Path, pixels: Pixels, extension: str) -> None:
    path = save(tmp_path / f"a.{extension}", pixels, irreversible=False)
    changed = np.zeros((20, 30), bool)
    changed[5:9, 5:9] = True
    before, after = read_picture(path), read_picture(rewrite(path, changed))
    assert after.pixels.dtype == pixels.dtype
    assert (before.pixels == after.pixels)[~changed].all()
    assert (before.pixels != after.pixels)[changed].all()
    assert path.read_bytes()[:4] == rewrite(path).read_bytes()[:4]


def test_jpeg_2000_keeps_its_profile_and_nothing_else(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jp2", noise(20, 30), irreversible=False)
    content = path.read_bytes()
    profile = iso_boxes.write_box(b"colr", b"\2\0\0" + PROFILE + b"a tail")
    source = []
    for kind, data in iso_boxes.read_boxes(content):
        if kind == b"jp2h":
            data = b"".join(
                profile if k == b"colr" else iso_boxes.write_box(k, d) for k, d in iso_boxes.read_boxes(data)
            )
        source.append(iso_boxes.write_box(kind, data))
    path.write_bytes(b"".join(source) + iso_boxes.write_box(b"xml ", b"somebody"))
    new = rewrite(path).read_bytes()
    assert PROFILE in new
    assert b"a tail" not in new
    assert b"somebody" not in new


@pytest.mark.parametrize(
    ("byte", "text"),
    [
        (8, "of 9 bits per channel, which is not handled"),
        (11, "of 12 bits per channel"),
        (0x87, "of 8 bits with a sign per channel"),
    ],
)
def test_depths_that_are_refused_are_named(byte: int, text: str) -> None:
    content = bytearray(saved("JPEG2000", irreversible=False))
    start = jpeg2000.find_codestream(bytes(content))
    for channel in range(3):
        content[start + 42 + 3 * channel] = byte
    with Image.open(io.BytesIO(saved("JPEG2000"))) as image, pytest.raises(PictureError, match=text):
        jpeg2000.refuse_unhandled(image, bytes(content))


def test_more_channels_than_four_are_refused() -> None:
    content = bytearray(saved("JPEG2000", "RGBA"))
    content[jpeg2000.find_codestream(bytes(content)) + 41] = 5
    with pytest.raises(PictureError, match="with 5 channels, which is not handled"):
        decode_picture(bytes(content))


def test_the_density_is_kept(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jp2", noise(20, 30), irreversible=False)
    density = iso_boxes.write_box(b"resc", bytes.fromhex("1234 0001 1234 0001 01 01"))
    odd = iso_boxes.write_box(b"resd", b"a secret")
    boxes = list(iso_boxes.read_boxes(path.read_bytes()))
    source = [(kind, data + iso_boxes.write_box(b"res ", density + odd) * (kind == b"jp2h")) for kind, data in boxes]
    path.write_bytes(b"".join(iso_boxes.write_box(*box) for box in source))
    new = rewrite(path).read_bytes()
    assert density in new
    assert b"secret" not in new
    with Image.open(path) as before, Image.open(path.with_name("new.jp2")) as after:
        assert before.info["dpi"] == after.info["dpi"]


def test_jpeg_2000_of_odd_depths_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jp2", noise(20, 30), irreversible=False)
    content = bytearray(path.read_bytes())
    start = jpeg2000.find_codestream(bytes(content))
    content[start + 42] = 11
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"of 8 bits and 12 bits per channel, which is not handled|damaged"):
        read_picture(path)
