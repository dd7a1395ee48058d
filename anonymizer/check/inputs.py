"""Which files are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from anonymizer.addresses import Address, Place
from anonymizer.check.choices import Choice
from anonymizer.check.film_claims import NO_CLAIMS, FilmClaims
from anonymizer.errors import SettingsError
from anonymizer.files.find import find_pictures, has_extension
from anonymizer.files.inspect import is_picture
from anonymizer.files.storage import is_file
from anonymizer.formats import EXTENSIONS, FILM_EXTENSIONS
from anonymizer.types import Fidelity
from anonymizer.video.structure import is_film


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to check. Holds strings, which take a fraction of the memory of paths: there may be millions."""

    root: Place
    """Folder that the file lies in or below."""
    below: str
    """Path from `root`."""
    name: str
    """Below the folder that is checked, if it is a single one; otherwise the path as the user gave it."""
    record: str | None = None
    """Path of its detection JSON from `root`, which need not exist; None: beside the file, with one of two names."""
    originals: Place | None = None
    """Folder with its original, which has the same name; None if it is not compared with one."""
    fidelity: Fidelity | None = None
    """What the report of the anonymizing run says of it."""
    choices: tuple[Choice, ...] = ()
    """What people chose to show in it, by the same report."""
    claims: FilmClaims = NO_CLAIMS
    """How it was written, by the same report."""

    @property
    def place(self) -> Place:
        return self.root / self.below

    @property
    def path(self) -> Path:
        """Of a file that is on this machine."""
        assert isinstance(self.root, Path)
        return self.root / self.below

    @property
    def is_film(self) -> bool:
        """By its name or, if that says nothing, by its content. Only looked at where pictures were sorted out."""
        if has_extension(Path(self.below), EXTENSIONS):
            return False
        return has_extension(Path(self.below), FILM_EXTENSIONS) or is_film(self.place)

    @property
    def original(self) -> Path | None:
        """On this machine."""
        if self.originals is None:
            return None
        assert isinstance(self.originals, Path)
        return self.originals / self.name

    @property
    def original_place(self) -> Place | None:
        return None if self.originals is None else self.originals / self.name

    @property
    def records(self) -> tuple[Path, ...]:
        """Where its detection JSON may lie on this machine; the first that is there counts."""
        assert isinstance(self.root, Path)
        return tuple(self.root / name for name in self.names_of_records)

    @property
    def names_of_records(self) -> tuple[Path, ...]:
        """Where its detection JSON may lie below `root`."""
        below = Path(self.below)
        if self.record is not None:
            return (Path(self.record),)
        return below.with_name(f"{below.name}.json"), below.with_suffix(".json")


@dataclass
class Inputs:
    """What is in the files and folders that a user names."""

    files: list[InputFile] = field(default_factory=list)
    others: dict[str, Place] = field(default_factory=dict)
    """Files that are neither pictures nor films, by extension or content, nor records of them; by name."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Names of folders that cannot be listed, with the reason."""


def find_inputs(paths: Sequence[Place], extensions: Sequence[str]) -> Inputs:
    """Every file that is named, and in folders every file that is a picture or a film by its extension or its content.

    Raises:
        SettingsError: a path is not there, or a folder cannot be listed.
    """
    found = Inputs()
    for path in paths:
        if isinstance(path, Address):
            if is_stored_file(path):
                found.files.append(InputFile(path.parent, path.name, str(path)))
            else:
                _add_folder(found, path, extensions, f"{path}/" if len(paths) > 1 else "")
        elif path.is_dir():
            _add_folder(found, path, extensions, f"{path.as_posix()}/" if len(paths) > 1 and path != Path() else "")
        elif path.exists() or path.is_symlink():
            found.files.append(InputFile(path.parent, path.name, path.as_posix()))
        else:
            raise SettingsError(f"{path}: no such file or folder")
    return found


def is_stored_file(address: Address) -> bool:
    """Whether there is a file under an address, not a folder.

    Raises:
        SettingsError: the store does not say.
    """
    try:
        return bool(address.key) and is_file(address)
    except OSError as error:
        raise SettingsError(f"{address}: {error.strerror}") from None


def _add_folder(found: Inputs, folder: Place, extensions: Sequence[str], prefix: str) -> None:
    records: set[Path] = set()
    by_content: list[InputFile] = []

    def add_other(other: Path) -> None:
        """Called after the pictures of the same folder."""
        name = f"{prefix}{other.as_posix()}"
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
        name = f"{prefix}{job.source.as_posix()}"
        found.files.append(InputFile(folder, str(job.source), name, str(job.detections_path)))
    found.files += by_content
    found.unreadable |= {f"{prefix}{below}/": why for below, why in listing.unreadable.items()}
