"""Tests of anonymizer.video.trimmed: a part of a film, and nothing of the rest."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from fakes import Folders
from video.film_samples import packets_of, write_film
from video.test_process import SETTINGS, SIZE, names_in, run, still_shown

from anonymizer.errors import PictureError
from anonymizer.settings import Settings, VideoSettings
from anonymizer.video.source import Film, FilmFrame, open_film
from anonymizer.video.trimmed import Cut, trim


def times_of(film: Film) -> list[Fraction]:
    return [frame.time * film.facts.time_base for frame in film.frames()]


def part(first_s: float = 0.0, end_s: float | None = None) -> Settings:
    video = VideoSettings(video_from=first_s, video_to=end_s)
    return Settings(detect=SETTINGS.detect, video=video)


def test_a_film_without_limits_is_itself(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4"))
    assert trim(film, 0, None) is film
    assert film.is_whole


def test_frames_and_packets_that_begin_in_the_part(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4", frames=25, sounds=["aac"], chapters=True))
    some = trim(film, 0.2, 0.6)
    assert not some.is_whole
    assert times_of(some) == [Fraction(index, 25) for index in range(10)]
    assert [frame.index for frame in some.frames()] == list(range(10))
    sounds = [item for item in some.read() if not isinstance(item, FilmFrame)]
    moments = [float(packet.pts * packet.time_base) for packet in sounds if packet.pts is not None]
    assert 0 <= min(moments) < 0.03
    assert 0.35 < max(moments) < 0.4
    borders = [float(end * one.time_base) for one in some.facts.chapters for end in (one.start, one.end)]
    assert borders == pytest.approx([0, 0.3, 0.3, 0.4], abs=0.01)


def test_how_many_frames_were_passed_over_is_told(tmp_path: Path) -> None:
    passed: list[int] = []
    film = open_film(write_film(tmp_path / "a.mp4", frames=8))
    assert len(list(trim(film, 0.08, 0.2, passed.append).frames())) == 3
    assert passed == [1, 2, 3, 4, 5]


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    times = [7000 + 512 * index for index in range(10)]
    film = open_film(write_film(tmp_path / "a.mp4", frames=10, times=times))
    assert len(times_of(trim(film, 0, 0.2))) == 5
    start = times_of(film)[0]
    assert float(times_of(trim(film, 0.1, None))[0] - start) == pytest.approx(0.02, abs=0.002)


def test_what_lies_before_and_after_is_not_written(folders: Folders) -> None:
    source = write_film(folders[0] / "a.mp4", frames=25, size=SIZE, sounds=["aac"])
    result = run(folders, "a.mp4", part(0.2, 0.6))
    assert (result.status, result.reason) == ("anonymized", None)
    assert result.film is not None
    assert (result.film["frames"], result.film["seconds"]) == (10, pytest.approx(0.4, abs=0.02))
    assert result.left_out == ("what is shown before --video-from and after --video-to",)
    assert still_shown(folders[1] / "a.mp4") == 0
    assert times_of(open_film(folders[1] / "a.mp4")) == [Fraction(index, 25) for index in range(10)]
    known, written = ([content for _, content, _ in packets_of(path)] for path in (source, folders[1] / "a.mp4"))
    assert 5 < len(written) < len(known)
    first = known.index(written[0])
    assert known[first : first + len(written)] == written
    with av.open(str(folders[1] / "a.mp4")) as container:
        assert container.duration is not None
        assert container.duration / av.time_base < 0.5


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.mov"])
def test_other_containers(folders: Folders, name: str) -> None:
    write_film(folders[0] / name, "libx264", 25, size=SIZE, options={"bf": "2"}, sounds=["mp2"])
    result = run(folders, name, part(0.4))
    assert result.reason is None
    assert result.film is not None
    assert result.film["frames"] == 15
    assert still_shown(folders[1] / name) == 0


def test_a_part_without_a_frame(folders: Folders) -> None:
    write_film(folders[0] / "a.mp4", frames=5, size=SIZE)
    assert run(folders, "a.mp4", part(3)).reason == "shows no frame between --video-from and --video-to"
    assert names_in(folders[1]) == []


def test_damage_elsewhere_fails_the_part_too(folders: Folders) -> None:
    content = write_film(folders[0] / "a.ts", "libx264", 50, size=SIZE).read_bytes()
    half = len(content) // 2 // 188 * 188
    (folders[0] / "a.ts").write_bytes(content[:half] + bytes(188 * 4) + content[half + 188 * 4 :])
    with pytest.raises(PictureError):
        list(trim(open_film(folders[0] / "a.ts"), 0, 0.2).frames())


def test_what_has_no_time_belongs_to_no_part() -> None:
    cut = Cut(Fraction(1), Fraction(2))
    assert [cut.holds(time, Fraction(1, 10)) for time in (None, 9, 10, 19, 20)] == [False, False, True, True, False]
