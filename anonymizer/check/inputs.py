"""Which files are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.errors import SettingsError
from anonymizer.files.find import find_pictures
from anonymizer.files.inspect import is_picture
from anonymizer.types import Fidelity


@dataclass(frozen=True)
class InputFile:
    """A file to look at."""

    path: Path
    name: str
    """Below the folder that is checked, if it is a single one; otherwise the path as the user gave it."""
    records: tuple[Path, ...]
    """Where its detection JSON may lie; the first that is there counts."""
    original: Path | None = None
    """The picture that it was made of, where that is to be compared."""
    fidelity: Fidelity | None = None
    """What the report of the anonymizing run says of it."""


@dataclass
class Inputs:
    """What lies in the places that a user names."""

    files: list[InputFile] = field(default_factory=list)
    others: dict[str, Path] = field(default_factory=dict)
    """By their names, files that are no pictures, neither by extension nor by content, and no records of pictures."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Names of folders that cannot be listed, with the reason."""


def find_inputs(paths: Sequence[Path], extensions: Sequence[str]) -> Inputs:
    """Every file that is named, and in folders every file that is a picture by its extension or its content.

    Raises:
        SettingsError: a path is not there, or a folder cannot be listed.
    """
    found = Inputs()
    for path in paths:
        if path.is_dir():
            _add_folder(found, path, extensions, prefix=path if len(paths) > 1 else Path())
        elif path.exists() or path.is_symlink():
            found.files.append(InputFile(path, path.as_posix(), _possible_records(path)))
        else:
            raise SettingsError(f"{path}: no such file or folder")
    return found


def _add_folder(found: Inputs, folder: Path, extensions: Sequence[str], prefix: Path) -> None:
    others: list[Path] = []
    listing = find_pictures(folder, extensions, None, others.append)
    jobs = list(listing)
    records = {job.detections_path for job in jobs}
    for job in jobs:
        found.files.append(
            InputFile(folder / job.source, (prefix / job.source).as_posix(), (folder / job.detections_path,))
        )
    for other in others:
        if is_picture(folder / other):
            path = folder / other
            found.files.append(InputFile(path, (prefix / other).as_posix(), _possible_records(path)))
        elif other not in records:
            found.others[(prefix / other).as_posix()] = folder / other
    found.unreadable |= {f"{(prefix / below).as_posix()}/": why for below, why in listing.unreadable.items()}


def _possible_records(path: Path) -> tuple[Path, ...]:
    """See `anonymizer.files.find.record_names`."""
    return path.with_name(f"{path.name}.json"), path.with_suffix(".json")
