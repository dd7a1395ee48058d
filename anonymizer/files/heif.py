"""What AVIF and HEIC files have in common: the High Efficiency Image File Format. (ISO/IEC 23008-12.)

They are re-encoded at a quality that matches the source. What says how the picture is to be shown is kept, see
`heif_display`. Everything else that they hold, such as depth maps, gain maps, thumbnails and further pictures, is not
written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.carriers import Stated, stated_by
from anonymizer.files.frames import refuse_colours, to_frame
from anonymizer.files.global_state import pillow_state
from anonymizer.files.heif_contents import GAIN_MAP, read_contents
from anonymizer.files.heif_display import Display, with_display
from anonymizer.files.metadata import (
    EmbeddedData,
    Policy,
    exact_profile,
    kept_exif,
    kept_xmp,
    left_out_note,
)
from anonymizer.files.picture import Encoded, Frame, Picture, StoredFrame, to_image
from anonymizer.files.quality import at_matched_quality
from anonymizer.formats import FORMATS, Format

_AVIF_BRANDS = re.compile(rb"avi[fs]")
_HEIC_BRANDS = re.compile(rb"hei[cxms]|hev[cxms]|mif1|msf1")
_COLOURS = ("L", "LA", "RGB", "RGBA", "I;16")
_DEEP_GRAY = "I;16"  # 10 or 12 bits, in the upper bits of 16


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
    frame = to_frame(image)
    return Frame((frame.pixels >> 8).astype("uint8")) if image.mode == _DEEP_GRAY else frame


def stated(content: bytes, counts: int, further: Sequence[int] = ()) -> Stated:
    """The orientation of a file, in which boxes count, and neither EXIF data nor XMP do.

    Args:
        counts: what the boxes say, to the decoder.
        further: what else they may say.
    """
    contents = read_contents(content)
    return stated_by(contents.exifs, contents.texts, counts, further)


def left_out(content: bytes, bits: int) -> list[str]:
    """Notes for the report. `bits`: per channel, in the file."""
    notes = [
        "the gain map is left out: the picture is shown with the usual range of brightness"
        if what == GAIN_MAP
        else f"{what} are left out"
        for what in read_contents(content).further
    ]
    return [*notes, f"{bits} bits per channel became 8"] if bits > 8 else notes


def encode_main(
    picture: Picture,
    frames: Sequence[StoredFrame],
    policy: Policy,
    display: Display,
    read_options: Callable[[Image.Image], Mapping[str, Any]],
) -> Encoded:
    """A file with the main picture alone.

    Args:
        display: how the picture is to be shown, apart from its ICC profile and orientation.
        read_options: gets the source, as Pillow opened it; returns options for the encoder besides the quality.

    Raises:
        PictureError: the encoder fails.
    """
    file_format = picture.encoding.format
    with pillow_state(), Image.open(io.BytesIO(picture.content), formats=[file_format]) as source:
        metadata, names = _metadata(source, picture.encoding.orientation, policy)
        options = {**metadata, **read_options(source)}
    image = to_image(frames[0].pixels)

    def save(quality: int) -> bytes:
        buffer = io.BytesIO()
        try:
            image.save(buffer, file_format, quality=quality, **options)
        except RuntimeError as error:
            raise PictureError(f"cannot be encoded as a {FORMATS[file_format].name} file: {error}") from None
        return buffer.getvalue()

    content = with_display(at_matched_quality(save, len(picture.content)), display)
    return Encoded(content, "reencoded", left_out_note(names))


def _metadata(source: Image.Image, orientation: int, policy: Policy) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Metadata for the encoder, and names of those that are not plain language."""
    data = source.info.get("exif")
    exif = kept_exif(data or None, orientation, policy)
    xmp = kept_xmp(source.info.get("xmp") or b"", policy, orientation)
    profile = exact_profile(source.info.get("icc_profile") or b"")
    options = {
        **({"exif": b"Exif\0\0" + exif.content} if exif.content else {}),
        **({"xmp": xmp.content} if xmp.content else {}),
        **({"icc_profile": profile} if profile else {}),
    }
    return options, (*exif.left_out, *xmp.left_out)


def embedded_data(content: bytes) -> EmbeddedData:
    """All data beside the main picture, whether decoders show it or not."""
    contents = read_contents(content)
    hidden = [*contents.further, *(["a thumbnail"] if contents.thumbnails else []), *contents.unknown]
    return EmbeddedData(
        exifs=contents.exifs,
        texts=contents.texts,
        hidden_content=[f"a {GAIN_MAP.removeprefix('the ')}" if what == GAIN_MAP else what for what in hidden],
        profiles=contents.profiles,
        bytes_behind=contents.bytes_behind,
    )
