"""JPEG files: which of their metadata are kept, and which data they hold beside their picture."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image, JpegImagePlugin

from anonymizer.errors import PictureError
from anonymizer.files.carriers import Stated, stated_by
from anonymizer.files.codecs import Codec, Mask
from anonymizer.files.frames import COLOURS, refuse_colours, to_frame, to_picture
from anonymizer.files.global_state import pillow_buffer, pillow_state
from anonymizer.files.jpeg_blocks import reach_of_blocks, replace_blocks, with_one_scan
from anonymizer.files.jpeg_segments import (
    ADOBE,
    ADOBE_SIZE,
    APP0,
    APP1,
    APP2,
    APP11,
    APP13,
    APP14,
    ARITHMETIC,
    COM,
    DAC,
    DHT,
    DQT,
    EOI,
    FRAMES,
    HUFFMAN_LENGTHS,
    JFIF,
    JFIF_SIZE,
    PICTURE_SEGMENTS,
    RESTARTS,
    SOS,
    TABLES,
    CoefficientsError,
    Segment,
    end_of_picture,
    first_scan,
    has_several_scans,
    is_jfif_header,
    markers_behind,
    picture_data,
    read_segments,
    split_tables,
    unused_tables,
    write_segment,
)
from anonymizer.files.metadata import (
    EmbeddedData,
    Policy,
    exact_profile,
    kept_captions,
    kept_exif,
    kept_texts,
    kept_xmp,
    left_out_note,
    parse_exif,
)
from anonymizer.files.orientation import turn_back, turn_upright
from anonymizer.files.picture import Encoded, Encoding, Frame, Picture, StoredFrame, to_image
from anonymizer.files.trailing_data import is_complete
from anonymizer.settings import ReadSettings
from anonymizer.types import Pixels, Pixels8

logger = logging.getLogger(__name__)

_MPF, _JUMBF = b"MPF\0", b"jumb"  # segments of multi-picture files; of content credentials
_EXIF, _XMP, _PHOTOSHOP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_EXTENDED_XMP, _EXTENDED_HEADER = b"http://ns.adobe.com/xmp/extension/\0", 40  # digest, size and offset of the part
_IPTC = b"\x04\x04"  # resource with captions
_PHOTOSHOP_THUMBNAILS = (b"\x04\x09", b"\x04\x0c")  # resources
_PROFILE = b"ICC_PROFILE\0"
_PROFILE_PART = 65519  # bytes of a profile that fit into a segment
_GAIN_MAP = (b"urn:iso:std:iso:ts:21496:-1", b"hdrgm")  # ISO 21496-1, and Adobe's own
_UNUSED_TABLES = "tables that no scan uses"
_SCANS_COST, _TABLES_COST = 1.05, 64
"""Several scans may be larger than a single one by this factor, and by so many bytes for each further marker."""


_LOSSLESS, _HIERARCHICAL, _JPEG_LS = (0xC3, 0xC7, 0xCB, 0xCF), (0xC5, 0xC6, 0xCD, 0xCE), 0xF7
"""Frames of kinds that no decoder here knows. (ITU-T T.81, table B.1; ITU-T T.87, annex C.)"""

_CHANNELS = {"L": 1, "RGB": 3}
"""Number of channels, by the mode of images that need not be decoded by Pillow."""


def can_open(content: bytes) -> bool:
    """Always true: Pillow has a decoder.

    Raises:
        PictureError: this is a JPEG file of a kind that the decoder does not know.
    """
    if content.startswith(b"\xff\xd8\xff"):
        _refuse_unhandled(content)
    return True


def _refuse_unhandled(content: bytes) -> None:
    frames = (one for one in read_segments(content) if one.marker in (*FRAMES, *_LOSSLESS, *_HIERARCHICAL, _JPEG_LS))
    frame = next(frames, None)
    if frame is None or len(frame.payload) < 6 or len(frame.payload) < 6 + 3 * frame.payload[5]:
        return  # damaged, as its decoder will say
    depth, components = frame.payload[0], frame.payload[5]
    if frame.marker == _JPEG_LS:
        raise PictureError("is a JPEG-LS file, which is not handled; convert it to PNG first")
    if frame.marker in _LOSSLESS:
        raise PictureError("is a lossless JPEG file, which is not handled; convert it to PNG first")
    if frame.marker in _HIERARCHICAL:
        raise PictureError("is a hierarchical JPEG file, which is not handled; convert it to PNG first")
    if depth in (12, 16):
        raise PictureError(f"is a JPEG file of {depth} bits per channel, which is not handled; convert it to PNG first")
    if components not in (1, 3, 4):
        raise PictureError(
            f"is a JPEG file with {components} channels, which is not handled: neither gray, RGB nor CMYK"
        )


def decode(image: Image.Image, content: bytes, settings: ReadSettings) -> Picture:
    """The first picture.

    Raises:
        PictureError: the file is damaged, or in colours that are not handled.
    """
    refuse_colours(image, (*COLOURS, "CMYK"))
    pixels = decode_flawless(content, _CHANNELS[image.mode]) if image.mode in _CHANNELS else None
    stored = None if pixels is None or pixels.shape[:2] != (image.height, image.width) else Frame(pixels)
    with pillow_state(settings.allow_truncated):
        if stored is None:
            image.load()
            stored = to_frame(image)
        encoding = _read_encoding(image, _stated(content))
    return to_picture(stored, content, encoding)


def _stated(content: bytes) -> Stated:
    """Its orientation."""
    payloads = [one.payload for one in read_segments(content) if one.marker == APP1]
    exifs = [payload for payload in payloads if payload.startswith(_EXIF)]
    return stated_by(exifs, [one.removeprefix(_XMP) for one in payloads if one.startswith(_XMP)])


def _read_encoding(image: Image.Image, stated: Stated) -> Encoding:
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    return Encoding(
        "JPEG",
        stated.orientation,
        stated.others,
        _quantization(image),
        # -1 is a rare sampling, which Pillow cannot write: use 4:4:4, which keeps every colour sample.
        max(0, JpegImagePlugin.get_sampling(image)),
        bool(image.info.get("progressive")),
    )


def _quantization(image: JpegImagePlugin.JpegImageFile) -> list[list[int]]:
    """One table for luminance and one with the finer values of both colour components; a single one for CMYK."""
    tables = [image.quantization.get(component[3], []) for component in image.layer]
    if not all(tables) or not all(map(all, tables)):
        raise PictureError("is damaged: a quantisation table is missing, or holds 0")
    if image.mode == "CMYK":
        return [_finest(tables)]
    return [tables[0], *([_finest(tables[1:])] if tables[1:] else [])]


def _finest(tables: Sequence[Sequence[int]]) -> list[int]:
    return [min(values) for values in zip(*tables, strict=True)]


def decode_flawless(content: bytes, channels: int) -> Pixels8 | None:
    """The same pixels as by Pillow, (H, W, channels), in less than half the time; None if the file has any flaw.

    Args:
        channels: 1 for a gray file, 3 for one of three components.
    """
    try:
        return np.asarray(simplejpeg.decode_jpeg(content, "RGB" if channels == 3 else "GRAY", strict=True))
    except ValueError as error:
        logger.debug("not decoded by simplejpeg: %s", error)
        return None


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A JPEG file of the only frame: blocks that hold a changed pixel are re-encoded, all others stay as they are.

    Every policy keeps density, ICC profile, colour transform and EXIF orientation, and leaves out thumbnails, previews,
    further pictures and everything behind the end of the picture.
    """
    source, (frame,) = picture.content, frames
    metadata, names = _filter_metadata(source, picture.encoding.orientation, policy)
    notes = (*_left_out(source), *left_out_note(names))

    def with_metadata(adobe: Sequence[bytes], data: bytes) -> bytes:
        return b"".join([b"\xff\xd8", *metadata, *adobe, data])

    if not frame.is_changed and not has_several_scans(source) and _is_exact(source, picture.allow_truncated):
        return Encoded(with_metadata(_adobe(source), picture_data(source)), "lossless", notes)
    try:
        data = replace_blocks(source, frame.pixels, frame.changed)
    except CoefficientsError as error:
        logger.debug("the whole picture is re-encoded: %s", error)
        content = _reencode(frame.pixels, picture.encoding)
        return Encoded(with_metadata(_adobe(content), picture_data(content)), "reencoded", notes)
    return Encoded(with_metadata(_adobe(source), data), "lossless", notes)


