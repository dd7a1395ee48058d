"""Tests of anonymizer.video.writer: each film is copied in parts and rightly so, or encoded as a whole."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from video.film_samples import SIZE, TIME_BASE, ffmpeg, packets_of, write_film

from anonymizer.errors import PictureError
from anonymizer.geometry import Box
from anonymizer.redact.cells import Levels
from anonymizer.redact.scene import Seed
from anonymizer.settings import RedactSettings, Settings, VideoSettings
from anonymizer.types import Detection
from anonymizer.video import splice, writer
from anonymizer.video.h264 import (
    IDR_SLICE,
    MESSAGE,
    SEQUENCE,
    Configuration,
    kept_units,
    read_sequence,
    to_sample,
    type_of,
    units_of_sample,
)
from anonymizer.video.paint import Painter
from anonymizer.video.selection import select
from anonymizer.video.source import open_film
from anonymizer.video.survey import Survey
from anonymizer.video.writer import FilmWriter, Written, facts_of

FRAMES = 40
HIDDEN = (12, 13, 14)
USUAL = VideoSettings()
GROUPS = {"g": "10", "keyint_min": "10", "sc_threshold": "0"}
"""Options of an encoder: a closed group every 10 frames."""
HDR = "mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):cll=1000,400"


@dataclass(frozen=True)
class HiddenIn:
    """A square that is hidden in some frames."""

    frames: Sequence[int] = HIDDEN

    def in_frame(self, index: int) -> list[Detection]:
        return [Detection(Box(8, 8, 40, 40), 0.9, "face", track=1)] if index in self.frames else []

    def levels_of(self, track: int) -> Levels | None:
        return None

    def seed_of(self, track: int) -> Seed:
        return ()


def rewrite(source: Path, hidden: Iterable[int] = HIDDEN, video: VideoSettings = USUAL) -> Written:
    film = open_film(source)
    survey = Survey(film)
    for _ in survey.frames():
        pass
    settings = Settings(video=video, redact=RedactSettings(method="solid"))
    painter = Painter(HiddenIn(tuple(hidden)), film.facts, settings.redact)
    chosen = select(film.facts, video, "strip", survey.telemetry)
    return FilmWriter(film, survey, painter, chosen, settings).write(result_of(source))


def result_of(source: Path) -> Path:
    return source.with_name(f"new-{source.name}")


def frames_of(path: Path) -> list[tuple[Fraction, tuple[bytes, ...]]]:
    """Time and samples of each frame."""
    film = open_film(path)
    return [
        (frame.time * film.facts.time_base, tuple(bytes(plane) for plane in frame.picture.planes))
        for frame in film.frames()
    ]


def copied_rightly(source: Path, written: Written, expected: list[tuple[int, int]]) -> None:
    assert (list(written.copied), written.why_not) == (expected, None)
    old, new = frames_of(source), frames_of(result_of(source))
    assert [time for time, _ in old] == [time for time, _ in new]
    is_same = [before == after for (_, before), (_, after) in zip(old, new, strict=True)]
    assert all(is_same[number] for first, end in expected for number in range(first, end))
    assert not any(is_same[number] for number in HIDDEN)
    assert packets_of(source) == packets_of(result_of(source))
    if (program := shutil.which("ffmpeg")) is not None:  # another version of FFmpeg, and its own decoder threads
        command = [program, "-v", "warning", "-xerror", "-i", str(result_of(source)), "-f", "null", "-"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        assert said == ""


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize(
    "options",
    [
        {"bf": "0"},
        {"bf": "2"},
        {"bf": "3", "refs": "4", "x264-params": "b-pyramid=normal"},
        {"profile": "baseline"},
        {"profile": "main", "slices": "4", "aud": "1"},
        {"nal-hrd": "vbr", "maxrate": "500k", "bufsize": "500k"},
        {"flags": "+ilme+ildct", "x264-params": "tff=1"},
    ],
    ids=["plain", "b-frames", "pyramid", "baseline", "slices", "clocks", "interlaced"],
)
def test_groups_without_anything_hidden_are_copied(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    source = write_film(tmp_path / name, frames=FRAMES, options={**GROUPS, **options}, sounds=["aac"])
    copied_rightly(source, rewrite(source), [(0, 10), (20, 40)])


@pytest.mark.parametrize(
    ("pixel_format", "more"),
    [
        ("yuv420p10le", {"x264-params": HDR}),
        ("yuv444p", {}),
        ("yuv422p", {}),
        ("yuvj420p", {}),
        ("yuv420p", {"qp": "0"}),
    ],
)
def test_profiles(tmp_path: Path, pixel_format: str, more: dict[str, str]) -> None:
    options = {**GROUPS, **more}
    source = write_film(tmp_path / "a.mp4", frames=FRAMES, options=options, pixel_format=pixel_format, sar=Fraction(4))
    copied_rightly(source, rewrite(source), [(0, 10), (20, 40)])
    old, new = open_film(source).facts, open_film(result_of(source)).facts
    for name in ("profile", "sample_aspect_ratio", "colour", "pixel_format", "end", "mastering_display"):
        assert getattr(old, name) == getattr(new, name), name


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_variable_frame_rates(tmp_path: Path, name: str) -> None:
    times = [512 * n + (37 * n) % 300 for n in range(FRAMES)]
    source = write_film(tmp_path / name, frames=FRAMES, times=times, options={**GROUPS, "bf": "2"}, sounds=["aac"])
    copied_rightly(source, rewrite(source), [(0, 10), (20, 40)])


@pytest.mark.parametrize("options", [{"bf": "0", "refs": "5"}, {"bf": "3", "refs": "4"}, {"bf": "2", "refs": "2"}])
def test_both_parts_keep_as_many_frames_in_the_same_order(tmp_path: Path, options: dict[str, str]) -> None:
    """OpenH264 lost frames in front of an encoded part, or swapped them, where they did not."""
    source = write_film(tmp_path / "a.mp4", frames=FRAMES, options={**GROUPS, **options})
    copied_rightly(source, rewrite(source), [(0, 10), (20, 40)])
    with av.open(str(result_of(source))) as container:
        _, sets = Configuration.of(container.streams.video[0].codec_context.extradata)
    one, other = (read_sequence(unit) for unit in sets if type_of(unit) == SEQUENCE)
    assert (one.number, other.number) == (0, 31)
    for name in ("profile", "level", "reference_frames", "order", "reordered", "held"):
        assert getattr(one, name) == getattr(other, name), name


def test_frames_that_are_groups_by_themselves(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", frames=FRAMES, options={"g": "1"})
    copied_rightly(source, rewrite(source), [(0, 12), (15, 40)])


def test_many_parts(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", frames=FRAMES, options={**GROUPS, "g": "4", "keyint_min": "4", "bf": "2"})
    written = rewrite(source, [*HIDDEN, 0, 21, 39])
    copied_rightly(source, written, [(4, 12), (16, 20), (24, 36)])
    assert facts_of(written) == {"frames_copied": 24, "copied": [[4, 11], [16, 19], [24, 35]]}


def test_what_was_put_together_is_put_together_again(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", frames=FRAMES, options={**GROUPS, "bf": "2"})
    rewrite(source)
    again = result_of(source)
    written = rewrite(again, [35])
    assert (list(written.copied), written.why_not) == ([(0, 30)], None)
    assert [samples for _, samples in frames_of(again)][:30] == [s for _, s in frames_of(result_of(again))][:30]


def test_nothing_and_everything_is_hidden(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", frames=FRAMES, options=GROUPS)
    assert list(rewrite(source, []).copied) == [(0, FRAMES)]
    assert frames_of(source) == frames_of(result_of(source))
    written = rewrite(source, range(FRAMES))
    assert facts_of(written) == {
        "frames_copied": 0,
        "encoded_as_a_whole": "the film has no closed group of pictures in which nothing is hidden",
    }


@pytest.mark.parametrize("bf", ["0", "2"])
def test_edit_lists(tmp_path: Path, bf: str) -> None:
    """The group whose first frames the file leaves out was not looked at as a whole."""
    write_film(tmp_path / "whole.mp4", frames=50, options={**GROUPS, "bf": bf}, sounds=["aac"])
    ffmpeg("-ss", "0.5", "-i", tmp_path / "whole.mp4", "-c", "copy", tmp_path / "a.mp4")
    film = open_film(tmp_path / "a.mp4")
    assert sum(1 for _ in film.frames()) == 37
    assert list(rewrite(film.path, []).copied) == [(7, 37)]
    copied_rightly(film.path, rewrite(film.path), [(17, 37)])


class TestWhatIsNotCopied:
    def reason(self, source: Path, **more: Any) -> str:
        written = rewrite(source, **more)
        assert written.copied.frames == 0
        old, new = frames_of(source), frames_of(result_of(source))
        assert [time for time, _ in old] == [time for time, _ in new]
        return written.why_not or ""

    @pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
    @pytest.mark.parametrize(
        "options",
        [
            {"bf": "3", "x264-params": "open-gop=1:scenecut=0"},
            {"intra-refresh": "1"},
        ],
        ids=["open groups", "intra refresh"],
    )
    def test_key_frames_that_do_not_begin_anew(self, tmp_path: Path, name: str, options: dict[str, str]) -> None:
        source = write_film(tmp_path / name, frames=FRAMES, options={**GROUPS, **options})
        with av.open(str(source)) as container:
            keys = sum(packet.is_keyframe for packet in container.demux(video=0))
        assert keys == 4  # that is what the file says
        assert "no closed group" in self.reason(source)

    def test_by_request(self, tmp_path: Path) -> None:
        source = write_film(tmp_path / "a.mp4", frames=FRAMES, options=GROUPS)
        assert "not to be copied" in self.reason(source, video=VideoSettings(video_copy=False))

    @pytest.mark.parametrize(
        ("name", "codec", "time_base"),
        [("a.mp4", "mpeg4", TIME_BASE), ("a.mkv", "libx265", TIME_BASE), ("a.avi", "libx264", Fraction(1, 25))],
    )
    def test_other_codecs_and_containers(self, tmp_path: Path, name: str, codec: str, time_base: Fraction) -> None:
        source = write_film(tmp_path / name, codec, FRAMES, options={"g": "10", "bf": "0"}, time_base=time_base)
        assert "not H.264 in MP4" in self.reason(source)

    def test_other_encoders(self, tmp_path: Path) -> None:
        source = write_film(tmp_path / "a.mkv", frames=FRAMES, options=GROUPS)
        assert "encoded by ffv1" in self.reason(source, video=VideoSettings(video_encoder="ffv1"))

    def test_what_the_encoder_does_not_match(self, tmp_path: Path) -> None:
        source = write_film(tmp_path / "a.mp4", frames=FRAMES, options=GROUPS, pixel_format="gray")
        assert "does not keep to the parameters" in self.reason(source)

    def test_pixels_that_are_cut_off(self, tmp_path: Path) -> None:
        """A film that was made smaller without encoding it holds what was cut off, and nobody looked at that."""
        write_film(tmp_path / "whole.mp4", frames=FRAMES, options=GROUPS)
        ffmpeg("-i", tmp_path / "whole.mp4", "-c", "copy", "-bsf:v", "h264_metadata=crop_right=32", tmp_path / "a.mp4")
        assert open_film(tmp_path / "a.mp4").facts.width == SIZE[0] - 32
        assert "decoded but not shown" in self.reason(tmp_path / "a.mp4")


class TestWhatIsLeftOut:
    """Of copied packets."""

    def messages(self, path: Path) -> bytes:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            length, _ = Configuration.of(stream.codec_context.extradata)
            units = [u for p in container.demux(stream) if p.size for u in units_of_sample(bytes(p), length)]
        return b"".join(unit for unit in units if type_of(unit) == MESSAGE)

    def test_messages(self, tmp_path: Path) -> None:
        """Cameras write positions there."""
        write_film(tmp_path / "plain.mp4", frames=FRAMES, options=GROUPS)
        text = "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+lat=48.13743"
        ffmpeg("-i", tmp_path / "plain.mp4", "-c", "copy", "-bsf:v", text, tmp_path / "a.mp4")
        assert b"48.13743" in self.messages(tmp_path / "a.mp4")
        copied_rightly(tmp_path / "a.mp4", rewrite(tmp_path / "a.mp4"), [(0, 10), (20, 40)])
        assert self.messages(result_of(tmp_path / "a.mp4")) == b""

    @pytest.mark.parametrize("subtitles", ["keep", "drop"])
    @pytest.mark.parametrize("video_copy", [True, False])
    def test_captions(self, tmp_path: Path, subtitles: Any, video_copy: bool) -> None:
        """They lie between the frames, in copied parts as in others."""
        write_film(tmp_path / "plain.mp4", frames=FRAMES, options={**GROUPS, "bf": "0"})
        captions = b"\xb5\0\x31GA94\x03\xc1\xff\xfc\x94\x20\xff"
        message = b"\x06\x04" + bytes([len(captions)]) + captions + b"\x80"
        with av.open(str(tmp_path / "plain.mp4")) as plain, av.open(str(tmp_path / "a.mp4"), "w") as container:
            stream = container.add_stream_from_template(plain.streams.video[0])
            for packet in plain.demux(video=0):
                if packet.size:
                    new = av.Packet(to_sample([message]) + bytes(packet))
                    new.pts, new.dts, new.duration = packet.pts, packet.dts, packet.duration
                    new.time_base, new.is_keyframe, new.stream = packet.time_base, packet.is_keyframe, stream
                    container.mux(new)
        written = rewrite(tmp_path / "a.mp4", video=VideoSettings(subtitles=subtitles, video_copy=video_copy))
        assert written.copied.frames == (30 if video_copy else 0)
        found = self.messages(result_of(tmp_path / "a.mp4")).count(b"GA94")
        assert found == (FRAMES if subtitles == "keep" else 0)


class TestFaults:
    """What is written is read again; where it is not what it should be, the film is encoded as a whole."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return write_film(tmp_path / "a.mp4", frames=FRAMES, options={**GROUPS, "bf": "2"}, sounds=["aac"])

    def falls_back(self, source: Path) -> str:
        written = rewrite(source)
        assert written.copied.frames == 0
        assert [time for time, _ in frames_of(source)] == [time for time, _ in frames_of(result_of(source))]
        return written.why_not or ""

    def test_a_copied_packet_is_damaged(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def damage(units: Iterable[bytes]) -> Iterable[bytes]:
            for unit in units:
                yield unit[:-4] + bytes(4) if type_of(unit) != IDR_SLICE and len(unit) > 40 else unit

        monkeypatch.setattr(splice, "kept_units", lambda units, captions: damage(kept_units(units)))
        assert "cannot be put together" in self.falls_back(source)

    def test_a_copied_packet_is_another(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is damaged, but a frame is shown again in the place of another."""
        monkeypatch.setattr(splice, "kept_units", _repeating(kept_units))
        assert "cannot be put together" in self.falls_back(source)

    def test_the_encoder_loses_a_frame(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = splice.Splice._take

        def lose(self: splice.Splice, packets: Sequence[Any], stretch: Any) -> None:
            real(self, packets[:-1], stretch)

        monkeypatch.setattr(splice.Splice, "_take", lose)
        assert "another number of frames" in self.falls_back(source)

    def test_something_hidden_in_a_copied_frame(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Cannot be; if it were, it would not come out."""
        monkeypatch.setattr(Painter, "hides", lambda self, index: False)
        assert "would show what was hidden in frame 12" in self.falls_back(source)
        new = frames_of(result_of(source))
        assert all(new[number][1] != frames_of(source)[number][1] for number in HIDDEN)

    def test_the_whole_film_is_not_right_either(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*arguments: Any) -> None:
            raise PictureError("was not written right: nothing is")

        monkeypatch.setattr(writer, "verify", refuse)
        with pytest.raises(PictureError, match="nothing is"):
            rewrite(source)


def _repeating(
    real: Callable[[Iterable[bytes]], Iterable[bytes]],
) -> Callable[[Iterable[bytes], bool], Iterable[bytes]]:
    """Gives the fourth packet for the fifth."""
    seen: list[list[bytes]] = []

    def repeat(units: Iterable[bytes], captions: bool) -> Iterable[bytes]:
        seen.append(list(real(units)))
        return seen[3] if len(seen) == 5 else seen[-1]

    return repeat


def test_the_square_is_hidden(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mp4", frames=FRAMES, options=GROUPS)
    rewrite(source)
    for frame in open_film(result_of(source)).frames():
        plane = frame.picture.planes[0]
        square = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)[12:36, 12:36]
        assert (np.ptp(square) < 12) == (frame.index in HIDDEN)
