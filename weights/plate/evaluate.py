"""Running the detector over pictures and measuring it.

``python -m weights.plate.evaluate MODEL PACK OUT`` writes one detection JSON per picture and prints figures.
"""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Callable, Iterable, Sequence

import click
import cv2
import numpy as np

from .data import Row, Sample, decode, is_held_out, read_pack

Run = Callable[[np.ndarray], dict[str, np.ndarray]]
"""uint8 (1, H, W, 3) to the outputs of the exported model's signature."""
Figures = dict[str, dict[str, float | None]]
"""Per threshold: the share of plates covered, and false alarms a picture."""

SIDES = (320, 640, 1280)
"""Limits of the longest side, pixels, one pass each."""
ENLARGE = 2.0
"""In the pass with the largest limit pictures are enlarged by up to this factor."""

NMS_IOU = 0.4
MARGIN = 0.1
COVER = 0.9
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)


class TfliteModel:
    """A ``Run`` for a TFLite file; tensors are allocated anew only when the picture's shape changes."""

    def __init__(self, path: pathlib.Path, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(str(path), num_threads=threads)
        self.runner = self.interpreter.get_signature_runner("serving_default")

    def __call__(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        answer: dict[str, np.ndarray] = self.runner(input_tensor=picture)
        return answer


def fit(pixels: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Limit the longest side, pad right and bottom with zeros to multiples of 32.

    Returns uint8 (1, H, W, 3) and the scale, at most 1.
    """
    scale = min(1.0, side / max(pixels.shape[:2]))
    return seen(pixels, scale), scale


def seen(pixels: np.ndarray, scale: float) -> np.ndarray:
    """A picture, uint8 RGB (H, W, 3), at a scale, padded right and bottom with zeros; uint8 (1, H, W, 3)."""
    if scale != 1:
        size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % 32), (0, -width % 32), (0, 0)))[None]


def scales(height: int, width: int, sides: Sequence[int], enlarge: float = 1.0) -> list[float]:
    """The scales at which a picture is seen, each once: one per entry of ``sides``; only the largest may enlarge it."""
    limits = [side / max(height, width) for side in sides]
    return list(dict.fromkeys(min(enlarge if limit == max(limits) else 1.0, limit) for limit in limits))


def suppress(boxes: np.ndarray, scores: np.ndarray, iou: float = NMS_IOU) -> np.ndarray:
    """Greedy non-maximum suppression; returns the indices kept, best first."""
    order = np.argsort(-scores, kind="stable")
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        order = rest[shared <= iou * (area[best] + area[rest] - shared)]
    return np.asarray(kept, int)


def detect(
    run: Run, pixels: np.ndarray, sides: Sequence[int] = SIDES, floor: float = 0.05, enlarge: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Find plates in a picture, uint8 RGB (H, W, 3), with one pass per scale.

    Returns float32 boxes (n, 4), x_min, y_min, x_max, y_max in pixels, and scores (n,), best first.
    """
    height, width = pixels.shape[:2]
    boxes, scores = [], []
    for scale in scales(height, width, sides, enlarge):
        picture = seen(pixels, scale)
        out = run(picture)
        found = np.asarray(out["detection_scores"])[0]
        keep = found >= floor
        y_min, x_min, y_max, x_max = (np.asarray(out["detection_boxes"])[0][keep] / scale).T
        high, wide = picture.shape[1:3]
        boxes.append(np.stack([x_min * wide, y_min * high, x_max * wide, y_max * high], axis=1))
        scores.append(found[keep])
    all_boxes = np.clip(np.concatenate(boxes), 0, (width, height, width, height)).astype(np.float32)
    all_scores = np.concatenate(scores)
    kept = suppress(all_boxes, all_scores)
    return all_boxes[kept], all_scores[kept]


def covered(plate: np.ndarray, found: np.ndarray, margin: float = MARGIN) -> float:
    """Share of a plate's area inside the union of boxes widened by ``margin`` of their size per side."""
    if not len(found):
        return 0.0
    grow = margin * (found[:, 2:] - found[:, :2])
    low = np.clip(found[:, :2] - grow, plate[:2], plate[2:])
    high = np.clip(found[:, 2:] + grow, plate[:2], plate[2:])
    xs = np.unique(np.concatenate([low[:, 0], high[:, 0]]))
    ys = np.unique(np.concatenate([low[:, 1], high[:, 1]]))
    inside = np.zeros((len(ys) - 1, len(xs) - 1), bool)
    for (x0, y0), (x1, y1) in zip(low, high, strict=True):
        inside |= ((ys[:-1] >= y0) & (ys[1:] <= y1))[:, None] & ((xs[:-1] >= x0) & (xs[1:] <= x1))[None]
    total = (np.diff(ys)[:, None] * np.diff(xs)[None])[inside].sum()
    return float(total / max(np.prod(plate[2:] - plate[:2]), 1e-9))


def validate(run: Run, plates: Iterable[Sample], negatives: Iterable[Sample], sides: Sequence[int] = (640,)) -> Figures:
    """Measure on decoded pictures: the share of plates covered and false alarms a picture, by threshold."""
    best: list[float] = []
    for sample in plates:
        boxes, scores = detect(run, sample.levels[0], sides)
        for plate in sample.boxes[~sample.ignore]:
            hits = [t for t in THRESHOLDS if covered(plate, boxes[scores >= t]) >= COVER]
            best.append(max(hits, default=0.0))
    alarms: list[float] = []
    count = 0
    for sample in negatives:
        alarms.extend(detect(run, sample.levels[0], sides)[1])
        count += 1
    found, false = np.asarray(best), np.asarray(alarms)
    return {
        str(t): {
            "covered": round(float((found >= t).mean()), 4) if len(found) else None,
            "false_alarms": round(float((false >= t).sum() / count), 4) if count else None,
        }
        for t in THRESHOLDS
    }


def _target(out: pathlib.Path, row: Row) -> pathlib.Path:
    parts = pathlib.PurePosixPath(row.name).parts
    return out.joinpath(*(parts[1:] if parts[0] == "images" else parts)).with_suffix(".json")


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=pathlib.Path))
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=pathlib.Path))
@click.argument("out", type=click.Path(path_type=pathlib.Path))
@click.option("--side", "sides", multiple=True, type=int, default=SIDES, show_default=True)
@click.option(
    "--enlarge", default=ENLARGE, show_default=True, help="By how much the largest pass may enlarge a picture."
)
@click.option("--threads", default=1, show_default=True)
@click.option("--group", "groups", multiple=True, help="Only groups that start with this.")
@click.option("--held-out", is_flag=True, help="Only pictures that a training with the pack holds out.")
@click.option("--floor", default=0.05, show_default=True, help="Lowest score to write.")
def main(
    model: pathlib.Path,
    pack: pathlib.Path,
    out: pathlib.Path,
    sides: tuple[int, ...],
    enlarge: float,
    threads: int,
    groups: tuple[str, ...],
    held_out: bool,
    floor: float,
) -> None:
    """Write detections of MODEL for every picture of PACK to OUT, and print plates covered by group.

    A group without any labelled plate is taken to hold none, and gets false alarms a picture instead.
    """
    run = TfliteModel(model, threads)
    plates: dict[str, list[float]] = {}
    alarms: dict[str, list[np.ndarray]] = {}
    seconds = []
    for row in read_pack(pack):
        if (groups and not row.group.startswith(groups)) or (held_out and not is_held_out(row)):
            continue
        pixels = decode(row.path)
        start = time.perf_counter()
        boxes, scores = detect(run, pixels, sides, floor, enlarge)
        seconds.append(time.perf_counter() - start)
        names = ("x_min", "y_min", "x_max", "y_max")
        answer = [
            {
                "kind": "plate",
                "score": round(float(score), 4),
                **dict(zip(names, map(float, box), strict=True)),
            }
            for box, score in zip(boxes, scores, strict=True)
        ]
        target = _target(out, row)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(answer))
        alarms.setdefault(row.group, []).append(scores)
        for plate in row.boxes[~row.ignore]:
            hits = [t for t in THRESHOLDS if covered(plate, boxes[scores >= t]) >= COVER]
            plates.setdefault(row.group, []).append(max(hits, default=0.0))
    click.echo(f"{len(seconds)} pictures, {1000 * np.median(seconds):.0f} ms each (median)")
    click.echo(f"{'group':26}{'n':>5}  " + "".join(f"{t:>8}" for t in THRESHOLDS))
    for group, found in sorted(plates.items()):
        shares = "".join(f"{np.mean(np.asarray(found) >= t):8.3f}" for t in THRESHOLDS)
        click.echo(f"{group:26}{len(found):5}  {shares}  covered")
    for group, scores_of in sorted(alarms.items()):
        if group not in plates:
            rates = "".join(f"{(np.concatenate(scores_of) >= t).sum() / len(scores_of):8.3f}" for t in THRESHOLDS)
            click.echo(f"{group:26}{len(scores_of):5}  {rates}  boxes a picture")


if __name__ == "__main__":
    main()
