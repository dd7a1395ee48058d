"""What each policy keeps, in files that hold everything."""

from pathlib import Path

import numpy as np
import pytest
from fakes import save, smooth
from files.samples import CAPTION, PHOTOSHOP_THUMBNAIL, THUMBNAIL, XMP, full_exif, jpeg_file
from PIL import Image, PngImagePlugin

from anonymizer.files import jpeg_segments, png
from anonymizer.files.encode import encode_picture
from anonymizer.files.metadata import GPS_IFD, MAIN_IFD, THUMBNAIL_IFD, Policy, kept_exif, kept_tags, plain_tags
from anonymizer.files.picture import Frame
from anonymizer.files.read import read_picture

EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif", "AVIF": "avif"}
NEVER_KEPT = [b"maker note", b"jumb", THUMBNAIL[-40:-10], b"/9j/"]
KEPT_IF_SAFE = [b"a lens", b"2001:02:03"]
KEPT_IF_KEEP = [b"somebody", b"serial 1234", b"a comment", b"a caption of", b"mwg-rs"]


@pytest.fixture
def full_jpeg(tmp_path: Path) -> Path:
    plain = jpeg_file(smooth(40, 40))
    segments = [
        (0xE1, full_exif()),
        (0xE1, XMP + b"<x>somebody mwg-rs</x>"),
        (0xE1, XMP + b"<x>xmp:Thumbnails /9j/</x>"),
        (0xEB, b"JP\0\1 jumb c2pa credentials"),
        (0xED, b"Photoshop 3.0\0" + PHOTOSHOP_THUMBNAIL + CAPTION),
        (0xFE, b"a comment"),
    ]
    path = tmp_path / "a.jpg"
    path.write_bytes(plain[:2] + b"".join(jpeg_segments.write_segment(*s) for s in segments) + plain[2:] + THUMBNAIL)
    return path


def written(path: Path, policy: Policy, change: bool) -> bytes:
    picture = read_picture(path)
    changed = np.full(picture.pixels.shape[:2], change)
    encoded = encode_picture(picture, [Frame(picture.pixels, picture.alpha)], [changed], policy)
    assert any("content credentials" in note for note in encoded.left_out)
    return encoded.content


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_jpeg(full_jpeg: Path, tmp_path: Path, policy: Policy, change: bool) -> None:
    source = full_jpeg.read_bytes()
    for secret in NEVER_KEPT + KEPT_IF_SAFE + KEPT_IF_KEEP:
        assert secret in source, secret
    content = written(full_jpeg, policy, change)
    for secret in NEVER_KEPT:
        assert secret not in content, secret
    for secret in KEPT_IF_SAFE:
        assert (secret in content) == (policy != "strip"), secret
    for secret in KEPT_IF_KEEP:
        assert (secret in content) == (policy == "keep"), secret
    target = tmp_path / "b.jpg"
    target.write_bytes(content)
    with Image.open(target) as image:
        assert image.getexif()[0x0112] == 6
        assert bool(image.getexif().get_ifd(0x8825)) == (policy == "keep")
        assert not image.getexif().get_ifd(THUMBNAIL_IFD)


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_png(tmp_path: Path, policy: Policy, change: bool) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "somebody", zip=False)
    info.add_text("Comment", "a comment " * 50, zip=True)
    info.add_itxt("XML:com.adobe.xmp", "mwg-rs", zip=True)
    info.add_itxt("Named", "a name", lang="en", tkey="Name")
    info.add_itxt("UTF-16", "h\0u\0m\0b\0n\0a\0i\0l")
    info.add_text("Preview", "/9j/ a picture in base64", zip=False)
    info.add_text("Raw profile type exif", "hexadecimal digits of a thumbnail", zip=True)
    path = save(tmp_path / "a.png", smooth(40, 40), pnginfo=info, exif=full_exif())
    chunks = list(png.read_chunks(path.read_bytes()))
    path.write_bytes(png.join_chunks([chunks[0], (b"caBX", b"jumb c2pa credentials"), *chunks[1:]]))
    kept = dict(png.read_chunks(written(path, policy, change)))
    assert b"caBX" not in kept
    texts = [
        data.split(b"\0")[0] for kind, data in png.read_chunks(written(path, policy, change)) if kind in png.TEXT_CHUNKS
    ]
    assert texts == ([b"Author", b"Comment", b"XML:com.adobe.xmp", b"Named"] if policy == "keep" else [])
    for secret in NEVER_KEPT:
        assert secret not in kept[b"eXIf"], secret
    assert (b"a lens" in kept[b"eXIf"]) == (policy != "strip")
    assert (b"serial 1234" in kept[b"eXIf"]) == (policy == "keep")


