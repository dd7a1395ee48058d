"""A pack of pictures with labelled faces that no network here has learnt from, to choose among face models on.

    python -m weights.face.scut_faces DATA/scut_head OUT

The pictures are some of SCUT-HEAD's held-out part, of which the pack has the heads. `scut_faces.json`, beside this
file, says for each head whether its face is seen, and where the faces are. The README says who judged, and how.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

LABELS = Path(__file__).with_suffix(".json")
"""Per picture: `heads`, a letter for each head of the pack; `faces`, the boxes of the `SEEN` ones, in this order;
`ignore`, further boxes that count neither way, such as printed faces. A box is x_min, y_min, x_max, y_max in pixels."""
SEEN, HIDDEN, UNCLEAR = "f", "-", "?"
"""What a head shows: an eye, the mouth or the nose; no face; nobody can say."""
GROUP = "faces/scut_held_out"


def labelled(entry: dict[str, Any], label: dict[str, Any]) -> dict[str, Any]:
    """The entry of a picture with boxes of faces in place of heads.

    Raises:
        ValueError: the label does not fit the heads of the entry.
    """
    heads = [box for box in entry["boxes"] if box["kind"] == "head"]
    letters, places = label["heads"], label["faces"]
    if len(letters) != len(heads) or set(letters) - {SEEN, HIDDEN, UNCLEAR} or letters.count(SEEN) != len(places):
        raise ValueError(f"{entry['image']}: the label is not of these {len(heads)} heads")
    faces = [_face(place, ignore=False) for place in places]
    unclear = [
        {**head, "kind": "face", "ignore": True} for head, seen in zip(heads, letters, strict=True) if seen == UNCLEAR
    ]
    others = [_face(place, ignore=True) for place in label.get("ignore", [])]
    return {**entry, "group": GROUP, "boxes": faces + unclear + others, "annotated": ["face"], "exhaustive": True}


def _face(place: Sequence[float], *, ignore: bool) -> dict[str, Any]:
    sides = dict(zip(("x_min", "y_min", "x_max", "y_max"), place, strict=True))
    return {"kind": "face", **sides, "ignore": ignore}


@click.command()
@click.argument("pack", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def main(pack: Path, out: Path) -> None:
    """Write OUT, a pack of the pictures of PACK, made by weights.data.prepare, whose faces are labelled."""
    labels = json.loads(LABELS.read_text())
    entries = {entry["image"]: entry for entry in json.loads((pack / "annotations.json").read_text())}
    missing = sorted(set(labels) - set(entries))
    if missing:
        raise click.ClickException(f"{len(missing)} labelled pictures are not in the pack, such as {missing[0]}")
    rows = [labelled(entries[image], label) for image, label in labels.items()]
    for row in rows:
        target = out / row["image"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pack / row["image"], target)
    (out / "annotations.json").write_text(json.dumps(rows))
    if (pack / "LICENCE.txt").is_file():
        shutil.copyfile(pack / "LICENCE.txt", out / "LICENCE.txt")
    faces = sum(not box["ignore"] for row in rows for box in row["boxes"])
    click.echo(f"{len(rows)} pictures, {faces} faces")


if __name__ == "__main__":
    main()
