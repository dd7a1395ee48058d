"""How well the gate tells redacted areas from others by their pixels: python -m tests.benchmarks.gate ORIGINALS OUTPUT

ORIGINALS is a folder of pictures, OUTPUT what the program made of it, with the detection JSON files. For the recorded
boxes, by size, it prints how many count as redacted before and after, next to each other, and how much detail is left.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from anonymizer.check.comparison import max_detail_left
from anonymizer.check.detail import detail_left, is_featureless
from anonymizer.check.inputs import InputFile, find_inputs
from anonymizer.detect.tones import to_8_bits
from anonymizer.errors import PictureError
from anonymizer.files.read import read_picture
from anonymizer.geometry import slices_around
from anonymizer.record.detections import from_json
from anonymizer.redact.frame import mask_detections
from anonymizer.settings import FindSettings, RedactSettings
from anonymizer.types import Detection, Pixels

SIZES_PX = (0, 12, 16, 24, 48, 96, float("inf"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("originals", type=Path)
    parser.add_argument("output", type=Path)
    folders = parser.parse_args()
    files = find_inputs([folders.output], FindSettings().image_extensions).files
    rows = np.array([row for file in files for row in _measure(file, folders.originals)])
    print(f"{'box, px':>9} {'boxes':>6} {'redacted, by their pixels':^27} {'detail left':^23} {'over':>5}")
    print(f"{'':>9} {'':>6} {'before':>13} {'after':>13} {'median':>7} {'99 %':>7} {'most':>7} {'limit':>5}")
    for smallest, limit in pairwise(SIZES_PX):
        _, before, after, left, over = rows[(rows[:, 0] >= smallest) & (rows[:, 0] < limit)].T
        if len(left):
            quantiles = " ".join(f"{value:7.3f}" for value in np.percentile(left, (50, 99, 100)))
            shares = f"{before.mean():13.2%} {after.mean():13.2%}"
            print(f"{smallest:>8}+ {len(left):6} {shares} {quantiles} {int(over.sum()):5}")


def _measure(file: InputFile, originals: Path) -> list[tuple[float, bool, bool, float, bool]]:
    """Of each recorded box: size in pixels, whether it counts as redacted before and after, detail left, too much?"""
    try:
        before, after = read_picture(originals / file.name), read_picture(file.path)
    except PictureError as error:
        print(f"left out: {file.name}: {error}")
        return []
    frames = from_json(file.records[0].read_bytes())
    rows = []
    for number, (source, frame) in enumerate(zip(before.frames, after.frames, strict=True)):
        rows += _measure_frame(source.view, frame.view, frames[number].detections if number in frames else [])
    return rows


def _measure_frame(
    source: Pixels, redacted: Pixels, recorded: Sequence[Detection]
) -> list[tuple[float, bool, bool, float, bool]]:
    mask = mask_detections(redacted, recorded, RedactSettings()) >= 1
    before, after = to_8_bits(source), to_8_bits(redacted)
    rows = []
    for detection in recorded:
        place = slices_around(detection.box, after.shape)
        hidden = [is_featureless(pixels[place], mask[place]) for pixels in (before, after)]
        left = detail_left(before[place], after[place])
        rows.append((detection.box.longer_side, hidden[0], hidden[1], left, left > max_detail_left(detection.box)))
    return rows


if __name__ == "__main__":
    main()
