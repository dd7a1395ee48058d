"""Writes files atomically: a final name never holds half a file."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from anonymizer.addresses import Address, Place
from anonymizer.errors import OutputError, PictureError
from anonymizer.files import store_writing

_NO_FILE = {errno.ENOTDIR, errno.ENAMETOOLONG}
"""Errors for names that cannot exist."""
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""Errors that would stop every further file, too."""


def write_files(root: Place, contents: Mapping[Path, bytes | Iterable[bytes]], also: Path | None = None) -> None:
    """Writes files that belong together, see `written_together`.

    Names are relative to `root`; each content is whole or in pieces.

    Args:
        also: another folder into which names may lead.

    Raises:
        PictureError: these files cannot be written, but others may be.
        OutputError: the disk is full or gone; no further file can be written.
    """
    if isinstance(root, Address) and (whole := {n: c for n, c in contents.items() if isinstance(c, bytes)}) == contents:
        store_writing.write(root, whole)
        return
    with written_together(root, list(contents), also) as places:
        for place, content in zip(places, contents.values(), strict=True):
            with open(place, "xb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)


@contextmanager
def written_together(root: Place, names: Sequence[Path], also: Path | None = None) -> Iterator[list[Path]]:
    """Gives hidden places to write files to: all of them appear whole under their names, or none does.

    At the end of the context they are synced, then renamed in the order of the names. Names are relative to `root`.

    Args:
        also: another folder into which names may lead.

    Raises:
        PictureError: these files cannot be written, but others may be.
        OutputError: the disk is full or gone; no further file can be written.
    """
    if isinstance(root, Address):
        with store_writing.written_together(root, names) as places:
            yield places
        return
    partials = {root / name: _partial_name(root / name) for name in names}
    try:
        for name in names:
            if not _is_inside(root, name, also):
                raise PictureError("would be written outside the output folder, through a link in it")
        try:
            for target, partial in partials.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                partial.unlink(missing_ok=True)
            yield list(partials.values())
            for partial in partials.values():
                _sync(partial)
            _rename_all(partials)
        finally:
            for partial in partials.values():
                partial.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in _FATAL:
            raise OutputError(f"output folder {root}: {error.strerror}; nothing more can be written") from None
        raise PictureError(f"cannot be written: {error.strerror}") from None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _partial_name(target: Path) -> Path:
    # The name depends only on the target, so that the next run removes what a killed one left.
    return target.parent / f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.partial"


def _rename_all(partials: Mapping[Path, Path]) -> None:
    renamed: list[Path] = []
    try:
        for target, partial in partials.items():
            os.replace(partial, target)
            renamed.append(target)
    except BaseException:
        for target in renamed:  # else they would be mixed with files of an earlier run
            target.unlink(missing_ok=True)
        raise


def _is_inside(root: Path, name: Path, also: Path | None) -> bool:
    """Whether the folder of this file is inside the output folder or the other one, also after following links."""
    try:
        folder = (root / name).parent.resolve()
        return any(folder.is_relative_to(each.resolve()) for each in (root, also) if each is not None)
    except RuntimeError:  # a link that leads to itself
        return False


def remove_files(root: Place, names: Iterable[Path], also: Path | None = None) -> None:
    """Removes outputs of an earlier run if they exist.

    Args:
        also: another folder into which names may lead.

    Raises:
        OutputError: one cannot be removed, and could be mistaken for a new one.
    """
    if isinstance(root, Address):
        store_writing.remove(root, names)
        return
    for name in names:
        if not _is_inside(root, name, also):
            continue  # that is not an output
        try:
            (root / name).unlink(missing_ok=True)
        except OSError as error:
            if error.errno in _NO_FILE or _is_folder(root / name):
                continue
            raise OutputError(f"output file {name} of an earlier run cannot be removed: {error.strerror}") from None


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def remove_partials(root: Place, names: Iterable[Path], also: Path | None = None) -> None:
    """Removes the hidden files of a process that ended while it wrote these outputs."""
    if isinstance(root, Address):
        store_writing.remove_unfinished(root, names)
        return
    for name in names:
        if _is_inside(root, name, also):
            with suppress(OSError):
                _partial_name(root / name).unlink(missing_ok=True)
