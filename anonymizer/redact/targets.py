"""What is replaced in a picture: detections as ranked targets, each with its region and its style."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from struct import pack

from anonymizer.geometry import Box
from anonymizer.kinds import KINDS, Kind
from anonymizer.redact.mask import Region, to_region, to_region_of_outline, unite
from anonymizer.redact.methods import METHODS, leaked_values
from anonymizer.redact.scene import RedactionStyle, RedactionTarget, Seed
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection

AROUND_SILHOUETTE = 0.25
"""A silhouette is widened by this part of the margin: a network sees the edges that detectors only guess. The shape
that it is united with keeps all of its margin: recognisers tell more from a tighter outline, see README.md."""


def to_targets(
    detections: Sequence[Detection], size: tuple[int, int], settings: RedactSettings
) -> list[RedactionTarget]:
    """What is replaced in a picture of this height and width, by rank.

    Where objects overlap, the pixels belong to the one whose method leaks less; if both leak the same, to the larger.
    Objects of a kind with the method none are left out.
    """
    return [
        RedactionTarget(
            _to_region(found, size, settings), to_style(found.kind, settings), number, seed_of(found.redaction_box)
        )
        for number, found in enumerate(ranked(detections, settings), start=1)
    ]


def ranked(detections: Sequence[Detection], settings: RedactSettings) -> list[Detection]:
    """The detections in the order of the targets that `to_targets` makes of them."""
    styles = {kind: to_style(kind, settings) for kind in KINDS}

    def rank(found: Detection) -> tuple[object, ...]:
        box = found.redaction_box
        return leaked_values(styles[found.kind]), -box.longer_side, box.xyxy, found.kind, repr(found.outline)

    hidden = [found for found in detections if METHODS[styles[found.kind].method].paint is not None]
    return sorted(hidden, key=rank)


def to_style(kind: Kind, settings: RedactSettings) -> RedactionStyle:
    """How objects of a kind are replaced."""
    method = settings.method_of(kind)
    is_classic = method == "gaussian" and settings.obfuscation_kernel is not None
    return RedactionStyle(
        method="kernel" if is_classic else method,
        cells=settings.cells_of(kind),
        color=settings.color,
        overlay=settings.overlay,
        drawing=settings.drawing,
        kernel=settings.obfuscation_kernel if is_classic else None,
    )


def seed_of(box: Box) -> Seed:
    """That of an object which is hidden there. Who does not know all digits of the box cannot draw the same again."""
    return tuple(pack("<4d", *box.xyxy))


def _to_region(detection: Detection, size: tuple[int, int], settings: RedactSettings) -> Region:
    kind, box, outline = detection.kind, detection.redaction_box, detection.outline
    kernel, margin = to_style(kind, settings).kernel, settings.margin_of(kind)
    size_px = box.longer_side if outline is None else outline.rim_px
    feather_px = ceil(settings.feather * size_px) if kernel is None else kernel.box_kernel_size - 1
    if outline is not None:
        return to_region_of_outline(outline, margin, feather_px, size)
    region = to_region(box, margin, feather_px, size, settings.shape_of(kind))
    silhouette = detection.silhouette if settings.has_silhouettes(kind) else None
    return region if silhouette is None else unite(region, silhouette, AROUND_SILHOUETTE * margin * size_px, size)
