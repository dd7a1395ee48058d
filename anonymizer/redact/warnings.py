"""What a user should know about how well the detections in a picture are hidden."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from anonymizer.kinds import KINDS, TRAITS
from anonymizer.redact.kernel import is_weak
from anonymizer.redact.methods import leaked_values
from anonymizer.redact.targets import to_style
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection

MEASURED_CELLS = 1
"""With so many cells, recognisers name faces by chance, or hardly better: see README.md."""


def redaction_warnings(detections: Sequence[Detection], settings: RedactSettings) -> list[str]:
    """What a user should know about how well these detections are hidden: nothing, or one sentence per weakness."""
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
    risky = [kind for kind, style in styles.items() if MEASURED_CELLS**2 < leaked_values(style) < inf]
    counts = {kind: sum(detection.kind == kind for detection in detections) for kind in risky}
    return [
        f"{TRAITS[kind].plural} that {styles[kind].cells} cells may leave recognisable: {count}; use 0"
        for kind, count in counts.items()
        if count
    ]
