"""Reading packs of annotated pictures and folders of pictures without plates, and making packs.

A pack is a folder with ``annotations.json``: a list of
``{"image", "width", "height", "boxes": [{"kind", "x_min", "y_min", "x_max", "y_max", "ignore"}]}``,
where ``image`` is a path relative to the pack and boxes are in pixels of the upright picture.
Run ``python -m weights.plate.data --help`` to make one from COCO or YOLO labels.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
import cv2
import numpy as np
from PIL import Image, ImageOps

Entry = dict[str, Any]
"""A picture in the annotations of a pack."""

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


@dataclasses.dataclass(frozen=True)
class Row:
    """One picture of a pack: where it is and which plates it holds.

    ``boxes``: float32 (n, 4), x_min, y_min, x_max, y_max in pixels of the stored picture.
    ``ignore``: bool (n,); ignored boxes are neither learnt as plates nor as background.
    ``part``: ``train`` or ``held_out`` where the pack says so, else empty.
    """

    path: pathlib.Path
    name: str
    group: str
    boxes: np.ndarray
    ignore: np.ndarray
    part: str = ""


@dataclasses.dataclass
class Sample:
    """A decoded picture: ``levels[i]`` is uint8 RGB (H / 2**i, W / 2**i, 3); boxes refer to level 0."""

    levels: Sequence[np.ndarray]
    boxes: np.ndarray
    ignore: np.ndarray
    name: str


def read_pack(pack: pathlib.Path, kind: str = "plate") -> list[Row]:
    """List the pictures of a pack, in the order of its annotation file."""
    rows = []
    for entry in json.loads((pack / "annotations.json").read_text()):
        boxes = [box for box in entry["boxes"] if box.get("kind", kind) == kind]
        corners = [[box["x_min"], box["y_min"], box["x_max"], box["y_max"]] for box in boxes]
        rows.append(
            Row(
                path=pack / entry["image"],
                name=entry["image"],
                group=entry.get("group", ""),
                boxes=np.asarray(corners, np.float32).reshape(-1, 4),
                ignore=np.asarray([box.get("ignore", False) for box in boxes], bool),
                part=entry.get("part", ""),
            )
        )
    return rows


def read_folder(folder: pathlib.Path, skip: Iterable[str] = ()) -> list[Row]:
    """List the pictures under a folder that hold no plate; ``skip`` names files to leave out."""
    skipped = set(skip)
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, bool)
    return [
        Row(path, path.relative_to(folder).as_posix(), folder.name, *nothing)
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PICTURES and path.name not in skipped
    ]


def read_negatives(folder: pathlib.Path, skip: Iterable[str] = ()) -> list[Row]:
    """List the pictures of a folder, or of a pack without plates; ``skip`` names files to leave out."""
    if not (folder / "annotations.json").is_file():
        return read_folder(folder, skip)
    skipped = set(skip)
    return [row for row in read_pack(folder) if row.path.name not in skipped]


def is_held_out(row: Row, share: float = 0.1) -> bool:
    """Tell whether a picture belongs to the validation set: as the pack says, else a share by the hash of its name."""
    if row.part:
        return row.part == "held_out"
    digest = hashlib.sha256(f"{row.group}/{row.name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def decode(path: pathlib.Path) -> np.ndarray:
    """Read a picture as upright uint8 RGB (H, W, 3)."""
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def load(row: Row, max_side: int) -> Sample:
    """Decode one picture, shrink it so that its longest side is at most ``max_side``, halve it twice."""
    pixels = decode(row.path)
    scale = min(1.0, max_side / max(pixels.shape[:2]))
    if scale < 1:
        size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    levels = [pixels]
    while len(levels) < 3 and min(levels[-1].shape[:2]) >= 64:
        half = levels[-1].shape[1] // 2, levels[-1].shape[0] // 2
        levels.append(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA))
    return Sample(levels, row.boxes * scale, row.ignore, row.name)


class Files(Sequence[np.ndarray]):
    """Arrays in files, each mapped into memory while it is used: so many cannot stay open at once."""

    def __init__(self, paths: list[pathlib.Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Any) -> Any:
        return np.load(self.paths[index], mmap_mode="r")


def load_cached(row: Row, max_side: int, cache: pathlib.Path) -> Sample:
    """``load``, with the pixels in files below ``cache``, which are mapped into memory and used again next time."""
    key = hashlib.sha256(f"{row.path.resolve()} {max_side}".encode()).hexdigest()[:24]
    marker = cache / f"{key}.json"
    if not marker.is_file():
        sample = load(row, max_side)
        for i, pixels in enumerate(sample.levels):
            np.save(cache / f"{key}_{i}.npy", pixels)
        with Image.open(row.path) as picture:
            width = ImageOps.exif_transpose(picture).width
        scale = sample.levels[0].shape[1] / width
        marker.write_text(json.dumps({"scale": scale, "levels": len(sample.levels)}))  # last: the files are whole
    facts = json.loads(marker.read_text())
    levels = Files([cache / f"{key}_{i}.npy" for i in range(facts["levels"])])
    return Sample(levels, row.boxes * np.float32(facts["scale"]), row.ignore, row.name)


def load_all(
    rows: Sequence[Row], max_side: int = 1280, threads: int = 2, cache: pathlib.Path | None = None
) -> list[Sample]:
    """Decode many pictures into memory, or into files of a folder ``cache`` that are mapped into memory."""
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda row: load_cached(row, max_side, cache) if cache else load(row, max_side), rows))


def fingerprint(pixels: np.ndarray) -> np.ndarray:
    """Return 256 bits, bool (256,): the signs of horizontal differences of a 17x16 grey thumbnail."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    return (small[:, 1:] > small[:, :-1]).ravel()


