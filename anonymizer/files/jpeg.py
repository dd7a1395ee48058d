"""JPEG files: their segments, and their coefficients.

Only the blocks that the mask touches are encoded anew, with the file's own quantisation tables and sampling; the
quantised coefficients of all others stay bit for bit what they were.
(ITU-T T.81: markers in B.1, the transform in A.3.3; JFIF 1.02: colour conversion.)
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import cv2
import jpeglib
import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.files.metadata import Extras, Policy, is_text_kept, kept_exif, parse_exif
from anonymizer.types import Pixels

_Value = TypeVar("_Value", bound=np.generic)

_EOI, _SOS = 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF, 0xFE
_MPF, _JUMBF = b"MPF\0", b"jumb"  # of multi-picture files; of content credentials
_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_RESTARTS = range(0xD0, 0xD8)
_TABLES = (0xC4, _SOS, 0xDB, 0xDD)  # Huffman and quantisation tables, restart interval; and the next scan
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xDA)}  # TEM, RST0..7, SOI, EOI
_JFIF, _EXIF, _XMP, _PHOTOSHOP = b"JFIF\0", b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_IPTC = b"\x04\x04"  # number of the resource with captions
_IPTC_PREVIEWS = (b"\x1c\x02\xc8", b"\x1c\x02\xc9", b"\x1c\x02\xca", b"\x1c\x08\x0a", b"\xff\xd8\xff")  # data sets
_PHOTOSHOP_THUMBNAILS = (b"\x04\x09", b"\x04\x0c")  # numbers of resources
_JFIF_SIZE = 14  # "JFIF" with its end, version, density and the size of the thumbnail that may follow

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


def with_kept_metadata(content: bytes, orientation: int, policy: Policy) -> bytes:
    """The file with its picture data as they are, and of its metadata what the policy keeps.

    Under every policy the density, the ICC profile, the colour transform and the EXIF orientation are kept, and left
    out are thumbnails, previews, further pictures and whatever lies behind the end of the picture.
    """
    return b"".join([b"\xff\xd8", *_kept_metadata(content, orientation, policy), _picture_data(content)])


def with_metadata_of(source: bytes, content: bytes, orientation: int, policy: Policy) -> bytes:
    """A YCbCr or gray file with the metadata that the policy keeps of another one."""
    kept = [part for part in _kept_metadata(source, orientation, policy) if part[1] != _APP14]
    return b"".join([b"\xff\xd8", *kept, _picture_data(content)])


def _kept_metadata(content: bytes, orientation: int, policy: Policy) -> Iterator[bytes]:
    exif: Image.Exif | None = None
    for segment in _segments(content):
        payload = segment.payload
        if segment.marker == _APP0 and payload.startswith(_JFIF):
            yield _segment(_APP0, payload[: _JFIF_SIZE - 2] + b"\0\0")
        elif segment.marker == _APP1 and payload.startswith(_EXIF):
            exif = exif or parse_exif(payload)
        elif segment.marker == _APP13 and payload.startswith(_PHOTOSHOP) and policy == "keep":
            yield _segment(_APP13, _PHOTOSHOP + _captions(payload.removeprefix(_PHOTOSHOP)))
        elif _is_kept(segment, policy):
            yield content[segment.start : segment.end]
    kept = kept_exif(exif, orientation, policy)
    if kept is not None:
        yield _segment(_APP1, _EXIF + kept)


def _is_kept(segment: _Segment, policy: Policy) -> bool:
    if segment.marker == _APP2:
        return segment.payload.startswith(b"ICC_PROFILE\0")
    if segment.marker == _APP14:
        return segment.payload.startswith(b"Adobe")
    is_text = segment.marker == _COM or (segment.marker == _APP1 and segment.payload.startswith(_XMP))
    text = segment.payload.removeprefix(_XMP).rstrip(b"\0")
    return is_text and b"\0" not in text and is_text_kept(text, policy)  # else in UTF-16, or no text


def _captions(resources: bytes) -> bytes:
    """Of Photoshop's resource blocks that with captions and keywords (IPTC); others hold thumbnails and paths."""
    position, kept = 0, b""
    while resources[position : position + 4] == b"8BIM" and position + 12 <= len(resources):
        name_length = resources[position + 6] + 1
        size_at = position + 6 + name_length + name_length % 2
        size = int.from_bytes(resources[size_at : size_at + 4], "big")
        end = size_at + 4 + size + size % 2
        is_caption = resources[position + 4 : position + 6] == _IPTC
        if is_caption and not any(sign in resources[position:end] for sign in _IPTC_PREVIEWS):
            kept += resources[position:end]
        position = end
    return kept


def left_out(content: bytes) -> list[str]:
    """What a user should know is no longer in the file, under any policy."""
    notes = []
    markers = [(segment.marker, segment.payload) for segment in _segments(content)]
    if any(marker == _APP11 and _JUMBF in payload for marker, payload in markers):
        notes.append("content credentials (C2PA) are left out, since they no longer hold")
    behind = len(content) - _end_of_picture(content, _first_scan(content))
    if behind or any(marker == _APP2 and payload.startswith(_MPF) for marker, payload in markers):
        notes.append(f"{behind} bytes behind the picture, such as further pictures or a video, are left out")
    return notes


