"""Every picture is looked at, whatever its extension says; nothing else is."""

from pathlib import Path

import pytest
from fakes import noise, save

from anonymizer.check.inputs import InputFile, find_inputs
from anonymizer.errors import SettingsError
from anonymizer.formats import EXTENSIONS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    save(folder / "sub" / "b.png", noise(8, 8))
    save(folder / "a.png", noise(8, 8))
    (folder / "a.json").write_text("[]")
    (folder / "b.json").write_text("[]")
    (folder / "hidden.dat").write_bytes(b"GIF89a")
    (folder / "notes.txt").touch()
    return folder


def test_pictures_by_extension_then_by_content_and_the_others(folder: Path) -> None:
    found = find_inputs([folder], EXTENSIONS)
    assert [file.name for file in found.files] == ["a.png", "sub/b.png", "hidden.dat"]
    assert found.others == {"b.json": folder / "b.json", "notes.txt": folder / "notes.txt"}
    assert found.unreadable == {}


def test_the_record_lies_where_a_run_puts_it(folder: Path) -> None:
    save(folder / "a.jpg", noise(8, 8))
    files = {file.name: file for file in find_inputs([folder], EXTENSIONS).files}
    assert files["sub/b.png"].records == (folder / "sub" / "b.json",)
    assert files["a.png"].records == (folder / "a.png.json",)
    assert files["hidden.dat"].records == (folder / "hidden.dat.json", folder / "hidden.json")


def test_files_that_are_named_keep_the_name_that_the_user_gave(folder: Path) -> None:
    (file,) = find_inputs([folder / "a.png"], EXTENSIONS).files
    assert file.name == (folder / "a.png").as_posix()
    assert file.path == folder / "a.png"
    assert file.records == (folder / "a.png.json", folder / "a.json")
    assert file.original is None


def test_several_places_are_told_apart_by_their_paths(folder: Path) -> None:
    found = find_inputs([folder / "sub", folder / "a.png"], EXTENSIONS)
    assert [file.name for file in found.files] == [(folder / "sub/b.png").as_posix(), (folder / "a.png").as_posix()]


def test_broken_links_are_files_and_missing_ones_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("nowhere")
    assert [file.path for file in find_inputs([tmp_path / "a.png"], EXTENSIONS).files] == [tmp_path / "a.png"]
    with pytest.raises(SettingsError, match="no such file or folder"):
        find_inputs([tmp_path / "b.png"], EXTENSIONS)


def test_an_original_has_the_same_name() -> None:
    file = InputFile(Path("out"), "sub/a.png", "sub/a.png", originals=Path("in"))
    assert file.original == Path("in/sub/a.png")
