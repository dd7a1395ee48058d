"""Which files are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.check.choices import Choice
from anonymizer.check.film_claims import NO_CLAIMS, FilmClaims
from anonymizer.errors import SettingsError
from anonymizer.files.find import find_pictures, has_extension
from anonymizer.files.inspect import is_picture
from anonymizer.formats import EXTENSIONS, FILM_EXTENSIONS
from anonymizer.types import Fidelity
from anonymizer.video.structure import is_film


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to check. Holds strings, which take a fraction of the memory of paths: there may be millions."""

    root: Path
    """Folder that the file lies in or below."""
    below: str
    """Path from `root`."""
    name: str
    """Below the folder that is checked, if it is a single one; otherwise the path as the user gave it."""
    record: str | None = None
    """Path of its detection JSON from `root`, which need not exist; None: beside the file, with one of two names."""
    originals: Path | None = None
    """Folder with its original, which has the same name; None if it is not compared with one."""
    fidelity: Fidelity | None = None
    """What the report of the anonymizing run says of it."""
    choices: tuple[Choice, ...] = ()
    """What people chose to show in it, by the same report."""
    claims: FilmClaims = NO_CLAIMS
    """How it was written, by the same report."""

    @property
    def path(self) -> Path:
        return self.root / self.below

    @property
    def is_film(self) -> bool:
        """By its name or, if that says nothing, by its content. Only looked at where pictures were sorted out."""
        if has_extension(self.path, EXTENSIONS):
            return False
        return has_extension(self.path, FILM_EXTENSIONS) or is_film(self.path)

    @property
    def original(self) -> Path | None:
        return None if self.originals is None else self.originals / self.name

    @property
    def records(self) -> tuple[Path, ...]:
        """Where its detection JSON may lie; the first that is there counts."""
        if self.record is not None:
            return (self.root / self.record,)
        return self.path.with_name(f"{self.path.name}.json"), self.path.with_suffix(".json")


@dataclass
class Inputs:
    """What is in the files and folders that a user names."""

    files: list[InputFile] = field(default_factory=list)
    others: dict[str, Path] = field(default_factory=dict)
    """Files that are neither pictures nor films, by extension or content, nor records of them; by name."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Names of folders that cannot be listed, with the reason."""


def find_inputs(paths: Sequence[Path], extensions: Sequence[str]) -> Inputs:
    """Every file that is named, and in folders every file that is a picture or a film by its extension or its content.

    Raises:
        SettingsError: a path is not there, or a folder cannot be listed.
    """
    found = Inputs()
    for path in paths:
        if path.is_dir():
            _add_folder(found, path, extensions, prefix=path if len(paths) > 1 else Path())
        elif path.exists() or path.is_symlink():
            found.files.append(InputFile(path.parent, path.name, path.as_posix()))
        else:
            raise SettingsError(f"{path}: no such file or folder")
    return found


def _add_folder(found: Inputs, folder: Path, extensions: Sequence[str], prefix: Path) -> None:
    records: set[Path] = set()
    by_content: list[InputFile] = []

    def add_other(other: Path) -> None:
        """Called after the pictures of the same folder."""
        name = (prefix / other).as_posix()
        if is_picture(folder / other) or is_film(folder / other):
            by_content.append(InputFile(folder, str(other), name))
        elif other not in records:
            found.others[name] = folder / other

    listing = find_pictures(folder, extensions, None, add_other)
    below: Path | None = None
    for job in listing:
        if job.source.parent != below:
            below, records = job.source.parent, set()
        records.add(job.detections_path)
        name = (prefix / job.source).as_posix()
        found.files.append(InputFile(folder, str(job.source), name, str(job.detections_path)))
    found.files += by_content
    found.unreadable |= {f"{(prefix / below).as_posix()}/": why for below, why in listing.unreadable.items()}
