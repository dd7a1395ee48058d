"""Decodes a picture file. The content tells the format, whatever the name says."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import cast

import numpy as np
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from anonymizer.errors import PictureError
from anonymizer.files import heif, jpeg, jpeg2000, png, tiff
from anonymizer.files.global_state import pillow_state
from anonymizer.files.metadata import ORIENTATION
from anonymizer.files.picture import Encoding, Frame, Picture, turn_upright
from anonymizer.files.trailing_data import is_complete
from anonymizer.formats import EXTENSIONS, FORMATS, Format
from anonymizer.settings import ReadSettings

_JPEG_FORMATS = ("JPEG", "MPO")  # MPO: a JPEG file with further pictures behind the first
_CHANNELS = {"L": 1, "RGB": 3}
_ANIMATED_FORMATS = ("PNG", "GIF", "WEBP")
_PALETTES = ("P", "PA")
_COLOURS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK")

_DECODING_ERRORS = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError, struct.error)
"""What decoders raise on damaged files."""


def decode_picture(content: bytes, settings: ReadSettings = ReadSettings(), name: str = "") -> Picture:
    """Decodes a picture: gray, RGB, CMYK or palette, with or without alpha, of 8 or 16 bits, one frame or several.

    Safe in several threads: what Pillow decodes is decoded by one thread after the other; most JPEG files are not.

    Args:
        content: the bytes of a file.
        name: of the file, if it has one: `Picture.remarks` says so where its extension is that of another format.

    Raises:
        PictureError: the file is damaged, or of a kind that is not handled.
    """
    heif.refuse_without_decoder(content)
    try:
        with pillow_state(settings.allow_truncated):
            image = Image.open(io.BytesIO(content), formats=_readable_formats())
            _refuse_too_large(image, settings.max_pixels)
        quickly_decoded = _decode_quickly(image, content)
        with pillow_state(settings.allow_truncated):
            picture = _to_picture(image, content, quickly_decoded)
        remarks = _remarks(name, picture.encoding.format)
        if settings.allow_truncated and not is_complete(content, picture.encoding.format):
            remarks = (*remarks, "is cut off or damaged: what is missing of the picture shows gray or black")
        return replace(picture, allow_truncated=settings.allow_truncated, remarks=remarks)
    except UnidentifiedImageError:
        raise PictureError(_what_it_seems(content)) from None
    except _DECODING_ERRORS as error:
        raise PictureError(f"is damaged: {error}") from None


def _readable_formats() -> list[str]:
    """For HEIC, Pillow needs the help of a package, which is called in when there is such a file."""
    return [name for name in FORMATS if name != "HEIF" or name in Image.OPEN]


def _what_it_seems(content: bytes) -> str:
    """The reason to refuse what Pillow does not recognise."""
    for signs in FORMATS.values():
        if re.match(signs.start, content, re.DOTALL):
            return f"seems to be a {signs.name} file, but is damaged or of a kind that is not handled"
    return f"is no picture in {', '.join(signs.name for signs in FORMATS.values())} format"


def _remarks(name: str, found: Format) -> tuple[str, ...]:
    """What to say where the extension is that of another format. The output has the same name."""
    extension = PurePath(name).suffix.lower().removeprefix(".")
    if extension not in EXTENSIONS or extension in FORMATS[found].extensions:
        return ()
    return (f"is a {FORMATS[found].name} file with the extension of another format",)


def _refuse_too_large(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise PictureError(f"has {image.width} x {image.height} pixels, more than --max-pixels")
    if image.format in _ANIMATED_FORMATS:
        frames = getattr(image, "n_frames", 1)
        if frames * image.width * image.height > max_pixels:
            size = f"{frames} x {image.width} x {image.height}"
            raise PictureError(f"has {size} pixels in its frames, more than --max-pixels")
    if image.format == "TIFF" and sum(_page_sizes(image)) > max_pixels:
        raise PictureError("has more pixels in its pages than --max-pixels")


def _page_sizes(image: Image.Image) -> Iterator[int]:
    for number in tiff.pages(image):
        image.seek(number)
        yield image.width * image.height


def _decode_quickly(image: Image.Image, content: bytes) -> Frame | None:
    """Without Pillow, and so without its lock."""
    if image.format in _JPEG_FORMATS and image.mode in _CHANNELS:
        pixels = jpeg.decode(content, _CHANNELS[image.mode])
        if pixels is not None and pixels.shape[:2] == (image.height, image.width):
            return Frame(pixels)
    return None


def _to_picture(image: Image.Image, content: bytes, quickly_decoded: Frame | None) -> Picture:
    if image.format == "TIFF":
        frames = tuple(_page(image, number, content) for number in tiff.pages(image))
        previews = image.n_frames - len(frames)  # type: ignore[attr-defined]
        left_out = (f"{previews} previews in pages of their own are left out",) if previews else ()
        return Picture(frames, content, Encoding("TIFF", has_palette=tiff.has_palette(image)), left_out=left_out)
    if image.format in _ANIMATED_FORMATS and getattr(image, "n_frames", 1) > 1:
        return _to_animation(image, content)
    _refuse_unhandled(image, content)
    stored = quickly_decoded or _frame(image, content)
    encoding = _encoding(image)
    frame = _turned(stored, encoding.orientation)
    further = heif.left_out(image, content) if image.format in ("AVIF", "HEIF") else []
    return Picture((frame,), content, encoding, left_out=tuple(further))


def _refuse_unhandled(image: Image.Image, content: bytes) -> None:
    if image.format == "PNG" and content[12:16] != b"IHDR":
        raise PictureError("is damaged: a PNG file that does not begin with its header")
    if image.format in ("AVIF", "HEIF"):
        heif.refuse_unhandled(image)
    elif image.format == "JPEG2000":
        jpeg2000.refuse_unhandled(image, content)
    elif image.mode not in (*_COLOURS, "I;16") or (image.mode == "CMYK" and image.format not in _JPEG_FORMATS):
        raise PictureError(f"is a {image.format} file in {image.mode} colours; convert it to RGB first")


def _page(image: Image.Image, number: int, content: bytes) -> Frame:
    image.seek(number)
    tiff.refuse_unhandled(image)
    frame = tiff.decode_16_bits(image, content)
    if frame is None:
        image.load()  # turns it upright
        frame = _to_frame(image)
    return frame


def _to_animation(image: Image.Image, content: bytes) -> Picture:
    _refuse_unhandled(image, content)
    if image.format == "PNG" and png.is_16_bits(content):
        raise PictureError("is an animated PNG file of 16 bits per channel; convert it to 8 bits first")
    encoding = _encoding(image)
    frames, size = [], image.size
    for number in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(number)
        if image.size != size:
            raise PictureError("is damaged: a frame reaches beyond the picture")
        image.load()
        frames.append(_turned(_to_frame(image), encoding.orientation))
    return Picture(_alike(frames), content, encoding, is_animation=True)


def _alike(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """Frames that all have colours and alpha if any of them has."""
    channels = max(frame.pixels.shape[2] for frame in frames)
    has_alpha = any(frame.alpha is not None for frame in frames)
    return tuple(
        Frame(
            np.repeat(frame.pixels, channels // frame.pixels.shape[2], axis=2),
            np.full(frame.pixels.shape[:2], 255, np.uint8) if has_alpha and frame.alpha is None else frame.alpha,
        )
        for frame in frames
    )


def _turned(stored: Frame, orientation: int) -> Frame:
    """A frame turned upright."""
    pixels = turn_upright(stored.pixels, orientation)
    alpha = None if stored.alpha is None else turn_upright(stored.alpha, orientation)
    return Frame(pixels, alpha, None if stored.shown is None else turn_upright(stored.shown, orientation))


def _frame(image: Image.Image, content: bytes) -> Frame:
    """The only frame of an image that may not be loaded yet."""
    image.load()
    if image.format == "PNG" and png.is_16_bits(content):
        return Frame(*png.decode_16_bits(content))
    if image.mode == "I;16":
        return Frame(np.asarray(image).astype(np.uint16)[:, :, np.newaxis])
    return _to_frame(image)


def _to_frame(image: Image.Image) -> Frame:
    """A loaded image with 8 bits per channel or less."""
    if image.mode == "CMYK":
        return Frame(np.asarray(image), shown=np.asarray(image.convert("RGB")))
    alpha = None
    colours = image
    if image.has_transparency_data:
        with_alpha = image.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")
        alpha = np.asarray(with_alpha.getchannel("A"))
        colours = with_alpha
    mode = "L" if colours.mode in ("1", "L", "LA") else "RGB"
    stored = np.asarray(colours if colours.mode == mode else colours.convert(mode))
    return Frame(stored[:, :, np.newaxis] if stored.ndim == 2 else stored, alpha)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ORIENTATION, 1)  # in EXIF, or else in XMP
    except (SyntaxError, ValueError, OSError, TypeError, struct.error):
        return 1  # damaged metadata: viewers show the picture as it is stored
    return orientation if orientation in range(1, 9) else 1


def _encoding(image: Image.Image) -> Encoding:
    orientation = 1 if image.format == "HEIF" else _orientation(image)  # those are turned when they are decoded
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return Encoding(
            "JPEG",
            orientation,
            _quantization(image),
            # -1 stands for a rare sampling that cannot be asked for when writing: keep every colour sample.
            max(0, JpegImagePlugin.get_sampling(image)),
            bool(image.info.get("progressive")),
        )
    return Encoding(cast(Format, image.format), orientation, has_palette=image.mode in _PALETTES)


def _quantization(image: JpegImagePlugin.JpegImageFile) -> list[list[int]]:
    """One table for the luminance, one for both colour components, of which the finer values count; one for CMYK."""
    tables = [image.quantization.get(component[3], []) for component in image.layer]
    if not all(tables) or not all(map(all, tables)):
        raise PictureError("is damaged: a quantisation table is missing, or holds 0")
    if image.mode == "CMYK":
        return [_finest(tables)]
    return [tables[0], *([_finest(tables[1:])] if tables[1:] else [])]


def _finest(tables: Sequence[Sequence[int]]) -> list[int]:
    return [min(values) for values in zip(*tables, strict=True)]