def _reencode(stored: Pixels, encoding: Encoding) -> bytes:
    is_cmyk = stored.shape[2] == 4
    image = Image.merge("CMYK", [to_image(stored[:, :, i : i + 1]) for i in range(4)]) if is_cmyk else to_image(stored)
    options: dict[str, Any] = {"qtables": encoding.quantization, "progressive": encoding.progressive}
    if image.mode == "RGB":
        options["subsampling"] = encoding.subsampling
    buffer = io.BytesIO()
    if encoding.progressive:
        # Pillow needs one buffer for a whole progressive file, and its guess is too small for noisy pictures.
        with pillow_buffer(8 * image.width * image.height):
            image.save(buffer, "JPEG", **options)
    else:
        image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _adobe(content: bytes) -> list[bytes]:
    """The segment that names the colour transform, without which the picture data cannot be decoded."""
    return [
        write_segment(APP14, segment.payload[:ADOBE_SIZE])
        for segment in read_segments(content)
        if segment.marker == APP14 and segment.payload.startswith(ADOBE)
    ]


def _exif(content: bytes) -> bytes | None:
    """The first EXIF data that are not damaged."""
    payloads = (one.payload for one in read_segments(content) if one.marker == APP1 and one.payload.startswith(_EXIF))
    return next((exif for exif in payloads if parse_exif(exif) is not None), None)


