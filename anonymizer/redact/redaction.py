"""Replaces the targets in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from anonymizer.redact.blending import GradientPatch, blend
from anonymizer.redact.mask import draw_mask
from anonymizer.redact.methods import METHODS, leaked_values
from anonymizer.redact.planes import Planes
from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.types import Pixels


def redact(pixels: Pixels, targets: Sequence[RedactionTarget], in_place: bool = False) -> tuple[Pixels, Scene]:
    """The picture with every target replaced, and what was hidden in it.

    Before anything is painted, the masks of all targets are united and each pixel is given to one target. Every
    replacement is computed from the source, from pixels that are visible or hidden for the target itself, so no
    replacement brings back what another target hides. Where the mask is 0 the result equals the input.

    Args:
        pixels: uint8 or uint16 (H, W, C).
        targets: see `to_targets`.
        in_place: write the result into `pixels` where that is possible, which saves time.
    """
    scene = to_scene(pixels, targets)
    painted: list[tuple[RedactionTarget, Pixels | GradientPatch]] = []
    for name, method in METHODS.items():
        group = [target for target in targets if target.style.method == name]
        painted += zip(group, method.paint(scene, group), strict=True) if method.paint else []
    result: Pixels = pixels if in_place and pixels.flags.writeable else pixels.copy()
    planes = Planes(result, scene.mask, scene.owners)
    for target, replacement in painted:
        blend(planes, target.region.bounds, target.number, replacement)
    return result, scene


def to_scene(pixels: Pixels, targets: Sequence[RedactionTarget]) -> Scene:
    """Unites the masks of all targets, and gives each pixel to one of them."""
    planes = draw_mask(pixels, [target.region for target in targets])
    bounded = sum(leaked_values(target.style) < inf for target in targets)
    return Scene(planes.pixels, planes.mask, planes.owners, targets, bounded)
