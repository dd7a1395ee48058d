"""Tests of anonymizer.video.silence: what is muted is silent, and the rest stays as it is."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from video.film_samples import TIME_BASE, ffmpeg, packets_of, write_film
from video.test_writer import USUAL, result_of

from anonymizer.errors import PictureError
from anonymizer.settings import RedactSettings, Settings
from anonymizer.video import silence
from anonymizer.video.paint import Painter
from anonymizer.video.selection import select
from anonymizer.video.silence import loudest_in
from anonymizer.video.source import open_film
from anonymizer.video.survey import Survey
from anonymizer.video.tracks import Limits, TrackBuilder
from anonymizer.video.writer import FilmWriter

SPANS = [(0.6, 0.9), (1.5, 1.55)]
AROUND_S = 0.2
"""So far from a span everything is as before."""


def mute(source: Path, spans: list[tuple[float, float]] = SPANS) -> None:
    film = open_film(source)
    survey = Survey(film)
    for _ in survey.frames():
        pass
    settings = Settings(redact=RedactSettings(method="solid"))
    painter = Painter(TrackBuilder(Limits()).finish([0.0] * len(survey.times)), film.facts, settings.redact)
    chosen = select(film.facts, USUAL, "strip", survey.telemetry)
    FilmWriter(film, survey, painter, chosen, settings, mute=spans).write(result_of(source))


def sound_of(path: Path, track: int = 0) -> tuple[float, Any]:
    """When it begins, in seconds, and its samples, 48000 a second."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        resampler = av.AudioResampler("fltp", "mono", 48000)
        frames: list[Any] = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
        start = float(frames[0].pts * frames[0].time_base)
        return start, np.concatenate([frame.to_ndarray()[0] for frame in frames])


def part_of(sound: tuple[float, Any], first: float, end: float) -> Any:
    start, samples = sound
    return samples[round((first - start) * 48000) : round((end - start) * 48000)]


def is_muted(source: Path, track: int = 0) -> None:
    new = sound_of(result_of(source), track)
    for first, end in SPANS:
        assert np.abs(part_of(new, first, end)).max() < 1e-3
    for first, end in ((0.1, 0.6 - AROUND_S), (0.9 + AROUND_S, 1.5 - AROUND_S), (1.55 + AROUND_S, 1.9)):
        assert np.abs(part_of(new, first, end)).max() > 0.15


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.mp4", codec) for codec in ("aac", "ac3")),
        *(("a.mkv", codec) for codec in ("aac", "mp2", "ac3", "eac3", "pcm_s16le", "pcm_f32le", "pcm_s24be")),
        *(("a.mov", codec) for codec in ("aac", "pcm_s16be", "pcm_mulaw", "pcm_alaw", "pcm_u8")),
        *(("a.ts", codec) for codec in ("aac", "mp2", "ac3")),
        *(("a.avi", codec) for codec in ("mp2", "pcm_s16le", "pcm_u8")),
    ],
)
def test_packets_that_are_not_muted_stay_the_same(tmp_path: Path, name: str, codec: str) -> None:
    video, base = ("mpeg4", Fraction(1, 25)) if name == "a.avi" else ("libx264", TIME_BASE)
    source = write_film(tmp_path / name, video, 50, sounds=[codec], time_base=base)
    mute(source)
    is_muted(source)
    old, new = packets_of(source), packets_of(result_of(source))
    assert [time for _, _, time in old] == [time for _, _, time in new]
    changed = [time for (_, before, time), (_, after, _) in zip(old, new, strict=True) if before != after]
    assert 0 < len(changed) < 0.7 * len(old)
    if not codec.startswith("pcm"):
        assert all(any(first - AROUND_S < time < end + AROUND_S for first, end in SPANS) for time in changed if time)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "flac"), ("a.mkv", "libmp3lame"), ("a.mp4", "libmp3lame"), ("a.mkv", "libopus"), ("a.mp4", "alac")],
)
def test_other_tracks_are_encoded_anew(tmp_path: Path, name: str, codec: str) -> None:
    source = write_film(tmp_path / name, frames=50, sounds=[codec])
    mute(source)
    is_muted(source)
    (_, old), (_, new) = sound_of(source), sound_of(result_of(source))
    assert len(new) == pytest.approx(len(old), abs=4000)
    if codec in ("flac", "alac"):  # nothing is lost
        muted = np.flatnonzero(old[: len(new)] != new[: len(old)]) / 48000
        assert all(any(first - 0.06 < each < end + 0.06 for first, end in SPANS) for each in muted)


def test_all_tracks_are_muted_and_say_what_they_said(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mkv", frames=50, sounds=["aac", "flac", "libopus"])
    mute(source)
    for track in range(3):
        is_muted(source, track)
    old, new = (open_film(path).facts.streams for path in (source, result_of(source)))
    assert [(s.codec, s.language, s.disposition) for s in old] == [(s.codec, s.language, s.disposition) for s in new]


def test_the_sound_is_muted_in_sound_of_two_channels(tmp_path: Path) -> None:
    write_film(tmp_path / "mono.mkv", frames=50, sounds=["pcm_s16le"])
    for codec in ("aac", "ac3", "pcm_s24le", "flac"):
        ffmpeg("-i", tmp_path / "mono.mkv", "-c:v", "copy", "-ac", "2", "-c:a", codec, tmp_path / f"{codec}.mkv")
        mute(tmp_path / f"{codec}.mkv")
        is_muted(tmp_path / f"{codec}.mkv")


def test_what_can_be_heard_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_film(tmp_path / "a.mp4", frames=50, sounds=["aac"])
    monkeypatch.setattr(silence, "touches", lambda packet, spans, margin_s: False)
    with pytest.raises(PictureError, match="can be heard where its sound was muted"):
        mute(source)


def test_sound_that_nothing_encodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_film(tmp_path / "a.mkv", frames=50, sounds=["flac"])
    monkeypatch.setattr(silence, "_ENCODERS", {"flac": "nothing"})
    with pytest.raises(PictureError, match="nothing here encodes flac; --audio drop leaves it out"):
        mute(source)


def test_how_loud_a_span_is() -> None:
    samples = np.zeros((1, 1000), np.int16)
    samples[0, 500:510] = -16384
    frame: Any = av.AudioFrame.from_ndarray(samples, "s16", "mono")
    frame.sample_rate, frame.pts, frame.time_base = 1000, 2000, Fraction(1, 1000)
    assert loudest_in(frame, [(2.4, 2.6)]) == pytest.approx(0.5, abs=1e-3)
    assert loudest_in(frame, [(0.0, 2.5), (2.51, 9.0)]) == 0
    assert loudest_in(frame, [(5.0, 9.0)]) == 0


def test_open_spans(tmp_path: Path) -> None:
    for codec in ("aac", "pcm_s16le", "flac"):
        source = write_film(tmp_path / f"{codec}.mkv", frames=50, sounds=[codec])
        mute(source, [(-inf, 0.5), (1.5, inf)])
        new = sound_of(result_of(source))
        assert np.abs(part_of(new, 0, 0.5)).max() < 1e-3
        assert np.abs(part_of(new, 1.5, 2)).max() < 1e-3
        assert np.abs(part_of(new, 0.7, 1.3)).max() > 0.15