def _filter_metadata(content: bytes, orientation: int, policy: Policy) -> tuple[list[bytes], list[str]]:
    """The segments that the policy keeps, and names of metadata that are not plain language."""
    segments = list(read_segments(content))
    comments = [segment for segment in segments if segment.marker == COM]
    kept_comments = kept_texts([(b"", segment.payload) for segment in comments], policy)
    is_kept = dict(zip((segment.start for segment in comments), kept_comments, strict=True))
    exif = kept_exif(_exif(content), orientation, policy)
    kept, names = [], list(exif.left_out)
    for segment in segments:
        marker, payload = segment.marker, segment.payload
        if is_jfif_header(segment):
            kept.append(write_segment(APP0, payload[: JFIF_SIZE - 2] + b"\0\0"))
        elif policy != "keep":
            continue
        elif marker == APP13 and payload.startswith(_PHOTOSHOP):
            captions, left_out = _captions(payload.removeprefix(_PHOTOSHOP), policy)
            kept += [write_segment(APP13, _PHOTOSHOP + captions)] if captions else []
            names += left_out
        elif marker == APP1 and payload.startswith(_XMP):
            xmp = kept_xmp(payload.removeprefix(_XMP), policy, orientation)
            kept += [write_segment(APP1, _XMP + xmp.content)] if xmp.content is not None else []
            names += xmp.left_out
        elif marker == APP1 and payload.startswith(_EXTENDED_XMP):
            names.append("extended XMP")
        elif marker == COM and is_kept[segment.start]:
            kept.append(content[segment.start : segment.end])
        elif marker == COM:
            names.append("a comment")
    kept += _profile_segments(exact_profile(_profile(content)))
    if exif.content is not None:
        kept.append(write_segment(APP1, _EXIF + exif.content))
    return kept, names


