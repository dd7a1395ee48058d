"""JPEG 2000 files. (ITU-T T.800.)

Lossless files keep every pixel outside the mask; lossy ones are re-encoded to the size of the source. The only metadata
that are kept describe the colours.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.carriers import Stated, stated_by
from anonymizer.files.codecs import Codec
from anonymizer.files.frames import read_encoding, to_frame, to_picture
from anonymizer.files.global_state import pillow_state
from anonymizer.files.iso_boxes import read_boxes, write_box
from anonymizer.files.metadata import MAX_UNKNOWN, EmbeddedData, Policy, exact_profile
from anonymizer.files.picture import Encoded, Picture, StoredFrame, to_image
from anonymizer.settings import ReadSettings

_CODESTREAM = b"\xff\x4f\xff\x51"
_COMMENT_AT = 6  # marker, size, and whether it is binary or Latin-1
_TILE, _END, _COMMENT = b"\xff\x90", b"\xff\xd9", b"\xff\x64"  # start of a tile-part, end of the codestream
_EXIF = b"JpgTiffExif->JP2"  # at the beginning of boxes with EXIF data
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # of boxes with XMP
_CODING_STYLE = b"\xff\x52"
_TRANSFORM_AT = 13  # in the marker segment of the coding style
_REVERSIBLE = 1  # the transform that loses nothing (table A.20)
_EIGHT_BITS, _GRAY_16, _SIGNED = 7, 15, 0x80
_FILE = b"\0\0\0\x0cjP  \r\n\x87\n"  # how files begin that are not a mere codestream
_MAX_CHANNELS = 4
_COMPONENTS_AT, _DEPTHS_AT = 40, 42  # in a codestream
_DENSITY_SIZE = 10  # bytes: two fractions and their exponents (I.5.3.7)
_HAS_PROFILE = 2  # how a box describes the colours (table I.9)


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The only picture.

    Raises:
        PictureError: the file has samples that are not handled.
    """
    refuse_unhandled(image, content)
    with pillow_state(settings.allow_truncated):
        image.load()
        stored, encoding = to_frame(image), read_encoding(image, "JPEG2000", _stated(content))
    return to_picture(stored, content, encoding)


def _stated(content: bytes) -> Stated:
    """The orientation: metadata turn nothing, since the format has no place of its own for them."""
    found = embedded_data(content)
    return stated_by(found.exifs, [text.removeprefix(_XMP) for text in found.texts], counts=1)


def refuse_unhandled(image: Image.Image, content: bytes) -> None:
    """Checks mode and depth.

    Raises:
        PictureError: the file has samples that are not handled.
    """
    if image.mode not in ("L", "LA", "RGB", "RGBA", "I;16"):
        raise PictureError(f"is a JPEG 2000 file in {image.mode} colours; convert it to RGB first")
    samples = set(_samples(content))
    if samples == {_GRAY_16 if image.mode == "I;16" else _EIGHT_BITS}:
        return
    found = " and ".join(f"{(one & 0x7F) + 1} bits{' with a sign' if one & _SIGNED else ''}" for one in sorted(samples))
    raise PictureError(
        f"is a JPEG 2000 file of {found} per channel, which is not handled: neither 8 bits, nor gray with 16"
    )


def can_open(content: bytes) -> bool:
    """Always true: Pillow has a decoder.

    Raises:
        PictureError: this is a JPEG 2000 file of more channels than the decoder knows.
    """
    if content.startswith((_CODESTREAM, _FILE)) and _CODESTREAM in content:
        number = len(_samples(content))
        if number > _MAX_CHANNELS:
            raise PictureError(
                f"is a JPEG 2000 file with {number} channels, which is not handled: "
                "neither gray nor RGB, with or without transparency"
            )
    return True


def _samples(content: bytes) -> bytes:
    """How samples are stored, one byte for each channel: bits minus 1, and `_SIGNED`. (Table A.11.)"""
    start = find_codestream(content)
    number = int.from_bytes(content[start + _COMPONENTS_AT : start + _DEPTHS_AT], "big")
    return content[start + _DEPTHS_AT : start + _DEPTHS_AT + 3 * number : 3]


