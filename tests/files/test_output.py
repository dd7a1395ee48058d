from pathlib import Path

import pytest

from anonymizer.errors import OutputError
from anonymizer.files.output import check_output, make_output


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
