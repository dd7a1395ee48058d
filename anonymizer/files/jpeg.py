"""JPEG files: their segments, and their coefficients.

Only the blocks that the mask touches are encoded anew, with the file's own quantisation tables and sampling; the
quantised coefficients of all others stay bit for bit what they were.
(ITU-T T.81: markers in B.1, the transform in A.3.3; JFIF 1.02: colour conversion.)
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import jpeglib
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from anonymizer.files.metadata import (
    Extras,
    Policy,
    are_captions_kept,
    exact_profile,
    is_text_kept,
    kept_exif,
    parse_exif,
)
from anonymizer.files.picture import Encoded, Encoding, Picture, StoredFrame, to_image
from anonymizer.files.surplus import is_complete
from anonymizer.types import Pixels

_EOI, _SOS = 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE
_MPF, _JUMBF = b"MPF\0", b"jumb"  # of multi-picture files; of content credentials
_PROGRESSIVE, _HUFFMAN = 0xC2, 0xC4
_FRAMES = (0xC0, 0xC1, _PROGRESSIVE)  # the first two are baseline and extended
_STANDARD_CODES = bytes([0x10, 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D])  # how those of luminance begin
_SCANS_COST, _TABLES_COST = 1.05, 64
"""By which factor several scans may be larger than a single one, and by how many bytes for each further marker."""
_CHANGED_COLOURS = ("JCS_GRAYSCALE", "JCS_YCbCr")
_LIBRARY = "turbo210"  # the quickest that jpeglib comes with
_PICTURE_SEGMENTS = (*(set(range(0xC0, 0xD0)) - {0xC8}), 0xDB, 0xDD)  # frames, tables, restart interval
_RESTARTS = range(0xD0, 0xD8)
_TABLES = (_HUFFMAN, _SOS, 0xDB, 0xDD)  # Huffman and quantisation tables, restart interval; and the next scan
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}  # TEM, RST0..7, SOI, EOI
_JFIF, _EXIF, _XMP, _PHOTOSHOP = b"JFIF\0", b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_IPTC = b"\x04\x04"  # number of the resource with captions
_PHOTOSHOP_THUMBNAILS = (b"\x04\x09", b"\x04\x0c")  # numbers of resources
_PROFILE = b"ICC_PROFILE\0"
_PROFILE_PART = 65519  # bytes of a profile in a segment, at most
_GAIN_MAP = (b"urn:iso:std:iso:ts:21496:-1", b"hdrgm")  # ISO 21496-1, and Adobe's own
_JFIF_SIZE = 14  # "JFIF" with its end, version, density and the size of the thumbnail that may follow

_MARKER = re.compile(rb"\xff[^\0\xff]", re.DOTALL)  # neither data nor fill bytes
_IN_MEMORY = "/dev/shm"  # of Linux

BLOCK = 8
"""Width and height of a block in samples."""


class CoefficientsError(Exception):
    """The coefficients cannot be read or written; the picture has to be encoded anew as a whole."""


@dataclass(frozen=True)
class _Segment:
    marker: int
    start: int
    """Of the marker."""
    payload: bytes
    end: int


def _segments(content: bytes) -> Iterator[_Segment]:
    """The marker segments up to and with the first start of scan."""
    position = 2
    while position + 4 <= len(content):
        if content[position] != 0xFF:
            position += 1  # stray bytes, which decoders skip too
            continue
        marker = content[position + 1]
        if marker in (0xFF, 0x00) or marker in _WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4], "big")
        yield _Segment(marker, position, content[position + 4 : end], end)
        if marker == _SOS:
            return
        position = end


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A JPEG file of the only frame: its blocks that hold a changed pixel anew, all others as they were.

    Under every policy the density, the ICC profile, the colour transform and the EXIF orientation are kept, and left
    out are thumbnails, previews, further pictures and whatever lies behind the end of the picture.
    """
    source, (frame,) = picture.content, frames
    notes = tuple(_left_out(source))
    if not frame.is_changed and not _has_several_scans(source) and _is_exact(source):
        return Encoded(_with_metadata(picture, source, policy), "lossless", notes)
    try:
        content = replace_blocks(source, frame.pixels, frame.changed)
    except CoefficientsError:
        content = _encode_anew(frame.pixels, picture.encoding)
        return Encoded(_with_metadata(picture, content, policy), "reencoded", notes)
    return Encoded(_with_metadata(picture, content, policy), "lossless", notes)