def find_codestream(content: bytes) -> int:
    """Where the codestream begins."""
    start = content.find(_CODESTREAM)
    if start < 0:
        raise PictureError("is damaged: a JPEG 2000 file without pictures")
    return start


def _is_lossless(content: bytes) -> bool:
    start = find_codestream(content)
    style = content.find(_CODING_STYLE, start)
    return style >= 0 and content[style + _TRANSFORM_AT : style + _TRANSFORM_AT + 1] == bytes([_REVERSIBLE])


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A JPEG 2000 file of the only frame."""
    source, stored = picture.content, frames[0].pixels
    is_lossless = _is_lossless(source)
    options: dict[str, Any] = {"irreversible": not is_lossless, "no_jp2": source.startswith(_CODESTREAM)}
    options["mct"] = int(stored.shape[2] == 3)
    if not is_lossless:
        options |= {"quality_mode": "rates", "quality_layers": [max(1.0, stored.nbytes / len(source))]}
    buffer = io.BytesIO()
    to_image(stored).save(buffer, "JPEG2000", **options)
    content = _with_colours_of(source, buffer.getvalue())
    return Encoded(content, "lossless" if is_lossless else "reencoded")


def embedded_data(content: bytes) -> EmbeddedData:
    """All data of a file beside its picture."""
    if content.startswith(_CODESTREAM):
        return _read_codestream(content)
    file_boxes = list(read_boxes(content))
    streams = [data for kind, data in file_boxes if kind == b"jp2c"]
    found = _read_codestream(streams[0]) if streams else EmbeddedData()
    if len(streams) != 1:
        found.hidden_content.append("further pictures")
    for kind, data in file_boxes:
        if kind == b"uuid" and data.startswith(_EXIF):
            found.exifs.append(data.removeprefix(_EXIF))
        elif kind == b"jp2h":
            colours = [inner for header, inner in read_boxes(data) if header == b"colr"]
            found.profiles.extend(inner[3:] for inner in colours if inner[:1] == bytes([_HAS_PROFILE]))
        elif kind not in (b"jP  ", b"ftyp", b"jp2c"):
            found.texts.append(data)
            is_text = kind == b"xml " or data.startswith(_XMP)
            if not is_text and len(data) > MAX_UNKNOWN:
                found.hidden_content.append(f"{len(data)} bytes in an unknown box")
    return found


def _read_codestream(content: bytes) -> EmbeddedData:
    """Comments in the header, and bytes behind the end marker, which cannot occur within the data. (Annex A.)"""
    position, texts = len(_CODESTREAM) - 2, []
    while position + 4 <= len(content) and content[position : position + 2] != _TILE:
        size = int.from_bytes(content[position + 2 : position + 4], "big")
        if content[position : position + 2] == _COMMENT:
            texts.append(content[position + _COMMENT_AT : position + 2 + size])
        position += 2 + max(2, size)
    end = content.find(_END, position)
    return EmbeddedData(texts=texts, bytes_behind=len(content) - end - len(_END) if end >= 0 else 0)


def _with_colours_of(source: bytes, content: bytes) -> bytes:
    """The file with the colour profile and the density of the source, if it has any."""
    header = dict(read_boxes(dict(read_boxes(source)).get(b"jp2h", b""))) if not source.startswith(_CODESTREAM) else {}
    colours = header.get(b"colr", b"")
    has_profile = colours[:1] == bytes([_HAS_PROFILE]) and b"pclr" not in header
    profile = exact_profile(colours[3:]) if has_profile else b""
    has_profile = bool(profile)
    colours = colours[:3] + profile
    density = b"".join(
        write_box(kind, data)
        for kind, data in read_boxes(header.get(b"res ", b""))
        if kind in (b"resc", b"resd") and len(data) == _DENSITY_SIZE
    )
    if not has_profile and not density:
        return content
    parts = []
    for kind, data in read_boxes(content):
        if kind == b"jp2h":
            inner = ((one, colours if one == b"colr" and has_profile else part) for one, part in read_boxes(data))
            data = b"".join(write_box(*box) for box in inner) + (write_box(b"res ", density) if density else b"")
        parts.append(write_box(kind, data))
    return b"".join(parts)


CODEC = Codec(decode, encode, embedded_data, can_open)
