"""What the gate shows of what a run missed: python -m tests.benchmarks.gate_yield PACK OUTPUT CHECK_JSON

PACK is a folder with annotations.json, OUTPUT a folder without subfolders with what a run made of some of its pictures,
CHECK_JSON what `anonymize check --json` says of it. Missed are faces from 16 pixels on, and heads in packs of crowds,
whose middle lies in no hidden box; a finding or warning shows those whose middle it holds. Prints how many are shown by
the first findings and warnings, the highest scores first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anonymizer.kinds import Kind
from anonymizer.record.detections import from_json
from anonymizer.settings import RedactSettings

from .metrics import Annotated, Boxes, read_pack

SMALLEST_PX = 16
LOOKS = (10, 25, 50, 100, 200)
KINDS: tuple[Kind, ...] = ("face", "head")

Points = npt.NDArray[np.float64]
"""(N, 2): x, y."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("check", type=Path)
    arguments = parser.parse_args()
    pictures = [one for one in read_pack(arguments.pack, "face") if (arguments.output / one.path.name).is_file()]
    missed = {one.path.name: _missed(one, arguments.output) for one in pictures}
    found = json.loads(arguments.check.read_text())["findings"]
    looks = [one for one in found if one["level"] in ("finding", "warning") and "x_min" in one]
    looks.sort(key=lambda one: -(one.get("score") or 0.0))
    shown = shown_after(looks, missed)
    print(f"{len(pictures)} pictures, {sum(map(len, missed.values()))} missed, {len(looks)} to look at")
    for number in [*(each for each in LOOKS if each < len(looks)), len(looks)]:
        print(f"after {number:4} looks {shown[number]:4}")


def _missed(picture: Annotated, output: Path) -> Points:
    large = picture.boxes[picture.boxes[:, 3] - picture.boxes[:, 1] >= SMALLEST_PX]
    points = np.vstack([(large[:, :2] + large[:, 2:]) / 2, picture.points])
    margins = RedactSettings().margins
    recorded = from_json((output / picture.path.with_suffix(".json").name).read_bytes())
    hidden: list[tuple[float, ...]] = [(0.0, 0.0, -1.0, -1.0)]
    for one in (each for frame in recorded.values() for each in frame.detections if each.kind in KINDS):
        box, margin = one.redaction_box, margins[one.kind]
        y, x = margin * box.height, margin * box.width
        hidden.append((box.x_min - x, box.y_min - y, box.x_max + x, box.y_max + y))
    return points[~_are_in(points, np.array(hidden)).any(axis=1)]


def shown_after(looks: Sequence[Mapping[str, float | str]], missed: Mapping[str, Points]) -> list[int]:
    """How many of the missed points the first 0, 1, 2 ... looks show."""
    left = dict(missed)
    shown = [0]
    for look in looks:
        name = str(look["file"])
        points = left.get(name, np.zeros((0, 2)))
        box = np.array([[float(look[side]) for side in ("x_min", "y_min", "x_max", "y_max")]])
        left[name] = points[~_are_in(points, box)[:, 0]]
        shown.append(shown[-1] + len(points) - len(left[name]))
    return shown


def _are_in(points: Points, boxes: Boxes) -> npt.NDArray[np.bool_]:
    """(points, boxes)."""
    each = points[:, np.newaxis, :]
    return np.asarray(np.all((each >= boxes[:, :2]) & (each <= boxes[:, 2:]), axis=2))


if __name__ == "__main__":
    main()