def _encode_anew(stored: Pixels, encoding: Encoding) -> bytes:
    is_cmyk = stored.shape[2] == 4
    image = Image.merge("CMYK", [to_image(stored[:, :, i : i + 1]) for i in range(4)]) if is_cmyk else to_image(stored)
    options: dict[str, Any] = {"qtables": encoding.quantization, "progressive": encoding.progressive}
    if image.mode == "RGB":
        options["subsampling"] = encoding.subsampling
    if encoding.progressive:
        # Pillow keeps a progressive file in one buffer, whose size it guesses too small for noisy pictures.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 8 * image.width * image.height)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _with_metadata(picture: Picture, content: bytes, policy: Policy) -> bytes:
    """The picture data of `content`, with that metadata of the source that the policy keeps."""
    metadata = _kept_metadata(picture.content, picture.encoding.orientation, policy)
    return b"".join([b"\xff\xd8", *metadata, *_adobe(content), _picture_data(content)])


def _adobe(content: bytes) -> list[bytes]:
    """The segment that tells how colours are transformed, which goes with the picture data."""
    return [
        content[segment.start : segment.end]
        for segment in _segments(content)
        if segment.marker == _APP14 and segment.payload.startswith(b"Adobe")
    ]


def _kept_metadata(content: bytes, orientation: int, policy: Policy) -> Iterator[bytes]:
    exif: Image.Exif | None = None
    for segment in _segments(content):
        payload = segment.payload
        if segment.marker == _APP0 and payload.startswith(_JFIF):
            yield _segment(_APP0, payload[: _JFIF_SIZE - 2] + b"\0\0")
        elif segment.marker == _APP1 and payload.startswith(_EXIF):
            exif = exif or parse_exif(payload)
        elif segment.marker == _APP13 and payload.startswith(_PHOTOSHOP) and policy == "keep":
            yield _segment(_APP13, _PHOTOSHOP + _captions(payload.removeprefix(_PHOTOSHOP), policy))
        elif _is_kept(segment, policy):
            yield content[segment.start : segment.end]
    yield from _profile_segments(exact_profile(_profile(content)))
    kept = kept_exif(exif, orientation, policy)
    if kept is not None:
        yield _segment(_APP1, _EXIF + kept)


def _profile(content: bytes) -> bytes:
    """The ICC profile, put together; empty if there is none."""
    parts: dict[int, bytes] = {}  # by their number
    for segment in _segments(content):
        payload = segment.payload
        if segment.marker == _APP2 and payload.startswith(_PROFILE):
            number = payload[len(_PROFILE)] if len(payload) > len(_PROFILE) else 0
            parts.setdefault(number, payload[len(_PROFILE) + 2 :])
    return b"".join(parts[number] for number in sorted(parts))


def _profile_segments(profile: bytes) -> list[bytes]:
    parts = [profile[start : start + _PROFILE_PART] for start in range(0, len(profile), _PROFILE_PART)][:255]
    return [
        _segment(_APP2, _PROFILE + bytes([number, len(parts)]) + part) for number, part in enumerate(parts, start=1)
    ]


def _is_kept(segment: _Segment, policy: Policy) -> bool:
    is_text = segment.marker == _COM or (segment.marker == _APP1 and segment.payload.startswith(_XMP))
    return is_text and is_text_kept(segment.payload.removeprefix(_XMP), policy)


def _captions(resources: bytes, policy: Policy) -> bytes:
    """Of Photoshop's resource blocks that with captions and keywords (IPTC); others hold thumbnails and paths."""
    position, kept = 0, b""
    while resources[position : position + 4] == b"8BIM" and position + 12 <= len(resources):
        name_length = resources[position + 6] + 1
        size_at = position + 6 + name_length + name_length % 2
        size = int.from_bytes(resources[size_at : size_at + 4], "big")
        end = size_at + 4 + size + size % 2
        is_caption = resources[position + 4 : position + 6] == _IPTC
        if is_caption and are_captions_kept(resources[position:end], policy):
            kept += resources[position:end]
        position = end
    return kept


def _left_out(content: bytes) -> list[str]:
    """What a user should know is no longer in the file, under any policy."""
    notes = []
    markers = [(segment.marker, segment.payload) for segment in _segments(content)]
    if any(sign in payload for marker, payload in markers if marker in (_APP1, _APP2) for sign in _GAIN_MAP):
        notes.append("the gain map is left out: the picture is shown with the usual range of brightness")
    behind = len(content) - _end_of_picture(content, _first_scan(content))
    if behind:
        notes.append(f"{behind} bytes behind the picture, such as further pictures or a video, are left out")
    return notes


