"""Checks and makes the output folder."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from anonymizer.addresses import Address, Place
from anonymizer.errors import OutputError
from anonymizer.files.storage import storage_of


def check_output(input_root: Path, output_root: Path, overwrite: bool) -> None:
    """Refuses an output folder that overlaps the input or holds other files. Writes nothing.

    Raises:
        OutputError: with the reason.
    """
    try:
        source, target = input_root.resolve(), output_root.resolve()
    except (OSError, RuntimeError):  # which one depends on the version of Python
        raise OutputError(f"output folder {output_root} is a link that leads to itself") from None
    if _is_same(source, target):
        raise OutputError(f"output folder {output_root} is the input folder; choose another one")
    if any(_is_same(source, parent) for parent in target.parents):
        raise OutputError(f"output folder {output_root} lies inside the input folder; choose one outside")
    if any(_is_same(target, parent) for parent in source.parents):
        raise OutputError(f"output folder {output_root} contains the input folder; choose another one")
    try:
        with os.scandir(output_root) as entries:
            is_empty = next(entries, None) is None
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"output folder {output_root}: {error.strerror}") from None
    if not is_empty and not overwrite:
        raise OutputError(f"output folder {output_root} is not empty; add --overwrite to write into it all the same")


def check_masks(input_root: Path, output_root: Path, mask_root: Path, overwrite: bool) -> None:
    """Refuses a folder for masks that overlaps the input or the output, or holds other files. Writes nothing.

    Raises:
        OutputError: with the reason.
    """
    check_output(input_root, mask_root, overwrite)
    one, other = mask_root.resolve(), output_root.resolve()
    if any(_is_same(one, folder) for folder in (other, *other.parents)) or any(
        _is_same(other, folder) for folder in one.parents
    ):
        raise OutputError(
            f"folder {mask_root} for masks lies in or around the output folder {output_root}; choose one beside it"
        )


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths are the same folder, perhaps mounted twice."""
    try:
        return one == other or one.samefile(other)
    except OSError:  # one of them does not exist yet
        return False


def check_store(input_root: Place, output_root: Place, overwrite: bool) -> None:
    """As `check_output`, where one of them or both are in stores.

    Raises:
        OutputError: with the reason.
    """
    if isinstance(input_root, Address) and isinstance(output_root, Address):
        if input_root == output_root:
            raise OutputError(f"output {output_root} is the input; choose another one")
        if output_root.is_relative_to(input_root):
            raise OutputError(f"output {output_root} lies inside the input; choose one outside")
        if input_root.is_relative_to(output_root):
            raise OutputError(f"output {output_root} contains the input; choose another one")
    if overwrite:
        return
    try:
        if isinstance(output_root, Address):
            is_empty = not next(storage_of(output_root).list(), [])
        else:
            is_empty = not output_root.exists() or not any(output_root.iterdir())
    except OSError as error:
        raise OutputError(f"output {output_root}: {error.strerror}") from None
    if not is_empty:
        raise OutputError(f"output {output_root} is not empty; add --overwrite to write into it all the same")


def make_output(output_root: Path) -> None:
    """Makes the folder if needed, and checks that files can be written into it.

    Raises:
        OutputError: it cannot.
    """
    try:
        output_root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output_root):
            pass
    except OSError as error:
        raise OutputError(f"output folder {output_root} cannot be written: {error.strerror}") from None


def is_same_name(output_root: Place, one: Path, other: Path) -> bool:
    """Whether the file system of the output folder takes two different names for those of the same file.

    Some do not tell upper from lower case, or the ways in which Unicode writes a letter with its accent. That is tried
    out, in a temporary folder. Where it cannot be tried, the answer is yes.

    Args:
        one: relative to the output folder, as is `other`.
    """
    if isinstance(output_root, Address):
        return not storage_of(output_root).is_exact
    folder = output_root
    if len(one.parts) != len(other.parts):
        return False
    for part, other_part in zip(one.parts, other.parts, strict=True):
        if part != other_part and not _leads_to(folder, part, other_part):
            return False
        if os.path.isdir(folder / part):  # else it will be made, like the folder that it is in
            folder /= part
    return True


def _leads_to(folder: Path, name: str, other: str) -> bool:
    """Whether in this folder a file with one name is found by the other."""
    with suppress(OSError), tempfile.TemporaryDirectory(prefix=".anonymize-", dir=folder) as trial:
        (Path(trial) / name).touch()
        return os.path.lexists(os.path.join(trial, other))
    return True
