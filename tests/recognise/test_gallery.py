from pathlib import Path

import cv2
import pytest
from recognise.faces import astronaut, couple, reader, senator

from anonymizer.errors import SettingsError
from anonymizer.recognise.gallery import read_gallery
from anonymizer.types import Pixels8


def save(path: Path, rgb: Pixels8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), rgb[:, :, ::-1])


def test_a_gallery_holds_each_person(tmp_path: Path) -> None:
    save(tmp_path / "Eileen" / "one.png", astronaut())
    save(tmp_path / "Eileen" / "darker.png", astronaut() // 2)
    save(tmp_path / "Senator" / "one.png", senator())
    assert sorted(read_gallery(tmp_path, reader()).people) == ["Eileen", "Senator"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no picture"),
        ({"loose.png": astronaut()}, "loose.png lies in no person's folder"),
        ({"a/two.png": couple()}, "a/two.png shows more than one face"),
        ({"a/none.png": astronaut()[300:, :200]}, "a/none.png shows no face"),
        ({"a/1.png": astronaut(), "a/2.png": senator()}, "shows someone else than the other pictures of a"),
        ({"a/1.png": astronaut(), "b/2.png": astronaut() // 2}, "a and b look like the same person"),
    ],
)
def test_what_is_no_gallery_is_refused(tmp_path: Path, files: dict[str, Pixels8], message: str) -> None:
    for name, rgb in files.items():
        save(tmp_path / name, rgb)
    with pytest.raises(SettingsError, match=message):
        read_gallery(tmp_path, reader())


def test_damaged_pictures_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SettingsError, match=r"a/x\.jpg"):
        read_gallery(tmp_path, reader())
    with pytest.raises(SettingsError, match="gone"):
        read_gallery(tmp_path / "gone", reader())
