"""Formats that are written anew as a whole: BMP, TIFF and WebP.

BMP, TIFF and lossless WebP files keep every pixel outside the mask. Lossy WebP files cannot: they are encoded at a
quality at which a second encoding is hard to see.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.metadata import Policy, is_text_kept, kept_exif, parse_exif, quiet_pillow
from anonymizer.types import Fidelity, Pixels

FORMATS = ("BMP", "TIFF", "WEBP")

_LOSSY_QUALITY = 95
_BITS_PER_SAMPLE = 258  # TIFF tag
_PHOTOMETRIC, _BLACK_IS_ZERO = 262, 1
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
    """Whether the picture is in a chunk VP8L (WebP container specification)."""
    position = 12  # "RIFF", size, "WEBP"
    while position + 8 <= len(content):
        kind, size = content[position : position + 4], int.from_bytes(content[position + 4 : position + 8], "little")
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        position += 8 + size + size % 2
    return False
