"""What a method is given: the picture, what is hidden in it for which target, and how to replace that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from anonymizer.redact.mask import Region
from anonymizer.redact.planes import Planes
from anonymizer.settings import Drawing, Kernel, Method

MethodName: TypeAlias = Method | Literal["kernel"]
"""Key of `anonymizer.redact.methods.METHODS`. `kernel` is `gaussian` with a fixed kernel."""


Seed: TypeAlias = tuple[int, ...]
"""Of random numbers; none is negative."""


@dataclass(frozen=True, slots=True)
class RedactionStyle:
    """How the objects of a kind are replaced."""

    method: MethodName
    cells: int
    """Along the longer side of an object, for the methods that have cells; 0: nothing of the object shows."""
    color: str
    """#rrggbb, or mean."""
    overlay: Path | None
    drawing: Drawing
    """Where there is no overlay."""
    kernel: Kernel | None


@dataclass(frozen=True, slots=True)
class RedactionTarget:
    """An object to be replaced."""

    region: Region
    style: RedactionStyle
    number: int
    """From 1 on, by rank: where cores overlap, the lowest number has the pixel."""
    seed: Seed = ()
    """Of what is drawn at random: the same whenever the same detection is redacted; in films, wherever its track is."""


@dataclass(frozen=True)
class Scene(Planes):
    """A picture, and what is hidden in it. No method reads what is hidden for another object."""

    targets: Sequence[RedactionTarget]
    """By rank."""
    bounded: int
    """The targets up to this number have a method that leaks a few values at most, see `leaked_values`."""

    @property
    def changed(self) -> npt.NDArray[np.bool_]:
        """Where anything is replaced, (H, W)."""
        changed = np.zeros(self.size, bool)
        for part in (target.region.bounds.slices for target in self.targets):  # not all of it: pictures may be large
            np.greater(self.mask[part], 0, out=changed[part])
        return changed
