"""The ways to replace an object, in one table: how each paints, and how much it leaks of what it hides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from anonymizer.redact import gaussian, image, inpaint, kernel, mosaic, solid
from anonymizer.redact.blending import GradientPatch
from anonymizer.redact.scene import MethodName, RedactionStyle, RedactionTarget, Scene
from anonymizer.types import Pixels

Paint: TypeAlias = Callable[[Scene, Sequence[RedactionTarget]], Sequence[Pixels | GradientPatch]]
"""What replaces each of the targets, (height, width, C) of its bounds."""


@dataclass(frozen=True, slots=True)
class RedactionMethod:
    """A way to replace an object."""

    paint: Paint | None
    """None: nothing is replaced."""
    leaks: Callable[[RedactionStyle], float]
    """See `leaked_values`."""


def _one_by_one(paint: Callable[[Scene, RedactionTarget], Pixels]) -> Paint:
    return lambda scene, targets: [paint(scene, target) for target in targets]


def _nothing(style: RedactionStyle) -> float:
    return 0


def _cells(style: RedactionStyle) -> float:
    return style.cells**2


def _anything(style: RedactionStyle) -> float:
    return inf


METHODS: Mapping[MethodName, RedactionMethod] = {
    "gaussian": RedactionMethod(gaussian.paint, leaks=_cells),
    "mosaic": RedactionMethod(mosaic.paint, leaks=_cells),
    "solid": RedactionMethod(_one_by_one(solid.paint), leaks=_nothing),
    "image": RedactionMethod(_one_by_one(image.paint), leaks=_nothing),
    "inpaint": RedactionMethod(_one_by_one(inpaint.paint), leaks=_nothing),
    "kernel": RedactionMethod(_one_by_one(kernel.paint), leaks=_anything),  # chosen by --obfuscation-kernel
    "none": RedactionMethod(None, leaks=_nothing),  # objects are found and counted; none of them is hidden
}
"""One for each of `anonymizer.settings.METHODS`, and `kernel`."""


def leaked_values(style: RedactionStyle) -> float:
    """How many values of what is hidden the output can depend on at most: 0, some of `cells.LEVELS` levels, or inf."""
    return METHODS[style.method].leaks(style)
