"""Tests of anonymizer.video.sink, of what it writes: everything but the pixels is that of the source."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from video.film_samples import RATE, SIZE, TIME_BASE, ffmpeg, moving_pictures, packets_of, write_film

from anonymizer.errors import PictureError
from anonymizer.settings import MetadataPolicy, ReadSettings, VideoSettings
from anonymizer.video.facts import FilmFacts
from anonymizer.video.selection import select
from anonymizer.video.sink import FilmSink, Rhythm, SinkPlan, choose_encoding
from anonymizer.video.source import FilmFrame, open_film, to_rgb
from anonymizer.video.structure import packet_size
from anonymizer.video.verify import Account, verify

SETTINGS = VideoSettings()
ONE = 1 << 16
COARSE = Fraction(1, RATE)
HDR_OPTIONS = {
    "libx265": {
        "x265-params": "log-level=none:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)"
        "WP(15635,16450)L(10000000,1):max-cll=1000,400"
    },
    "libsvtav1": {
        "preset": "12",
        "svtav1-params": "mastering-display=G(0.265,0.69)B(0.15,0.06)R(0.68,0.32)WP(0.3127,0.329)L(1000,0.0001):"
        "content-light=1000,400",
    },
}


def rewrite(
    source: Path, settings: VideoSettings = SETTINGS, policy: MetadataPolicy = "strip", encoder: str = "auto"
) -> tuple[FilmFacts, FilmFacts]:
    """Writes a film anew beside its source, with `verify`; the facts of both."""
    film = open_film(source)
    account = Account(film.facts.time_base)
    rhythm = Rhythm.of(item.time for item in account.noted(film.read()) if isinstance(item, FilmFrame))
    chosen = select(film.facts, settings, policy, ())
    encoding = choose_encoding(film, rhythm, encoder)
    plan = SinkPlan(encoding, rhythm, chosen.streams, chosen.chapters, chosen.metadata)
    target = result_of(source)
    with film.opened() as reading:
        sink = FilmSink(target, film.facts, plan, reading)
        for item in reading:
            if isinstance(item, FilmFrame):
                item.picture.make_writable()
                sink.write(item.picture, item.time)
            else:
                sink.copy(item)
        sink.close()
    verify(target, film.facts, account, plan.kept, ReadSettings())
    return film.facts, open_film(target).facts


def result_of(source: Path) -> Path:
    return source.with_name(f"new-{source.name}")


def same(facts: tuple[FilmFacts, FilmFacts], *names: str) -> None:
    for name in names:
        assert getattr(facts[0], name) == getattr(facts[1], name), name


def duration_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / 1e6


def brightness_of(path: Path) -> list[bytes]:
    return [bytes(frame.picture.planes[0]) for frame in open_film(path).frames()]


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "time_base"),
    [
        ("a.mp4", "libx264", "yuv420p", TIME_BASE),
        ("a.mp4", "libx264", "yuv444p", TIME_BASE),
        ("a.mp4", "libx264", "yuv420p10le", TIME_BASE),
        ("a.mp4", "libx265", "yuv420p", TIME_BASE),
        ("a.mp4", "libsvtav1", "yuv420p", TIME_BASE),
        ("a.mp4", "mpeg4", "yuv420p", TIME_BASE),
        ("a.m4v", "libx264", "yuv420p", TIME_BASE),
        ("a.mov", "prores_ks", "yuv422p10le", TIME_BASE),
        ("a.mov", "prores_ks", "yuva444p10le", TIME_BASE),
        ("a.mov", "mjpeg", "yuvj420p", TIME_BASE),
        ("a.mov", "qtrle", "argb", TIME_BASE),
        ("a.mkv", "libx264", "yuv420p", TIME_BASE),
        ("a.mkv", "libx265", "yuv420p10le", TIME_BASE),
        ("a.mkv", "libvpx-vp9", "yuv444p", TIME_BASE),
        ("a.mkv", "ffv1", "yuv444p16le", TIME_BASE),
        ("a.mkv", "ffv1", "gray", TIME_BASE),
        ("a.webm", "libvpx", "yuv420p", TIME_BASE),
        ("a.webm", "libvpx-vp9", "yuv420p", TIME_BASE),
        ("a.webm", "libsvtav1", "yuv420p10le", TIME_BASE),
        ("a.webm", "libvpx", "yuva420p", TIME_BASE),
        ("a.webm", "libvpx-vp9", "yuva420p", TIME_BASE),
        ("a.avi", "mpeg4", "yuv420p", COARSE),
        ("a.avi", "mjpeg", "yuvj422p", COARSE),
        ("a.avi", "libx264", "yuv420p", COARSE),
        ("a.avi", "huffyuv", "yuv422p", COARSE),
        ("a.avi", "msmpeg4", "yuv420p", COARSE),
        ("a.ts", "libx264", "yuv420p", TIME_BASE),
        ("a.ts", "libx265", "yuv420p", TIME_BASE),
        ("a.mts", "libx264", "yuv420p", TIME_BASE),
        ("a.ts", "mpeg2video", "yuv420p", COARSE),
        ("a.mpg", "mpeg2video", "yuv420p", COARSE),
        ("a.mpg", "mpeg1video", "yuv420p", COARSE),
        ("a.wmv", "wmv2", "yuv420p", TIME_BASE),
        ("a.3gp", "h263", "yuv420p", COARSE),
        ("a.3gp", "libx264", "yuv420p", TIME_BASE),
    ],
)
def test_codec_format_and_times_stay(
    tmp_path: Path, name: str, codec: str, pixel_format: str, time_base: Fraction
) -> None:
    size = (176, 144) if codec == "h263" else SIZE
    source = write_film(
        tmp_path / name,
        codec,
        30,
        pixel_format=pixel_format,
        size=size,
        time_base=time_base,
        options={"libsvtav1": {"preset": "12"}, "libvpx": {"auto-alt-ref": "0"}}.get(codec, {}),
        sounds=[] if name in ("a.3gp", "a.webm", "a.m4v") else ["mp2"],
    )
    facts = rewrite(source)
    same(facts, "container", "codec", "pixel_format", "width", "height", "time_base", "colour", "profile")
    assert duration_s(result_of(source)) == pytest.approx(duration_s(source), abs=0.1 if name == "a.avi" else 0.03)
    if pixel_format == "gray":
        return
    for frame, pixels in zip(open_film(result_of(source)).frames(), moving_pictures(30, size), strict=True):
        assert np.abs(to_rgb(frame.picture).astype(int) - pixels).mean() < 14


def test_lossless_codecs_stay_lossless(tmp_path: Path) -> None:
    source = write_film(tmp_path / "a.mkv", "ffv1", 5)
    rewrite(source)
    assert brightness_of(result_of(source)) == brightness_of(source)


class TestTimes:
    """The faults that other programs have with the length and the rate of films."""

    @pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
    @pytest.mark.parametrize("codec", ["libx264", "libx265"])
    def test_variable_frame_rate_with_reordered_frames(self, tmp_path: Path, name: str, codec: str) -> None:
        times = [0, 512, 1024, 1100, 5000, 5050, 9000, 12800, 20000, 20050]
        source = write_film(tmp_path / name, codec, 10, times=times, options={"bf": "2"}, sounds=["aac"])
        rewrite(source)
        assert duration_s(result_of(source)) == pytest.approx(duration_s(source), abs=0.03)

    @pytest.mark.parametrize("units", [25, 600, 30000, 90000])
    def test_length_of_hevc_films(self, tmp_path: Path, units: int) -> None:
        """Elsewhere they become four times as long, or ten."""
        base, step = Fraction(1, units), units // RATE
        source = write_film(tmp_path / "a.mov", "libx265", 30, times=[n * step for n in range(30)], time_base=base)
        same(rewrite(source), "rate", "end", "time_base")
        assert duration_s(result_of(source)) == pytest.approx(1.2, abs=1e-3)

    @pytest.mark.parametrize("rate", [Fraction(28), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(119, 4)])
    @pytest.mark.parametrize("last", ["shown last", "shown earlier"])
    def test_odd_frame_rates(self, tmp_path: Path, rate: Fraction, last: str) -> None:
        """Elsewhere 28 become 30 frames a second, and 29.97 become 29.3.

        The last frame of these sources is longer than the others. Which frame is stored last in them, and in the new
        film, is the encoder's choice.
        """
        options = {"bf": "0"} if last == "shown last" else {"g": "7"}
        source = write_film(tmp_path / "a.mp4", frames=40, times=list(range(40)), time_base=1 / rate, options=options)
        facts = rewrite(source)
        assert facts[0].rate == pytest.approx(rate, rel=0.01)
        same(facts, "rate", "end")

    @pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
    def test_a_start_later_than_the_sound(self, tmp_path: Path, name: str) -> None:
        write_film(tmp_path / "plain.mp4", sounds=["aac"])
        late = ("-itsoffset", "0.5", "-i", tmp_path / "plain.mp4", "-i", tmp_path / "plain.mp4")
        ffmpeg(*late, "-map", "0:v", "-map", "1:a", "-c", "copy", tmp_path / name)
        rewrite(tmp_path / name)
        assert duration_s(tmp_path / f"new-{name}") == pytest.approx(duration_s(tmp_path / name), abs=0.05)

    def test_an_edit_list_that_hides_frames(self, tmp_path: Path) -> None:
        write_film(tmp_path / "whole.mp4", frames=50, options={"g": "25"}, sounds=["aac"])
        ffmpeg("-ss", "1.3", "-i", tmp_path / "whole.mp4", "-c", "copy", tmp_path / "a.mp4")
        same(rewrite(tmp_path / "a.mp4"), "end")

    def test_a_transport_stream_that_begins_anywhere(self, tmp_path: Path) -> None:
        write_film(tmp_path / "plain.ts", sounds=["mp2"])
        ffmpeg("-i", tmp_path / "plain.ts", "-c", "copy", "-output_ts_offset", "5000", tmp_path / "a.ts")
        rewrite(tmp_path / "a.ts")

    @pytest.mark.parametrize("size", [188, 192])
    def test_packets_with_and_without_time_codes(self, tmp_path: Path, size: int) -> None:
        mode = {"mpegts_m2ts_mode": str(int(size == 192))}
        source = write_film(tmp_path / "a.mts", container_options=mode, sounds=["mp2"])
        assert packet_size(source) == size
        rewrite(source)
        assert packet_size(result_of(source)) == size

    def test_fragments(self, tmp_path: Path) -> None:
        options = {"movflags": "frag_keyframe+empty_moov"}
        rewrite(write_film(tmp_path / "a.mp4", options={"g": "5"}, container_options=options, sounds=["aac"]))

    @pytest.mark.parametrize("name", ["a.avi", "a.mkv", "a.mp4"])
    def test_sound_of_variable_bit_rate(self, tmp_path: Path, name: str) -> None:
        write_film(tmp_path / "plain.mkv", "mpeg4", 50, time_base=COARSE, sounds=["flac"])
        sound = ("-c:v", "copy", "-c:a", "libmp3lame", "-q:a", "4")
        ffmpeg("-i", tmp_path / "plain.mkv", *sound, tmp_path / name)
        rewrite(tmp_path / name)
        assert packets_of(tmp_path / name) == packets_of(tmp_path / f"new-{name}")
        assert duration_s(tmp_path / f"new-{name}") == pytest.approx(duration_s(tmp_path / name), abs=0.03)

    def test_a_wrong_number_of_frames_in_the_header(self, tmp_path: Path) -> None:
        """AVI files count pauses as frames."""
        times = [512 * index for index in (0, 1, 3, 4, 5, 9, 10, 11, 12, 13)]
        write_film(tmp_path / "plain.mkv", "mjpeg", 10, times=times, pixel_format="yuvj420p")
        ffmpeg("-i", tmp_path / "plain.mkv", "-c", "copy", tmp_path / "a.avi")
        rewrite(tmp_path / "a.avi")

    def test_a_pause_and_a_single_frame(self, tmp_path: Path) -> None:
        rewrite(write_film(tmp_path / "a.mp4", frames=2, times=[0, 12800 * 60]))
        rewrite(write_film(tmp_path / "b.mp4", frames=1))
        rewrite(write_film(tmp_path / "c.webm", "libvpx", frames=1))

    def test_the_grid_of_times(self) -> None:
        assert Rhythm.of([7]) == Rhythm(7, 1)
        assert Rhythm.of([3, 3603, 10803]) == Rhythm(3, 3600)
        assert Rhythm.of([0, 512, 700]) == Rhythm(0, 4)


class TestPictures:
    """How the frames are to be shown."""

    @pytest.mark.parametrize(("a", "d"), list(product((-1, 1), repeat=2)))
    @pytest.mark.parametrize("is_turned", [False, True])
    def test_display_matrix(self, tmp_path: Path, a: int, d: int, is_turned: bool) -> None:
        ones = (0, a * ONE, 0, d * ONE, 0, 0) if is_turned else (a * ONE, 0, 0, 0, d * ONE, 0)
        facts = rewrite(write_film(tmp_path / "a.mp4", frames=3, matrix=(*ones, 0, 0, 1 << 30)))
        same(facts, "display_matrix", "orientation")

    @pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
    def test_pixel_shape(self, tmp_path: Path, name: str) -> None:
        facts = rewrite(write_film(tmp_path / name, frames=3, sar=Fraction(16, 11)))
        assert facts[1].sample_aspect_ratio == Fraction(16, 11)

    @pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "prores_ks"])
    @pytest.mark.parametrize("colour", [(1, 1, 1, 1), (6, 6, 6, 1), (9, 18, 9, 1)])
    def test_colours(self, tmp_path: Path, codec: str, colour: tuple[int, ...]) -> None:
        name, pixel_format = ("a.mov", "yuv422p10le") if codec == "prores_ks" else ("a.mkv", "yuv420p")
        facts = rewrite(write_film(tmp_path / name, codec, 3, pixel_format=pixel_format, colour=colour))
        same(facts, "colour")
        assert facts[1].colour.matrix == colour[2]

    def test_full_range(self, tmp_path: Path) -> None:
        facts = rewrite(write_film(tmp_path / "a.mp4", frames=3, pixel_format="yuvj420p", colour=(1, 1, 1, 2)))
        assert facts[1].colour.range == 2

    @pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
    @pytest.mark.parametrize("codec", ["libx265", "libsvtav1"])
    def test_hdr10(self, tmp_path: Path, name: str, codec: str) -> None:
        options, colour = HDR_OPTIONS[codec], (9, 16, 9, 1)
        source = write_film(tmp_path / name, codec, 3, pixel_format="yuv420p10le", colour=colour, options=options)
        facts = rewrite(source)
        same(facts, "colour", "pixel_format", "content_light", "mastering_display")
        assert facts[1].mastering_display is not None

    @pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.ts", "mpeg2video")])
    @pytest.mark.parametrize("first", ["top", "bottom"])
    def test_interlaced(self, tmp_path: Path, name: str, codec: str, first: str) -> None:
        fields = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=50:duration=1")
        weave = ("-vf", f"tinterlace=interleave_{first}", "-flags", "+ilme+ildct")
        extra = ("-x264opts", "tff=1" if first == "top" else "bff=1") if codec == "libx264" else ()
        ffmpeg(*fields, *weave, "-c:v", codec, *extra, tmp_path / name)
        facts = rewrite(tmp_path / name)
        assert facts[0].is_interlaced
        same(facts, "is_interlaced", "field_order")


class TestOtherStreams:
    def test_sounds_subtitles_and_chapters(self, tmp_path: Path) -> None:
        write_film(tmp_path / "plain.mkv", frames=50, sounds=["aac", "flac"], chapters=True)
        (tmp_path / "s.srt").write_text("1\n00:00:00,500 --> 00:00:01,200\nHello there\n")
        french = ("-metadata:s:s:0", "language=fra", "-disposition:a:1", "default")
        sources = ("-i", tmp_path / "plain.mkv", "-i", tmp_path / "s.srt")
        ffmpeg(*sources, "-map", "0", "-map", "1", "-c", "copy", *french, tmp_path / "a.mkv")
        facts = rewrite(tmp_path / "a.mkv")
        old, new = ([(s.kind, s.codec, s.language, s.disposition) for s in each.streams] for each in facts)
        assert old == new
        assert len(old) == 4
        assert packets_of(tmp_path / "a.mkv") == packets_of(tmp_path / "new-a.mkv")
        assert [chapter[:3] for chapter in facts[1].chapters] == [chapter[:3] for chapter in facts[0].chapters]
        assert [chapter.title for chapter in facts[1].chapters] == ["", ""]

    def test_chapters_of_mp4_files(self, tmp_path: Path) -> None:
        source = write_film(tmp_path / "a.mp4", frames=50, sounds=["aac"], chapters=True)
        facts = rewrite(source, policy="keep")
        assert [chapter.title for chapter in facts[1].chapters] == ["Jane at home", "two"]
        rewrite(source)
        assert b"Jane" not in result_of(source).read_bytes()

    def test_without_sound(self, tmp_path: Path) -> None:
        source = write_film(tmp_path / "a.mkv", sounds=["aac"])
        assert len(rewrite(source, VideoSettings(audio="drop"))[1].streams) == 1

    @pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
    def test_nothing_else_of_the_source_is_in_the_result(self, tmp_path: Path, name: str) -> None:
        tags = {
            "title": "Secret trip",
            "location": "+48.8577+002.2950/",
            "com.apple.quicktime.location.ISO6709": "+48.8577+002.2950+035/",
            "com.apple.quicktime.make": "Secretmaker",
            "comment": "Secret comment",
            "artist": "Secret artist",
        }
        options = {"movflags": "use_metadata_tags"} if name == "a.mov" else {}
        source = write_film(tmp_path / name, metadata=tags, container_options=options, sounds=["mp2"])
        assert b"Secret" in source.read_bytes()
        rewrite(source)
        written = result_of(source).read_bytes()
        for secret in (b"Secret", b"48.85", b"Lavf60", b"Lavc60"):
            assert secret not in written

    def test_tags_by_policy(self, tmp_path: Path) -> None:
        tags = {"title": "A trip", "location": "+48.8577+002.2950/", "creation_time": "2024-05-01T10:00:00.000000Z"}
        source = write_film(tmp_path / "a.mkv", metadata=tags)
        assert "title" not in {key.lower() for key in rewrite(source, policy="safe")[1].metadata}
        kept = {key.lower(): value for key, value in rewrite(source, policy="keep")[1].metadata.items()}
        assert kept["title"] == "A trip"
        assert "creation_time" in kept
        assert "location" not in kept

    def test_sound_that_the_container_cannot_hold(self, tmp_path: Path) -> None:
        film = open_film(write_film(tmp_path / "a.mkv", sounds=["flac"]))
        plan = SinkPlan(choose_encoding(film, Rhythm(0, 512)), Rhythm(0, 512), (1,))
        with film.opened() as reading, pytest.raises(PictureError, match=r"audio track \(flac\).*--audio drop"):
            FilmSink(tmp_path / "b.3gp", replace(film.facts, container="3gp"), plan, reading)


class TestEncoders:
    @pytest.mark.parametrize("wanted", ["h264_qsv", "hardware", "prores_ks", "no-such-encoder"])
    def test_the_next_one_where_one_does_not_work(self, tmp_path: Path, wanted: str) -> None:
        assert rewrite(write_film(tmp_path / "a.mp4", frames=3), encoder=wanted)[1].codec == "h264"

    def test_one_by_name(self, tmp_path: Path) -> None:
        assert rewrite(write_film(tmp_path / "a.mkv", frames=3), encoder="libvpx-vp9")[1].codec == "vp9"

    def test_a_codec_without_encoder(self, tmp_path: Path) -> None:
        source = write_film(tmp_path / "a.avi", "svq1", 5, pixel_format="yuv410p", time_base=COARSE)
        facts = rewrite(source)
        assert (facts[0].codec, facts[1].codec) == ("svq1", "h264")
        assert facts[1].pixel_format == "yuv420p"

    def test_none_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        film = open_film(write_film(tmp_path / "a.mp4", frames=3))
        monkeypatch.setattr("anonymizer.video.sink.candidates", lambda *arguments: iter(()))
        with pytest.raises(PictureError, match="cannot be encoded"):
            choose_encoding(film, Rhythm(0, 512))


@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [("a.mp4", "libx264", "aac"), ("a.mp4", "libx265", "aac"), ("a.mkv", "libvpx-vp9", "libopus")],
)
def test_the_same_film_gives_the_same_bytes(tmp_path: Path, name: str, codec: str, sound: str) -> None:
    source = write_film(tmp_path / name, codec, sounds=[sound], size=(320, 192))
    rewrite(source)
    first = result_of(source).read_bytes()
    rewrite(source)
    assert result_of(source).read_bytes() == first