def _profile(content: bytes) -> bytes:
    """The ICC profile, joined from its segments; empty if there is none."""
    parts: dict[int, bytes] = {}  # by number
    for segment in read_segments(content):
        payload = segment.payload
        if segment.marker == APP2 and payload.startswith(_PROFILE):
            number = payload[len(_PROFILE)] if len(payload) > len(_PROFILE) else 0
            parts.setdefault(number, payload[len(_PROFILE) + 2 :])
    return b"".join(parts[number] for number in sorted(parts))


def _profile_segments(profile: bytes) -> list[bytes]:
    parts = [profile[start : start + _PROFILE_PART] for start in range(0, len(profile), _PROFILE_PART)][:255]
    return [
        write_segment(APP2, _PROFILE + bytes([number, len(parts)]) + part) for number, part in enumerate(parts, start=1)
    ]


def _captions(resources: bytes, policy: Policy) -> tuple[bytes, list[str]]:
    """Photoshop's resource with captions and keywords (IPTC), as far as kept; the others hold thumbnails and paths.

    Also names of what is not plain language in it.
    """
    kept, names = b"", list[str]()
    for number, data in read_resources(resources):
        if number == _IPTC:
            captions = kept_captions(data, policy)
            names += captions.left_out
            if captions.content is not None:
                kept += write_resource(number, captions.content)
    return kept, names


def read_resources(resources: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Number (two bytes) and data of Photoshop's resources. (Adobe Photoshop File Formats Specification.)"""
    position = 0
    while resources[position : position + 4] == b"8BIM" and position + 12 <= len(resources):
        name_length = resources[position + 6] + 1
        size_at = position + 6 + name_length + name_length % 2
        size = int.from_bytes(resources[size_at : size_at + 4], "big")
        yield resources[position + 4 : position + 6], resources[size_at + 4 : size_at + 4 + size]
        position = size_at + 4 + size + size % 2


def write_resource(number: bytes, data: bytes) -> bytes:
    """One of Photoshop's resources, without a name."""
    return b"8BIM" + number + b"\0\0" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) % 2)


def _left_out(content: bytes) -> list[str]:
    """Notes for the report: what no policy keeps."""
    notes = []
    markers = [(segment.marker, segment.payload) for segment in read_segments(content)]
    if any(sign in payload for marker, payload in markers if marker in (APP1, APP2) for sign in _GAIN_MAP):
        notes.append("the gain map is left out: the picture is shown with the usual range of brightness")
    if unused_tables(content):
        notes.append(f"{_UNUSED_TABLES} are left out")
    behind = len(content) - end_of_picture(content, first_scan(content))
    if behind:
        notes.append(f"{behind} bytes behind the picture, such as further pictures or a video, are left out")
    return notes


def embedded_data(content: bytes) -> EmbeddedData:
    """All data of a file beside its picture."""
    found = read_metadata(content)
    if not _is_exact(content[: len(content) - found.bytes_behind]):
        found.hidden_content.append("more data than the picture takes, or segments between or behind its scans")
    elif unused_tables(content):
        found.hidden_content.append(_UNUSED_TABLES)
    return found


def read_metadata(content: bytes) -> EmbeddedData:
    """The same without a look at the compressed data."""
    found = EmbeddedData(bytes_behind=len(content) - end_of_picture(content, first_scan(content)))
    for segment in read_segments(content):
        _note_segment(segment, found)
    found.profiles.append(_profile(content))
    extended = [one.payload for one in read_segments(content) if one.payload.startswith(_EXTENDED_XMP)]
    if extended:
        found.texts.append(b"".join(part[len(_EXTENDED_XMP) + _EXTENDED_HEADER :] for part in extended))
    return found