def fingerprints(rows: Sequence[Row], threads: int = 2) -> np.ndarray:
    """Return the fingerprints of many pictures, bool (n, 256)."""
    with ThreadPoolExecutor(threads) as pool:
        bits = list(pool.map(lambda row: fingerprint(decode(row.path)), rows))
    return np.asarray(bits, bool).reshape(-1, 256)


def unlike(ours: np.ndarray, others: np.ndarray, bits: int = 40) -> np.ndarray:
    """Tell which fingerprints differ by more than ``bits`` of 256 from all others, bool (n,).

    Squeezed copies are found too, because fingerprints are taken from square thumbnails.
    """
    return np.array([not len(others) or (others != own).sum(axis=1).min() > bits for own in ours], bool)


def _entry(image: pathlib.Path, pack: pathlib.Path, boxes: list[list[float]]) -> Entry:
    with Image.open(image) as picture:
        width, height = ImageOps.exif_transpose(picture).size
    names = ("x_min", "y_min", "x_max", "y_max")
    return {
        "image": image.relative_to(pack).as_posix(),
        "width": width,
        "height": height,
        "boxes": [{"kind": "plate", **dict(zip(names, box, strict=True)), "ignore": False} for box in boxes],
        "group": image.parent.name,
    }


def from_yolo(pack: pathlib.Path) -> list[Entry]:
    """Read label files, ``NAME.txt`` (class x y w h, shares of the picture), beside the pictures or in
    ``labels`` where those lie in ``images``.

    Every class counts as a plate; a picture without a label file counts as one without plates.
    """
    entries = []
    for row in read_folder(pack):
        beside = row.path.with_suffix(".txt")
        parts = beside.relative_to(pack).parts
        apart = pack.joinpath(*("labels" if part == "images" else part for part in parts))
        label = next((path for path in (beside, apart) if path.is_file()), None)
        with Image.open(row.path) as picture:
            scale = np.array(ImageOps.exif_transpose(picture).size)
        boxes = []
        for line in label.read_text().splitlines() if label else []:
            numbers = np.array(line.split()[1:5], float)
            middle, half = numbers[:2] * scale, numbers[2:] * scale / 2
            boxes.append([*(middle - half).tolist(), *(middle + half).tolist()])
        entries.append(_entry(row.path, pack, boxes))
    return entries


def from_coco(pack: pathlib.Path, labels: pathlib.Path, category: str) -> list[Entry]:
    """Read a COCO instance file; ``file_name`` is relative to the pack, ``category`` names the plates."""
    coco = json.loads(labels.read_text())
    wanted = {entry["id"] for entry in coco["categories"] if entry["name"] == category}
    if not wanted:
        raise click.UsageError(f"no category {category!r} in {labels}")
    boxes: dict[int, list[list[float]]] = {entry["id"]: [] for entry in coco["images"]}
    for entry in coco["annotations"]:
        if entry["category_id"] in wanted:
            x, y, w, h = entry["bbox"]
            boxes[entry["image_id"]].append([x, y, x + w, y + h])
    return [_entry(pack / entry["file_name"], pack, boxes[entry["id"]]) for entry in coco["images"]]


@click.command()
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=pathlib.Path))
@click.option("--coco", type=click.Path(exists=True, path_type=pathlib.Path), help="COCO instance file.")
@click.option("--category", default="license_plate", show_default=True, help="Name of the COCO category.")
def main(pack: pathlib.Path, coco: pathlib.Path | None, category: str) -> None:
    """Write PACK/annotations.json from YOLO label files (the default) or from a COCO file."""
    entries = from_coco(pack, coco, category) if coco else from_yolo(pack)
    (pack / "annotations.json").write_text(json.dumps(entries, indent=1))
    plates = sum(len(entry["boxes"]) for entry in entries)
    click.echo(f"{len(entries)} pictures, {plates} plates")


if __name__ == "__main__":
    main()
