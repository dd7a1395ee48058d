from pathlib import Path

import numpy as np
import pytest
from audit import drawn
from audit.test_film import Still
from audit.test_identify import Colours

from anonymizer.audit.film import shake
from anonymizer.audit.footage import Footage, attack_footage, both_films, read_footage, stretches_of
from anonymizer.audit.redactions import redaction
from anonymizer.errors import SettingsError
from anonymizer.geometry import Box
from anonymizer.recognise.landmarks import LandmarkFinder, MarkedFace
from anonymizer.types import Pixels8
from anonymizer.video.source import open_film


class Known(LandmarkFinder):
    """Knows where the landmarks of the drawn faces are; those of the shaky camera are nearly there."""

    def __init__(self) -> None:
        pass

    def find(self, rgb: Pixels8, box: Box) -> MarkedFace | None:
        return MarkedFace(box, drawn.landmarks(), 1)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    for person in (0, 1):
        frames = [frame for picture in (0, 1) for frame in shake(drawn.face(person, picture), 4, seed=picture).shown()]
        drawn.write_film(tmp_path / "films" / f"p{person}" / "film.mp4", frames)
    return tmp_path / "films"


def read(films: Path) -> list[Footage]:
    return read_footage(films, Still(), Known())


def test_people_are_told_by_frames_of_films(films: Path) -> None:
    footage = read(films)
    assert [(one.name, one.person, len(one.places)) for one in footage] == [
        ("p0/film.mp4", "p0", 8),
        ("p1/film.mp4", "p1", 8),
    ]
    others = [drawn.face(person) for person in (2, 3)]
    for name, is_told in (("none", True), ("solid", False)):
        attacks = list(attack_footage(footage, others, redaction(name), Still(), Colours(), frames=2))
        assert [attack.attacker for attack in attacks] == [
            "colours, one frame, clear gallery",
            "colours, one frame, redacted gallery",
            "colours, 2 frames, clear gallery",
            "colours, 2 frames, redacted gallery",
        ]
        assert attacks[0].result.pictures == 8
        assert (attacks[0].result.rank_1.value > 0.8) is is_told


def test_a_stretch_holds_the_mean_of_its_frames(films: Path) -> None:
    stretches = list(stretches_of(read(films)[0], redaction("none"), Still(), 3))
    assert len(stretches) == 2
    assert (stretches[0].clear == stretches[0].first).all()
    assert (stretches[0].mean != stretches[0].first).any()


def test_films_of_another_program_are_attacked(films: Path, tmp_path: Path) -> None:
    for person in ("p0", "p1"):
        drawn.write_film(tmp_path / "out" / person / "film.mp4", [np.zeros((160, 160, 3), np.uint8)] * 8)
    row = redaction(f"folder:{tmp_path / 'out'}")
    attacks = list(attack_footage(read(films), [drawn.face(2)], row, Still(), Colours(), frames=4))
    assert all(attack.result.rank_1.value <= 0.5 for attack in attacks)


def test_an_output_may_show_a_frame_twice(films: Path, tmp_path: Path) -> None:
    film = open_film(films / "p0" / "film.mp4")
    drawn.write_film(tmp_path / "long.mp4", [np.full((160, 160, 3), 20 * index, np.uint8) for index in range(9)])
    levels = [int(after.mean()) for _, after in both_films(film, tmp_path / "long.mp4")]
    assert levels == pytest.approx([20 * index for index in range(8)], abs=2)


def test_an_output_needs_all_frames(films: Path, tmp_path: Path) -> None:
    film = open_film(films / "p0" / "film.mp4")
    drawn.write_film(tmp_path / "short.mp4", [np.zeros((160, 160, 3), np.uint8)] * 3)
    with pytest.raises(SettingsError, match="shows nothing at the time of frame 5"):
        list(both_films(film, tmp_path / "short.mp4"))
    drawn.write_film(tmp_path / "small.mp4", [np.zeros((80, 80, 3), np.uint8)] * 8)
    with pytest.raises(SettingsError, match="another size"):
        list(both_films(film, tmp_path / "small.mp4"))
    with pytest.raises(SettingsError, match="missing"):
        list(both_films(film, tmp_path / "missing.mp4"))


def test_a_folder_without_films_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no folder with a film"):
        read(tmp_path)


def test_too_few_frames_are_told(films: Path) -> None:
    with pytest.raises(SettingsError, match="no film shows 9 frames"):
        list(attack_footage(read(films), [], redaction("none"), Still(), Colours(), frames=9))
