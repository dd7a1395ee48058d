"""Formats that are written anew as a whole: BMP, TIFF and WebP.

BMP, TIFF and lossless WebP files keep every pixel outside the mask. Lossy WebP files cannot: they are encoded at a
quality at which a second encoding is hard to see.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.metadata import Extras, Policy, is_text_kept, kept_exif, parse_exif, quiet_pillow
from anonymizer.types import Fidelity, Pixels

FORMATS = ("BMP", "TIFF", "WEBP")

_LOSSY_QUALITY = 95
_BITS_PER_SAMPLE = 258  # TIFF tag
_PHOTOMETRIC, _BLACK_IS_ZERO = 262, 1
_SUB_DIRECTORIES, _TIFF_TEXTS = (0x014A, 0x0201), (0x02BC, 0x8649, 0x83BB)  # XMP, Photoshop, IPTC
_BMP_PIXELS_AT, _BMP_SIZE_AT = 10, 34
_GRAY_16 = ("I;16", "I;16L", "I;16B")


def refuse_unhandled(image: Image.Image) -> None:
    """
    Raises:
        PictureError: the file holds several pictures, or samples that are not handled.
    """
    if getattr(image, "n_frames", 1) > 1:
        raise PictureError(f"is a {image.format} file with {image.n_frames} pictures; extract them first")  # type: ignore[attr-defined]
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "RGBX", *_GRAY_16):
        raise PictureError(f"is a {image.format} file in {image.mode} colours; convert it to RGB first")
    if image.format == "TIFF":
        _refuse_unhandled_tiff(image)


def _refuse_unhandled_tiff(image: Image.Image) -> None:
    tags = image.tag_v2  # type: ignore[attr-defined]
    found = tags.get(_BITS_PER_SAMPLE, (1,))
    bits = max(found if isinstance(found, tuple) else (found,))
    if image.mode not in _GRAY_16 and bits > 8:
        raise PictureError("is a TIFF file in colours with more than 8 bits per channel; convert it first")
    # Pillow hands out such samples as they are stored: too dark, or as a negative.
    if image.mode in _GRAY_16 and (bits != 16 or tags.get(_PHOTOMETRIC, 1) != _BLACK_IS_ZERO):
        raise PictureError("is a gray TIFF file of a kind that is not handled; convert it to 16 bits, black is zero")


def decode_16_bits(image: Image.Image) -> Pixels | None:
    """Pixels (H, W, 1) of a gray picture with 16 bits; None for all others."""
    return np.asarray(image).astype(np.uint16)[:, :, np.newaxis] if image.mode in _GRAY_16 else None


def encode(stored: Pixels, file_format: str, source: bytes, orientation: int, policy: Policy) -> tuple[bytes, Fidelity]:
    """A file in the same format. `stored`: (H, W, C) gray, gray with alpha, RGB or RGBA; not turned upright."""
    with quiet_pillow(), Image.open(io.BytesIO(source), formats=[file_format]) as image:
        info = image.info
    options: dict[str, Any] = {}
    fidelity: Fidelity = "lossless"
    if file_format == "TIFF":
        options["compression"] = None if info.get("compression") == "raw" else "tiff_adobe_deflate"
    if file_format == "WEBP":
        is_lossless = _is_lossless_webp(source)
        options |= {"lossless": is_lossless, "quality": 100 if is_lossless else _LOSSY_QUALITY, "exact": True}
        fidelity = "lossless" if is_lossless else "reencoded"
        exif = parse_exif(info["exif"]) if "exif" in info else None
        options["exif"] = kept_exif(exif, orientation, policy) or b""
        xmp = info.get("xmp", b"")
        options["xmp"] = xmp if is_text_kept(xmp, policy) else b""
    if file_format != "BMP" and "icc_profile" in info:
        options["icc_profile"] = info["icc_profile"]
    if file_format != "WEBP" and "dpi" in info:
        options["dpi"] = info["dpi"]
    buffer = io.BytesIO()
    Image.fromarray(stored[:, :, 0] if stored.shape[2] == 1 else stored).save(buffer, file_format, **options)
    return buffer.getvalue(), fidelity


def _is_lossless_webp(content: bytes) -> bool:
    """Whether the picture is in a chunk VP8L."""
    return next((kind == b"VP8L" for kind, _ in _webp_chunks(content) if kind in (b"VP8L", b"VP8 ")), False)


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of the chunks (WebP container specification)."""
    position = 12  # "RIFF", size, "WEBP"
    while position + 8 <= len(content):
        kind, size = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "little")
        yield kind, content[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def extras(content: bytes, file_format: str) -> Extras:
    """What a file holds beside its picture. Bytes behind the picture are not told for TIFF files, which have no end."""
    if file_format == "WEBP":
        return _webp_extras(content)
    if file_format == "TIFF":
        return _tiff_extras(content)
    # BMP: place and size of the pixels stand in the header.
    start, size = (int.from_bytes(content[at : at + 4], "little") for at in (_BMP_PIXELS_AT, _BMP_SIZE_AT))
    return Extras(bytes_behind=max(0, len(content) - start - size) if size else 0)


def _webp_extras(content: bytes) -> Extras:
    end = 8 + int.from_bytes(content[4:8], "little")
    found = Extras(bytes_behind=max(0, len(content) - end - end % 2))
    for kind, data in _webp_chunks(content[:end]):
        if kind == b"EXIF":
            found.exifs.append(data)
        elif kind == b"C2PA":
            found.previews.append("content credentials (C2PA)")
        elif kind not in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"):
            found.texts.append(data)
    return found


def _tiff_extras(content: bytes) -> Extras:
    """The file is laid out like EXIF data, whose first directory is that of the picture."""
    found = Extras(exifs=[content])
    with quiet_pillow(), Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        tags = image.tag_v2
        if any(tag in tags for tag in _SUB_DIRECTORIES):
            found.previews.append("a directory of further pictures")
        found.texts.extend(value for tag in _TIFF_TEXTS if isinstance(value := tags.get(tag), bytes))
    return found
