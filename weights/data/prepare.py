"""Makes packs to train on out of public repositories.

    python -m weights.data.prepare OUT --source scut_head=REPOSITORY --source shanghaitech=REPOSITORY \
        --exclude TEST_PICTURES

A pack is a folder with pictures and `annotations.json`, as `weights.plate.data` describes it. Every entry says its
`scene`, its `part` (`train` or `held_out`) and its `licence`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
from PIL import Image, ImageOps

from weights.plate.data import fingerprint, fingerprints, read_folder

from .labels import Labels
from .repository import Repository
from .sources import SOURCES, Source

DUPLICATE_BITS = 40
"""Pictures whose fingerprints differ by at most that many of 256 bits are near-duplicates."""
SCENE_BITS = 72
"""Chains of pictures that differ by at most that many are one scene, which is held out as a whole."""
HELD_OUT_SHARE = 0.12


@dataclasses.dataclass
class Counts:
    """What became of the pictures of a source."""

    read: int = 0
    unreadable: int = 0
    like_tests: int = 0
    repeated: int = 0
    kept: int = 0
    held_out: int = 0
    scenes: int = 0


def prepare(
    name: str, source: Source, repository: Repository, target: Path, tests: np.ndarray, log: Counts
) -> list[dict[str, Any]]:
    """Write the pictures of one source below `target` and return their entries.

    `tests`: fingerprints of the pictures that must not come near, bool (n, 256).
    """
    entries: list[dict[str, Any]] = []
    kept: list[Labels] = []
    marks = np.zeros((0, 256), bool)
    labels = {found.path: found for found in source.read(repository)}
    for path, content in repository.read(labels):
        log.read += 1
        try:
            with Image.open(io.BytesIO(content)) as picture:
                pixels = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
        except OSError:
            log.unreadable += 1
            continue
        mark = fingerprint(pixels)
        if is_like(mark, tests):
            log.like_tests += 1
        elif labels[path].scene is None and is_like(mark, marks):
            log.repeated += 1
        else:
            marks = np.concatenate([marks, mark[np.newaxis]])
            entries.append(entry_of(labels[path], pixels.shape[1], pixels.shape[0], source))
            kept.append(labels[path])
            file = target / entries[-1]["image"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            if (mask_path := labels[path].mask) is not None and source.to_mask is not None:
                mask = source.to_mask(repository.content(mask_path))
                entries[-1]["mask"] = f"masks/{labels[path].group}/{Path(labels[path].name).stem}.png"
                file = target / entries[-1]["mask"]
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask).save(file)
    named = [labels_of.scene for labels_of in kept]
    for entry, scene, name_of_scene in zip(entries, scenes(marks), named, strict=True):
        entry["scene"] = name_of_scene or entries[scene]["image"]
        entry["part"] = "held_out" if is_held_out(f"{name}/{entry['scene']}") else "train"
    log.kept = len(entries)
    log.held_out = sum(entry["part"] == "held_out" for entry in entries)
    log.scenes = len({entry["scene"] for entry in entries})
    return entries


def entry_of(labels: Labels, width: int, height: int, source: Source) -> dict[str, Any]:
    """A picture's entry in the annotations; boxes are cut at the picture's edges, points outside left out."""
    boxes = []
    for box in labels.boxes:
        cut = {**box, "x_min": max(0.0, box["x_min"]), "y_min": max(0.0, box["y_min"])}
        cut |= {"x_max": min(float(width), box["x_max"]), "y_max": min(float(height), box["y_max"])}
        if cut["x_max"] - cut["x_min"] >= 1 and cut["y_max"] - cut["y_min"] >= 1:
            boxes.append(cut)
    return {
        "image": f"images/{labels.group}/{labels.name}",
        "width": width,
        "height": height,
        "boxes": boxes,
        "head_points": [[x, y] for x, y in labels.head_points if 0 <= x <= width and 0 <= y <= height],
        "group": labels.group,
        "annotated": list(labels.annotated),
        "exhaustive": labels.exhaustive,
        "source": f"github.com/{source.repository}",
        "licence": source.licence,
    }


def is_like(mark: np.ndarray, others: np.ndarray) -> bool:
    """Whether a fingerprint, bool (256,), is a near-duplicate of one of others, bool (n, 256)."""
    return bool(len(others)) and bool(((others != mark).sum(axis=1) <= DUPLICATE_BITS).any())


def scenes(marks: np.ndarray) -> list[int]:
    """The scene of each fingerprint, as the index of the scene's first one."""
    scene = np.arange(len(marks))
    for index, mark in enumerate(marks):
        near = np.flatnonzero((marks[:index] != mark).sum(axis=1) <= SCENE_BITS)
        joined = np.unique(scene[near])
        if len(joined):
            scene[np.isin(scene, joined)] = joined[0]
            scene[index] = joined[0]
    return [int(first) for first in scene]


def is_held_out(scene: str) -> bool:
    """Whether a scene is kept for choosing among trained models: a fixed share, by the hash of its name."""
    digest = hashlib.sha256(scene.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < HELD_OUT_SHARE


def test_marks(folders: Iterable[Path]) -> np.ndarray:
    """Fingerprints of all pictures below folders, bool (n, 256)."""
    return fingerprints([row for folder in folders for row in read_folder(folder)])


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--source",
    "given",
    multiple=True,
    required=True,
    metavar="NAME=REPOSITORY",
    help=f"A source and the path of its git repository: {', '.join(SOURCES)}.",
)
@click.option(
    "--exclude",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of test pictures: near-duplicates of them are left out.",
)
def main(out: Path, given: tuple[str, ...], exclude: tuple[Path, ...]) -> None:
    """Write OUT/NAME, a pack, for each source."""
    tests = test_marks(exclude)
    click.echo(f"{len(tests)} test pictures")
    for pair in given:
        name, _, folder = pair.partition("=")
        if name not in SOURCES or not Path(folder).is_dir():
            raise click.UsageError(f"--source {pair}: NAME=REPOSITORY with one of {', '.join(SOURCES)}")
        log = Counts()
        source = SOURCES[name]
        entries = prepare(name, source, Repository(Path(folder)), out / name, tests, log)
        (out / name).mkdir(parents=True, exist_ok=True)
        (out / name / "annotations.json").write_text(json.dumps(entries))
        (out / name / "LICENCE.txt").write_text(f"{source.licence}\nhttps://github.com/{source.repository}\n")
        click.echo(f"{name}: {json.dumps(dataclasses.asdict(log))}")


if __name__ == "__main__":
    main()
