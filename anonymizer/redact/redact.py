"""Replaces the detections in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf

from anonymizer.kinds import KINDS, TRAITS, Kind
from anonymizer.redact.kernel import is_weak
from anonymizer.redact.mask import Region, draw, to_region
from anonymizer.redact.methods import METHODS, values_let_through
from anonymizer.redact.pixelwise import Planes, Surface, blend
from anonymizer.redact.scene import Scene, Style, Target
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, Pixels

MEASURED_CELLS = 1
"""Recognisers name no more faces of so many cells than by chance, or little more; see tests/benchmarks/attack.py."""


def to_targets(detections: Sequence[Detection], size: tuple[int, int], settings: RedactSettings) -> list[Target]:
    """What is replaced in a picture of this height and width, by rank.

    Where objects overlap, the one whose method lets less through has the pixels; of several such, the larger.
    Objects of a kind with the method none are left out.
    """
    styles = {kind: to_style(kind, settings) for kind in KINDS}

    def rank(found: Detection) -> tuple[object, ...]:
        box = found.redaction_box
        return values_let_through(styles[found.kind]), -box.longer_side, box.xyxy, found.kind

    hidden = [found for found in detections if METHODS[styles[found.kind].method] is not None]
    return [
        Target(_to_region(found, size, settings), styles[found.kind], number)
        for number, found in enumerate(sorted(hidden, key=rank), start=1)
    ]


def to_style(kind: Kind, settings: RedactSettings) -> Style:
    """How objects of a kind are replaced."""
    method = settings.method_of(kind)
    is_classic = method == "gaussian" and settings.obfuscation_kernel is not None
    return Style(
        method="kernel" if is_classic else method,
        cells=settings.cells_of(kind),
        color=settings.color,
        overlay=settings.overlay,
        kernel=settings.obfuscation_kernel if is_classic else None,
    )


def _to_region(detection: Detection, size: tuple[int, int], settings: RedactSettings) -> Region:
    kind, box = detection.kind, detection.redaction_box
    kernel = to_style(kind, settings).kernel
    feather_px = ceil(settings.feather * box.longer_side) if kernel is None else kernel.box_kernel_size - 1
    return to_region(box, settings.margin_of(kind), feather_px, size, settings.shape_of(kind))


def redact(pixels: Pixels, targets: Sequence[Target], overwrite: bool = False) -> tuple[Pixels, Scene]:
    """The picture with every target replaced, and what was hidden in it.

    The masks of all targets are united, and each pixel given to one of them, before anything is painted. Every
    replacement is computed from the source, and there from what is visible or hidden for the target itself, so that
    none brings back what another hid. Where the mask is 0 the result equals the input.

    Args:
        targets: see `to_targets`.
        overwrite: the result may take the place of `pixels`, which saves time.
    """
    scene = to_scene(pixels, targets)
    painted: list[tuple[Target, Pixels | Surface]] = []
    for name, paint in METHODS.items():
        group = [target for target in targets if target.style.method == name]
        painted += zip(group, paint(scene, group), strict=True) if paint else []
    result: Pixels = pixels if overwrite and pixels.flags.writeable else pixels.copy()
    planes = Planes(result, scene.mask, scene.owners)
    for target, replacement in painted:
        blend(planes, target.region.reach, target.number, replacement)
    return result, scene


def to_scene(pixels: Pixels, targets: Sequence[Target]) -> Scene:
    """Unites the masks of all targets, and gives each pixel to one of them."""
    bounded = sum(values_let_through(target.style) < inf for target in targets)
    return Scene(draw(pixels, [target.region for target in targets]), targets, bounded)


def weaknesses(detections: Sequence[Detection], settings: RedactSettings) -> list[str]:
    """What a user should know about how well these detections are hidden."""
    return [
        *_left_visible(detections, settings),
        *_under_a_weak_kernel(detections, settings),
        *_in_many_cells(detections, settings),
    ]


def _left_visible(detections: Sequence[Detection], settings: RedactSettings) -> list[str]:
    visible = [kind for kind in KINDS if settings.method_of(kind) == "none"]
    counts = {kind: sum(detection.kind == kind for detection in detections) for kind in visible}
    text = "objects that stay visible, since their method is none"
    return [f"{kind} {text}: {count}" for kind, count in counts.items() if count]


def _under_a_weak_kernel(detections: Sequence[Detection], settings: RedactSettings) -> list[str]:
    triple = settings.obfuscation_kernel
    blurred = [detection for detection in detections if to_style(detection.kind, settings).method == "kernel"]
    if triple is None:
        return []
    weak = [detection.box.longer_side for detection in blurred if is_weak(triple, detection.box)]
    if not weak:
        return []
    return [
        f"the kernel {triple.kernel_size},{triple.sigma:g},{triple.box_kernel_size} is too weak for {len(weak)} of "
        f"{len(blurred)} objects (the largest has {max(weak):.0f} px): they may stay recognisable; "
        "use --obfuscation-kernel auto"
    ]


def _in_many_cells(detections: Sequence[Detection], settings: RedactSettings) -> list[str]:
    styles = {kind: to_style(kind, settings) for kind in KINDS}
    with_cells = [kind for kind in KINDS if styles[kind].method in ("gaussian", "mosaic")]
    risky = [kind for kind in with_cells if styles[kind].cells > MEASURED_CELLS]
    counts = {kind: sum(detection.kind == kind for detection in detections) for kind in risky}
    return [
        f"{TRAITS[kind].plural} that {styles[kind].cells} cells may leave recognisable: {count}; use {MEASURED_CELLS}"
        for kind, count in counts.items()
        if count
    ]
