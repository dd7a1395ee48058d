"""Reads a picture file. The format is told by the content, whatever the name says."""

from __future__ import annotations

import io
import os
import stat
import struct
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin, UnidentifiedImageError

from anonymizer.errors import PictureError
from anonymizer.files import png, whole
from anonymizer.files.metadata import ORIENTATION, quiet_pillow
from anonymizer.files.picture import Encoding, Format, Picture, turn_upright
from anonymizer.settings import ReadSettings

_PNG_BIT_DEPTH_AT = 24  # signature 8, length 4, "IHDR" 4, width 4, height 4
_JPEG_FORMATS = ("JPEG", "MPO")  # MPO: a JPEG file with further pictures behind the first


def read_picture(path: Path, settings: ReadSettings = ReadSettings()) -> Picture:
    """Reads a JPEG, PNG, BMP, TIFF or WebP file: grayscale, RGB, palette, with or without alpha, of 8 or 16 bits.

    Raises:
        PictureError: the file cannot be read, is damaged, or is of a kind that is not handled.
    """
    content = _read_regular_file(path)
    with quiet_pillow():
        Image.MAX_IMAGE_PIXELS = None  # the limit is checked here, for all formats
        ImageFile.LOAD_TRUNCATED_IMAGES = settings.allow_truncated
        try:
            image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", *whole.FORMATS))
            if image.width * image.height > settings.max_pixels:
                raise PictureError(f"has {image.width} x {image.height} pixels, more than --max-pixels")
            _refuse_unhandled(image, content)
            image.load()
            return _to_picture(image, content)
        except UnidentifiedImageError:
            raise PictureError("is no picture in JPEG, PNG, BMP, TIFF or WebP format, or is damaged") from None
        except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error) as error:
            raise PictureError(f"is damaged: {error}") from None


def _read_regular_file(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for its writer for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise PictureError(f"cannot be opened: {error.strerror}") from None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PictureError("is not a regular file")
        try:
            content = file.read()
        except OSError as error:
            raise PictureError(f"cannot be read: {error.strerror}") from None
    if not content:
        raise PictureError("is empty")
    return content


def _refuse_unhandled(image: Image.Image, content: bytes) -> None:
    if image.format in _JPEG_FORMATS:
        if image.mode not in ("L", "RGB"):
            raise PictureError(f"is a JPEG file in {image.mode} colours; convert it to RGB first")
        return
    if image.format in whole.FORMATS:
        whole.refuse_unhandled(image)
        return
    if content[12:16] != b"IHDR":
        raise PictureError("is damaged: a PNG file that does not begin with its header")
    if getattr(image, "n_frames", 1) > 1:
        raise PictureError("is an animated PNG file; extract its frames first")


def _to_picture(image: Image.Image, content: bytes) -> Picture:
    orientation = _orientation(image)
    if image.format == "PNG" and content[_PNG_BIT_DEPTH_AT] == 16:
        pixels, alpha16 = png.decode_16_bits(content)
        upright_alpha = None if alpha16 is None else turn_upright(alpha16, orientation)
        return Picture(turn_upright(pixels, orientation), upright_alpha, content, _encoding(image, orientation))
    gray16 = whole.decode_16_bits(image)
    if gray16 is not None:
        return Picture(turn_upright(gray16, orientation), None, content, _encoding(image, orientation))
    alpha = None
    if image.has_transparency_data:
        image_with_alpha = image.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")
        alpha = turn_upright(np.asarray(image_with_alpha.getchannel("A")), orientation)
        colours = image_with_alpha.convert("L" if image_with_alpha.mode == "LA" else "RGB")
    else:
        colours = image.convert("L" if image.mode in ("1", "L") else "RGB")
    stored = np.asarray(colours)
    if stored.ndim == 2:
        stored = stored[:, :, np.newaxis]
    return Picture(turn_upright(stored, orientation), alpha, content, _encoding(image, orientation))


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ORIENTATION, 1)  # in EXIF, or else in XMP
    except (SyntaxError, ValueError, OSError, TypeError, struct.error):
        return 1  # damaged metadata: viewers show the picture as it is stored
    return orientation if orientation in range(1, 9) else 1


def _encoding(image: Image.Image, orientation: int) -> Encoding:
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return Encoding(
            "JPEG",
            orientation,
            _quantization(image),
            # -1 stands for a rare sampling that cannot be asked for when writing: keep every colour sample.
            max(0, JpegImagePlugin.get_sampling(image)),
            bool(image.info.get("progressive")),
        )
    return Encoding(cast(Format, image.format), orientation)


def _quantization(image: JpegImagePlugin.JpegImageFile) -> list[list[int]]:
    """One table for the luminance, one for both colour components: the finer values where these differ."""
    tables = [image.quantization.get(component[3], []) for component in image.layer]
    if not all(tables) or not all(map(all, tables)):
        raise PictureError("is damaged: a quantisation table is missing, or holds 0")
    return [tables[0], *([[min(values) for values in zip(*tables[1:], strict=True)]] if tables[1:] else [])]
