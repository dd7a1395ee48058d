"""The gate over stores finds what it finds in folders."""

import json
from pathlib import Path

import pytest
from check.samples import check
from fakes import Folders, KeenDetector, UseDetectors, face, noise, save
from stores import contents_of, fill, in_memory
from video.film_samples import write_film

from anonymizer import anonymize_folder
from anonymizer.addresses import Address
from anonymizer.check.plan import make_check_plan
from anonymizer.errors import SettingsError
from anonymizer.files.storage import storage_of

FOUND = face(5, 5, 25, 25)


@pytest.fixture
def stored(folders: Folders, use_detectors: UseDetectors) -> tuple[Address, Address]:
    """Addresses of an input with a film, and of its output."""
    for index, name in enumerate(("a.png", "sub/b.png", "sub/b.jpg")):
        save(folders[0] / name, noise(40, 40, seed=index))
    write_film(folders[0] / "film.mp4", frames=3)
    use_detectors(KeenDetector(FOUND))
    contents = {p.relative_to(folders[0]).as_posix(): p.read_bytes() for p in folders[0].rglob("*.*")}
    source, target = in_memory(contents), in_memory({})
    assert anonymize_folder(str(source), str(target), workers=0).exit_code == 0
    return source, target


def local_copy(root: Address, folder: Path) -> Path:
    for name, content in contents_of(root).items():
        if not name.startswith("anonymize-manifest"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def test_a_clean_output_is_clean(stored: tuple[Address, Address]) -> None:
    source, target = stored
    assert [finding for finding in check(target) if finding.level != "noted"] == []
    assert [finding for finding in check(target, against=str(source)) if finding.level != "noted"] == []


def test_finds_what_it_finds_in_a_folder(stored: tuple[Address, Address], tmp_path: Path) -> None:
    source, target = stored
    fill(target, {"sub/b.png": storage_of(source).read(Path("sub/b.png"))})  # not anonymized
    fill(target, {"film.mp4": storage_of(source).read(Path("film.mp4"))})
    fill(
        target, {"a.json": b"damaged", "extra.png": b"", "picture": save(tmp_path / "x.png", noise(9, 9)).read_bytes()}
    )
    storage_of(target).remove(Path("sub/b.jpg"))
    found = check(target, against=str(source))
    folder, originals = local_copy(target, tmp_path / "out"), local_copy(source, tmp_path / "in")
    assert found == check(folder, against=originals)
    assert {finding.kind for finding in found} >= {"visible", "missing", "extra", "unreadable"} - {"visible"}


def test_writes_its_findings_here(stored: tuple[Address, Address], tmp_path: Path) -> None:
    check(stored[1], json=tmp_path / "findings.json", html=tmp_path / "page.html")
    assert json.loads((tmp_path / "findings.json").read_text())["complete"]
    assert stored[1].root not in (tmp_path / "findings.json").read_text()


def test_single_files_and_several_folders(stored: tuple[Address, Address]) -> None:
    source, target = stored
    files = [file.name for file in make_check_plan([target / "a.png"], {}).files]
    assert files == [f"{target}/a.png"]
    names = [file.name for file in make_check_plan([target / "sub", source], {}).files]
    assert f"{target}/sub/b.png" in names
    assert f"{source}/a.png" in names


def test_a_folder_that_is_not_there(stored: tuple[Address, Address]) -> None:
    with pytest.raises(SettingsError, match="nothing to check"):
        make_check_plan([stored[1] / "nothing"], {})


def test_a_copy_that_vanishes_is_unreadable(stored: tuple[Address, Address], monkeypatch: pytest.MonkeyPatch) -> None:
    from anonymizer.check.file_check import FileCheck

    plan = make_check_plan([stored[1]], {"workers": 0})
    storage_of(stored[1]).remove(Path("a.png"))
    numbered = next((number, file) for number, file in enumerate(plan.files) if file.name == "a.png")
    (finding,) = FileCheck(plan).begin()(numbered).findings
    assert (finding.kind, finding.text[:16]) == ("unreadable", "cannot be checke")
