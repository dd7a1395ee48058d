"""The ways to replace an object, each by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from anonymizer.redact import gaussian, image, inpaint, kernel, mosaic, solid
from anonymizer.redact.pixelwise import Surface
from anonymizer.redact.scene import Scene, Style, Target
from anonymizer.types import Pixels

Method: TypeAlias = Callable[[Scene, Sequence[Target]], Sequence[Pixels | Surface]]
"""What replaces each of some targets."""


def _one_by_one(paint: Callable[[Scene, Target], Pixels]) -> Method:
    return lambda scene, targets: [paint(scene, target) for target in targets]


METHODS: Mapping[str, Method | None] = {
    "gaussian": gaussian.paint,
    "mosaic": mosaic.paint,
    "solid": _one_by_one(solid.paint),
    "image": _one_by_one(image.paint),
    "inpaint": _one_by_one(inpaint.paint),
    "kernel": _one_by_one(kernel.paint),  # chosen by --obfuscation-kernel
    "none": None,  # objects are found, and nothing is replaced
}


def values_let_through(style: Style) -> float:
    """How many numbers of what is hidden the output can depend on at most: 0, a few of LEVELS values each, or any."""
    return {"gaussian": style.cells**2, "mosaic": style.cells**2, "kernel": float("inf")}.get(style.method, 0)
