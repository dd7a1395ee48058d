"""Tests of anonymizer.video.survey."""

from pathlib import Path

import pytest
from video.film_samples import ffmpeg, write_film

from anonymizer.video.source import open_film
from anonymizer.video.survey import Survey


def surveyed(path: Path) -> Survey:
    survey = Survey(open_film(path))
    for _ in survey.frames():
        pass
    return survey


def test_times_duration_and_rate(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", frames=25, sounds=["aac"])
    survey = surveyed(path)
    assert list(survey.times) == [512 * index for index in range(25)]
    assert survey.duration_s == pytest.approx(1)
    assert survey.account.frames.number == 25
    assert survey.bit_rate is not None
    assert 0 < survey.bit_rate < 8 * path.stat().st_size
    assert not survey.telemetry


def test_a_single_frame_has_no_rate(tmp_path: Path) -> None:
    assert surveyed(write_film(tmp_path / "a.mkv", frames=1)).bit_rate is None


def test_subtitles_with_coordinates_are_noted(tmp_path: Path) -> None:
    write_film(tmp_path / "plain.mp4", frames=25)
    (tmp_path / "s.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\n[latitude: 48.1374] [longitude: 11.5755]\n")
    ffmpeg("-i", tmp_path / "plain.mp4", "-i", tmp_path / "s.srt", "-c", "copy", "-c:s", "mov_text", tmp_path / "a.mp4")
    assert surveyed(tmp_path / "a.mp4").telemetry == {1}


def test_frames_are_counted_on_the_way(tmp_path: Path) -> None:
    numbers: list[int] = []
    survey = Survey(open_film(write_film(tmp_path / "a.mp4", frames=3)), numbers.append)
    assert len(list(survey.frames())) == 3
    assert numbers == [1, 2, 3]
