"""AVIF and HEIC files. (ISO/IEC 23008-12.)

They are encoded anew at a quality that matches the source's. Whatever else they hold, such as depth maps, gain maps,
thumbnails and further pictures, is not written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from PIL import Image, features

from anonymizer.errors import PictureError
from anonymizer.files.global_state import pillow_state
from anonymizer.files.jpeg2000 import boxes
from anonymizer.files.metadata import (
    MAX_UNKNOWN,
    Extras,
    Policy,
    exact_profile,
    is_text_kept,
    kept_exif,
    parse_exif,
)
from anonymizer.files.picture import Encoded, Picture, StoredFrame, to_image
from anonymizer.files.quality import at_matched_quality

_AVIF_BRANDS = re.compile(rb"avi[fs]")
_HEIF_BRANDS = re.compile(rb"hei[cxms]|hev[cxms]|mif1|msf1")
_SAMPLINGS = {0b11: "4:2:0", 0b10: "4:2:2", 0b00: "4:4:4"}
"""By the two bits that say whether the colours are halved horizontally and vertically."""


@cache
def can_read_heic() -> bool:
    """Makes Pillow read and write HEIC files, from now on, where the package for it is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def refuse_without_decoder(content: bytes) -> None:
    """
    Raises:
        PictureError: this is a file for which a decoder has to be installed.
    """
    if content[4:8] != b"ftyp":
        return
    brands = content[8 : min(64, int.from_bytes(content[:4], "big"))]
    if _AVIF_BRANDS.search(brands):
        if not features.check("avif"):
            raise PictureError("is an AVIF file, which this build of Pillow cannot read")
    elif _HEIF_BRANDS.search(brands) and not can_read_heic():
        raise PictureError("is a HEIC file; to read those, 'pip install pillow-heif' into the program's environment")


def refuse_unhandled(image: Image.Image) -> None:
    """
    Raises:
        PictureError: the file is an animation, or has samples that are not handled.
    """
    if image.format == "AVIF" and getattr(image, "n_frames", 1) > 1:
        raise PictureError("is an animated AVIF file; convert it to an animated WebP file first")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise PictureError(f"is a {image.format} file in {image.mode} colours; convert it to RGB first")


def left_out(image: Image.Image, content: bytes) -> list[str]:
    """What the file holds beside its main picture."""
    notes = [f"{what} are left out" for what in _further_pictures(image)]
    if _bits(image, content) > 8:
        notes.append(f"{_bits(image, content)} bits per channel became 8")
    return notes


def extras(content: bytes) -> Extras:
    """What a file holds beside its main picture, as far as its boxes and its decoder tell."""
    can_read_heic()
    with pillow_state(), Image.open(io.BytesIO(content), formats=["AVIF", "HEIF"]) as image:
        found = Extras(previews=list(_further_pictures(image)))
        info = image.info
    found.exifs.extend([info["exif"]] if info.get("exif") else [])
    found.texts.extend([info["xmp"]] if info.get("xmp") else [])
    found.profiles.extend([info["icc_profile"]] if info.get("icc_profile") else [])
    for kind, data in boxes(content):
        if kind == b"meta" and any(inner == b"iref" and b"thmb" in refs for inner, refs in boxes(data[4:])):
            found.previews.append("a thumbnail")
        elif kind in (b"free", b"skip") and len(data) <= MAX_UNKNOWN:
            found.texts.append(data)
        elif kind not in (b"ftyp", b"meta", b"mdat"):
            found.previews.append(f"{len(data)} bytes in an unknown box, or behind the picture")
    return found


def _further_pictures(image: Image.Image) -> Iterator[str]:
    pictures = getattr(image, "n_frames", 1)
    if pictures > 1:
        yield f"{pictures - 1} further pictures"
    if image.info.get("depth_images") or image.info.get("aux"):
        yield "auxiliary pictures, such as depth maps"


def _bits(image: Image.Image, content: bytes) -> int:
    if image.format == "HEIF":
        return int(image.info.get("bit_depth", 8))
    flags = _av1_flags(content)
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _av1_flags(content: bytes) -> int:
    """Depth and sampling of the first picture in the file. (AV1 codec ISO media file format binding, section 2.3.3.)"""
    position = content.find(b"av1C")
    return content[position + 6] if 0 <= position < len(content) - 6 else 0b1100


def encode(picture: Picture, frames: Sequence[StoredFrame], policy: Policy) -> Encoded:
    """A file with the main picture alone."""
    can_read_heic()
    file_format = picture.encoding.format
    with pillow_state(), Image.open(io.BytesIO(picture.content), formats=[file_format]) as source:
        options = dict(_metadata(source, picture.encoding.orientation, policy))
        chroma = source.info.get("chroma", 420)
    if file_format == "AVIF":
        options["subsampling"] = _SAMPLINGS.get(_av1_flags(picture.content) >> 2 & 0b11, "4:2:0")
    else:
        # x265's own choice takes twice the time for 5 % less.
        options |= {"chroma": chroma, "enc_params": {"preset": "medium"}}
    image = to_image(frames[0].pixels)

    def save(quality: int) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, file_format, quality=quality, **options)
        return buffer.getvalue()

    return Encoded(at_matched_quality(save, len(picture.content)), "reencoded")


def _metadata(source: Image.Image, orientation: int, policy: Policy) -> Mapping[str, Any]:
    exif = source.info.get("exif")
    kept = kept_exif(parse_exif(exif) if exif else None, orientation, policy)
    xmp = source.info.get("xmp") or b""
    profile = source.info.get("icc_profile")
    return {
        **({"exif": b"Exif\0\0" + kept} if kept else {}),
        **({"xmp": xmp} if xmp and is_text_kept(xmp, policy) else {}),
        **({"icc_profile": exact_profile(profile)} if profile else {}),
    }
