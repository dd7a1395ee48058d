"""Makes films with known boxes: a camera moves over annotated pictures, one after the other, with cuts in between.

    python -m tests.benchmarks.film_maker PACK OUT

PACK is a folder with pictures and annotations.json, as for `accuracy`. Each film NAME.mp4 gets NAME.json:
    {"fps", "cuts": [first frame of each further scene], "boxes": [frame][object] of [number, kind, ignore, x_min, ...]}
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

FPS = 25
SCENE_FRAMES = 60
SIZE = (960, 540)
"""Width and height."""
VISIBLE = 0.6
"""An object counts in frames that show this share of its box."""

Rgb = npt.NDArray[np.uint8]
Camera = Callable[[int, np.random.Generator], tuple[float, float, float]]
"""(frame, random numbers) -> x and y of the centre from -1 to 1, and the zoom from 1 on."""


@dataclass(frozen=True)
class Move:
    """How the camera moves, and for how long the shutter is open."""

    camera: Camera
    exposures: int = 1
    """A frame is the mean of so many positions, up to that of the next frame: motion blur."""


def _pan(frame: int, random: np.random.Generator) -> tuple[float, float, float]:
    return -0.8 + 1.6 * frame / SCENE_FRAMES, 0.3, 1.25


def _whip(frame: int, random: np.random.Generator) -> tuple[float, float, float]:
    """Back and forth at up to 30 pixels a frame."""
    return 0.9 * float(np.sin(frame / 4)), 0.0, 1.6


def _shake(frame: int, random: np.random.Generator) -> tuple[float, float, float]:
    """Some 6 pixels from frame to frame, 20 at most, besides a slow drift."""
    x, y = random.normal(0, 0.035, 2)
    return 0.3 * frame / SCENE_FRAMES + float(x), float(y), 1.3


def _zoom(frame: int, random: np.random.Generator) -> tuple[float, float, float]:
    return 0.0, 0.0, 1.05 + 1.2 * frame / SCENE_FRAMES


MOVES = {"pan": Move(_pan), "whip": Move(_whip, exposures=4), "shake": Move(_shake), "zoom": Move(_zoom)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", type=int, default=6, help="in each film")
    parser.add_argument("--only", action="append", choices=tuple(MOVES), help="which moves")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    entries = json.loads((options.pack / "annotations.json").read_text())
    faces = [one for one in entries if one["group"] == "faces/wider_val" and _count(one) >= 3]
    plates = [one for one in entries if one["group"].startswith(("plates/eu", "plates/us", "plates/ro"))]
    names = options.only or list(MOVES)
    for number, (name, move) in enumerate(MOVES.items()):
        if name not in names:
            continue
        for kind, group in (("faces", faces), ("plates", plates)):
            step = max(1, len(group) // (options.scenes * len(MOVES)))
            chosen = group[number :: len(MOVES)][:: max(1, step)][: options.scenes]
            make(options.pack, chosen, move, options.out / f"{kind}_{name}.mp4")


def _count(entry: dict[str, Any]) -> int:
    return sum(not box.get("ignore") for box in entry["boxes"])


def make(pack: Path, entries: Sequence[dict[str, Any]], move: Move, path: Path) -> None:
    """One film over some pictures."""
    boxes: list[list[list[Any]]] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        first_number = 0
        for entry in entries:
            for pixels, in_frame in _scene(pack, entry, move):
                boxes.append([[first_number + number, *rest] for number, *rest in in_frame])
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = len(boxes) - 1, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            first_number += len(entry["boxes"])
        container.mux(stream.encode())
    cuts = [SCENE_FRAMES * scene for scene in range(1, len(entries))]
    path.with_suffix(".json").write_text(json.dumps({"fps": FPS, "cuts": cuts, "boxes": boxes}))
    print(path)


def _scene(pack: Path, entry: dict[str, Any], move: Move) -> Iterator[tuple[Rgb, list[list[Any]]]]:
    with Image.open(pack / entry["image"]) as image:
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    random = np.random.default_rng(len(entry["image"]))
    for frame in range(SCENE_FRAMES):
        here = move.camera(frame, random)
        there = move.camera(frame + 1, random) if move.exposures > 1 else here
        views = [
            _matrix(pixels.shape[:2], tuple(np.add(here, np.subtract(there, here) * step / move.exposures)))
            for step in range(move.exposures)
        ]
        shown = [cv2.warpAffine(pixels, view, SIZE, flags=cv2.INTER_AREA).astype(np.float32) for view in views]
        yield np.rint(np.mean(shown, axis=0)).astype(np.uint8), list(_boxes(entry, views[0]))


def _matrix(shape: Sequence[int], camera: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Takes a point of the picture to its place in the frame."""
    x, y, zoom = camera
    height, width = shape
    scale = zoom * max(SIZE[0] / width, SIZE[1] / height)
    free_x, free_y = scale * width - SIZE[0], scale * height - SIZE[1]
    return np.array([[scale, 0, -free_x * (1 + x) / 2], [0, scale, -free_y * (1 + y) / 2]])


def _boxes(entry: dict[str, Any], view: npt.NDArray[np.float64]) -> Iterator[list[Any]]:
    for number, box in enumerate(entry["boxes"]):
        x_min, y_min = view[:, :2] @ (box["x_min"], box["y_min"]) + view[:, 2]
        x_max, y_max = view[:, :2] @ (box["x_max"], box["y_max"]) + view[:, 2]
        shown = max(0.0, min(x_max, SIZE[0]) - max(x_min, 0)) * max(0.0, min(y_max, SIZE[1]) - max(y_min, 0))
        if shown > 0:
            is_ignored = bool(box.get("ignore") or shown < VISIBLE * (x_max - x_min) * (y_max - y_min))
            yield [number, box["kind"], is_ignored, *map(float, (x_min, y_min, x_max, y_max))]


if __name__ == "__main__":
    main()
