"""The gate sees everything in AVIF and HEIC files that is not the shown picture, and nothing in those that show all."""

import pytest
from files.heif_samples import ALPHA, APPLE_GAIN_MAP, DEPTH, SampleItem, coded, grid, heif_file
from files.samples import full_exif, saved

from anonymizer.files import heic
from anonymizer.files.decode import decode_picture
from anonymizer.files.heif_contents import read_contents
from anonymizer.files.inspect import inspect_file
from anonymizer.files.iso_boxes import write_box

FACE = coded(9)
CROP = b"".join(number.to_bytes(4, "big") for number in (64, 1, 160, 1, 0, 1, 0, 1))
PADDING = b"".join(number.to_bytes(4, "big") for number in (152, 1, 160, 1, 0, 1, 0, 1))
SECRET = bytes(range(256)) * 4


def auxiliary(kind: bytes, of: int = 1) -> SampleItem:
    return coded(9, properties=[*FACE.properties, (b"auxC", kind)], references={b"auxl": [of]})


HIDING: dict[str, tuple[bytes, str]] = {
    "a hidden item": (heif_file(coded(), coded(9, is_hidden=True)), "1 further pictures"),
    "an item that is not hidden": (heif_file(coded(), FACE), "1 further pictures"),
    "a picture of tiles": (heif_file(coded(), grid([3, 4]), coded(8), FACE), "1 further pictures"),
    "more tiles than are shown": (heif_file(grid([2, 3]), coded(1), coded(2), FACE), "1 further pictures"),
    "a picture covered by another": (
        heif_file(SampleItem(b"iovl", bytes(22), coded().properties, {b"dimg": [2, 3]}), FACE, coded(is_hidden=True)),
        "2 further pictures",
    ),
    "a part that is cropped": (
        heif_file(coded(side=160, properties=[*coded(side=160).properties, (b"clap", CROP)])),
        "a part of the picture that the file crops, and viewers do not show",
    ),
    "a gain map": (heif_file(coded(), SampleItem(b"tmap", bytes(62), (), {b"dimg": [1, 3]}), FACE), "a gain map"),
    "a gain map of Apple's": (heif_file(coded(), auxiliary(APPLE_GAIN_MAP)), "a gain map"),
    "a depth map": (heif_file(coded(), auxiliary(DEPTH)), "auxiliary pictures, such as depth maps"),
    "a second alpha channel": (
        heif_file(coded(), auxiliary(ALPHA), auxiliary(ALPHA)),
        "auxiliary pictures, such as depth maps",
    ),
    "alpha of another item": (heif_file(coded(), auxiliary(ALPHA, of=7)), "auxiliary pictures, such as depth maps"),
    "a thumbnail": (heif_file(coded(), coded(9, references={b"thmb": [1]})), "a thumbnail"),
    "an item of an unknown kind": (heif_file(coded(), SampleItem(b"face", SECRET)), "1 further pictures"),
    "a JPEG file as metadata": (
        heif_file(coded(), SampleItem(b"mime", SECRET, content_type=b"image/jpeg")),
        "1024 bytes in an item of an unknown kind",
    ),
    "bytes that no item refers to": (heif_file(coded(), gap=SECRET), "1024 bytes that no item refers to"),
    "a box behind the picture": (
        heif_file(coded(), behind=write_box(b"mdat", SECRET)),
        "1024 bytes that no item refers to",
    ),
    "an unknown box": (
        heif_file(coded(), behind=write_box(b"uuid", SECRET)),
        "1024 bytes in an unknown box, or behind the picture",
    ),
    "an unknown box inside": (heif_file(coded(), in_meta=write_box(b"uuid", SECRET)), "1024 bytes in an unknown box"),
    "a large property": (
        heif_file(coded(properties=[*coded().properties, (b"uuid", SECRET)])),
        "1024 bytes in an unknown property",
    ),
    "bytes behind the compressed data": (
        heif_file(SampleItem(b"av01", coded().data + b"\x80" + SECRET, coded().properties)),
        "1025 bytes beside the compressed picture",
    ),
    "padding with content": (
        heif_file(SampleItem(b"av01", coded().data + b"\x7a\x80\x08" + SECRET, coded().properties)),
        "1024 bytes beside the compressed picture",
    ),
}


@pytest.mark.parametrize("name", HIDING)
def test_the_gate_names_what_is_hidden(name: str) -> None:
    content, text = HIDING[name]
    assert ("preview", text) in [(issue.kind, issue.text) for issue in inspect_file(content, "AVIF")]


SHOWN = {
    "one picture": heif_file(coded()),
    "tiles": heif_file(grid([2, 3]), coded(1, is_hidden=True), coded(2, is_hidden=True)),
    "alpha": heif_file(coded(), auxiliary(ALPHA)),
    "alpha of tiles": heif_file(grid([2, 3]), coded(1), coded(2), auxiliary(ALPHA, 2), auxiliary(ALPHA, 3)),
    "padding by its encoder": heif_file(coded(side=160, properties=[*coded(side=160).properties, (b"clap", PADDING)])),
    "padding": heif_file(coded(), gap=bytes(5000)),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_no_issue(name: str) -> None:
    assert inspect_file(SHOWN[name], "AVIF") == []


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_files_of_encoders_have_no_issue(file_format: str, mode: str) -> None:
    if file_format == "HEIF" and not heic.can_read_heic():
        pytest.skip("needs pillow-heif")
    contents = read_contents(saved(file_format, mode, size=(200, 300)))
    assert (contents.further, contents.thumbnails, contents.unknown) == ([], 0, [])


def test_metadata_of_every_item_are_seen() -> None:
    exif = SampleItem(b"Exif", bytes(4) + full_exif().removeprefix(b"Exif\0\0"), (), {b"cdsc": [1]})
    xmp = SampleItem(b"mime", b"<x:xmpmeta>GPSLatitude</x:xmpmeta>", content_type=b"application/rdf+xml")
    contents = read_contents(heif_file(coded(), exif, exif, xmp))
    assert len(contents.exifs) == 2
    assert contents.texts == [xmp.data]
    kinds = {issue.kind for issue in inspect_file(heif_file(coded(), exif, xmp), "AVIF")}
    assert kinds >= {"gps", "name", "serial", "preview"}


def test_bytes_behind_the_last_box() -> None:
    assert [issue.kind for issue in inspect_file(heif_file(coded(), behind=b"abc"), "AVIF")] == ["trailing"]


@pytest.mark.parametrize("name", ["a gain map", "a gain map of Apple's"])
def test_the_run_names_gain_maps(name: str) -> None:
    (note,) = decode_picture(HIDING[name][0]).left_out
    assert note == "the gain map is left out: the picture is shown with the usual range of brightness"


def test_the_run_names_further_pictures() -> None:
    assert decode_picture(HIDING["a hidden item"][0]).left_out == ("1 further pictures are left out",)
    assert decode_picture(HIDING["a thumbnail"][0]).left_out == ()


def test_damaged_items_may_hold_anything() -> None:
    content = heif_file(coded()).replace(b"pitm", b"free")
    assert read_contents(content).unknown == ["items that cannot be read, which may be further pictures"]