def extras(content: bytes) -> Extras:
    """What a file holds beside its picture."""
    found = Extras(bytes_behind=len(content) - _end_of_picture(content, _first_scan(content)))
    if not _is_exact(content[: len(content) - found.bytes_behind]):
        found.previews.append("more data than the picture takes, or segments between or behind its scans")
    for segment in _segments(content):
        _note_segment(segment, found)
    found.profiles.append(_profile(content))
    return found


def _note_segment(segment: _Segment, found: Extras) -> None:
    marker, payload = segment.marker, segment.payload
    if marker == _APP1 and payload.startswith(_EXIF):
        found.exifs.append(payload)
    elif marker == _APP2 and payload.startswith(_MPF):
        found.previews.append("a list of further pictures (MPF)")
    elif marker == _APP11 and _JUMBF in payload:
        found.previews.append("content credentials (C2PA)")
    elif marker == _APP0 and payload.startswith(_JFIF) and any(payload[_JFIF_SIZE - 2 : _JFIF_SIZE]):
        found.previews.append("a JFIF thumbnail")
    elif marker == _APP0 and payload.startswith(b"JFXX\0"):
        found.previews.append("a JFIF extension thumbnail")
    elif marker == _APP13 and payload.startswith(_PHOTOSHOP):
        if any(b"8BIM" + number in payload for number in _PHOTOSHOP_THUMBNAILS):
            found.previews.append("a Photoshop thumbnail")
        found.texts.append(payload)
    elif marker not in (*_PICTURE_SEGMENTS, _SOS) and not (marker == _APP2 and payload.startswith(_PROFILE)):
        found.texts.append(payload)


def _picture_data(content: bytes) -> bytes:
    """Tables, frame and scans: what the picture needs, from its first scan on everything up to its end."""
    parts = []
    for segment in _segments(content):
        if segment.marker == _SOS:
            parts.append(content[segment.start : _end_of_picture(content, segment.end)])
        elif segment.marker in _PICTURE_SEGMENTS:
            parts.append(content[segment.start : segment.end])
    return b"".join(parts)


def _is_exact(content: bytes) -> bool:
    """Whether the data hold the picture and no more, as far as can be told: the rest may be another picture.

    Nothing but tables may lie between and behind the scans. A single scan must need its last bytes. Several scans must
    not be much larger than the same coefficients in one; jpeglib cannot tell for CMYK.
    """
    markers = [marker for _, marker in _markers_behind(content, _first_scan(content))]
    if markers[-1:] != [_EOI] or any(marker not in (*_TABLES, *_RESTARTS) for marker in markers[:-1]):
        return False
    data = b"\xff\xd8" + _picture_data(content)
    if not _has_several_scans(content):
        # Where damaged files are allowed, this one may be damaged before its end.
        is_sound = not ImageFile.LOAD_TRUNCATED_IMAGES or is_complete(data, "JPEG")
        return is_sound and not is_complete(data[: -len(b"\xff\xd9") - 1], "JPEG")
    if any(segment.marker in _FRAMES and segment.payload[5:6] == b"\4" for segment in _segments(content)):
        return True
    try:
        return len(data) <= _SCANS_COST * len(replace_blocks(content, None, None)) + _TABLES_COST * len(markers)
    except CoefficientsError:
        return False


def _has_several_scans(content: bytes) -> bool:
    """Between and in several scans something can be hidden that nobody can tell from the picture."""
    behind_first = [marker for _, marker in _markers_behind(content, _first_scan(content))]
    return _is_progressive(content) or _SOS in behind_first


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def _first_scan(content: bytes) -> int:
    """Where the entropy-coded data of the first scan begins."""
    return next((segment.end for segment in _segments(content) if segment.marker == _SOS), len(content))


def _end_of_picture(content: bytes, position: int) -> int:
    """Where the picture ends whose first scan begins at `position`: behind its end marker, if it has one."""
    return next((at + 2 for at, marker in _markers_behind(content, position) if marker == _EOI), len(content))


def _markers_behind(content: bytes, position: int) -> Iterator[tuple[int, int]]:
    """Place and marker of all markers in and behind a scan, up to and with the end of the picture."""
    while (found := _MARKER.search(content, position)) is not None:
        position, marker = found.start(), content[found.start() + 1]
        yield position, marker
        if marker == _EOI:
            return
        # Between scans, progressive files hold tables, whose content may look like markers.
        length = int.from_bytes(content[position + 2 : position + 4], "big") if marker not in _WITHOUT_LENGTH else 0
        position += 2 + length


