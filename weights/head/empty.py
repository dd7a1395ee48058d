"""Making a pack of pictures without heads: whoever is seen in a picture keeps it out.

    python -m weights.head.empty DATA/empty --empty WALLPAPERS --screen STREETS --screen DATA/open_plates \\
        --exclude TEST_PICTURES

`train.py`, `mine.py` and `evaluate.py` take the pack as `--data`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from anonymizer.detect.catalogue import find_models
from anonymizer.detect.detector import Detector
from anonymizer.detect.load import load_model
from anonymizer.detect.signature import SignatureDetector
from weights.data.prepare import is_like, scenes, test_marks
from weights.plate.data import decode, fingerprint, read_negatives

SEEN = {"face": 0.15, "person": 0.25, "head": 0.5}
"""Scores from which somebody is taken to be in a picture."""
HELD_OUT_OF = 3
"""One of so many scenes is held out, by the hash of its name, unless a pack says which."""
LARGEST_SIDE = 2048
"""Larger pictures are left out: one of their views would take as long as a hundred others. Pixels."""


@dataclasses.dataclass
class Counts:
    """What became of the pictures of a folder."""

    read: int = 0
    too_large: int = 0
    like_others: int = 0
    with_somebody: int = 0
    kept: int = 0


def watchers() -> list[SignatureDetector]:
    """The models that see people in whole or in part, in the preset `fast`."""
    models = [model for model in find_models(None) if set(model.found_kinds) & set(SEEN)]
    return [
        SignatureDetector(model, load_model(model), "fast", {kind: SEEN[kind] for kind in model.found_kinds})
        for model in models
    ]


def look_through(
    folder: Path, detectors: Sequence[Detector], marks: list[np.ndarray], most: int, log: Counts
) -> Iterator[dict[str, Any]]:
    """Yield the entries of a folder's pictures in which no detector sees anybody.

    Args:
        marks: fingerprints of pictures that none may be like; those of pictures that are kept are added.
        most: so many pictures are kept at most.
    """
    for row in read_negatives(folder):
        if log.kept >= most:
            return
        pixels = decode(row.path)
        log.read += 1
        mark = fingerprint(pixels)
        if max(pixels.shape[:2]) > LARGEST_SIDE:
            log.too_large += 1
        elif is_like(mark, np.asarray(marks).reshape(-1, mark.size)):
            log.like_others += 1
        elif any(detector.detect(pixels) for detector in detectors):
            log.with_somebody += 1
        else:
            marks.append(mark)
            log.kept += 1
            yield {
                "image": str(row.path.resolve()),
                "width": pixels.shape[1],
                "height": pixels.shape[0],
                "group": f"empty/{folder.name}",
                "boxes": [],
                "annotated": ["head"],
                "part": row.part,
            }


def is_held_out(scene: str) -> bool:
    """Whether a scene is kept for choosing among trained models."""
    return int.from_bytes(hashlib.sha256(scene.encode()).digest()[:4], "big") % HELD_OUT_OF == 0


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--empty", multiple=True, type=_FOLDER, help="Folder with pictures that are known to show nobody.")
@click.option("--screen", multiple=True, type=_FOLDER, help="Folder or pack whose pictures may show somebody.")
@click.option("--exclude", multiple=True, type=_FOLDER, help="Folder of test pictures: what is like them is left out.")
@click.option("--most", default=1000, show_default=True, help="Pictures of a folder at most.")
def main(out: Path, empty: tuple[Path, ...], screen: tuple[Path, ...], exclude: tuple[Path, ...], most: int) -> None:
    """Write OUT, a pack of pictures without heads. The pictures stay where they are."""
    cv2.setNumThreads(1)
    tests = list(test_marks(exclude))
    marks, detectors = list(tests), watchers()
    entries: list[dict[str, Any]] = []
    for folder in (*empty, *screen):
        log = Counts()
        entries += look_through(folder, detectors if folder in screen else [], marks, most, log)
        click.echo(f"{folder.name}: {json.dumps(dataclasses.asdict(log))}")
    for entry, scene in zip(entries, scenes(np.asarray(marks[len(tests) :])), strict=True):
        first = Path(entries[scene]["image"]).name
        entry["part"] = entry["part"] or ("held_out" if is_held_out(first) else "train")
    out.mkdir(parents=True, exist_ok=True)
    (out / "annotations.json").write_text(json.dumps(entries))


if __name__ == "__main__":
    main()
