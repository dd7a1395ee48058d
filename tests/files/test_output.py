from pathlib import Path

import pytest

from anonymizer.errors import OutputError
from anonymizer.files.output import check_masks, check_output, is_same_name, make_output


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    return tmp_path / "in"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("in", "is the input folder"),
        ("in/sub/../../in", "is the input folder"),
        ("in/out", "lies inside the input folder"),
        ("in/sub", "lies inside the input folder"),
        ("link/out", "lies inside the input folder"),
        (".", "contains the input folder"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_outputs_that_mix_with_the_input(
    tmp_path: Path, source: Path, output: str, message: str, overwrite: bool
) -> None:
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(OutputError, match=message) as caught:
        check_output(source, tmp_path / output, overwrite)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ("in", "is the input folder"),
        ("in/masks", "lies inside the input folder"),
        ("out", "lies in or around the output folder"),
        ("out/masks", "lies in or around the output folder"),
        ("link/masks", "lies in or around the output folder"),
        ("around", "lies in or around the output folder"),
        ("used", "is not empty"),
    ],
)
def test_folders_for_masks_that_mix_with_others(tmp_path: Path, source: Path, masks: str, message: str) -> None:
    output = tmp_path / ("around/out" if masks == "around" else "out")
    (tmp_path / "link").symlink_to(output)
    (tmp_path / "used" / "sub").mkdir(parents=True)
    with pytest.raises(OutputError, match=message) as caught:
        check_masks(source, output, tmp_path / masks, overwrite=False)
    assert caught.value.exit_code == 4
    check_masks(source, output, tmp_path / "masks", overwrite=False)


def test_new_and_empty_folders_are_fine(tmp_path: Path, source: Path) -> None:
    check_output(source, tmp_path / "new" / "deep", overwrite=False)
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    check_output(source, tmp_path / "empty", overwrite=False)


def test_folders_in_use_need_overwrite(tmp_path: Path, source: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").touch()
    with pytest.raises(OutputError, match="not empty; add --overwrite"):
        check_output(source, tmp_path / "out", overwrite=False)
    check_output(source, tmp_path / "out", overwrite=True)


def test_names_like_the_input_are_not_inside_it(tmp_path: Path, source: Path) -> None:
    check_output(source, tmp_path / "in2", overwrite=False)


def test_a_file_is_no_folder(tmp_path: Path, source: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="Not a directory"):
        check_output(source, tmp_path / "out", overwrite=True)


def test_a_link_to_itself(tmp_path: Path, source: Path) -> None:
    (tmp_path / "out").symlink_to("out")
    with pytest.raises(OutputError, match=r"leads to itself|Too many levels"):
        check_output(source, tmp_path / "out", overwrite=True)


def test_making_it_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        make_output(tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.jpg", "A.JPG"), ("caf\u00e9.jpg", "cafe\u0301.jpg"), ("sub/a.jpg", "SUB/a.jpg"), ("a.jpg", "sub/a.jpg")],
)
def test_names_are_told_apart_as_the_file_system_does(tmp_path: Path, one: str, other: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "probe").touch()
    is_folding = (tmp_path / "PROBE").exists()  # that of the machine that runs the tests
    if not is_folding:
        assert not is_same_name(tmp_path, Path(one), Path(other))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["probe", "sub"]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("a.jpg", "A.JPG", True),
        ("sub/a.jpg", "SUB/A.jpg", True),
        ("new/below/a.jpg", "NEW/below/A.jpg", True),
        ("a.jpg", "b.jpg", False),
        ("a.jpg", "sub/a.jpg", False),
    ],
)
def test_names_on_a_file_system_without_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str, is_same: bool
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.setattr("os.path.lexists", lambda path: Path(path.lower()).exists())
    assert is_same_name(tmp_path, Path(one), Path(other)) is is_same


def test_names_that_cannot_be_tried_count_as_the_same(tmp_path: Path) -> None:
    """One picture less is better than one that is lost."""
    assert is_same_name(tmp_path / "nowhere", Path("a.jpg"), Path("A.jpg"))
    assert is_same_name(tmp_path, Path("a" * 300), Path("A" * 300))
