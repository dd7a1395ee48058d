import errno
import os
from pathlib import Path

import pytest

from anonymizer.errors import OutputError, PictureError
from anonymizer.files.write import remove_files, write_files, written_together


def test_writes_into_new_folders_and_replaces(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        write_files(tmp_path, {Path("a/b/c.bin"): content})
        assert (tmp_path / "a/b/c.bin").read_bytes() == content
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["c.bin"]


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, OutputError), (errno.EROFS, OutputError), (errno.EACCES, PictureError)]
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, error: type[Exception]
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(error, match=os.strerror(number)):
        write_files(tmp_path, {Path("a.bin"): b"content"})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {Path("a.bin"): b"old"})

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError) as caught:
        write_files(tmp_path, {Path("a.bin"): b"new"})
    assert caught.value.exit_code == 4
    assert (tmp_path / "a.bin").read_bytes() == b"old"


def test_the_next_run_cleans_up_after_one_that_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(os, "replace", lambda *paths: None)
        killed.setattr(Path, "unlink", lambda self, missing_ok: None)
        write_files(tmp_path, {Path("a.bin"): b"half"})
    (left_over,) = tmp_path.iterdir()
    assert left_over.name.startswith(".")
    write_files(tmp_path, {Path("a.bin"): b"whole"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_links_out_of_the_output_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "source")
    with pytest.raises(PictureError, match="outside the output folder"):
        write_files(tmp_path / "out", {Path("sub/a.bin"): b"content"})
    assert list((tmp_path / "source").iterdir()) == []


def test_a_link_at_the_target_is_replaced_not_followed(tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(b"original")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.bin").symlink_to(source)
    write_files(tmp_path / "out", {Path("a.bin"): b"new"})
    assert source.read_bytes() == b"original"
    assert not (tmp_path / "out" / "a.bin").is_symlink()


def test_names_that_are_too_long_fail_alone(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="File name too long"):
        write_files(tmp_path, {Path("x" * 300): b"content"})


def test_removing(tmp_path: Path) -> None:
    write_files(tmp_path, {Path("a/b.bin"): b"content"})
    for _ in range(2):
        remove_files(tmp_path, [Path("a/b.bin")])
        assert not (tmp_path / "a/b.bin").exists()
    write_files(tmp_path, {Path("file"): b"content"})
    remove_files(tmp_path, [Path("file/below")])


def test_files_that_belong_together_change_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {Path("a.json"): b"old", Path("a.png"): b"old"})
    replace = os.replace

    def stop_at_the_second(old: Path, new: Path) -> None:
        if new.name == "a.png":
            raise KeyboardInterrupt
        replace(old, new)

    monkeypatch.setattr(os, "replace", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, {Path("a.json"): b"new", Path("a.png"): b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.png": b"old"}


def test_a_full_disk_changes_neither_of_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {Path("a.json"): b"old", Path("a.png"): b"old"})
    calls = []

    def fill_up(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(OutputError):
        write_files(tmp_path, {Path("a.json"): b"new", Path("a.png"): b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"old", "a.png": b"old"}


def test_removing_follows_no_link_out_of_the_output(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.png").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "source")
    remove_files(tmp_path / "out", [Path("sub/a.png")])
    assert (tmp_path / "source" / "a.png").exists()


def test_files_that_others_write_appear_together_or_not_at_all(tmp_path: Path) -> None:
    names = [Path("a.json"), Path("a.mp4")]
    with written_together(tmp_path, names) as places:
        for place in places:
            place.write_bytes(b"new")
        assert not any((tmp_path / name).exists() for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.mp4"]
    with pytest.raises(PictureError, match="No such file"), written_together(tmp_path / "b", names) as places:
        places[0].write_bytes(b"new")  # and not the other one
    with pytest.raises(ZeroDivisionError), written_together(tmp_path / "b", names) as places:
        places[1].write_bytes(bytes(1 // 0))
    assert list((tmp_path / "b").iterdir()) == []
