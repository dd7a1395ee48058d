"""Which metadata of a picture each policy keeps.

strip: those that are needed to show the picture right. safe: exposure, lens and time too, but no person, place or
individual device. keep: all others too. No policy keeps data that hold another picture, which would show what was
redacted: thumbnails, previews, and maker notes, in which cameras hide previews in ways of their own. Nor is anything
kept that is not plain language of ordinary length, whatever its tag, property or keyword is called: see
`plain_language`.
(CIPA DC-008, Exif 3.0, tables of section 4.6; IPTC-NAA Information Interchange Model, version 4.2.)
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from PIL import ExifTags, Image, TiffImagePlugin

from anonymizer.files.colour_profile import only_colours
from anonymizer.files.exif_display import copy_display
from anonymizer.files.exif_rest import ExifLayout, content_of
from anonymizer.files.global_state import pillow_state
from anonymizer.files.plain_language import Measure, find_plain, measure, measure_bytes, not_language, together
from anonymizer.files.xmp import PICTURE_NAMES, PICTURE_TEXTS, Filtered, plain_xmp, with_orientation
from anonymizer.settings import MetadataPolicy
from anonymizer.text import printable

logger = logging.getLogger(__name__)

Policy: TypeAlias = MetadataPolicy

ORIENTATION = 0x0112
MAIN_IFD, EXIF_IFD, GPS_IFD = 0, 0x8769, 0x8825
THUMBNAIL_IFD = int(ExifTags.IFD.IFD1)  # a number of Pillow's own
MAKER_NOTE = 0x927C

INTEROPERABILITY_IFD = 0xA005
_POINTERS = frozenset({EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD, 0x014A})  # the last one: further sub-directories
HOW_PIXELS_ARE_STORED = frozenset(
    {0x0111, 0x0117, 0x0120, 0x0121, 0x0140, 0x0144, 0x0145, 0x014A, 0x015B, *range(0x0200, 0x020A)}
    | {0x02BC, 0x8649, 0x83BB, 0x8773}
)
"""Tags of the pages of TIFF files that point to pixels, or say how to decode them; and XMP, Photoshop's resources, IPTC
and profile, which are looked at by themselves."""
_PICTURES = frozenset({*HOW_PIXELS_ARE_STORED, 0xC4A5, 0xC634, 0xC6F3, 0xC71A})
"""Tags of the first directory that hold or point to pictures, or to metadata with pictures."""

_SAFE = frozenset(
    {
        0x010F,  # make
        0x0110,  # model
        0x011A,  # x resolution
        0x011B,  # y resolution
        0x0128,  # resolution unit
        0x0132,  # date and time
        0x0213,  # position of colour samples
    }
)
_SAFE_EXIF = frozenset(
    {
        0x829A,  # exposure time
        0x829D,  # f-number
        0x8822,  # exposure program
        0x8827,  # sensitivity
        0x8830,  # sensitivity type
        0x8832,  # recommended exposure index
        0x9000,  # version of EXIF
        0x9003,  # original time
        0x9004,  # time of digitisation
        0x9010,  # time zones
        0x9011,
        0x9012,
        0x9201,  # shutter speed
        0x9202,  # aperture
        0x9203,  # brightness
        0x9204,  # exposure bias
        0x9205,  # largest aperture
        0x9207,  # metering mode
        0x9208,  # light source
        0x9209,  # flash
        0x920A,  # focal length
        0x9290,  # fractions of seconds
        0x9291,
        0x9292,
        0xA001,  # colour space
        0xA402,  # exposure mode
        0xA403,  # white balance
        0xA404,  # digital zoom
        0xA405,  # focal length in 35 mm film
        0xA406,  # type of scene
        0xA407,  # gain
        0xA408,  # contrast
        0xA409,  # saturation
        0xA40A,  # sharpness
        0xA432,  # lens specification
        0xA433,  # lens make
        0xA434,  # lens model
    }
)

_MAX_BYTES, _MAX_BINARY, _FEW_BYTES, _FEW_NUMBERS = 48, 96, 8, 6
"""A tag of EXIF data that is not text holds so many bytes at most, or numbers in so many bytes; so many bytes, and
numbers, do not count as opaque. The smallest pictures of faces have about 140 bytes."""
_LARGE = frozenset({0x8828, 0x828E, 0x935C, 0xA20C, 0xA302, 0xA40B, 0xEA1C})
"""Tags whose values are binary and often too large to be kept: OECF, colour filters, frequencies, settings, layers of
Photoshop, padding."""
_LONGEST_BINARY = 4096  # bytes of texts in tags that are not meant for texts
_TEXT_PREFIXES = {b"ASCII\0\0\0": None, b"UNICODE\0": "utf-16", b"JIS\0\0\0\0\0": "iso2022_jp", b"\0" * 8: None}
"""How comments in EXIF data begin, and their encoding."""
_WINDOWS_TEXTS = range(0x9C9B, 0x9CA0)  # title, comment, author, keywords, subject in UTF-16
_GEO_KEYS = 0x87AF  # numbers of which each fourth says where its key's value lies (GeoTIFF 1.1, section 7.1.1)
_GEO_LOCATIONS = (0, 0x87AF, 0x87B0, 0x87B1)
_MOST_GEO_KEYS = 128

_DATA_SET = 0x1C  # begins each data set of IPTC
_IPTC_PREVIEWS = ((2, 200), (2, 201), (2, 202), (8, 10))  # record and number of data sets
_SHORT_DATA_SET = 16  # bytes; such as those that say how the texts are encoded

_STARTS = (
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"WEBPVP8",
    b"GIF87a",
    b"GIF89a",
    b"ftypavi",
    b"ftyphe",
    b"ftypmif",
    b"jP  \r\n",
)
"""How picture files begin, or what follows soon."""

_SIGNS_OF_PICTURES = (*(sign.encode() for sign in (*PICTURE_NAMES, *PICTURE_TEXTS)), *_STARTS)
"""In XMP and text: names of properties that hold pictures, and the beginnings of JPEG and PNG files, also in base64."""

DAMAGED_TAGS = (*(ValueError, TypeError, KeyError, OSError, SyntaxError, OverflowError, AttributeError, struct.error),)
"""Errors that Pillow raises on damaged tags."""

MAX_UNKNOWN = 64
"""Larger parts of a file, in bytes, may hold a picture if their purpose is unknown."""
BESIDE_TAGS = "bytes in EXIF beside the tags that can be read"

_SHOWN_NAMES = 5


def left_out_note(names: Sequence[str]) -> tuple[str, ...]:
    """The note for the report on metadata that are not kept since they are not plain language."""
    if not names:
        return ()
    distinct = list(dict.fromkeys(map(printable, names)))
    further = f" and {len(distinct) - _SHOWN_NAMES} more" if len(distinct) > _SHOWN_NAMES else ""
    what = ", ".join(distinct[:_SHOWN_NAMES]) + further
    return (f"metadata that are not plain language, and so may hold a picture, are left out: {what}",)


@dataclass(frozen=True)
class Tags:
    """The tags of EXIF data, or of a page of a TIFF file."""

    main: Mapping[int, object]
    inner: Mapping[int, object]
    position: Mapping[int, object]


def tags_of(exif: Image.Exif) -> Tags:
    """All tags. Pillow raises one of `DAMAGED_TAGS` if they are damaged."""
    with pillow_state():
        return Tags(dict(exif.items()), dict(exif.get_ifd(EXIF_IFD)), dict(exif.get_ifd(GPS_IFD)))


@dataclass(frozen=True)
class EmbeddedData:
    """Data of a file beside its picture and what is needed to show it right."""

    exifs: list[bytes] = field(default_factory=list)
    pages: list[Tags] = field(default_factory=list)
    """Tags of the pages of a TIFF file."""
    texts: list[bytes] = field(default_factory=list)
    """XMP, captions, and all other data that may hold a picture or a name."""
    named_texts: list[tuple[bytes, bytes]] = field(default_factory=list)
    """The same of texts that `keep` may keep: their names, such as a keyword, and the text. Comments have no names."""
    hidden_content: list[str] = field(default_factory=list)
    """Descriptions of data that hold, or are likely to hold, another picture."""
    profiles: list[bytes] = field(default_factory=list)
    """ICC profiles, including bytes behind their end."""
    bytes_behind: int = 0
    """Number of bytes behind the end of the picture."""
    bytes_apart: int = 0
    """Number of bytes that nothing in the file refers to."""


def parse_exif(content: bytes) -> Image.Exif | None:
    """Parses EXIF data, with or without their prefix; None if they are damaged."""
    exif = Image.Exif()
    try:
        with pillow_state():
            exif.load(content)
    except (SyntaxError, ValueError, OSError, TypeError, struct.error) as error:
        logger.debug("EXIF data are not parsed: %s", error)
        return None
    return exif


def bytes_beside_tags(content: bytes) -> int:
    """How much EXIF data hold beside the tags that can be read, in bytes when compressed; 0 if no picture fits there.

    Nothing of it is kept. Tags that hold pictures, or metadata of another kind, count to it, but not maker notes,
    nor thumbnails. 0 of damaged data, which are not kept at all.
    """
    exif = parse_exif(content)
    if exif is None:
        return 0
    layout = ExifLayout(content)
    try:
        with pillow_state():
            tags = tags_of(exif)
            interoperability, thumbnail = exif.get_ifd(INTEROPERABILITY_IFD), exif.get_ifd(THUMBNAIL_IFD)
    except DAMAGED_TAGS:
        return 0
    main = tags.main.keys() - HOW_PIXELS_ARE_STORED
    second = layout.take(layout.first, main)
    inner = layout.pointer(layout.first, EXIF_IFD)
    layout.take(inner, tags.inner.keys())
    layout.take(layout.pointer(layout.first, GPS_IFD), tags.position.keys())
    layout.take(layout.pointer(inner, INTEROPERABILITY_IFD), interoperability.keys())
    layout.take_picture(second, thumbnail.keys())
    found = content_of(layout.rest)
    return found if found > MAX_UNKNOWN else 0


def kept_exif(content: bytes | None, orientation: int, policy: Policy) -> Filtered:
    """EXIF data to write, without a prefix; no content if none are needed. Also names of what is not plain.

    Args:
        content: EXIF data of the source, if it has any, with or without their prefix.
        orientation: of the stored picture, 1..8; every policy keeps it, but adds no tag that says 1.
    """
    exif = None if content is None else parse_exif(content)
    kept, left_out = kept_tags(exif, policy)
    if policy == "keep" and content is not None and bytes_beside_tags(content):
        left_out = (*left_out, BESIDE_TAGS)
    is_empty = kept.tobytes() == Image.Exif().tobytes()
    if orientation != 1 or (exif is not None and ORIENTATION in exif and not is_empty):
        kept[ORIENTATION] = orientation
    elif is_empty:
        return Filtered(None, left_out)
    return Filtered(kept.tobytes().removeprefix(b"Exif\0\0"), left_out)


def kept_tags(
    exif: Image.Exif | None, policy: Policy, valid_only_there: Container[int] = ()
) -> tuple[Image.Exif, tuple[str, ...]]:
    """The tags that the policy keeps, and names of those that it would keep if they were plain language.

    Damaged EXIF data are left out as a whole, since they cannot be written.

    Args:
        valid_only_there: tags of the first directory that are not kept, and not missed either.
    """
    kept, names = Image.Exif(), tuple[str, ...]()
    if exif is None:
        return kept, names
    try:
        with pillow_state():
            if policy != "strip":
                names = _copy(_candidates(exif, policy, valid_only_there), kept)
            copy_display(exif, kept)
            kept.tobytes()
    except DAMAGED_TAGS as error:
        logger.debug("damaged EXIF data are left out: %s", error)
        return Image.Exif(), ("damaged EXIF data",) if policy != "strip" else ()
    return kept, names


def _copy(candidates: Mapping[int, Mapping[int, object]], target: Image.Exif) -> tuple[str, ...]:
    """Copies what is plain. Returns names of what is not."""
    plain = plain_tags(candidates)
    for directory, values in candidates.items():
        kept = {tag: value for tag, value in values.items() if (directory, tag) in plain}
        if directory == MAIN_IFD:
            target.update(kept)
        elif kept:
            target.get_ifd(directory).update(kept)  # a directory without tags is not allowed
    tags = [(directory, tag) for directory, values in candidates.items() for tag in values]
    return tuple(name_of_tag(*one) for one in tags if one not in plain)


def _candidates(source: Image.Exif, policy: Policy, without: Container[int]) -> dict[int, dict[int, object]]:
    """The tags that the policy keeps if they are plain, by directory."""
    main: Container[int] = _SAFE if policy == "safe" else _Everything(_PICTURES | _POINTERS | {MAKER_NOTE})
    inner: Container[int] = _SAFE_EXIF if policy == "safe" else _Everything({MAKER_NOTE, INTEROPERABILITY_IFD})
    position: Container[int] = _Everything(()) if policy == "keep" else ()
    return {
        MAIN_IFD: {tag: value for tag, value in source.items() if tag in main and tag not in without},
        EXIF_IFD: {tag: value for tag, value in source.get_ifd(EXIF_IFD).items() if tag in inner},
        **(
            {GPS_IFD: {tag: value for tag, value in source.get_ifd(GPS_IFD).items() if tag in position}}
            if policy == "keep"
            else {}
        ),
    }


def plain_tags(directories: Mapping[int, Mapping[int, object]]) -> set[tuple[int, int]]:
    """Directory and tag of the values that are plain language, or few numbers or bytes."""
    return find_plain(
        {
            (directory, tag): _measure_tag(tag, value)
            for directory, values in directories.items()
            for tag, value in values.items()
        }
    )


def measure_tags(found: Tags) -> dict[tuple[int, int], tuple[object, Measure, bool]]:
    """The tags that `keep` may keep: value, what it consists of, and whether it is plain, by directory and tag.

    Not those that are known to be large, if they are not kept.
    """
    candidates = {
        MAIN_IFD: {tag: value for tag, value in found.main.items() if tag not in _PICTURES | _POINTERS | {MAKER_NOTE}},
        EXIF_IFD: {tag: value for tag, value in found.inner.items() if tag not in (MAKER_NOTE, INTEROPERABILITY_IFD)},
        GPS_IFD: found.position,
    }
    plain = plain_tags(candidates)
    return {
        (directory, tag): (value, _measure_tag(tag, value), (directory, tag) in plain)
        for directory, values in candidates.items()
        for tag, value in values.items()
        if (directory, tag) in plain or tag not in _LARGE
    }


def size_of_numbers(value: object) -> int:
    """The bytes that the numbers in a tag take, at least; those of a fraction both."""
    if isinstance(value, tuple | list):
        return sum(map(size_of_numbers, value))
    if isinstance(value, TiffImagePlugin.IFDRational):
        return _size_of(int(value.numerator)) + _size_of(int(value.denominator))
    return _size_of(value) if isinstance(value, int | float) else 0


def name_of_tag(directory: int, tag: int) -> str:
    """For messages."""
    names = ExifTags.GPSTAGS if directory == GPS_IFD else ExifTags.TAGS
    return f"{names.get(tag, f'tag {tag:#06x}')} in EXIF"


def _measure_tag(tag: int, value: object) -> Measure:
    if isinstance(value, str):
        return _measure_string(value)
    if isinstance(value, bytes):
        return _measure_binary(tag, value)
    if isinstance(value, tuple | list):
        if any(isinstance(one, str | bytes) for one in value):
            return together(_measure_tag(tag, one) for one in value)
        size = sum(map(_size_of, value))
        if size > _MAX_BINARY and not (tag == _GEO_KEYS and _are_geo_keys(value)):
            return not_language(size)
        return Measure() if len(value) <= _FEW_NUMBERS else Measure(size, size)
    return Measure()


def _size_of(number: object) -> int:
    """The bytes that a number takes."""
    if not isinstance(number, int):
        return 8  # a fraction, or a floating-point number
    return 1 if -128 <= number < 256 else 2 if -32768 <= number < 65536 else 4


def _are_geo_keys(numbers: Sequence[object]) -> bool:
    places = numbers[5::4]
    return len(numbers) % 4 == 0 and len(numbers) <= 4 * _MOST_GEO_KEYS and all(one in _GEO_LOCATIONS for one in places)


def _measure_string(value: str) -> Measure:
    if signs_of_pictures(value.encode("utf-8", "surrogatepass")):
        return not_language(len(value))
    parts = [part for part in value.split("\0") if part.strip()]  # photographer and editor, for example
    try:
        measures = [measure_bytes(part.encode("latin-1")) for part in parts]  # Pillow decodes UTF-8 as Latin-1
    except UnicodeEncodeError:
        measures = [measure(part) for part in parts]
    return together(measures)


def _measure_binary(tag: int, value: bytes) -> Measure:
    """A comment, which begins with its encoding, any other text, or a few bytes."""
    encoding = _TEXT_PREFIXES.get(value[:8])
    content = (value[8:] if value[:8] in _TEXT_PREFIXES else value).strip(b"\0\xff \r\n")
    if len(value) > _LONGEST_BINARY or signs_of_pictures(value):
        return replace(measure_bytes(content), strange=len(value), is_language=False)
    if encoding == "utf-16" or tag in _WINDOWS_TEXTS:
        body = value[8:] if encoding else value
        readings = [body.decode(name, "replace").rstrip("\0") for name in ("utf-16-le", "utf-16-be")]
        return min((measure(text) for text in readings), key=lambda one: (not one.is_plain, one.opaque))
    as_text = measure_bytes(content)
    if as_text.is_plain or len(content) > _MAX_BYTES:
        return as_text
    return _measure_few(content, as_text)


def _measure_few(content: bytes, as_text: Measure) -> Measure:
    """Of a short value that is not plain as a text, so taken for binary. Words that chance has made in it count."""
    strange = len(content) if len(content) > _FEW_BYTES else 0
    return Measure(len(content), strange, by_chance=as_text.by_chance, by_sense=as_text.by_sense)


class _Everything(Container[int]):
    """All tags except some."""

    def __init__(self, excluded: Container[int]) -> None:
        self._excluded = excluded

    def __contains__(self, tag: object) -> bool:
        return tag not in self._excluded


def signs_of_pictures(text: bytes) -> list[bytes]:
    """The signs in a text, an XMP packet or other bytes that these may hold a picture."""
    return [sign for sign in _SIGNS_OF_PICTURES if sign in text]


def is_text_kept(text: bytes, policy: Policy) -> bool:
    """Whether a comment, an XMP packet or a text chunk is kept as it is: under `keep`, if it is plain language.

    Text with zeros is not kept: it is binary, or in UTF-16, in which the signs would be missed.
    """
    return kept_text(text, policy).content == text


def kept_text(text: bytes, policy: Policy) -> Filtered:
    """A comment, an XMP packet or a text chunk, as far as it is kept: under `keep`, if it is plain language.

    A packet may lose single properties. Text with zeros is not kept: it is binary, or in UTF-16.
    """
    plain = text.rstrip(b"\0")
    if policy != "keep":
        return Filtered(None)
    if is_xmp(plain):
        filtered = plain_xmp(plain)
        return Filtered(text) if filtered.content == plain else filtered
    is_kept = b"\0" not in plain and not signs_of_pictures(plain) and measure_bytes(plain).is_plain
    return Filtered(text) if is_kept else Filtered(None, ("a text",))


def kept_texts(texts: Sequence[tuple[bytes, bytes]], policy: Policy) -> list[bool]:
    """Which of the comments or text chunks of a file are kept. What is hidden may be cut into parts.

    Args:
        texts: names and content of each.
    """
    if policy != "keep":
        return [False] * len(texts)
    plain = find_plain({number: measure_named(names, text.rstrip(b"\0")) for number, (names, text) in enumerate(texts)})
    return [number in plain and is_text_kept(names + text, policy) for number, (names, text) in enumerate(texts)]


def measure_named(names: bytes, text: bytes) -> Measure:
    """The measure of a text and its names, which do not make it readable."""
    of_names = measure_bytes(names)
    total = together([measure_bytes(text.rstrip(b"\0")), replace(of_names, words=0, readable=0, by_sense=frozenset())])
    return replace(total, is_language=total.is_language and of_names.is_plain)


def is_xmp(text: bytes) -> bool:
    """Whether a text looks like an XMP packet, or other XML."""
    return text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def is_iptc(data: bytes) -> bool:
    """Whether some data begin with a data set of IPTC."""
    return data[:1] == bytes([_DATA_SET]) and data[1:2] in (b"\1", b"\2", b"\3", b"\7", b"\x08", b"\x09")


def kept_xmp(packet: bytes, policy: Policy, orientation: int) -> Filtered:
    """An XMP packet as far as it is kept; if it states an orientation, then that of the stored picture, 1..8."""
    kept = kept_text(packet, policy)
    if kept.content is None:
        return kept
    content = with_orientation(kept.content, orientation)
    return Filtered(content, kept.left_out if content is not None else (*kept.left_out, "an XMP packet"))


def are_captions_kept(iptc: bytes, policy: Policy) -> bool:
    """Whether captions and keywords (IPTC) are kept as they are: under `keep`, if they are plain language."""
    return kept_captions(iptc, policy).content == iptc


def kept_captions(iptc: bytes, policy: Policy) -> Filtered:
    """Captions and keywords (IPTC) as far as they are kept: under `keep`, data sets in plain language."""
    if policy != "keep":
        return Filtered(None)
    data_sets = list(_read_data_sets(iptc))
    measures = {number: _measure_data_set(*one) for number, one in enumerate(data_sets)}
    plain = find_plain(measures)
    kept = b"".join(data for number, (*_, data) in enumerate(data_sets) if number in plain)
    names = tuple(
        f"data set {record}:{number} of IPTC"
        for index, (record, number, *_) in enumerate(data_sets)
        if index not in plain and (record, number) not in _IPTC_PREVIEWS
    )
    behind = iptc[sum(len(data) for *_, data in data_sets) :]
    if behind.strip(b"\0"):
        names = (*names, "bytes behind IPTC")
    elif len(plain) == len(data_sets):
        return Filtered(iptc if data_sets else None)
    return Filtered(kept or None, names)


def measure_captions(iptc: bytes) -> dict[int, tuple[Measure, bool]]:
    """What the data sets of captions and keywords (IPTC) consist of, and whether they are plain. Not previews."""
    data_sets = list(_read_data_sets(iptc))
    measures = {number: _measure_data_set(*one) for number, one in enumerate(data_sets)}
    plain = find_plain(measures)
    return {
        number: (measures[number], number in plain)
        for number, (record, name, *_) in enumerate(data_sets)
        if (record, name) not in _IPTC_PREVIEWS
    }


def _read_data_sets(iptc: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Record, number, content, and all bytes of each data set."""
    position = 0
    while position + 5 <= len(iptc) and iptc[position] == _DATA_SET:
        size, start = int.from_bytes(iptc[position + 3 : position + 5], "big"), position + 5
        if size & 0x8000:  # the size of the size
            start, size = start + (size & 0x7FFF), int.from_bytes(iptc[start : start + (size & 0x7FFF)], "big")
        if start + size > len(iptc):
            return
        yield iptc[position + 1], iptc[position + 2], iptc[start : start + size], iptc[position : start + size]
        position = start + size


def _measure_data_set(record: int, number: int, content: bytes, data: bytes) -> Measure:
    if (record, number) in _IPTC_PREVIEWS or signs_of_pictures(content) or len(data) - len(content) > 9:
        return not_language(len(content))
    found = measure_bytes(content)
    if len(content) <= _SHORT_DATA_SET and not found.is_plain:
        return _measure_few(content, found)
    return found


def exact_profile(profile: bytes) -> bytes:
    """An ICC profile with nothing but what describes colours; empty if it is none."""
    return only_colours(profile)
