"""Writes files so that a final name never holds half a file."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from anonymizer.errors import OutputError, PictureError
from anonymizer.files.picture import Encoding, turn_back
from anonymizer.types import Alpha, Pixels

_ORIENTATION_TAG = 0x0112
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""Errors that would meet every further file too."""


def encode_picture(pixels: Pixels, alpha: Alpha | None, encoding: Encoding) -> bytes:
    """The file content for an upright picture.

    Of the metadata only what is needed to show the picture right is written: orientation, ICC profile, density.
    """
    planes = pixels if alpha is None else np.dstack([pixels, alpha])
    stored = turn_back(planes, encoding.orientation)
    image = Image.fromarray(stored[:, :, 0] if stored.shape[2] == 1 else stored)

    options: dict[str, Any] = {"icc_profile": encoding.icc_profile}
    if encoding.dpi is not None:
        options["dpi"] = encoding.dpi
    if encoding.orientation != 1:
        exif = Image.Exif()
        exif[_ORIENTATION_TAG] = encoding.orientation
        options["exif"] = exif.tobytes()
    options.update(_jpeg_options(encoding, image) if encoding.format == "JPEG" else {})
    buffer = io.BytesIO()
    image.save(buffer, encoding.format, **options)
    return buffer.getvalue()


def _jpeg_options(encoding: Encoding, image: Image.Image) -> dict[str, Any]:
    options: dict[str, Any] = {"qtables": encoding.quantization, "progressive": encoding.progressive}
    if image.mode == "RGB":
        options["subsampling"] = encoding.subsampling
    if encoding.progressive:
        # Pillow keeps a progressive file in one buffer, whose size it guesses too small for noisy pictures.
        ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 8 * image.width * image.height)
    return options


def write_files(root: Path, contents: Mapping[Path, bytes]) -> None:
    """Writes files that belong together: each whole under its final name, or none at all.

    The bytes go to hidden files beside the final names and reach the disk; then these are renamed in the order of
    `contents`. Names are relative to `root`.

    Raises:
        PictureError: these files cannot be written, others can.
        OutputError: the disk is full or gone; no further file can be written.
    """
    partials = {root / name: _partial_name(root / name) for name in contents}
    try:
        for name in contents:
            if not _is_inside(root, name):
                raise PictureError("would be written outside the output folder, through a link in it")
        try:
            for (target, partial), content in zip(partials.items(), contents.values(), strict=True):
                target.parent.mkdir(parents=True, exist_ok=True)
                partial.unlink(missing_ok=True)
                with open(partial, "xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            _rename_all(partials)
        finally:
            for partial in partials.values():
                partial.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in _FATAL:
            raise OutputError(f"output folder {root}: {error.strerror}; nothing more can be written") from None
        raise PictureError(f"cannot be written: {error.strerror}") from None


def _partial_name(target: Path) -> Path:
    # It depends on the target alone, so that the next run cleans up after one that was killed.
    return target.parent / f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.partial"


def _rename_all(partials: Mapping[Path, Path]) -> None:
    renamed: list[Path] = []
    try:
        for target, partial in partials.items():
            os.replace(partial, target)
            renamed.append(target)
    except BaseException:
        for target in renamed:  # they would stand beside files of an earlier run
            target.unlink(missing_ok=True)
        raise


def _is_inside(root: Path, name: Path) -> bool:
    """Whether no link in the output leads the folder of this file out of it."""
    try:
        return (root / name).parent.resolve().is_relative_to(root.resolve())
    except RuntimeError:  # a link that leads to itself
        return False


def remove_files(root: Path, names: Iterable[Path]) -> None:
    """Removes outputs of an earlier run, where there are any.

    Raises:
        OutputError: one cannot be removed, and would stay as if it were new.
    """
    for name in names:
        if not _is_inside(root, name):
            continue  # what lies there is no output
        try:
            (root / name).unlink(missing_ok=True)
        except NotADirectoryError:
            continue
        except OSError as error:
            raise OutputError(f"output file {name} of an earlier run cannot be removed: {error.strerror}") from None
