"""What AVIF and HEIC files have in common: the High Efficiency Image File Format. (ISO/IEC 23008-12.)

They are re-encoded at a quality that matches the source. Everything else that they hold, such as depth maps, gain maps,
thumbnails and further pictures, is not written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from PIL import Image

from anonymizer.files.frames import refuse_colours, to_frame
from anonymizer.files.global_state import pillow_state
from anonymizer.files.iso_boxes import read_boxes
from anonymizer.files.metadata import (
    MAX_UNKNOWN,
    EmbeddedData,
    Policy,
    exact_profile,
    is_text_kept,
    kept_exif,
    parse_exif,
)
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame, to_image
from anonymizer.files.quality import at_matched_quality
from anonymizer.formats import Format

_AVIF_BRANDS = re.compile(rb"avi[fs]")
_HEIC_BRANDS = re.compile(rb"hei[cxms]|hev[cxms]|mif1|msf1")
_COLOURS = ("L", "LA", "RGB", "RGBA")


def find_brand(content: bytes) -> Format | None:
    """The format by the brands at the beginning of a file: AVIF, HEIF, or None for all others."""
    if content[4:8] != b"ftyp":
        return None
    brands = content[8 : min(64, int.from_bytes(content[:4], "big"))]
    return "AVIF" if _AVIF_BRANDS.search(brands) else "HEIF" if _HEIC_BRANDS.search(brands) else None


def decode_main(image: Image.Image) -> Frame:
    """The main picture, as stored, of an image that Pillow opened. Needs `pillow_state`.

    Raises:
        PictureError: the file has samples that are not handled.
    """
    refuse_colours(image, _COLOURS)
    image.load()
    return to_frame(image)


def left_out(image: Image.Image, bits: int) -> list[str]:
    """Notes for the report. `bits`: per channel, in the file."""
    notes = [f"{what} are left out" for what in _further_pictures(image)]
    return [*notes, f"{bits} bits per channel became 8"] if bits > 8 else notes


def encode_main(
    picture: Picture,
    frames: Sequence[StoredFrame],
    policy: Policy,
    read_options: Callable[[Image.Image], Mapping[str, Any]],
) -> Encoded:
    """A file with the main picture alone.

    Args:
        read_options: gets the source, as Pillow opened it; returns options for the encoder besides the quality.
    """
    file_format = picture.encoding.format
    with pillow_state(), Image.open(io.BytesIO(picture.content), formats=[file_format]) as source:
        options = {**_metadata(source, picture.encoding.orientation, policy), **read_options(source)}
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


def embedded_data(content: bytes, file_format: Format) -> EmbeddedData:
    """All data beside the main picture that its boxes and its decoder show."""
    with pillow_state(), Image.open(io.BytesIO(content), formats=[file_format]) as image:
        found = EmbeddedData(hidden_content=list(_further_pictures(image)))
        info = image.info
    found.exifs.extend([info["exif"]] if info.get("exif") else [])
    found.texts.extend([info["xmp"]] if info.get("xmp") else [])
    found.profiles.extend([info["icc_profile"]] if info.get("icc_profile") else [])
    for kind, data in read_boxes(content):
        if kind == b"meta" and any(inner == b"iref" and b"thmb" in refs for inner, refs in read_boxes(data[4:])):
            found.hidden_content.append("a thumbnail")
        elif kind in (b"free", b"skip") and len(data) <= MAX_UNKNOWN:
            found.texts.append(data)
        elif kind not in (b"ftyp", b"meta", b"mdat"):
            found.hidden_content.append(f"{len(data)} bytes in an unknown box, or behind the picture")
    return found


def _further_pictures(image: Image.Image) -> Iterator[str]:
    pictures = getattr(image, "n_frames", 1)
    if pictures > 1:
        yield f"{pictures - 1} further pictures"
    if image.info.get("depth_images") or image.info.get("aux"):
        yield "auxiliary pictures, such as depth maps"
