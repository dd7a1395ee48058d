"""Tests of anonymizer.video.source."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video.film_samples import RATE, SIZE, TIME_BASE, ffmpeg, moving_pictures, write_film

from anonymizer.errors import PictureError, VanishedError
from anonymizer.settings import ReadSettings
from anonymizer.video.source import open_film, to_rgb

QUARTER_TURN = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


def read_all(path: Path) -> int:
    return sum(1 for _ in open_film(path).frames())


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.mkv", "ffv1", "yuv444p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.ts", "mpeg2video", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.wmv", "wmv2", "yuv420p"),
        ("a.3gp", "h263", "yuv420p"),
    ],
)
def test_all_frames_come_in_their_order(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    size = (176, 144) if codec == "h263" else SIZE
    base = Fraction(1, RATE) if codec in ("mpeg4", "mpeg2video", "h263") else TIME_BASE
    path = write_film(tmp_path / name, codec, 12, pixel_format=pixel_format, size=size, time_base=base)
    film = open_film(path)
    frames = list(film.frames())
    assert [frame.index for frame in frames] == list(range(12))
    seconds = [film.facts.seconds(frame.time) for frame in frames]
    assert np.allclose(np.diff(seconds), 1 / RATE, atol=0.002)
    assert (film.facts.width, film.facts.height, film.facts.pixel_format) == (*size, pixel_format)
    for frame, pixels in zip(frames, moving_pictures(12, size), strict=True):
        assert np.abs(to_rgb(frame.picture).astype(int) - pixels).mean() < 12


def test_frames_can_be_gone_through_again(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4"))
    first, second = ([bytes(frame.picture.planes[0]) for frame in film.frames()] for _ in range(2))
    assert first == second


def test_times_are_those_of_the_file(tmp_path: Path) -> None:
    times = [0, 512, 700, 5000, 5001, 9000]
    film = open_film(write_film(tmp_path / "a.mp4", frames=6, times=times, options={"bf": "2"}))
    assert [frame.time for frame in film.frames()] == times


def test_facts_of_a_film(tmp_path: Path) -> None:
    path = write_film(
        tmp_path / "a.mp4", matrix=QUARTER_TURN, sar=Fraction(4, 3), colour=(9, 16, 9, 1), sounds=["aac"], chapters=True
    )
    facts = open_film(path).facts
    assert facts.codec == "h264"
    assert facts.orientation == 6
    assert facts.upright_size == (64, 96)
    assert facts.sample_aspect_ratio == Fraction(4, 3)
    assert facts.colour == (9, 16, 9, 1)
    assert facts.time_base == TIME_BASE
    assert facts.announced_frames == 20
    assert [chapter.title for chapter in facts.chapters] == ["Jane at home", "two"]
    assert facts.container == "mp4"
    assert [(stream.kind, stream.codec) for stream in facts.streams[:2]] == [("video", "h264"), ("audio", "aac")]
    assert facts.streams[1].language == "eng"


def test_frames_are_turned_upright_for_detectors(tmp_path: Path) -> None:
    film = open_film(write_film(tmp_path / "a.mp4", matrix=QUARTER_TURN, frames=1))
    (frame,) = film.frames()
    upright = to_rgb(frame.picture, film.facts.orientation)
    assert upright.shape == (96, 64, 3)
    assert np.array_equal(np.rot90(upright), to_rgb(frame.picture))
    assert to_rgb(frame.picture, film.facts.orientation, size=(48, 32)).shape == (48, 32, 3)


def test_cover_art_is_not_taken_for_the_film(tmp_path: Path) -> None:
    Image.new("RGB", (512, 512), "red").save(tmp_path / "cover.jpg")
    write_film(tmp_path / "plain.mp4")
    cover = ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", tmp_path / "plain.mp4", "-i", tmp_path / "cover.jpg", *cover, tmp_path / "a.mp4")
    facts = open_film(tmp_path / "a.mp4").facts
    assert facts.codec == "h264"
    assert [stream.is_picture for stream in facts.streams if stream.kind == "video"].count(True) == 1


def test_frames_that_an_edit_list_hides_do_not_come(tmp_path: Path) -> None:
    write_film(tmp_path / "whole.mp4", frames=50, options={"g": "25"}, sounds=["aac"])
    ffmpeg("-ss", "1.3", "-i", tmp_path / "whole.mp4", "-c", "copy", tmp_path / "a.mp4")
    assert read_all(tmp_path / "a.mp4") == 17


def test_a_fragmented_film_is_read(tmp_path: Path) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    assert read_all(write_film(tmp_path / "a.mp4", options={"g": "5"}, container_options=options)) == 20


class TestBadInput:
    def fails(self, path: Path, reason: str) -> None:
        with pytest.raises(PictureError, match=reason):
            read_all(path)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(VanishedError):
            open_film(tmp_path / "a.mp4")

    def test_an_empty_file_and_one_that_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").touch()
        self.fails(tmp_path / "a.mp4", "^is empty$")
        os.mkfifo(tmp_path / "b.mp4")
        self.fails(tmp_path / "b.mp4", "^is not a regular file$")

    @pytest.mark.parametrize("content", [b"not a film\n" * 40, b"\0\0\0\x18ftypmp42" + bytes(12), bytes(5000)])
    def test_something_else(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.mp4").write_bytes(content)
        self.fails(tmp_path / "a.mp4", "is not a film")

    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.webp"])
    def test_a_picture_named_as_a_film(self, tmp_path: Path, name: str) -> None:
        Image.new("RGB", (64, 64)).save(tmp_path / name)
        self.fails((tmp_path / name).rename(tmp_path / "a.mp4"), "is not a film")

    @pytest.mark.parametrize(
        "script",
        [
            "ffconcat version 1.0\nfile {film}\n",
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n",
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
            '<Representation id="0" mimeType="video/mp4"><BaseURL>{film}</BaseURL></Representation></AdaptationSet>'
            "</Period></MPD>",
            "[playlist]\nFile1={film}\n",
            "file:{film}\n",
        ],
    )
    @pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
    def test_a_script_that_names_another_film(self, tmp_path: Path, script: str, suffix: str) -> None:
        write_film(tmp_path / "secret.mp4")
        for name in ("secret.mp4", str(tmp_path / "secret.mp4")):
            path = tmp_path / f"a.{suffix}"
            path.write_text(script.format(film=name))
            self.fails(path, "is not a film")

    def test_only_sound(self, tmp_path: Path) -> None:
        write_film(tmp_path / "a.mp4", sounds=["aac"])
        ffmpeg("-i", tmp_path / "a.mp4", "-vn", "-c", "copy", tmp_path / "b.mp4")
        self.fails(tmp_path / "b.mp4", "^holds no film")

    @pytest.mark.parametrize(
        ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.avi", "mpeg4")]
    )
    def test_cut_off_anywhere(self, tmp_path: Path, name: str, codec: str) -> None:
        base = Fraction(1, RATE) if codec == "mpeg4" else TIME_BASE
        options = {"movflags": "faststart"} if name == "a.mp4" else {}
        path = write_film(tmp_path / name, codec, time_base=base, container_options=options)
        content = path.read_bytes()
        for part in range(1, 10):
            path.write_bytes(content[: len(content) * part // 10])
            self.fails(path, "is cut off|is not a film")

    def test_fewer_frames_than_announced(self, tmp_path: Path) -> None:
        """The samples are there, but the file is shorter: as if its end had been overwritten by something else."""
        path = write_film(tmp_path / "a.mp4", container_options={"movflags": "faststart"})
        content = path.read_bytes()
        start = content.index(b"mdat") - 4
        shorter = content[: start + (len(content) - start) * 2 // 3]
        path.write_bytes(shorter[:start] + (len(shorter) - start).to_bytes(4, "big") + shorter[start + 4 :])
        self.fails(path, "is damaged|ends after")

    @pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.mkv", "ffv1")])
    def test_flipped_bytes(self, tmp_path: Path, name: str, codec: str) -> None:
        """FFmpeg conceals them: it decodes all the frames without an error."""
        base = Fraction(1, RATE) if codec == "mpeg4" else TIME_BASE
        path = write_film(tmp_path / name, codec, 50, time_base=base, container_options={"movflags": "faststart"})
        content = bytearray(path.read_bytes())
        rng = np.random.default_rng(1)
        for place in rng.integers(len(content) // 2, len(content) * 9 // 10, 60):
            content[place] ^= 0xFF
        path.write_bytes(content)
        self.fails(path, "is damaged")

    def test_another_size_on_the_way(self, tmp_path: Path) -> None:
        one = write_film(tmp_path / "1.ts", frames=10)
        two = write_film(tmp_path / "2.ts", frames=10, size=(128, 96), times=[(i + 10) * 512 for i in range(10)])
        (tmp_path / "a.ts").write_bytes(one.read_bytes() + two.read_bytes())
        self.fails(tmp_path / "a.ts", "changes its size|is damaged")

    def test_times_that_go_back(self, tmp_path: Path) -> None:
        one = write_film(tmp_path / "1.ts", frames=10, times=[(i + 100) * 512 for i in range(10)])
        two = write_film(tmp_path / "2.ts", frames=10)
        (tmp_path / "a.ts").write_bytes(one.read_bytes() + two.read_bytes())
        self.fails(tmp_path / "a.ts", "goes back in time|is damaged")

    def test_no_key_frame_at_the_start(self, tmp_path: Path) -> None:
        whole = write_film(tmp_path / "1.ts", frames=20, options={"g": "20", "bf": "0"}).read_bytes()
        packets = [whole[at : at + 188] for at in range(0, len(whole), 188)]
        starts = [
            n for n, packet in enumerate(packets) if packet[1] & 0x40 and packet[1] & 0x1F == 1 and packet[2] == 0
        ]
        (tmp_path / "a.ts").write_bytes(b"".join(packets[: starts[0]] + packets[starts[3] :]))
        self.fails(tmp_path / "a.ts", "does not begin with a key frame|is damaged")

    def test_an_encrypted_film(self, tmp_path: Path) -> None:
        write_film(tmp_path / "plain.mp4")
        key = (
            "-encryption_key",
            "76a6c65c5ea762046bd749a2e632ccbb",
            "-encryption_kid",
            "a7e61c373e219033c21091fa607bf3b8",
        )
        copy = ("-c", "copy", "-encryption_scheme", "cenc-aes-ctr", *key)
        ffmpeg("-i", tmp_path / "plain.mp4", *copy, tmp_path / "a.mp4")
        self.fails(tmp_path / "a.mp4", "^is encrypted$")

    def test_too_many_pixels(self, tmp_path: Path) -> None:
        path = write_film(tmp_path / "a.mp4")
        with pytest.raises(PictureError, match="96 x 64 pixels, more than --max-pixels 1000"):
            open_film(path, ReadSettings(max_pixels=1000))


def test_a_film_of_one_frame_and_of_odd_size(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", "ffv1", 1, size=(33, 17), pixel_format="yuv420p")
    film = open_film(path)
    (frame,) = film.frames()
    assert to_rgb(frame.picture).shape == (17, 33, 3)