def replace_blocks(content: bytes, pixels: Pixels | None, changed: npt.NDArray[np.bool_] | None) -> bytes:
    """The file with the blocks anew that hold a changed pixel, in any of their components.

    Args:
        content: a JPEG file, 8 bit; gray or YCbCr if anything is changed.
        pixels: uint8 (H, W, 1) or (H, W, 3) RGB, as stored (not turned upright).
        changed: (H, W), as stored. None if nothing is.

    Returns:
        The picture without any metadata, baseline even if it was progressive.

    Raises:
        CoefficientsError: the file is of a kind whose coefficients cannot be had.
    """
    if pixels is not None and _adobe_says_untransformed(content):
        raise CoefficientsError("colours RGB, by the Adobe segment")
    _choose_library()
    with _private_folder() as folder:
        source, target = folder / "source.jpg", folder / "target.jpg"
        source.write_bytes(b"\xff\xd8" + _picture_data(content))
        try:
            jpeg = jpeglib.read_dct(str(source))
            if jpeg.jpeg_color_space.name not in (*_CHANGED_COLOURS, *(["JCS_RGB"] if pixels is None else [])):
                raise CoefficientsError(f"colours {jpeg.jpeg_color_space.name}")  # it would not write black
            jpeg.load()
            if pixels is not None and changed is not None:
                _replace_in_components(jpeg, pixels, changed)
            jpeg.content = None  # it would be decoded once more
            jpeg.write_dct(str(target), flags=["+OPTIMIZE_CODING"] if _has_own_codes(content) else [])
        except OSError as error:
            raise CoefficientsError(str(error)) from None
        return target.read_bytes()


@cache
def _choose_library() -> None:
    if _LIBRARY in jpeglib.version.versions():
        jpeglib.version.set(_LIBRARY)


def reach_of_blocks(content: bytes, changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which pixels, (H, W) as stored, new blocks for the changed ones show: those of the blocks of the coarsest
    component, and around them those for which decoders mix its samples with their neighbours."""
    vertical, horizontal = _sampling(content)
    height, width = changed.shape
    rows, columns = -(-height // (BLOCK * vertical)), -(-width // (BLOCK * horizontal))
    size = (rows * BLOCK * vertical, columns * BLOCK * horizontal)
    padded = np.zeros(size, bool)
    padded[:height, :width] = changed
    touched = padded.reshape(rows, BLOCK * vertical, columns, BLOCK * horizontal).any(axis=(1, 3))
    reach = touched.repeat(BLOCK * vertical, axis=0).repeat(BLOCK * horizontal, axis=1).astype(np.uint8)
    neighbours = np.ones((2 * vertical + 1, 2 * horizontal + 1), np.uint8)
    return np.asarray(cv2.dilate(reach, neighbours)[:height, :width] > 0)


def _sampling(content: bytes) -> tuple[int, int]:
    """Pixels per sample of the coarsest component, vertically and horizontally."""
    for segment in _segments(content):
        if segment.marker in _FRAMES:
            factors = segment.payload[7::3][: segment.payload[5]]
            down, across = [factor & 15 for factor in factors], [factor >> 4 for factor in factors]
            return -(-max(down) // min(down)), -(-max(across) // min(across))
    return 1, 1


def _adobe_says_untransformed(content: bytes) -> bool:
    """Whether decoders take the samples for RGB. jpeglib goes by the numbers of the components, which may say YCbCr."""
    segments = list(_segments(content))
    adobe = [s.payload for s in segments if s.marker == _APP14 and s.payload.startswith(b"Adobe")]
    is_jfif = any(s.marker == _APP0 and s.payload.startswith(_JFIF) for s in segments)
    is_colour = any(s.marker in _FRAMES and s.payload[5:6] == b"\3" for s in segments)
    return is_colour and not is_jfif and any(payload[11:12] == b"\0" for payload in adobe)


def _is_progressive(content: bytes) -> bool:
    return any(segment.marker == _PROGRESSIVE for segment in _segments(content))


def _has_own_codes(content: bytes) -> bool:
    """Whether the Huffman codes were made for this picture, and not taken from the standard, annex K.3."""
    tables = b"".join(segment.payload for segment in _segments(content) if segment.marker == _HUFFMAN)
    return _is_progressive(content) or _STANDARD_CODES not in tables


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder for the files by which jpeglib works, its own temporary ones too, in memory where there is such a place.

    They hold the picture as it was: a process that is killed must not leave it on a disk.
    """
    usual = tempfile.tempdir
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None) as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = usual


