"""Looks for private data in a picture file besides the visible picture.

It inspects a finished file, whichever program wrote it. Metadata that the policies `strip` and `safe` keep are not an
issue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from anonymizer.addresses import Place
from anonymizer.files.budget import excess
from anonymizer.files.codecs import codec_of
from anonymizer.files.exif_rest import content_of
from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import (
    BESIDE_TAGS,
    DAMAGED_TAGS,
    EXIF_IFD,
    GPS_IFD,
    HOW_PIXELS_ARE_STORED,
    INTEROPERABILITY_IFD,
    MAIN_IFD,
    MAKER_NOTE,
    MAX_UNKNOWN,
    THUMBNAIL_IFD,
    Tags,
    are_captions_kept,
    bytes_beside_tags,
    exact_profile,
    is_iptc,
    is_xmp,
    kept_texts,
    measure_named,
    name_of_tag,
    parse_exif,
    plain_tags,
    signs_of_pictures,
    tags_of,
)
from anonymizer.files.plain_language import find_plain, is_printable, measure_bytes
from anonymizer.files.storage import read_beginning
from anonymizer.files.xmp import plain_xmp
from anonymizer.formats import FORMATS, Format

FileIssueKind: TypeAlias = Literal["preview", "gps", "serial", "name", "trailing", "data"]
"""data: a track, an attached file or a block of a film that is neither picture, sound nor text."""
FILE_ISSUE_KINDS: tuple[FileIssueKind, ...] = get_args(FileIssueKind)

_SHOWN_NAMES = 3
_GPS_VERSION = 0
_SERIALS = {
    0xA431: "serial number of the camera",
    0xA435: "serial number of the lens",
    0xC62F: "serial number of the camera",
    0xA420: "unique number of the picture",
    0xC65D: "unique number of the picture",
}
_NAMES = {0x013B: "artist", 0x9C9D: "author", 0xA430: "owner of the camera"}

# Local names of XMP properties.
_XMP_SIGNS: Mapping[FileIssueKind, tuple[bytes, ...]] = {
    "gps": (b"GPSLatitude", b"GPSLongitude", b"GPSPosition"),
    "serial": (b"SerialNumber", b"ImageUniqueID"),
    "name": (b"PersonInImage", b"mwg-rs:", b"MPReg:", b"OwnerName"),
}


@dataclass(frozen=True)
class FileIssue:
    """Private data that a redacted file should not hold."""

    kind: FileIssueKind
    text: str


_OPAQUE_TEXT = FileIssue("preview", "a text that is not plain language: it may hold a picture")


def inspect_file(content: bytes, file_format: Format) -> list[FileIssue]:
    """The issues of a file that can be decoded, each only once.

    Issues are further pictures, GPS positions, serial and other unique numbers of devices, names of people, and bytes
    behind the end of the picture. Safe to call from several threads, see `decode_picture`.
    """
    found = codec_of(file_format).embedded_data(content)
    issues = [FileIssue("preview", what) for what in found.hidden_content]
    for exif in found.exifs:
        issues += _issues_in_exif(exif)
    for page in found.pages:
        issues += _issues_in_tags(page)
    for text in (*found.texts, *(names + text for names, text in found.named_texts)):
        issues += _issues_in_text(text)
    issues += _opaque_texts([*((b"", text) for text in found.texts), *found.named_texts])
    are_kept = zip(found.named_texts, kept_texts(found.named_texts, "keep"), strict=True)
    if any(not is_kept and is_printable(names + text) for (names, text), is_kept in are_kept):
        issues.append(_OPAQUE_TEXT)  # short bytes that are no text are not, as some programs put them into comments
    if too_much := excess(found):
        issues.append(
            FileIssue("preview", f"metadata hold {too_much} characters that are no plain language, in pieces")
        )
    if any(exact_profile(profile) != profile for profile in found.profiles):
        issues.append(FileIssue("trailing", "more in the colour profile than colours"))
    if found.bytes_behind:
        issues.append(FileIssue("trailing", f"{found.bytes_behind} bytes behind the end of the picture"))
    if found.bytes_apart:
        issues.append(FileIssue("trailing", f"{found.bytes_apart} bytes that nothing in the file refers to"))
    return list(dict.fromkeys(issues))


def _issues_in_exif(content: bytes) -> list[FileIssue]:
    exif = parse_exif(content)
    if exif is None:
        return [FileIssue("preview", "damaged EXIF data, which may hold anything")]
    issues: list[FileIssue] = []
    try:
        with pillow_state():
            tags = tags_of(exif)
            issues += _issues_in_tags(tags)
            issues += _opaque_tags({INTEROPERABILITY_IFD: exif.get_ifd(INTEROPERABILITY_IFD)})
            if exif.get_ifd(THUMBNAIL_IFD) or signs_of_pictures(content):
                issues.append(FileIssue("preview", "a thumbnail in the EXIF data"))
            if number := bytes_beside_tags(content):
                issues.append(FileIssue("preview", f"{number} {BESIDE_TAGS}: they may hold a picture"))
    except DAMAGED_TAGS:
        issues.append(FileIssue("preview", "damaged EXIF data, which may hold anything"))
    return issues


def _issues_in_tags(found: Tags) -> Iterator[FileIssue]:
    tags = {**found.main, **found.inner}
    main = {tag: value for tag, value in found.main.items() if tag not in HOW_PIXELS_ARE_STORED}
    inner = {tag: value for tag, value in found.inner.items() if tag != MAKER_NOTE}
    yield from _opaque_tags({MAIN_IFD: main, EXIF_IFD: inner, GPS_IFD: found.position})
    if any(tag != _GPS_VERSION for tag in found.position):
        yield FileIssue("gps", "GPS data in the EXIF data")
    for tag, text in _SERIALS.items():
        if tags.get(tag):
            yield FileIssue("serial", f"{text} in the EXIF data")
    for tag, text in _NAMES.items():
        if tags.get(tag):
            yield FileIssue("name", f"{text} in the EXIF data")
    if MAKER_NOTE in tags:
        yield FileIssue("preview", "a maker note, in which cameras put previews and serial numbers")


def _opaque_tags(directories: Mapping[int, Mapping[int, object]]) -> Iterator[FileIssue]:
    plain = plain_tags(directories)
    for directory, values in directories.items():
        for tag in values:
            if (directory, tag) not in plain:
                yield FileIssue(
                    "preview", f"{name_of_tag(directory, tag)} is not plain language: it may hold a picture"
                )


def _opaque_texts(texts: Sequence[tuple[bytes, bytes]]) -> Iterator[FileIssue]:
    """Whether what is not plain language may hold a picture: each text by itself, and all together. With names."""
    measures = {}
    binary_bytes = 0
    for number, (names, text) in enumerate(texts):
        if is_xmp(text):
            left_out = plain_xmp(text).left_out
            if left_out:
                what = ", ".join(left_out[:_SHOWN_NAMES])
                yield FileIssue("preview", f"{what}: not plain language, it may hold a picture")
        elif is_iptc(text):
            if not are_captions_kept(text, "keep"):
                yield FileIssue("preview", "captions (IPTC) that are not plain language: they may hold a picture")
        elif is_printable(names + text):
            measures[number] = measure_named(names, text) if names else measure_bytes(text)
        else:
            binary_bytes += content_of(names + text)
    if find_plain(measures) != set(measures):
        yield _OPAQUE_TEXT
    if binary_bytes > MAX_UNKNOWN:
        yield FileIssue("preview", f"{binary_bytes} bytes, when compressed, of unknown blocks")


def _issues_in_text(text: bytes) -> Iterator[FileIssue]:
    plain = text.replace(b"\0", b"")  # UTF-16 too
    if not is_xmp(text) and (signs_of_pictures(text) or signs_of_pictures(plain)):
        yield FileIssue("preview", "a picture in XMP, a comment, a text or an unknown block")
    for kind, signs in _XMP_SIGNS.items():
        if any(sign in plain for sign in signs):
            what = {"gps": "GPS data", "serial": "serial or unique number", "name": "names or marked people"}[kind]
            yield FileIssue(kind, f"{what} in XMP or a text")


_STARTS_ELSEWHERE = (
    rb"8BPS",  # Photoshop
    rb"\xff\x0a|\0\0\0\x0cJXL ",  # JPEG XL
    rb"....ftyp(avi[fs]|he[iv][cxms]|mif1|msf1|crx )",
)


def is_picture(path: Place) -> bool:
    """Whether a file begins like a picture in a common format, including formats that this package cannot read."""
    try:
        if isinstance(path, Path) and not path.is_file():
            return False
        start = read_beginning(path, 32)
    except OSError:
        return False
    starts = (*(file_format.header or file_format.start for file_format in FORMATS.values()), *_STARTS_ELSEWHERE)
    return any(re.match(pattern, start, re.DOTALL) for pattern in starts)
