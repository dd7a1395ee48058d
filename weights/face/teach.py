"""What the bundled face model finds in pictures with labelled heads, for training: faces without labels of their own.

    python -m weights.face.teach PACK --out teacher.jsonl

Run it again to go on. A line for each picture: `image`, and `found`, a list of x_min, y_min, x_max, y_max, score.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from weights.head.data import Row, decode, read_pack

from .data import read_teacher
from .evaluate import finder

HERE = Path(__file__).parent
LARGEST = 1_300_000
"""Pixels; larger pictures are left out, for time."""


def ordered(packs: tuple[Path, ...], known: set[str]) -> Iterator[Row]:
    """The pictures to train on that are not known yet, in an order that the hash of their names decides."""
    rows = [row for pack in packs for row in read_pack(pack, "train")]
    for row in sorted(rows, key=lambda row: hashlib.sha1(row.name.encode()).hexdigest()):
        if row.name not in known and row.width * row.height <= LARGEST:
            yield row


@click.command()
@click.argument("packs", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--preset", default="balanced", show_default=True)
@click.option("--pictures", default=0, help="Stop at so many; 0 for all.")
def main(packs: tuple[Path, ...], out: Path, preset: str, pictures: int) -> None:
    """Write what the bundled model finds in the pictures of the PACKS, made by weights.data.prepare."""
    known = set(read_teacher(out)) if out.exists() else set()
    find = finder(HERE, preset)
    with out.open("a") as file:
        for row in ordered(packs, known):
            if pictures and len(known) >= pictures:
                break
            boxes, scores = find(decode(row.path))
            found = [[*map(float, box), float(score)] for box, score in zip(boxes, scores, strict=True)]
            file.write(json.dumps({"image": row.name, "found": found}) + "\n")
            file.flush()
            known.add(row.name)
    click.echo(f"{len(known)} pictures")


if __name__ == "__main__":
    main()
