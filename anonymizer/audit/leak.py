"""What of the labelled objects stays as it was in the output of a program, and how much else was hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.audit.labels import Label, Labelled
from anonymizer.audit.pictures import found_in, read_pixels
from anonymizer.errors import SettingsError
from anonymizer.geometry import PixelBox
from anonymizer.kinds import TRAITS, Kind
from anonymizer.pipeline import Finder
from anonymizer.types import Detection, Pixels8

TOLERANCE = 12
"""Levels by which a pixel may differ and still be the same: what encoding anew changes."""
REACH_PX = 2
"""A pixel is hidden, too, where one so near has changed: a blur leaves single pixels as they were by accident."""
HIDDEN_SHARE = 0.9
"""An object counts as hidden from this share of its pixels on."""
SIZES_PX = (0, 16, 32, 64, 128)
"""Heights at which the size classes begin."""
SAME_IOU = 0.3
"""Intersection over union from which on what a detector finds is the labelled object."""
WORST = 20


@dataclass(frozen=True)
class Leak:
    """A labelled object, and which share of its pixels is as it was."""

    picture: str
    kind: Kind
    height_px: float
    left: float
    box: tuple[float, float, float, float]
    """x_min, y_min, x_max, y_max."""
    found_again: bool | None = None
    """Whether a detector still finds it in the output; None where it was not asked, or finds it not in the original."""


@dataclass(frozen=True)
class Leaks:
    """Of all pictures."""

    objects: Sequence[Leak]
    missing: Sequence[str]
    """Pictures without an output: nothing of them leaks, nothing of them is of use."""
    hidden_elsewhere: float
    """Share of the pixels outside of all labelled objects that have changed; mean over pictures."""

    def summaries(self) -> Iterator[tuple[str, Summary]]:
        """Of each kind, and of each kind in each class of sizes."""
        for kind in sorted({one.kind for one in self.objects}):
            here = [one for one in self.objects if one.kind == kind]
            yield kind, summary_of(here)
            for low, high in zip(SIZES_PX, [*SIZES_PX[1:], np.inf], strict=True):
                of_size = [one for one in here if low <= one.height_px < high]
                if of_size:
                    yield f"{kind} from {low} px", summary_of(of_size)

    def worst(self) -> list[Leak]:
        """The objects of which most is left, large ones first."""
        return sorted(self.objects, key=lambda one: (-round(one.left, 2), -one.height_px))[:WORST]

    def to_json(self) -> dict[str, object]:
        return {
            "hidden_elsewhere": self.hidden_elsewhere,
            "missing": list(self.missing),
            "summaries": {name: asdict(summary) for name, summary in self.summaries()},
            "worst": [asdict(one) for one in self.worst()],
        }


@dataclass(frozen=True)
class Summary:
    """Of several objects."""

    objects: int
    hidden: float
    """Share of those that are hidden by `HIDDEN_SHARE` and more."""
    untouched: int
    """How many are as they were."""
    mean_left: float
    largest_left: float
    looked_for_again: int
    found_again: int


def summary_of(objects: Sequence[Leak]) -> Summary:
    left = np.array([one.left for one in objects])
    asked = [one.found_again for one in objects if one.found_again is not None]
    return Summary(
        objects=len(objects),
        hidden=float((left <= 1 - HIDDEN_SHARE).mean()),
        untouched=int((left >= 1).sum()),
        mean_left=float(left.mean()),
        largest_left=float(left.max()),
        looked_for_again=len(asked),
        found_again=sum(asked),
    )


def find_leaks(
    originals: Path,
    output: Path,
    pictures: Sequence[Labelled],
    finder: Finder | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> Leaks:
    """
    Args:
        output: what a program made of the pictures, under the same names.
        finder: looks for the objects in both pictures, where there is one.

    Raises:
        SettingsError: an original cannot be read; an output cannot, or has another size; or there is none at all.
    """
    objects: list[Leak] = []
    missing, elsewhere = [], []
    for picture in pictures:
        on_picture()
        if not (output / picture.name).exists():
            missing.append(picture.name)
            continue
        original, redacted = (read_pixels(folder, picture.name) for folder in (originals, output))
        if original.shape != redacted.shape:
            raise SettingsError(f"{output}: {picture.name} has another size than the original")
        changed = changed_pixels(original, redacted)
        again = _found_again(original, redacted, picture.labels, finder)
        objects += [_leak(picture.name, *pair, changed) for pair in zip(picture.labels, again, strict=True)]
        elsewhere.append(float(changed[_outside(changed.shape, picture.labels)].mean()))
    if len(missing) == len(pictures):
        raise SettingsError(f"{output} holds none of the pictures, such as {missing[0]}")
    return Leaks(objects, missing, float(np.nan_to_num(elsewhere).mean()))


def changed_pixels(original: Pixels8, redacted: Pixels8) -> npt.NDArray[np.bool_]:
    """Where something was hidden, bool (H, W)."""
    difference = cv2.absdiff(original, redacted).max(axis=2)
    side, edge = 2 * REACH_PX + 1, 2 * REACH_PX
    changed = (difference > TOLERANCE).astype(np.uint8)
    # Nothing has changed beyond the picture: else what lies between a change and the border would count as changed.
    framed = cv2.copyMakeBorder(changed, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0)
    # Grown by as much as it is shrunk again: gaps close, borders stay where they are.
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    result: npt.NDArray[np.bool_] = closed[edge:-edge, edge:-edge].astype(bool)
    return result


def _found_again(
    original: Pixels8, redacted: Pixels8, labels: Sequence[Label], finder: Finder | None
) -> list[bool | None]:
    if finder is None:
        return [None] * len(labels)
    before, after = (found_in(pixels, finder) for pixels in (original, redacted))
    return [_is_among(label, after) if _is_among(label, before) else None for label in labels]


def _is_among(label: Label, found: Sequence[Detection]) -> bool:
    return any(one.kind == label.kind and one.box.iou(label.box) >= SAME_IOU for one in found)


def _leak(name: str, label: Label, again: bool | None, changed: npt.NDArray[np.bool_]) -> Leak:
    inside = shape_of(label, (changed.shape[0], changed.shape[1]))
    area = changed[inside[0].slices][inside[1]]
    left = 1 - float(area.mean()) if area.size else 0.0
    return Leak(name, label.kind, label.box.height, left, label.box.xyxy, again)


def shape_of(label: Label, size: tuple[int, int]) -> tuple[PixelBox, npt.NDArray[np.bool_]]:
    """The pixels of an object: an ellipse for those that are hidden as one, else the box."""
    part = PixelBox.around(label.box, size).inside(size)
    if TRAITS[label.kind].shape != "ellipse":
        return part, np.ones((part.height, part.width), bool)
    x, y = label.box.center
    rows = (np.arange(part.top, part.bottom)[:, np.newaxis] + 0.5 - y) / max(label.box.height / 2, 0.5)
    columns = (np.arange(part.left, part.right)[np.newaxis] + 0.5 - x) / max(label.box.width / 2, 0.5)
    return part, rows**2 + columns**2 <= 1


def _outside(shape: tuple[int, ...], labels: Sequence[Label]) -> npt.NDArray[np.bool_]:
    outside = np.ones(shape[:2], bool)
    size = (shape[0], shape[1])
    for label in labels:
        outside[PixelBox.around(label.box, size, margin=0.5).inside(size).slices] = False
    return outside
