"""How good `--method inpaint` looks: holes in pictures without faces, filled by several methods.

    python -m tests.benchmarks.inpainting FOLDER [--pictures 12] [--sheets DIR]

Holes are ellipses of the sizes of faces. What is painted is compared with what was there, by

- the distance of the features that a network of heads computes, at four scales, in the hole, as LPIPS does with
  networks trained on ImageNet (R. Zhang et al. 2018, arXiv:1801.03924); 0 is the same picture,
- the smear: how much of the contrast between neighbouring pixels is there, as a share of what surrounds the hole; a
  blurred one has less than what was there,
- seconds of CPU time a hole.

`--sheets` writes pictures to look at: the hole, each method, what was there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.detect.catalogue import BUNDLED
from anonymizer.detect.load import load_detectors
from anonymizer.geometry import Box
from anonymizer.redact.inpaint import MAX_SURROUNDINGS_PX, SURROUNDINGS
from anonymizer.redact.redaction import redact
from anonymizer.redact.targets import to_targets
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Detection, Pixels8

SIZES_PX = (32, 64, 128, 256, 512, 800)
FEATURES_PX = 160
"""Side of the hole in what the network sees, at most."""

Hole: TypeAlias = npt.NDArray[np.uint8]
"""(H, W), 255 where it is."""
Fill: TypeAlias = Callable[[Pixels8, Hole], Pixels8]


def ours(pixels: Pixels8, hole: Hole) -> Pixels8:
    """As a run does."""
    rows, columns = hole.any(axis=1).nonzero()[0], hole.any(axis=0).nonzero()[0]
    box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    settings = RedactSettings(method="inpaint", face_margin=0.0, feather=0.0)
    # The shape goes through the corners of its box, the hole touches its sides.
    x, y = box.center
    half_width, half_height = box.width / 2 / 2**0.5, box.height / 2 / 2**0.5
    found = Detection(Box(x - half_width, y - half_height, x + half_width, y + half_height), 1.0, "face")
    return np.asarray(redact(pixels, to_targets([found], pixels.shape[:2], settings))[0], np.uint8)


def _opencv(flag: int, longest_px: int | None = None) -> Fill:
    def fill(pixels: Pixels8, hole: Hole) -> Pixels8:
        """Telea (2004) or Navier-Stokes (Bertalmio et al. 2001), at full size or in a copy shrunk to a longest side."""
        factor = min(1.0, (longest_px or 10**9) / max(hole.shape))
        size = max(1, round(hole.shape[1] * factor)), max(1, round(hole.shape[0] * factor))
        small = cv2.resize(
            np.where(hole[:, :, np.newaxis] > 0, 0, pixels).astype(np.uint8), size, interpolation=cv2.INTER_AREA
        )
        holes = (cv2.resize(hole, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
        filled = cv2.resize(cv2.inpaint(small, holes, 3, flag), hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return np.where(hole[:, :, np.newaxis] > 0, filled, pixels).astype(np.uint8)

    return fill


def _biharmonic(pixels: Pixels8, hole: Hole) -> Pixels8:
    from skimage.restoration import inpaint_biharmonic

    if max(hole.shape) > 300:  # it takes minutes
        return pixels
    return np.asarray(np.rint(255 * inpaint_biharmonic(pixels / 255, hole > 0, channel_axis=2)), np.uint8)


def _mean(pixels: Pixels8, hole: Hole) -> Pixels8:
    return np.where(hole[:, :, np.newaxis] > 0, pixels[hole == 0].mean(axis=0), pixels).astype(np.uint8)


METHODS: dict[str, Fill] = {
    "inpaint": ours,
    "Telea at 64 px": _opencv(cv2.INPAINT_TELEA, 64),
    "Telea": _opencv(cv2.INPAINT_TELEA),
    "Navier-Stokes": _opencv(cv2.INPAINT_NS),
    "biharmonic": _biharmonic,
    "mean": _mean,
}


class Features:
    """What a network of heads sees at four scales."""

    def __init__(self) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self._interpreter = Interpreter(
            model_path=str(BUNDLED / "head" / "head.tflite"),
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._side = 0

    def distance(self, one: Pixels8, other: Pixels8, hole: Hole) -> float:
        """Of two pictures in a hole: mean squared distance of normalised features, over the scales."""
        side = 32 * max(1, round(FEATURES_PX * hole.shape[0] / max(1, _side_of(hole)) / 32))
        side = min(side, 32 * max(1, round(max(hole.shape) / 32)))
        first, second = ([*self._of(picture, side)] for picture in (one, other))
        distances = []
        for a, b in zip(first, second, strict=True):
            there = cv2.resize(hole, a.shape[1::-1], interpolation=cv2.INTER_AREA) > 127
            distances.append(float(((a - b) ** 2).sum(axis=2)[there].mean()) if there.any() else 0.0)
        return float(np.mean(distances))

    def _of(self, picture: Pixels8, side: int) -> Iterator[npt.NDArray[np.float32]]:
        inputs = self._interpreter.get_input_details()[0]["index"]
        if side != self._side:
            self._interpreter.resize_tensor_input(inputs, (1, side, side, 3))
            self._interpreter.allocate_tensors()
            self._side = side
        shown = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        self._interpreter.set_tensor(
            inputs, shown[np.newaxis].astype(self._interpreter.get_input_details()[0]["dtype"])
        )
        self._interpreter.invoke()
        last: dict[int, int] = {}
        for detail in self._interpreter.get_tensor_details():
            shape = tuple(detail["shape"])
            if (
                len(shape) == 4
                and shape[0] == 1
                and shape[1] == shape[2]
                and shape[3] >= 16
                and detail["dtype"] == np.float32
            ):
                last.setdefault(shape[1], detail["index"])
        for size in (side // 2, side // 4, side // 8, side // 16):
            if size in last:
                values = np.asarray(self._interpreter.get_tensor(last[size]), np.float32)[0]
                yield values / (np.linalg.norm(values, axis=2, keepdims=True) + 1e-6)


def _side_of(hole: Hole) -> int:
    rows = hole.any(axis=1).nonzero()[0]
    return int(np.ptp(rows)) + 1


def smear(filled: Pixels8, hole: Hole) -> float:
    """Contrast between neighbours in the hole over that around it."""
    gray = cv2.cvtColor(filled, cv2.COLOR_RGB2GRAY).astype(np.float32)
    step = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    inside = cv2.erode(hole, np.ones((5, 5), np.uint8)) > 0
    outside = cv2.dilate(hole, np.ones((5, 5), np.uint8)) == 0
    return float(step[inside].mean() / max(float(step[outside].mean()), 1e-3))


def holes_in(folder: Path, count: int) -> Iterator[tuple[int, str, Pixels8, Hole]]:
    """Size, name, crop and hole: of each picture and size one, where no face is."""
    detectors = load_detectors(DetectSettings("face", preset="fast"))
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for number, path in enumerate(paths[:: max(1, len(paths) // count)][:count]):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), np.uint8)
        faces = [one.box for each in detectors for one in each.detect(pixels)]
        for size in SIZES_PX:
            by = min(int(SURROUNDINGS * 1.3 * size), MAX_SURROUNDINGS_PX)
            crop = _place(pixels, faces, size, by, number)
            if crop is not None:
                hole = np.zeros(crop.shape[:2], np.uint8)
                center = (crop.shape[1] // 2, crop.shape[0] // 2)
                cv2.ellipse(hole, center, (round(size * 0.38), size // 2), 0, 0, 360, 255, -1)
                yield size, path.stem, np.ascontiguousarray(crop), hole


def _place(pixels: Pixels8, faces: list[Box], size: int, by: int, seed: int) -> Pixels8 | None:
    """A part of a picture without faces, large enough for a hole of a size and its surroundings."""
    random = np.random.default_rng((seed, size))
    height, width = size + 2 * by, round(size * 0.76) + 2 * by
    if pixels.shape[0] < height or pixels.shape[1] < width:
        return None
    for _ in range(20):
        top = int(random.integers(0, pixels.shape[0] - height + 1))
        left = int(random.integers(0, pixels.shape[1] - width + 1))
        if all(f.x_max < left or f.x_min > left + width or f.y_max < top or f.y_min > top + height for f in faces):
            return pixels[top : top + height, left : left + width]
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument(
        "--methods",
        default=",".join(name for name in METHODS if name != "biharmonic"),
        help="biharmonic needs scikit-image",
    )
    parser.add_argument("--sheets", type=Path)
    options = parser.parse_args()
    names, features = options.methods.split(","), Features()
    numbers: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    rows: dict[int, list[Pixels8]] = {}
    for size, _, crop, hole in holes_in(options.folder, options.pictures):
        tiles = [np.where(hole[:, :, np.newaxis] > 0, 255, crop).astype(np.uint8)]
        for name in names:
            start_s = time.process_time()
            filled = METHODS[name](crop, hole)
            seconds = time.process_time() - start_s
            assert (filled[hole == 0] == crop[hole == 0]).mean() > 0.95
            numbers.setdefault((name, size), []).append(
                (features.distance(filled, crop, hole), smear(filled, hole), seconds)
            )
            tiles.append(filled)
        numbers.setdefault(("what was there", size), []).append((0.0, smear(crop, hole), 0.0))
        rows.setdefault(size, []).append(np.hstack([_tile(tile) for tile in [*tiles, crop]]))
    sizes = sorted({size for _, size in numbers})
    for index, title in enumerate(("distance of features", "smear", "seconds")):
        print(f"\n| {title} | {' | '.join(f'{size} px' for size in sizes)} |\n|---|{'---|' * len(sizes)}")
        for name in [*names, "what was there"]:
            values = (numbers.get((name, size), []) for size in sizes)
            print(f"| {name} | {' | '.join(f'{np.mean([v[index] for v in of]):.3f}' if of else '' for of in values)} |")
    print(f"\nholes: {', '.join(f'{len(numbers[names[0], size])} of {size} px' for size in sizes)}")
    if options.sheets:
        options.sheets.mkdir(parents=True, exist_ok=True)
        for size, of_size in rows.items():
            Image.fromarray(np.vstack(of_size)).save(options.sheets / f"{size}.png")


def _tile(pixels: Pixels8, height: int = 200) -> Pixels8:
    width = max(1, round(pixels.shape[1] * height / pixels.shape[0]))
    shown = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shown, (160, height)) if width != 160 else shown, np.uint8)


if __name__ == "__main__":
    main()
