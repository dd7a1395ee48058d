"""What a film file holds beside picture and sound, whichever program wrote it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from video.film_samples import ffmpeg, write_film

from anonymizer.files.inspect import FileIssue
from anonymizer.files.iso_boxes import write_box
from anonymizer.video.facts import FilmFacts
from anonymizer.video.inspect import MAX_ISSUES, StreamInspection, issues_in_facts, issues_in_structure
from anonymizer.video.source import FilmFrame, open_film


def issues_of(path: Path) -> list[FileIssue]:
    film = open_film(path)
    inspection = StreamInspection(film.facts)
    with film.opened() as reading:
        inspection.begin(reading)
        for item in reading:
            if isinstance(item, FilmFrame):
                inspection.note_frame(item.picture)
            else:
                inspection.note_packet(item)
    return [*issues_in_facts(film.facts), *issues_in_structure(path), *inspection.issues]


def kinds_of(path: Path) -> set[str]:
    return {issue.kind for issue in issues_of(path)}


@pytest.mark.parametrize(
    ("name", "codec", "sounds"),
    [
        ("a.mp4", "libx264", ["aac"]),
        ("a.mov", "prores_ks", ["pcm_s16le"]),
        ("a.mkv", "ffv1", ["flac", "aac"]),
        ("a.webm", "libvpx-vp9", ["libopus"]),
        ("a.avi", "mpeg4", ["mp2"]),
        ("a.ts", "libx264", ["aac"]),
        ("a.mp4", "libx265", []),
    ],
)
def test_plain_films_have_none(tmp_path: Path, name: str, codec: str, sounds: list[str]) -> None:
    pixels = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    path = write_film(
        tmp_path / name, codec, 12, pixel_format=pixels, sounds=sounds, chapters=name in ("a.mp4", "a.mkv")
    )
    assert issues_of(path) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"location": "+48.8577+002.2950/"}, "gps"),
        ({"comment": "at 48.13743, 11.57549"}, "gps"),
        ({"artist": "Jane Doe"}, "name"),
        ({"comment": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==" * 20}, "preview"),
    ],
)
def test_tags(tmp_path: Path, name: str, tags: dict[str, str], kind: str) -> None:
    assert kinds_of(write_film(tmp_path / name, metadata=tags)) == {kind}


def test_serial_numbers(tmp_path: Path) -> None:
    assert kinds_of(write_film(tmp_path / "a.mkv", metadata={"CAMERA_SERIAL": "12345"})) == {"serial"}


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_bytes_behind_the_end(tmp_path: Path, name: str) -> None:
    path = write_film(tmp_path / name, "mpeg4")
    path.write_bytes(path.read_bytes() + b"\xff\xd8\xff" + bytes(range(1, 200)))
    assert kinds_of(path) == {"trailing"}


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        (write_box(b"free", b"a picture of somebody"), "trailing"),
        (write_box(b"free", bytes(1000)), None),
        (write_box(b"uuid", bytes(20)), "data"),
        (write_box(b"pnot", bytes(12)), "preview"),
        (write_box(b"mdat", b"of a track that is gone" * 20), "trailing"),
    ],
)
def test_outer_boxes_of_mp4(tmp_path: Path, box: bytes, kind: str | None) -> None:
    path = write_film(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes() + box)
    assert {issue.kind for issue in issues_in_structure(path)} == ({kind} if kind else set())


@pytest.mark.parametrize(
    ("kind_of_box", "kind"),
    [
        (b"\xa9xyz", "gps"),
        (b"loci", "gps"),
        (b"thmb", "preview"),
        (b"GPMF", "data"),
        (b"CAME", "data"),
        (b"name", None),
    ],
)
def test_user_data_of_mp4(tmp_path: Path, kind_of_box: bytes, kind: str | None) -> None:
    """Put at the end of `moov`, which lies at the end of the file."""
    path = write_film(tmp_path / "a.mp4")
    content = path.read_bytes()
    start = content.rindex(b"moov") - 4
    added = write_box(b"udta", write_box(kind_of_box, b"something"))
    assert start + struct.unpack(">I", content[start : start + 4])[0] == len(content)
    path.write_bytes(
        content[:start] + struct.pack(">I", len(content) - start + len(added)) + content[start + 4 :] + added
    )
    assert {issue.kind for issue in issues_in_structure(path)} == ({kind} if kind else set())


def test_elements_of_matroska_and_chunks_of_avi(tmp_path: Path) -> None:
    mkv = tmp_path / "a.mkv"
    for void, number, kind in ((bytes(90), 0xEC, None), (b"text" * 20, 0xEC, "trailing"), (b"text" * 20, 0xA1, "data")):
        segment = bytes([number, 0x80 + len(void)]) + void
        mkv.write_bytes(b"\x1aE\xdf\xa3\x80" + b"\x18S\x80g" + bytes([0x80 + len(segment)]) + segment)
        assert {issue.kind for issue in issues_in_structure(mkv)} == ({kind} if kind else set())
    avi = write_film(tmp_path / "a.avi", "mpeg4", 3)
    avi.write_bytes(avi.read_bytes().replace(b"JUNK\xf8\x03\0\0", b"strd\xf8\x03\0\0"))
    assert {issue.kind for issue in issues_in_structure(avi)} == {"data"}


def test_cover_art_and_attached_files(tmp_path: Path) -> None:
    write_film(tmp_path / "plain.mkv", "ffv1", 5)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "cover.jpg")
    (tmp_path / "font.ttf").write_bytes(bytes(range(256)))
    cover = ("-attach", tmp_path / "cover.jpg", "-metadata:s:t:0", "mimetype=image/jpeg")
    font = ("-attach", tmp_path / "font.ttf", "-metadata:s:t:1", "mimetype=application/x-truetype-font")
    ffmpeg("-i", tmp_path / "plain.mkv", "-c", "copy", *cover, *font, tmp_path / "a.mkv")
    assert kinds_of(tmp_path / "a.mkv") == {"preview", "data"}


def test_data_tracks(tmp_path: Path) -> None:
    write_film(tmp_path / "plain.mov", frames=25)
    ffmpeg("-i", tmp_path / "plain.mov", "-c", "copy", "-timecode", "01:00:00:00", tmp_path / "a.mov")
    (issue,) = issues_of(tmp_path / "a.mov")
    assert (issue.kind, "'tmcd'" in issue.text) == ("data", True)


def test_subtitles_that_tell_where_the_camera_was(tmp_path: Path) -> None:
    write_film(tmp_path / "plain.mkv", frames=25)
    (tmp_path / "place.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nGPS (11.5755, 48.1374, 15)\n")
    ffmpeg("-i", tmp_path / "plain.mkv", "-i", tmp_path / "place.srt", "-c", "copy", tmp_path / "a.mkv")
    assert issues_of(tmp_path / "a.mkv") == [FileIssue("gps", "positions in subtitles")]


def test_further_video_tracks(tmp_path: Path) -> None:
    write_film(tmp_path / "one.mkv", "ffv1", 5)
    ffmpeg(
        "-i",
        tmp_path / "one.mkv",
        "-i",
        tmp_path / "one.mkv",
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        tmp_path / "a.mkv",
    )
    assert kinds_of(tmp_path / "a.mkv") == {"preview"}


@pytest.mark.parametrize(("payload", "is_issue"), [(b"short", False), (b"position 48.1 11.5 " * 8, True)])
def test_messages_beside_the_pictures(tmp_path: Path, payload: bytes, is_issue: bool) -> None:
    """A message of H.264 (SEI, user data unregistered) in front of the first frame."""
    path = write_film(tmp_path / "a.ts", frames=4)
    size = 16 + len(payload)
    message = b"\0\0\0\1\x06\x05" + bytes([size]) + bytes(range(1, 17)) + payload + b"\x80"
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.ts"), "w") as target:
        stream: Any = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if not packet.size:
                continue
            changed = av.Packet(message + bytes(packet)) if number == 0 else av.Packet(bytes(packet))
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.is_keyframe = packet.is_keyframe
            changed.stream = stream
            target.mux(changed)
    assert [issue.kind for issue in issues_of(tmp_path / "b.ts")] == (["data"] if is_issue else [])


def test_facts_are_enough_for_what_ffmpeg_knows(tmp_path: Path) -> None:
    facts: FilmFacts = open_film(write_film(tmp_path / "a.mp4", metadata={"location": "+48.8577+002.2950/"})).facts
    assert "gps" in {issue.kind for issue in issues_in_facts(facts)}


@pytest.fixture(scope="module")
def plain_films(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("films")
    names = {"a.mp4": "libx264", "a.mkv": "ffv1", "a.avi": "mpeg4"}
    return [write_film(folder / name, codec, 2, sounds=["mp2"]).read_bytes() for name, codec in names.items()]


@given(data=st.data())
def test_any_damage_is_borne(
    plain_films: list[bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(data.draw(st.sampled_from(plain_films)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=12))
        content[at : at + len(piece)] = piece
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    assert len(issues_in_structure(path)) <= MAX_ISSUES


def test_millions_of_boxes_are_not_told_one_by_one(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4")
    boxes = b"".join(write_box(f"{number:04d}".encode(), b"") for number in range(5000))
    path.write_bytes(path.read_bytes() + boxes)
    assert len(issues_in_structure(path)) == MAX_ISSUES
    deep = b"LIST\xff\xff\xff\x7fhdrl" * 5000
    (tmp_path / "a.avi").write_bytes(b"RIFF\xff\xff\xff\x7fAVI " + deep)
    issues_in_structure(tmp_path / "a.avi")