def _replace_in_components(jpeg: jpeglib.DCTJPEG, pixels: Pixels, changed: npt.NDArray[np.bool_]) -> None:
    components = [component for component in (jpeg.Y, jpeg.Cb, jpeg.Cr) if component is not None]
    steps = [_pixels_per_sample(jpeg, number) for number in range(len(components))]
    sizes = [np.multiply(one.shape[:2], step) * BLOCK for one, step in zip(components, steps, strict=True)]
    height, width = np.max(sizes, axis=0)
    covered, squares = _goes_on(pixels, height, width), _touched(changed, (height // BLOCK, width // BLOCK))
    for number, (coefficients, step) in enumerate(zip(components, steps, strict=True)):
        table = jpeg.qt[jpeg.quant_tbl_no[number]].astype(np.float32)
        rows, columns = coefficients.shape[:2]
        near = squares[: rows * step[0], : columns * step[1]].reshape(rows, step[0], columns, step[1])
        _replace_in_component(number, coefficients, table, step, covered, np.asarray(near.any(axis=(1, 3))))


def _goes_on(pixels: Pixels, height: int, width: int) -> Pixels:
    """At least this high and wide: the last blocks may reach beyond the picture, whose last pixels go on there."""
    below, right = max(0, height - pixels.shape[0]), max(0, width - pixels.shape[1])
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else pixels


def _pixels_per_sample(jpeg: jpeglib.DCTJPEG, number: int) -> tuple[int, int]:
    """Vertically and horizontally, for a component."""
    factors = np.asarray(jpeg.samp_factor)  # (components, 2)
    steps = factors.max(axis=0) / factors[number]
    if (steps != np.rint(steps)).any():
        raise CoefficientsError("sampling factors that do not divide each other")
    return int(steps[0]), int(steps[1])


def _replace_in_component(
    number: int,
    coefficients: npt.NDArray[np.int16],
    table: npt.NDArray[np.float32],
    steps: tuple[int, int],
    pixels: Pixels,
    is_touched: npt.NDArray[np.bool_],
) -> None:
    """Encodes some blocks of a component anew.

    Args:
        coefficients: (rows of blocks, columns of blocks, 8, 8); is changed.
        steps: pixels per sample, vertically and horizontally.
        pixels: the picture, at least as large as all blocks.
        is_touched: which blocks, (rows, columns).
    """
    rows, columns = is_touched.shape
    height, width = BLOCK * steps[0], BLOCK * steps[1]  # in pixels, of what belongs to a block
    covered = pixels[: rows * height, : columns * width]
    tiles = covered.reshape(rows, height, columns, width, -1).swapaxes(1, 2)[is_touched]
    values = _component(tiles.astype(np.float32), number)
    samples = values.reshape(-1, BLOCK, steps[0], BLOCK, steps[1]).mean(axis=(2, 4), dtype=np.float32)
    basis = _cosine_basis()
    transformed = basis @ (samples - 128) @ basis.T
    coefficients[is_touched] = np.rint(transformed / table).astype(np.int16)


def _touched(changed: npt.NDArray[np.bool_], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which squares of the size of a block, of so many rows and columns, hold a changed pixel."""
    touched = np.zeros(shape, bool)
    for row in np.unique(np.flatnonzero(changed.any(axis=1)) // BLOCK):
        strip = changed[row * BLOCK : (row + 1) * BLOCK]
        touched[row, np.flatnonzero(strip.any(axis=0)) // BLOCK] = True
    return touched


def _component(values: npt.NDArray[np.float32], number: int) -> npt.NDArray[np.float32]:
    """Luminance (0), blue (1) or red difference (2) of pixels (..., 1) gray or (..., 3) RGB."""
    if values.shape[-1] == 1:
        return values[..., 0]
    red, green, blue = (values[..., channel] for channel in range(3))
    luminance: npt.NDArray[np.float32] = 0.299 * red + 0.587 * green + 0.114 * blue
    if number == 0:
        return luminance
    difference: npt.NDArray[np.float32] = (blue - luminance) / 1.772 if number == 1 else (red - luminance) / 1.402
    return difference + 128


@cache
def _cosine_basis() -> npt.NDArray[np.float32]:
    """The matrix B by which B @ samples @ B.T is the discrete cosine transform of a block, (8, 8)."""
    frequency, position = np.mgrid[0:BLOCK, 0:BLOCK]
    basis: npt.NDArray[np.float32] = np.cos((2 * position + 1) * frequency * np.pi / (2 * BLOCK)).astype(np.float32) / 2
    basis[0] /= np.sqrt(2)
    return basis