def extras(content: bytes) -> Extras:
    """What a file holds beside its picture."""
    found = Extras(bytes_behind=len(content) - _end_of_picture(content, _first_scan(content)))
    if not is_plain(content[: len(content) - found.bytes_behind]):
        found.previews.append("segments between or behind the scans")
    for segment in _segments(content):
        _note_segment(segment, found)
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
    elif _is_metadata(segment) and not (marker == _APP2 and payload.startswith(b"ICC_PROFILE\0")):
        found.texts.append(payload)


def _picture_data(content: bytes) -> bytes:
    """Tables, frame and scans: everything between the start of the file and the end of the picture but metadata."""
    parts = []
    for segment in _segments(content):
        if segment.marker == _SOS:
            parts.append(content[segment.start : _end_of_picture(content, segment.end)])
        elif not _is_metadata(segment):
            parts.append(content[segment.start : segment.end])
    return b"".join(parts)


def is_plain(content: bytes) -> bool:
    """Whether nothing but tables lies between and behind the scans: other segments there may hold another picture."""
    markers = [marker for _, marker in _markers_behind(content, _first_scan(content))]
    return markers[-1:] == [_EOI] and all(marker in (*_TABLES, *_RESTARTS) for marker in markers[:-1])


def _is_metadata(segment: _Segment) -> bool:
    return _APP0 <= segment.marker <= _APP15 or segment.marker == _COM


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
    while True:
        position = content.find(b"\xff", position)
        if position < 0 or position + 1 >= len(content):
            return
        marker = content[position + 1]
        if marker not in (0x00, 0xFF):  # data, and fill bytes
            yield position, marker
        if marker == _EOI:
            return
        # Between scans, progressive files hold tables, whose content may look like markers.
        is_segment = marker not in (0x00, 0xFF) and marker not in _WITHOUT_LENGTH
        length = int.from_bytes(content[position + 2 : position + 4], "big") if is_segment else 0
        position += 2 + length if marker != 0xFF else 1


def replace_blocks(content: bytes, pixels: Pixels, changed: npt.NDArray[np.bool_]) -> bytes:
    """The file with the blocks anew that hold a changed pixel, in any of their components.

    Args:
        content: a JPEG file, gray or YCbCr, 8 bit.
        pixels: uint8 (H, W, 1) or (H, W, 3) RGB, as stored (not turned upright).
        changed: (H, W), as stored.

    Returns:
        The picture without any metadata, baseline even if it was progressive.

    Raises:
        CoefficientsError: the file is of a kind whose coefficients cannot be had.
    """
    if _adobe_says_untransformed(content):
        raise CoefficientsError("colours RGB, by the Adobe segment")
    with _private_folder() as folder:
        source, target = folder / "source.jpg", folder / "target.jpg"
        source.write_bytes(b"\xff\xd8" + _picture_data(content))
        try:
            jpeg = jpeglib.read_dct(str(source))
            jpeg.load()
        except OSError as error:
            raise CoefficientsError(str(error)) from None
        if jpeg.jpeg_color_space.name not in ("JCS_GRAYSCALE", "JCS_YCbCr"):
            raise CoefficientsError(f"colours {jpeg.jpeg_color_space.name}")
        for number, coefficients in enumerate(_coefficients(jpeg)):
            table = jpeg.qt[jpeg.quant_tbl_no[number]].astype(np.float32)
            _replace_in_component(number, coefficients, table, _pixels_per_sample(jpeg, number), pixels, changed)
        try:
            jpeg.write_dct(str(target))
        except OSError as error:
            raise CoefficientsError(str(error)) from None
        return target.read_bytes()


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
    return cv2.dilate(reach, neighbours)[:height, :width] > 0


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


def _coefficients(jpeg: jpeglib.DCTJPEG) -> list[npt.NDArray[np.int16]]:
    """Per component (rows of blocks, columns of blocks, 8, 8), to be changed in place."""
    return [component for component in (jpeg.Y, jpeg.Cb, jpeg.Cr) if component is not None]


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
    changed: npt.NDArray[np.bool_],
) -> None:
    rows, columns = coefficients.shape[:2]
    tile = (BLOCK * steps[0], BLOCK * steps[1])  # pixels that belong to a block
    size = (rows * tile[0], columns * tile[1])
    share = cv2.resize(_fit(changed.astype(np.float32), size), (columns, rows), interpolation=cv2.INTER_AREA)
    is_touched = share > 0
    tiles = _fit(pixels, size).reshape(rows, tile[0], columns, tile[1], -1).swapaxes(1, 2)[is_touched]
    values = _component(tiles.astype(np.float32), number)
    samples = values.reshape(-1, BLOCK, steps[0], BLOCK, steps[1]).mean(axis=(2, 4), dtype=np.float32)
    basis = _cosine_basis()
    transformed = basis @ (samples - 128) @ basis.T
    coefficients[is_touched] = np.rint(transformed / table).astype(np.int16)


def _fit(values: npt.NDArray[_Value], size: tuple[int, int]) -> npt.NDArray[_Value]:
    """Cuts, or goes on with the last pixels, to (height, width): the last blocks may reach beyond the picture."""
    below, right = max(0, size[0] - values.shape[0]), max(0, size[1] - values.shape[1])
    if below or right:
        values = np.pad(values, ((0, below), (0, right), *[(0, 0)] * (values.ndim - 2)), mode="edge")
    return values[: size[0], : size[1]]


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