def _note_segment(segment: Segment, found: EmbeddedData) -> None:
    marker, payload = segment.marker, segment.payload
    if marker == APP1 and payload.startswith(_EXIF):
        found.exifs.append(payload)
    elif marker == APP2 and payload.startswith(_MPF):
        found.hidden_content.append("a list of further pictures (MPF)")
    elif marker == APP11 and _JUMBF in payload:
        found.hidden_content.append("content credentials (C2PA)")
    elif marker == APP0 and payload.startswith(JFIF) and any(payload[JFIF_SIZE - 2 : JFIF_SIZE]):
        found.hidden_content.append("a JFIF thumbnail")
    elif marker == APP0 and payload.startswith(b"JFXX\0"):
        found.hidden_content.append("a JFIF extension thumbnail")
    elif marker == APP13 and payload.startswith(_PHOTOSHOP):
        if any(b"8BIM" + number in payload for number in _PHOTOSHOP_THUMBNAILS):
            found.hidden_content.append("a Photoshop thumbnail")
        for number, data in read_resources(payload.removeprefix(_PHOTOSHOP)):
            if number not in _PHOTOSHOP_THUMBNAILS:
                found.texts.append(data)
    elif marker == APP1 and payload.startswith(_XMP):
        found.texts.append(payload.removeprefix(_XMP))
    elif marker == APP1 and payload.startswith(_EXTENDED_XMP):
        pass  # joined with its other parts
    elif marker == COM:
        found.named_texts.append((b"", payload))
    elif marker not in (*PICTURE_SEGMENTS, SOS) and not (marker == APP2 and payload.startswith(_PROFILE)):
        found.texts.append(payload)


def _has_each_table_once(content: bytes) -> bool:
    """Whether no table is there twice, and no Huffman table has a code twice: anything could be hidden there."""
    segments = list(read_segments(content))
    try:
        kinds = [marker << 8 | first for marker in (DHT, DQT) for first, _ in split_tables(segments, marker)]
        codes = [body[HUFFMAN_LENGTHS:] for _, body in split_tables(segments, DHT)]
    except CoefficientsError:
        return False
    is_arithmetic = any(segment.marker in ARITHMETIC for segment in segments)
    if any(len(one) != len(set(one)) for one in codes):
        return False
    return len(kinds) == len(set(kinds)) and (is_arithmetic or all(segment.marker != DAC for segment in segments))


def _is_exact(content: bytes, allow_truncated: bool = False) -> bool:
    """Whether the data hold only the picture, as far as that can be checked: more could be another picture.

    There may only be tables between and behind the scans. A single scan must need its last bytes. Several scans must
    not be much larger than the same coefficients in one scan; jpeglib cannot check that for CMYK.

    Args:
        allow_truncated: whether the source was read so; it may be damaged before its end.
    """
    markers = [marker for _, marker in markers_behind(content, first_scan(content))]
    if markers[-1:] != [EOI] or any(marker not in (*TABLES, *RESTARTS) for marker in markers[:-1]):
        return False
    if not _has_each_table_once(content):
        return False
    data = b"\xff\xd8" + picture_data(content)
    if not has_several_scans(content):
        is_sound = not allow_truncated or is_complete(data, "JPEG", allow_truncated)
        return is_sound and not is_complete(data[: -len(b"\xff\xd9") - 1], "JPEG", allow_truncated)
    if any(segment.marker in FRAMES and segment.payload[5:6] == b"\4" for segment in read_segments(content)):
        return True
    try:
        return len(data) <= _SCANS_COST * len(with_one_scan(content)) + _TABLES_COST * len(markers)
    except CoefficientsError:
        return False


def may_differ(source: Picture, frame: Frame, changed: Mask) -> Mask:
    """The blocks that hold a changed pixel, and pixels around them that decoders blend with them."""
    if not changed.any():
        return changed
    orientation = source.encoding.orientation
    return turn_upright(reach_of_blocks(source.content, turn_back(changed, orientation)), orientation)


CODEC = Codec(decode, encode, embedded_data, can_open, may_differ, variants=("MPO",), read_metadata=read_metadata)
"""MPO is a JPEG file with further pictures behind the first."""
