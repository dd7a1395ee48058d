"""AVIF and HEIC files keep their colours, HDR data and pixel shape, and show the same part of the picture."""

import numpy as np
import pytest
from files.heif_samples import SampleItem, coded, heif_file
from files.samples import saved

from anonymizer.files import heic
from anonymizer.files.decode import decode_picture
from anonymizer.files.encode import encode_picture
from anonymizer.files.heif_display import Display, read_display, shown_part, with_display
from anonymizer.files.heif_items import data_of, read_items
from anonymizer.files.inspect import inspect_file

CLLI = (b"clli", bytes.fromhex("03e80190"))
MDCV = (b"mdcv", bytes(range(24)))
PASP = (b"pasp", (2).to_bytes(4, "big") + (1).to_bytes(4, "big"))
PROPERTIES = [CLLI, MDCV, PASP, (b"amve", bytes(8)), (b"cclv", bytes(30)), (b"ndwt", bytes(4) + b"\0\0\0\xcb")]
COLOURS = {"P3": (12, 13), "Rec. 2020 PQ": (9, 16), "Rec. 2020 HLG": (9, 18), "P3 linear": (12, 8)}


def encoded(file_format: str, mode: str = "RGB") -> bytes:
    if file_format == "HEIF" and not heic.can_read_heic():
        pytest.skip("needs pillow-heif")
    return saved(file_format, mode, size=(64, 96), quality=70)


def rewritten(content: bytes) -> bytes:
    picture = decode_picture(content)
    return encode_picture(picture, picture.frames, [np.ones(picture.pixels.shape[:2], bool)], "strip").content


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("name", COLOURS)
def test_colours_and_properties_are_written(file_format: str, mode: str, name: str) -> None:
    plain = encoded(file_format, mode)
    source = with_display(plain, Display(COLOURS[name], PROPERTIES))
    assert (decode_picture(source).pixels == decode_picture(plain).pixels).all()
    written = rewritten(source)
    display = read_display(written, is_turned=False)
    assert display.colours == COLOURS[name]
    assert sorted(display.properties) == sorted(PROPERTIES)
    assert inspect_file(written, "AVIF" if file_format == "AVIF" else "HEIF") == []
    before, after = decode_picture(source).pixels.astype(int), decode_picture(written).pixels
    assert before.shape == after.shape
    assert np.abs(before - after).mean() < 30  # noise, compressed twice


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
def test_a_file_that_says_nothing_stays_as_the_encoder_wrote_it(file_format: str) -> None:
    content = encoded(file_format)
    assert with_display(content, Display()) == content
    assert with_display(content, Display((2, 2))) == content


def test_pixel_shapes_turn_with_the_picture() -> None:
    content = with_display(encoded("AVIF"), Display(None, [PASP, (b"irot", b"\1")]))
    assert read_display(content, is_turned=False).properties == [PASP]
    assert read_display(content, is_turned=True).properties == [(b"pasp", PASP[1][4:] + PASP[1][:4])]


def test_properties_of_odd_sizes_are_not_kept() -> None:
    content = with_display(encoded("AVIF"), Display(None, [(b"clli", bytes(400)), (b"mdcv", bytes(23))]))
    assert read_display(content, is_turned=False).properties == []


def test_colours_that_only_the_compressed_picture_names_are_kept() -> None:
    content = with_display(encoded("AVIF"), Display((9, 16)))
    items = read_items(content)
    item = items.by_number[items.primary]
    bare = [one for one in item.properties if one[0] != b"colr"]
    source = heif_file(SampleItem(b"av01", data_of(content, item), bare))
    assert read_display(source, is_turned=False).colours == (9, 16)
    assert read_display(rewritten(source), is_turned=False).colours == (9, 16)


def aperture(width: int, height: int, right: tuple[int, int] = (0, 1), below: tuple[int, int] = (0, 1)) -> bytes:
    numbers = (width, 1, height, 1, *right, *below)
    return b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)


def test_the_shown_part() -> None:
    assert shown_part(aperture(20, 10), 30, 40) == (slice(10, 20), slice(10, 30))
    assert shown_part(aperture(21, 10, right=(1, 2)), 30, 40) == (slice(10, 20), slice(10, 31))
    assert shown_part(aperture(20, 10, right=(-10, 1), below=(-10, 1)), 30, 40) == (slice(0, 10), slice(0, 20))


@pytest.mark.parametrize(
    "description",
    [b"", aperture(40, 30), aperture(41, 30), aperture(21, 10), aperture(20, 10, (1, 0)), aperture(20, 10, (11, 1))],
)
def test_descriptions_that_crop_nothing_or_make_no_sense(description: bytes) -> None:
    assert shown_part(description, 30, 40) is None


def test_what_the_file_crops_is_left_out() -> None:
    plain = heif_file(coded())
    source = heif_file(coded(properties=[*coded().properties, (b"clap", aperture(40, 20))]))
    picture = decode_picture(source)
    assert picture.left_out == ("what the file crops, and viewers do not show, is left out",)
    assert (picture.pixels == decode_picture(plain).pixels[22:42, 12:52]).all()
    written = rewritten(source)
    assert decode_picture(written).pixels.shape == (20, 40, 3)
    assert read_display(written, is_turned=False).clean_aperture is None
