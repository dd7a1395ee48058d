"""What a file holds beside its picture is told; what our own policies keep is not."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import noise, save, smooth
from files.samples import PHOTOSHOP_THUMBNAIL, PROFILE, THUMBNAIL, XMP, full_exif, jpeg_file, png_file
from PIL import Image, ImageFile, PngImagePlugin

from anonymizer.files import gif, heic, iso_boxes, jpeg_segments, png
from anonymizer.files.encode import encode_picture
from anonymizer.files.inspect import inspect_file, is_picture
from anonymizer.files.metadata import Policy
from anonymizer.files.read import read_picture


def kinds_in(content: bytes, file_format: str = "JPEG") -> set[str]:
    return {issue.kind for issue in inspect_file(content, file_format)}


def with_segment(marker: int, payload: bytes) -> bytes:
    plain = jpeg_file(smooth(20, 20))
    return plain[:2] + jpeg_segments.write_segment(marker, payload) + plain[2:]


def exif_with(tags: Any = (), inner: Any = (), position: Any = ()) -> bytes:
    exif = Image.Exif()
    exif.update(dict(tags))
    exif.get_ifd(0x8769).update(dict(inner))
    exif.get_ifd(0x8825).update(dict(position))
    return exif.tobytes()


@pytest.mark.parametrize("allow_truncated", [False, True])
def test_plain_files(monkeypatch: pytest.MonkeyPatch, allow_truncated: bool) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", allow_truncated)
    assert inspect_file(jpeg_file(noise(20, 20)), "JPEG") == []
    assert inspect_file(jpeg_file(noise(20, 20), progressive=True, restart=2), "JPEG") == []


@pytest.mark.parametrize(
    ("segment", "kinds"),
    [
        ((0xE1, full_exif()), {"preview", "gps", "serial", "name"}),
        ((0xE1, exif_with({0x0112: 6, 0x010F: "make", 0x0132: "2001:02:03 04:05:06"}, {0xA434: "a lens"})), set()),
        ((0xE1, exif_with(position={0: b"\2\3\0\0"})), set()),
        ((0xE1, exif_with(position={1: "N", 2: (48.0, 8.0, 7.0)})), {"gps"}),
        ((0xE1, exif_with(inner={0xA435: "12"})), {"serial"}),
        ((0xE1, exif_with(tags={0x9C9D: b"s\0"})), {"name"}),
        ((0xE1, exif_with(inner={0x927C: b"maker note"})), {"preview"}),
        ((0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\1\0\0\0\xff\xff\xff\xff\0\0\0\0"), set()),
        ((0xE1, b"Exif\0\0no EXIF"), {"preview"}),
        ((0xE1, XMP + b"<x xmp:Thumbnails='/9j/'/>"), {"preview"}),
        ((0xE1, XMP + b"<x exif:GPSLatitude='1' aux:SerialNumber='2'/><mwg-rs:Regions/>"), {"gps", "serial", "name"}),
        ((0xE1, XMP + "exif:GPSLatitude".encode("utf-16")), {"gps"}),
        ((0xE1, XMP + b"<x dc:format='image/jpeg'/>"), set()),
        ((0xE0, b"JFIF\0\1\1\0\0\1\0\1\1\1abc"), {"preview"}),
        ((0xE0, b"JFXX\0\x10abc"), {"preview"}),
        ((0xE2, b"MPF\0abc"), {"preview"}),
        ((0xE2, b"ICC_PROFILE\0\1\1" + PROFILE), set()),
        ((0xE4, b"vendor " + THUMBNAIL), {"preview"}),
        ((0xEB, b"JP\0\1 jumb credentials"), {"preview"}),
        ((0xED, b"Photoshop 3.0\0" + PHOTOSHOP_THUMBNAIL), {"preview"}),
        ((0xEE, b"Adobe\0\x64\0\0\0\0\1"), set()),
        ((0xFE, b"a comment"), set()),
    ],
)
def test_jpeg(segment: tuple[int, bytes], kinds: set[str]) -> None:
    assert kinds_in(with_segment(*segment)) == kinds


def test_a_thumbnail_without_compression() -> None:
    """No beginning of a JPEG file tells of it."""
    rows = ((0x0111, 50), (0x0117, 192))
    second = b"\2\0" + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in rows) + b"\0" * 4
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HI", 0, 14) + second + noise(8, 8).tobytes()
    issues = inspect_file(with_segment(0xE1, exif), "JPEG")
    assert [issue.text for issue in issues] == ["a thumbnail in the EXIF data"]


def test_exif_data_cut_by_the_end_of_their_segment() -> None:
    text = " ".join(f"{one:03o}" for one in noise(80, 80).tobytes()).encode("utf-16-le")
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x9286, 7, len(text) + 8, 26, 0) + b"UNICODE\0" + text
    plain = jpeg_file(smooth(20, 20))
    segments = b"".join(jpeg_segments.write_segment(0xE1, part) for part in (exif[:65000], exif[65000:65100]))
    assert "preview" in kinds_in(plain[:2] + segments + plain[2:])
    assert "beside the tags" in inspect_file(with_segment(0xE1, exif[:65000]), "JPEG")[0].text


@pytest.mark.parametrize("text", [b"a word", "hello there".encode("utf-16"), b"<x>no XMP &#9679; </y>", b"<x/>"])
def test_comments_that_are_not_kept_are_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(with_segment(0xFE, text))
    picture = read_picture(path)
    unchanged = [np.zeros((20, 20), bool)]
    left_out = encode_picture(picture, picture.frames, unchanged, "keep").left_out
    assert bool(left_out) == bool(kinds_in(path.read_bytes()))


def test_jpeg_with_more_behind() -> None:
    content = jpeg_file(smooth(20, 20))
    (issue,) = inspect_file(content + b"12345", "JPEG")
    assert (issue.kind, issue.text) == ("trailing", "5 bytes behind the end of the picture")
    hidden = content[:-2] + jpeg_segments.write_segment(0xE1, b"hidden") + content[-2:]
    assert kinds_in(hidden) == {"preview"}


@pytest.mark.parametrize(
    ("chunk", "kinds"),
    [
        ((b"caBX", b"jumb"), {"preview"}),
        ((b"eXIf", full_exif()[6:]), {"preview", "gps", "serial", "name"}),
        ((b"tEXt", b"Comment\0harmless"), set()),
        ((b"tEXt", b"Raw profile type exif\0 0123"), {"preview"}),
        ((b"prVW", b"a preview" * 100), {"preview"}),
        ((b"vpAg", b"small"), set()),
        ((b"tIME", b"\x07\xd0\1\1\0\0\0"), set()),
    ],
)
def test_png(tmp_path: Path, chunk: tuple[bytes, bytes], kinds: set[str]) -> None:
    content = save(tmp_path / "a.png", smooth(20, 20)).read_bytes()
    assert inspect_file(content, "PNG") == []
    first, *others = png.read_chunks(content)
    assert kinds_in(png.join_chunks([first, chunk, *others]), "PNG") == kinds


def test_png_with_more_behind(tmp_path: Path) -> None:
    content = save(tmp_path / "a.png", noise(20, 20)).read_bytes()
    assert kinds_in(content + b"behind", "PNG") == {"trailing"}
    chunks = list(png.read_chunks(content))
    larger = [
        (kind, data[:4] + (10).to_bytes(4, "big") + data[8:] if kind == b"IHDR" else data) for kind, data in chunks
    ]
    assert kinds_in(png.join_chunks(larger), "PNG") == {"preview"}  # ten rows are shown, twenty are there


def test_png_with_compressed_text(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "exif:GPSLatitude", zip=True)
    content = save(tmp_path / "a.png", smooth(20, 20), pnginfo=info).read_bytes()
    assert kinds_in(content, "PNG") == {"gps"}


def test_other_formats(tmp_path: Path) -> None:
    position = exif_with(position={1: "N", 2: (48.0, 8.0, 7.0)})
    webp = save(tmp_path / "a.webp", smooth(20, 20), exif=position, xmp=b"aux:SerialNumber").read_bytes()
    assert kinds_in(webp, "WEBP") == {"gps", "serial"}
    assert kinds_in(webp + b"behind", "WEBP") == {"gps", "serial", "trailing"}
    tiff = save(tmp_path / "a.tif", smooth(20, 20)).read_bytes()
    assert kinds_in(tiff, "TIFF") == set()
    named = save(tmp_path / "b.tif", smooth(20, 20), tiffinfo={0x013B: "somebody", 0x02BC: b"exif:GPSLatitude"})
    assert kinds_in(named.read_bytes(), "TIFF") == {"name", "gps"}
    bmp = save(tmp_path / "a.bmp", smooth(20, 20)).read_bytes()
    assert kinds_in(bmp, "BMP") == set()
    assert kinds_in(bmp + b"behind", "BMP") == {"trailing"}


@pytest.mark.parametrize("policy", ["strip", "safe"])
@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tif", "bmp", "gif", "avif", "heic", "jp2"])
def test_our_own_output_is_clean(tmp_path: Path, policy: Policy, change: bool, extension: str) -> None:
    options: dict[str, Any] = (
        {} if extension in ("bmp", "gif", "jp2") else {"exif": full_exif()[6:] if extension != "jpg" else full_exif()}
    )
    if extension == "tif":
        options = {"tiffinfo": {0x013B: "somebody"}}
    heic.can_read_heic()
    path = save(tmp_path / f"a.{extension}", smooth(40, 40), **options)
    path.write_bytes(path.read_bytes() + (b"behind" if extension in ("jpg", "png", "gif", "jp2") else b""))
    picture = read_picture(path)
    changed = [np.full(frame.pixels.shape[:2], change) for frame in picture.frames]
    encoded = encode_picture(picture, picture.frames, changed, policy)
    assert inspect_file(encoded.content, picture.encoding.format) == []


@pytest.mark.parametrize("extension", ["gif", "png", "webp", "tif"])
@pytest.mark.parametrize("change", [False, True])
def test_our_own_animations_and_pages_are_clean(tmp_path: Path, extension: str, change: bool) -> None:
    first, *others = [Image.fromarray(noise(40, 40, seed=seed)) for seed in range(3)]
    path = tmp_path / f"a.{extension}"
    first.save(path, save_all=True, append_images=others)
    picture = read_picture(path)
    changed = [np.full(frame.pixels.shape[:2], change) for frame in picture.frames]
    encoded = encode_picture(picture, picture.frames, changed, "strip")
    assert len(picture.frames) == 3
    assert inspect_file(encoded.content, picture.encoding.format) == []


def test_gif(tmp_path: Path) -> None:
    content = save(tmp_path / "a.gif", smooth(20, 20)).read_bytes()
    assert kinds_in(content, "GIF") == set()
    assert kinds_in(content + b"behind", "GIF") == {"trailing"}
    for label, name, data, kinds in (
        (0xFE, b"", b"exif:GPSLatitude", {"gps"}),
        (0xFF, b"XMP DataXMP", b"aux:SerialNumber", {"serial"}),
        (0xFF, b"NETSCAPE2.0", b"\1\0\0", set()),
        (0xFF, b"SOMETHING01", b"a picture" * 100, {"preview"}),
        (0xFF, b"ICCRGBG1012", (128).to_bytes(4, "big") + bytes(124) + b"behind", {"trailing"}),
    ):
        assert kinds_in(content[:-1] + gif.write_extension(label, name, data) + content[-1:], "GIF") == kinds, name


def test_pages(tmp_path: Path) -> None:
    first, second = Image.fromarray(smooth(20, 20)), Image.fromarray(noise(20, 20))
    path = tmp_path / "a.tif"
    second.encoderinfo = {"tiffinfo": {0x013B: "somebody"}}
    first.save(path, save_all=True, append_images=[second])
    assert kinds_in(path.read_bytes(), "TIFF") == {"name"}
    second.encoderinfo = {"tiffinfo": {254: 1}}
    first.save(path, save_all=True, append_images=[second])
    assert kinds_in(path.read_bytes(), "TIFF") == {"preview"}


@pytest.mark.parametrize(("extension", "file_format"), [("avif", "AVIF"), ("heic", "HEIF")])
def test_heif(tmp_path: Path, extension: str, file_format: str) -> None:
    heic.can_read_heic()
    path = save(tmp_path / f"a.{extension}", smooth(40, 40))
    content = path.read_bytes()
    assert kinds_in(content, file_format) == set()
    assert kinds_in(content + iso_boxes.write_box(b"uuid", b"a picture" * 100), file_format) == {"preview"}
    save(path, smooth(40, 40), exif=full_exif(), xmp=b"aux:SerialNumber")
    assert kinds_in(path.read_bytes(), file_format) >= {"preview", "gps", "serial", "name"}


def test_heic_with_further_pictures(tmp_path: Path) -> None:
    heic.can_read_heic()
    path = tmp_path / "a.heic"
    Image.fromarray(smooth(64, 64)).save(path, save_all=True, append_images=[Image.fromarray(noise(64, 64))])
    assert kinds_in(path.read_bytes(), "HEIF") == {"preview"}


def test_jpeg2000(tmp_path: Path) -> None:
    plain = save(tmp_path / "a.j2k", smooth(40, 40)).read_bytes()
    assert kinds_in(plain, "JPEG2000") == set()
    assert kinds_in(plain + b"behind", "JPEG2000") == {"trailing"}
    boxed = save(tmp_path / "a.jp2", smooth(40, 40)).read_bytes()
    assert kinds_in(boxed, "JPEG2000") == set()
    for kind, data, kinds in (
        (b"uuid", b"JpgTiffExif->JP2" + full_exif()[6:], {"preview", "gps", "serial", "name"}),
        (b"xml ", b"exif:GPSLatitude", {"gps"}),
        (b"abcd", b"a picture" * 100, {"preview"}),
        (b"jp2c", plain, {"preview"}),
    ):
        assert kinds_in(boxed + iso_boxes.write_box(kind, data), "JPEG2000") == kinds, kind


def test_animations_with_hidden_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    first, *others = [Image.fromarray(noise(20, 20, seed=seed)) for seed in range(3)]
    first.save(path, save_all=True, append_images=others)
    assert kinds_in(path.read_bytes(), "PNG") == set()
    chunks = [
        (kind, (2).to_bytes(4, "big") + data[4:] if kind == b"acTL" else data)
        for kind, data in png.read_chunks(path.read_bytes())
    ]
    assert kinds_in(png.join_chunks(chunks), "PNG") == {"preview"}  # two frames are announced, three are there


def test_pictures_are_told_by_their_beginning(tmp_path: Path) -> None:
    for extension in ("jpg", "png", "gif", "webp", "tif", "bmp", "avif", "heic", "jp2", "j2k"):
        path = save(tmp_path / f"a.{extension}", smooth(20, 20))
        path.rename(tmp_path / f"{extension}.data")
        assert is_picture(tmp_path / f"{extension}.data"), extension
    for name, content in (("a.txt", b"BMW"), ("b.txt", b""), ("c.json", b"[]\n")):
        (tmp_path / name).write_bytes(content)
        assert not is_picture(tmp_path / name)
    assert not is_picture(tmp_path / "no such file")
    assert not is_picture(tmp_path)


def test_words_in_keywords_do_not_make_texts_readable() -> None:
    header, *others = png.read_chunks(png_file(smooth(9, 9)))
    letters = SECRET_LETTERS
    chunks = [(b"tEXt", letters[at : at + 14] + b"\0text") for at in range(0, len(letters), 14)]
    issues = inspect_file(png.join_chunks([header, *chunks, *others]), "PNG")
    assert any("not plain language" in issue.text for issue in issues)


SECRET_LETTERS = " ".join(
    "".join(chr(97 + (number * 7 + at * at * number) % 16) for at in range(6)) for number in range(100)
).encode()


def test_bytes_in_the_keywords_of_png_texts_are_told() -> None:
    random = np.random.default_rng(3)
    chunks = list(png.read_chunks(png_file(smooth(8, 8))))
    pieces = [random.integers(128, 256, 79, np.uint8).tobytes() + b"\0text" for _ in range(10)]
    content = png.join_chunks([chunks[0], *((b"tEXt", piece) for piece in pieces), *chunks[1:]])
    assert any("unknown blocks" in issue.text for issue in inspect_file(content, "PNG"))
