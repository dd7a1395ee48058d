"""Every picture in the places that a user names is looked at, and everything else is known by its name."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fakes import noise, save
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.check.inputs import InputFile, find_inputs
from anonymizer.errors import SettingsError
from anonymizer.formats import EXTENSIONS

EXTENSIONS_OF_RUN = ("jpg", "png")


def test_a_file_that_is_named_has_the_name_that_was_given_and_its_record_beside_it(tmp_path: Path) -> None:
    path = save(tmp_path / "in" / "a.png", noise(4, 4))
    (file,) = find_inputs([path], EXTENSIONS_OF_RUN).files
    assert (file.path, file.name) == (path, path.as_posix())
    assert file.records == (tmp_path / "in" / "a.png.json", tmp_path / "in" / "a.json")
    assert file.original is None


def test_a_file_that_is_named_counts_whatever_its_extension(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere")
    found = find_inputs([tmp_path / "notes.txt", tmp_path / "dangling.png"], EXTENSIONS_OF_RUN)
    assert [file.path.name for file in found.files] == ["notes.txt", "dangling.png"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.png: no such file or folder"):
        find_inputs([tmp_path / "none.png"], EXTENSIONS_OF_RUN)


def test_a_folder(tmp_path: Path) -> None:
    save(tmp_path / "sub" / "b.png", noise(4, 4))
    save(tmp_path / "a.jpg", noise(4, 4))
    (tmp_path / "a.json").touch()
    (tmp_path / "hidden.dat").write_bytes(b"GIF89a")
    (tmp_path / "other.json").touch()
    found = find_inputs([tmp_path], EXTENSIONS_OF_RUN)
    assert [file.name for file in found.files] == ["a.jpg", "sub/b.png", "hidden.dat"]
    assert [file.path for file in found.files] == [tmp_path / file.name for file in found.files]
    assert found.others == {"other.json": tmp_path / "other.json"}
    assert not found.unreadable


def test_the_record_of_a_picture_with_a_twin_keeps_the_whole_name(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "b.png"):
        save(tmp_path / name, noise(4, 4))
    records = [file.records for file in find_inputs([tmp_path], EXTENSIONS_OF_RUN).files]
    assert records == [(tmp_path / name,) for name in ("a.jpg.json", "a.png.json", "b.json")]


def test_names_in_several_folders_begin_with_the_folder(tmp_path: Path) -> None:
    for name in ("one/a.png", "two/a.png"):
        save(tmp_path / name, noise(4, 4))
    (tmp_path / "two" / "notes.txt").touch()
    found = find_inputs([tmp_path / "one", tmp_path / "two"], EXTENSIONS_OF_RUN)
    assert [file.name for file in found.files] == [f"{tmp_path.as_posix()}/{name}/a.png" for name in ("one", "two")]
    assert list(found.others) == [f"{tmp_path.as_posix()}/two/notes.txt"]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a.png", noise(4, 4))
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_inputs([tmp_path], EXTENSIONS_OF_RUN)
    assert [file.name for file in found.files] == ["a.png"]
    assert found.unreadable == {"closed/": "folder cannot be listed: Permission denied"}


def test_the_original_has_the_same_name_in_another_folder() -> None:
    file = InputFile(Path("out"), "sub/a.png", "sub/a.png", originals=Path("in"))
    assert file.original == Path("in/sub/a.png")


NAMES = st.builds(
    lambda folder, stem, suffix: f"{folder}{stem}{suffix}",
    st.sampled_from(["", "sub/", "sub/below/"]),
    st.sampled_from(["a", "b", "a.png"]),
    st.sampled_from([".png", ".jpg", ".json", ".dat", ".txt", ""]),
)


@settings(max_examples=40)
@given(names=st.sets(NAMES, max_size=12), pictures=st.sets(NAMES))
def test_each_file_is_a_picture_or_a_record_or_something_else(names: set[str], pictures: set[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder, written = Path(scratch), set()
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_dir():
                path.write_bytes(b"GIF89a" if name in pictures else b"text")
                written.add(name)
        found = find_inputs([folder], EXTENSIONS)
        checked = [file.name for file in found.files]
        records = {path.relative_to(folder).as_posix() for file in found.files for path in file.records}
    assert len(checked) == len(set(checked))
    assert set(checked) >= {name for name in written if name in pictures or name.endswith((".png", ".jpg"))}
    assert not set(checked) & set(found.others)
    assert written - set(checked) - set(found.others) <= records


def test_a_file_and_a_folder_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    for name in ("a.png", "sub/b.png"):
        save(tmp_path / name, noise(4, 4))
    found = find_inputs([tmp_path / "sub", tmp_path / "a.png"], EXTENSIONS_OF_RUN)
    assert [file.name for file in found.files] == [(tmp_path / name).as_posix() for name in ("sub/b.png", "a.png")]
