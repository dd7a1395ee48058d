"""Writes files so that a final name never holds half a file."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anonymizer.errors import OutputError, PictureError
from anonymizer.files.picture import Encoding, Picture, turn_back
from anonymizer.types import Pixels

_ORIENTATION_TAG = 0x0112
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""Errors that would meet every further file too."""


def encode_picture(picture: Picture, pixels: Pixels) -> bytes:
    """The file content for `pixels`, upright, stored the way that `picture` was.

    Of the metadata only what is needed to show the picture right is written: orientation, ICC profile, density.
    """
    encoding = picture.encoding
    planes = pixels if picture.alpha is None else np.dstack([pixels, picture.alpha])
    stored = turn_back(planes, encoding.orientation)
    image = Image.fromarray(stored[:, :, 0] if stored.shape[2] == 1 else stored)

    options: dict[str, Any] = {"icc_profile": encoding.icc_profile}
    if encoding.dpi is not None:
        options["dpi"] = encoding.dpi
    if encoding.orientation != 1:
        exif = Image.Exif()
        exif[_ORIENTATION_TAG] = encoding.orientation
        options["exif"] = exif.tobytes()
    options.update(_jpeg_options(encoding, image.mode) if encoding.format == "JPEG" else {})
    buffer = io.BytesIO()
    image.save(buffer, encoding.format, **options)
    return buffer.getvalue()


def _jpeg_options(encoding: Encoding, mode: str) -> dict[str, Any]:
    options: dict[str, Any] = {"qtables": encoding.quantization, "progressive": encoding.progressive}
    if mode == "RGB":
        options["subsampling"] = encoding.subsampling
    return options


def write_file(root: Path, relative: Path, content: bytes) -> None:
    """Writes `content` to `root / relative`: all of it under that name, or nothing.

    The bytes go to a hidden file beside it, reach the disk, and take the name in one step.

    Raises:
        PictureError: this file cannot be written, others can.
        OutputError: the disk is full or gone; no further file can be written.
    """
    target = root / relative
    # The name depends on the target alone, so that the next run cleans up after one that was killed.
    partial = target.parent / f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.partial"
    try:
        if not target.parent.resolve().is_relative_to(root.resolve()):
            raise PictureError("would be written outside the output folder, through a link in it")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        try:
            with open(partial, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in _FATAL:
            raise OutputError(f"output folder {root}: {error.strerror}; nothing more can be written") from None
        raise PictureError(f"cannot be written: {error.strerror}") from None


def remove_file(root: Path, relative: Path) -> None:
    """Removes an output of an earlier run, if there is one.

    Raises:
        OutputError: it cannot be removed, and would stay as if it were new.
    """
    try:
        (root / relative).unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise OutputError(
            f"output file {relative.as_posix()} of an earlier run cannot be removed: {error.strerror}"
        ) from None
