from pathlib import Path

import pytest

from anonymizer.errors import SettingsError
from anonymizer.recognise.gallery_folder import digest_of, pictures_of


def test_pictures_belong_to_the_person_of_the_uppermost_folder(tmp_path: Path) -> None:
    for name in ("ada/1.png", "ada/more/2.jpg", "grace/3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    assert pictures_of(tmp_path) == {
        "ada": [tmp_path / "ada" / "1.png", tmp_path / "ada" / "more" / "2.jpg"],
        "grace": [tmp_path / "grace" / "3.png"],
    }


def test_the_digest_follows_pictures_and_names(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.png").write_bytes(b"one")
    before = digest_of(tmp_path)
    assert digest_of(tmp_path) == before
    (tmp_path / "a" / "one.png").write_bytes(b"other")
    other = digest_of(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({before, other, digest_of(tmp_path)}) == 3


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no picture"):
        pictures_of(tmp_path)
    (tmp_path / "loose.png").write_bytes(b"")
    with pytest.raises(SettingsError, match=r"loose\.png lies in no person's folder"):
        pictures_of(tmp_path)


def test_a_folder_that_is_not_there_is_named_as_the_gallery(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^gallery .*nowhere is not a folder$"):
        pictures_of(tmp_path / "nowhere")
