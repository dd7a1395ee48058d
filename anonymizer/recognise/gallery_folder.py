"""The files of a gallery: one folder of face pictures for each person. Reads no picture."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from anonymizer.errors import SettingsError
from anonymizer.files.find import find_pictures
from anonymizer.formats import EXTENSIONS


def pictures_of(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each person.

    Raises:
        SettingsError: the folder is not a gallery.
    """
    if not folder.is_dir():
        raise SettingsError(f"gallery {folder} is not a folder")
    pictures: dict[str, list[Path]] = {}
    for job in find_pictures(folder, EXTENSIONS, None):
        if len(job.source.parts) < 2:
            raise SettingsError(f"gallery {folder}: {job.name} lies in no person's folder; make one folder per person")
        pictures.setdefault(job.source.parts[0], []).append(folder / job.source)
    if not pictures:
        raise SettingsError(f"gallery {folder} holds no picture; put those of each person into a folder of their own")
    return pictures


def digest_of(folder: Path) -> str:
    """Differs when the pictures do. SHA-256, in hexadecimal.

    Raises:
        SettingsError: the folder is not a gallery, or cannot be read.
    """
    digest = sha256()
    for name, paths in pictures_of(folder).items():
        for path in paths:
            try:
                content = path.read_bytes()
            except OSError as error:
                raise SettingsError(f"gallery {folder}: {path.name}: {error.strerror}") from None
            digest.update(f"{name}\0{sha256(content).hexdigest()}\0".encode())
    return digest.hexdigest()
