"""Makes a set of pictures of known people out of public repositories, for `anonymize audit identify`.

    python -m weights.data.people OUT --source ar=REPOSITORY --source umist=REPOSITORY --source orl=REPOSITORY

OUT then holds one folder of PNG files for each person. A repository is a local copy, bare or not; it is read with git.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
import numpy as np
import scipy.io
from PIL import Image

from .repository import Repository

Gray = np.ndarray
"""uint8 (H, W)."""


@dataclasses.dataclass(frozen=True)
class PeopleSource:
    """Where pictures of people lie, and under which terms."""

    repository: str
    """Owner and name at github.com."""
    licence: str
    read: Callable[[Repository], Iterator[tuple[str, Gray]]]
    """Who is on a picture, and the picture."""


def read_array(path: str) -> Callable[[Repository], Iterator[tuple[str, Gray]]]:
    """Of a file of MATLAB: x (H, W, N), with levels up to 1 or up to 255, and the label of each picture."""

    def read(repository: Repository) -> Iterator[tuple[str, Gray]]:
        content = scipy.io.loadmat(io.BytesIO(repository.content(path)))
        pictures = np.asarray(content["x"], np.float64)
        levels = pictures * (255 if pictures.max() <= 1.01 else 1)
        for index, label in enumerate(content["label"].ravel()):
            yield f"{int(label):03d}", np.rint(levels[:, :, index]).clip(0, 255).astype(np.uint8)

    return read


def read_files(pattern: str) -> Callable[[Repository], Iterator[tuple[str, Gray]]]:
    """Of one file for each picture.

    `pattern` matches the paths; its group says who is on the picture.
    """

    def read(repository: Repository) -> Iterator[tuple[str, Gray]]:
        people = {path: match[1] for path in repository.paths() if (match := re.fullmatch(pattern, path))}
        for path, content in repository.read(people):
            with Image.open(io.BytesIO(content)) as picture:
                yield people[path], np.asarray(picture.convert("L"))

    return read


_ARRAYS = "yuzhounh/Face-databases"
SOURCES: Mapping[str, PeopleSource] = {
    "ar": PeopleSource(_ARRAYS, "AR: research use only", read_array("faces/AR_II.mat")),
    "umist": PeopleSource(_ARRAYS, "UMIST: research use only", read_array("faces/UMIST.mat")),
    "orl": PeopleSource(
        "ThomasDemaris/TheFinalFaceIt",
        "ORL: free with credit to AT&T Laboratories Cambridge",
        read_files(r"bdd_faces/s(?!51/)(\d+)/\d+\.pgm"),
    ),
}


def prepare(name: str, repository: Repository, target: Path, pictures_each: int) -> tuple[int, int]:
    """Write pictures of a source below `target`, of each person so many at most, evenly spread over all there are.

    Returns how many people and pictures that makes.
    """
    of_person: dict[str, list[Gray]] = {}
    for person, picture in SOURCES[name].read(repository):
        of_person.setdefault(person, []).append(picture)
    written = 0
    for person, pictures in of_person.items():
        folder = target / f"{name}_{person}"
        folder.mkdir(parents=True, exist_ok=True)
        chosen = np.linspace(0, len(pictures) - 1, min(pictures_each, len(pictures))).round().astype(int)
        for index in chosen:
            Image.fromarray(pictures[index]).save(folder / f"{index:02d}.png")
        written += len(chosen)
    return len(of_person), written


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
@click.option("--pictures-each", default=7, type=click.IntRange(2), help="Of each person at most.  [default: 7]")
def main(out: Path, given: tuple[str, ...], pictures_each: int) -> None:
    """Write OUT, which holds one folder of pictures for each person."""
    for pair in given:
        name, _, folder = pair.partition("=")
        if name not in SOURCES or not Path(folder).is_dir():
            raise click.UsageError(f"--source {pair}: NAME=REPOSITORY with one of {', '.join(SOURCES)}")
        people, pictures = prepare(name, Repository(Path(folder)), out, pictures_each)
        click.echo(f"{name}: {pictures} pictures of {people} people; {SOURCES[name].licence}")


if __name__ == "__main__":
    main()
