"""The ways to replace an object, each by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from anonymizer.redact import gaussian, image, inpaint, kernel, mosaic, solid
from anonymizer.redact.pixelwise import Surface
from anonymizer.redact.scene import Scene, Style, Target
from anonymizer.types import Pixels

METHODS: Mapping[str, Callable[[Scene, Target], Pixels | Surface] | None] = {
    "gaussian": gaussian.paint,
    "mosaic": mosaic.paint,
    "solid": solid.paint,
    "image": image.paint,
    "inpaint": inpaint.paint,
    "kernel": kernel.paint,  # chosen by --obfuscation-kernel
    "none": None,  # objects are found, and nothing is replaced
}


def values_let_through(style: Style) -> float:
    """How many numbers of what is hidden the output can depend on at most: 0, a few of LEVELS values each, or any."""
    return {"gaussian": style.cells**2, "mosaic": style.cells**2, "kernel": float("inf")}.get(style.method, 0)
