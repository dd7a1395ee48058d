from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from anonymizer.errors import PictureError
from anonymizer.files.memory import OWN_FILES, has_memory_files, memory_file, written_in_memory

pytestmark = pytest.mark.skipif(not has_memory_files(), reason="this system has no files in memory")


def test_a_file_holds_what_it_was_given_and_is_gone_afterwards() -> None:
    with memory_file(b"frames") as path:
        assert path.parent == Path(OWN_FILES)
        assert path.read_bytes() == b"frames"
        with open(path, "r+b") as file:
            file.write(b"F")
        assert path.read_bytes() == b"Frames"
    assert not path.exists()


def test_places_are_in_no_folder(tmp_path: Path) -> None:
    with written_in_memory(tmp_path, [Path("a.json"), Path("a.mp4")]) as places:
        for number, place in enumerate(places):
            place.write_bytes(bytes(number + 1))
        assert [os.stat(place).st_size for place in places] == [1, 2]
        assert {os.stat(place).st_nlink for place in places} == {0}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("code", "reason"), [(errno.EFBIG, "larger than may be written"), (errno.EIO, "Input/output")])
def test_what_cannot_be_written_fails_the_film(tmp_path: Path, code: int, reason: str) -> None:
    with pytest.raises(PictureError, match=reason), written_in_memory(tmp_path, [Path("a")]):
        raise OSError(code, os.strerror(code))