@pytest.mark.parametrize(
    "segment",
    [
        (0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02\xca\0\x07picture"),
        (0xFE, b"a picture \xff\xd8\xff\xe0"),
        (0xE1, XMP + "a picture xmp:Thumbnails".encode("utf-16")),
    ],
)
def test_previews_in_text_are_never_kept(tmp_path: Path, segment: tuple[int, bytes]) -> None:
    plain = jpeg_file(smooth(20, 20))
    path = tmp_path / "a.jpg"
    path.write_bytes(plain[:2] + jpeg_segments.write_segment(*segment) + plain[2:])
    picture = read_picture(path)
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.zeros((20, 20), bool)], "keep")
    assert b"picture" not in encoded.content.replace(b"\0", b"")


@pytest.mark.parametrize("tag", [0x927C, 0xFE00])
def test_previews_in_any_exif_tag_are_never_kept(tmp_path: Path, tag: int) -> None:
    exif = Image.Exif()
    exif[tag], exif[0x013B] = b"maker note " + THUMBNAIL, "somebody"
    path = save(tmp_path / "a.jpg", smooth(20, 20), exif=exif)
    picture = read_picture(path)
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.zeros((20, 20), bool)], "keep")
    assert b"somebody" in encoded.content
    assert b"maker note" not in encoded.content


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_damaged_exif_is_left_out(tmp_path: Path, policy: Policy) -> None:
    path = save(tmp_path / "a.jpg", smooth(20, 20), exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff somebody")
    picture = read_picture(path)
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.zeros((20, 20), bool)], policy)
    assert b"somebody" not in encoded.content


def test_further_pictures_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_file(smooth(20, 20)) + THUMBNAIL)
    picture = read_picture(path)
    encoded = encode_picture(picture, [Frame(picture.pixels, None)], [np.zeros((20, 20), bool)], "keep")
    assert encoded.left_out == (
        f"{len(THUMBNAIL)} bytes behind the picture, such as further pictures or a video, are left out",
    )


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
def test_no_directory_without_tags_is_written(policy: Policy) -> None:
    exif = Image.Exif()
    exif[0x010F] = "make"
    exif.get_ifd(0x8769)[0x927C] = b"a maker note"
    kept = Image.Exif()
    kept.load(kept_tags(exif, policy)[0].tobytes())
    assert dict(kept) == ({} if policy == "strip" else {0x010F: "make"})


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("change", [False, True])
def test_what_is_not_plain_is_named(tmp_path: Path, file_format: str, change: bool) -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x010E] = "somebody", bytes(range(1, 250)).hex()
    packet = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a>{bytes(range(250)).hex()}</a></x:xmpmeta>".encode()
    told = PngImagePlugin.PngInfo()
    told.add_itxt("XML:com.adobe.xmp", packet.decode())
    options: dict[str, object] = {"xmp": packet}
    if file_format == "TIFF":
        exif[700] = packet
        options = {}
    elif file_format == "PNG":
        options = {"pnginfo": told}
    path = tmp_path / f"a.{EXTENSIONS[file_format]}"
    Image.fromarray(smooth(40, 40)).save(path, file_format, exif=exif, **options)
    picture = read_picture(path)
    changed = [np.full((40, 40), change)]
    for policy, names in (("keep", "ImageDescription in EXIF, an XMP packet"), ("strip", "")):
        encoded = encode_picture(picture, picture.frames, changed, policy)  # type: ignore[arg-type]
        assert bytes(range(1, 20)).hex().encode() not in encoded.content
        notes = [note for note in encoded.left_out if "plain language" in note]
        assert len(notes) == bool(names)
        assert all(note.endswith(names) for note in notes)


@pytest.mark.parametrize("policy", ["strip", "safe", "keep"])
@pytest.mark.parametrize("tags", [{0x010F: "make"}, {0x010F: "make", 0x011A: 300.0, 0x011B: 300.0}, {}])
@pytest.mark.parametrize("had_tag", [False, True])
@pytest.mark.parametrize("orientation", [1, 6])
def test_an_orientation_of_1_is_not_added_to_exif_data(
    policy: Policy, tags: dict[int, object], had_tag: bool, orientation: int
) -> None:
    exif = Image.Exif()
    exif.update({**tags, **({0x0112: 9} if had_tag else {})})
    content = kept_exif(exif.tobytes(), orientation, policy).content
    kept = Image.Exif()
    kept.load(content or b"")
    if orientation == 6 or not had_tag:
        assert kept.get(0x0112) == (6 if orientation == 6 else None)
    else:
        assert kept.get(0x0112, 1) == 1
    assert kept.get(0x010F) == (None if policy == "strip" else tags.get(0x010F))


def test_binary_values_are_smaller_than_half_a_picture() -> None:
    binary = np.random.default_rng(0).bytes(60)
    directories = {MAIN_IFD: {0xFE04: b"\0\1" + binary, 0xFE05: b"\0\1" + binary[:40]}}
    assert plain_tags(directories) == {(MAIN_IFD, 0xFE05)}


def test_short_values_in_letters_that_stand_for_digits_are_not_taken_for_binary() -> None:
    assert plain_tags({GPS_IFD: {0x1B: b"bibf bdbfbk bjbibm cddlcg cdcaca cdjhkp"}}) == set()
