"""Tests of anonymizer.video.avi_header."""

import struct
from pathlib import Path

import av
from video.film_samples import ffmpeg, write_film

from anonymizer.video.avi_header import mend_sound


def copy_with_pyav(source: Path, target: Path) -> int:
    """Copies all packets; the number of those that are sound."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        number = 0
        for packet in old.demux():
            if packet.dts is not None:
                number += packet.stream.type == "audio"
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return number


def sound_duration(path: Path) -> float | None:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return None if stream.duration is None else float(stream.duration * stream.time_base)


def test_mp3_sound_has_its_length_again(tmp_path: Path) -> None:
    write_film(tmp_path / "plain.avi", "mjpeg", 50, pixel_format="yuvj420p", sounds=["pcm_s16le"])
    ffmpeg("-i", tmp_path / "plain.avi", "-c:v", "copy", "-c:a", "libmp3lame", tmp_path / "a.avi")
    number = copy_with_pyav(tmp_path / "a.avi", tmp_path / "b.avi")
    expected = sound_duration(tmp_path / "a.avi")
    assert sound_duration(tmp_path / "b.avi") != expected
    mend_sound(tmp_path / "b.avi", [number])
    mended = sound_duration(tmp_path / "b.avi")
    assert mended is not None
    assert expected is not None
    assert abs(mended - expected) < 0.03
    content = (tmp_path / "b.avi").read_bytes()
    mend_sound(tmp_path / "b.avi", [number])
    assert (tmp_path / "b.avi").read_bytes() == content


def test_other_sound_stays_as_it_is(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.avi", "mjpeg", 10, pixel_format="yuvj420p", sounds=["pcm_s16le"])
    content = path.read_bytes()
    mend_sound(path, [7])
    assert path.read_bytes() == content


def test_only_headers_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    path.write_bytes(b"RIFF" + struct.pack("<I", 0) + b"AVI strh")
    mend_sound(path, [])
