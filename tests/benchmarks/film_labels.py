"""What labelled objects still show in redacted films, of any program.

    python -m tests.benchmarks.film_labels LABELS SOURCE NAME=OUTPUT...

LABELS is a JSON file: {film: {frame: [[x_min, y_min, x_max, y_max], ...]}}, frames from 0 on, boxes in pixels of the
stored frame; frames with an empty list are looked at, too, and hold nothing. SOURCE and each OUTPUT are folders with
the films.

An object is visible where the ellipse in its box keeps more than a quarter of its detail: the energy of its gradients
beside that in the source. Frames of the output that come at other times are matched by what lies around the boxes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt

VISIBLE = 0.25
"""Share of the detail from which on an object is visible. Encoding anew leaves 0.7 and more."""
NEAR = 3
"""Frames of the output that may be that of the source, before and after."""

Gray: TypeAlias = npt.NDArray[np.float32]
Boxes: TypeAlias = Sequence[Sequence[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("outputs", nargs="+", metavar="NAME=OUTPUT")
    options = parser.parse_args()
    labels: dict[str, dict[str, Boxes]] = json.loads(options.labels.read_text())
    print("| program | film | frames | labels | visible | in frames | detail left: mean, most | sound tracks |")
    print("| --- " * 8 + "|")
    for name, _, folder in (output.partition("=") for output in options.outputs):
        for film, of_film in labels.items():
            cells = compare(options.source / film, Path(folder) / film, of_film)
            print("| " + " | ".join([name, film, *cells]) + " |", flush=True)


def compare(source: Path, output: Path, labels: Mapping[str, Boxes]) -> list[str]:
    """The cells of a row: frames, labels, visible ones, frames with one, detail, sound tracks."""
    shares = {
        index: list(_shares(source_frame, candidates, labels[str(index)]))
        for index, source_frame, candidates in _matched(source, output, sorted(map(int, labels)))
    }
    every = [share for of_frame in shares.values() for share in of_frame]
    visible = [share for share in every if share > VISIBLE]
    in_frames = sum(any(share > VISIBLE for share in of_frame) for of_frame in shares.values())
    detail = f"{np.mean(every):.3f}, {np.max(every):.3f}" if every else "-"
    with av.open(str(output)) as container:
        sounds = len(container.streams.audio)
    return [*map(str, (len(shares), len(every), len(visible), in_frames)), detail, str(sounds)]


def _matched(source: Path, output: Path, indices: Sequence[int]) -> Iterator[tuple[int, Gray, list[Gray]]]:
    """Labelled frames, with those of the output that may be the same."""
    wanted = set(indices)
    times: list[float] = []
    of_source: dict[int, Gray] = {}
    for index, (time_s, gray) in enumerate(_grays(source)):
        times.append(time_s)
        if index in wanted:
            of_source[index] = gray
    after: dict[int, list[tuple[float, Gray]]] = {index: [] for index in indices}
    step = times[-1] / max(1, len(times) - 1)
    for time_s, gray in _grays(output):
        for index in indices:
            if abs(time_s - times[index]) <= (NEAR + 0.5) * step:
                after[index].append((abs(time_s - times[index]), gray))
    for index in indices:
        nearest = sorted(after.pop(index), key=lambda one: one[0])[: 2 * NEAR + 1]
        yield index, of_source.pop(index), [gray for _, gray in nearest]


def _grays(path: Path) -> Iterator[tuple[float, Gray]]:
    """Times from the first frame on, in seconds, and brightness of all frames."""
    first: float | None = None
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            first = frame.time if first is None else first
            yield (frame.time or 0.0) - (first or 0.0), frame.reformat(format="gray").to_ndarray().astype(np.float32)


def _shares(source: Gray, candidates: Sequence[Gray], boxes: Boxes) -> Iterator[float]:
    """How much detail each box keeps."""
    if not boxes:
        return
    around = np.ones(source.shape, np.uint8)
    for box in boxes:
        x_min, y_min, x_max, y_max = (round(side) for side in box)
        by_x, by_y = (x_max - x_min) // 2, (y_max - y_min) // 2
        around[max(0, y_min - by_y) : y_max + by_y, max(0, x_min - by_x) : x_max + by_x] = 0
    alike = [other for other in candidates if other.shape == source.shape]
    after = min(alike, key=lambda other: float((np.abs(other - source) * around).sum()))
    for box in boxes:
        mask = np.zeros(source.shape, np.uint8)
        centre, size = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), (box[2] - box[0], box[3] - box[1])
        cv2.ellipse(mask, (centre, size, 0.0), 1, -1)
        yield _detail(after, mask) / max(1e-9, _detail(source, mask))


def _detail(gray: Gray, mask: npt.NDArray[np.uint8]) -> float:
    slopes = [cv2.Sobel(gray, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1))]
    return float((np.square(slopes).sum(axis=0) * mask).sum())


if __name__ == "__main__":
    main()
