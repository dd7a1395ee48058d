"""What a method is given: the picture, what is hidden in it for which object, and how that object shall look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.geometry import PixelBox
from anonymizer.redact.mask import Region
from anonymizer.redact.pixelwise import Mask, Owners, Planes
from anonymizer.settings import Kernel
from anonymizer.types import Pixels

Flags: TypeAlias = npt.NDArray[np.uint8]
"""uint8 (height, width) of 0 and 1, as OpenCV takes masks."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the objects of a kind are replaced."""

    method: str
    """Key of `anonymizer.redact.methods.METHODS`."""
    cells: int
    """Along the longer side of an object, for the methods that have cells."""
    color: str
    """#rrggbb, or mean."""
    overlay: Path | None
    kernel: Kernel | None


@dataclass(frozen=True, slots=True)
class Target:
    """An object to be replaced."""

    region: Region
    style: Style
    number: int
    """From 1 on, by rank: where cores overlap, the lowest number has the pixel."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, and what is hidden in it. No method reads what is hidden for another object."""

    planes: Planes
    targets: Sequence[Target]
    """By rank."""
    bounded: int
    """Objects up to this number are replaced by a method that lets a few numbers through at most."""

    @property
    def pixels(self) -> Pixels:
        return self.planes.pixels

    @property
    def mask(self) -> Mask:
        return self.planes.mask

    @property
    def owners(self) -> Owners:
        """Numbers of targets."""
        return self.planes.owners

    @property
    def size(self) -> tuple[int, int]:
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def changed(self) -> npt.NDArray[np.bool_]:
        """Where anything is replaced, (H, W). Made of the targets' reaches: the picture may be large."""
        changed = np.zeros(self.size, bool)
        for part in (target.region.reach.slices for target in self.targets):
            np.greater(self.mask[part], 0, out=changed[part])
        return changed

    def visible(self, area: PixelBox) -> Flags:
        """1 where nothing is replaced, (height, width) of the area, otherwise 0."""
        visible: Flags = (self.mask[area.slices] == 0).astype(np.uint8)
        return visible
