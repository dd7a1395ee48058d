"""Makes a pack of squeezed copies of the pictures of another: small squares, as cheap cameras and data sets have them.

    python -m weights.data.squeezed PACK OUT --side 416 --side 300

A copy is a JPEG file of `side` x `side` pixels, whatever the shape of the picture was; boxes are squeezed with it. It
belongs to the same part, `train` or `held_out`, as its original.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import cv2
from PIL import Image

from weights.plate.data import decode, is_held_out, read_pack

QUALITY = 90
SMALLEST = 4.0
"""Boxes with a side below that, in pixels of the copy, become ignored: nobody could tell what they hold."""


def squeezed(entry: dict[str, Any], side: int, part: str) -> dict[str, Any]:
    """The entry of a copy of `side` x `side` pixels."""
    across, down = side / entry["width"], side / entry["height"]
    boxes = []
    for box in entry["boxes"]:
        moved = {**box, "x_min": box["x_min"] * across, "x_max": box["x_max"] * across}
        moved |= {"y_min": box["y_min"] * down, "y_max": box["y_max"] * down}
        sides = moved["x_max"] - moved["x_min"], moved["y_max"] - moved["y_min"]
        boxes.append(moved | {"ignore": box.get("ignore", False) or min(sides) < SMALLEST})
    image = (Path(f"images/squeezed_{side}") / entry["image"]).with_suffix(".jpg").as_posix()
    return {**entry, "image": image, "width": side, "height": side, "boxes": boxes, "part": part}


@click.command()
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--side", "sides", multiple=True, type=click.IntRange(32), default=(416, 300), show_default=True)
def main(pack: Path, out: Path, sides: tuple[int, ...]) -> None:
    """Write OUT, a pack with a copy of every picture of PACK for each side."""
    entries = []
    for entry, row in zip(json.loads((pack / "annotations.json").read_text()), read_pack(pack), strict=True):
        pixels = decode(row.path)
        for side in sides:
            copy = squeezed(entry, side, "held_out" if is_held_out(row) else "train")
            file = out / copy["image"]
            file.parent.mkdir(parents=True, exist_ok=True)
            small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
            Image.fromarray(small).save(file, quality=QUALITY)
            entries.append(copy)
    (out / "annotations.json").write_text(json.dumps(entries))
    if (pack / "LICENCE.txt").is_file():
        (out / "LICENCE.txt").write_text((pack / "LICENCE.txt").read_text())
    click.echo(f"{len(entries)} copies")


if __name__ == "__main__":
    main()
