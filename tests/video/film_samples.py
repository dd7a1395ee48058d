"""Small films for the tests, made with PyAV; odder ones with FFmpeg, where that is installed."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.detect.frames import ModelFinder
from anonymizer.geometry import Box
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels

RATE = 25
TIME_BASE = Fraction(1, 12800)
SIZE = (96, 64)
MOV_TEXT = b"\0\x05hello"


def moving_pictures(number: int, size: tuple[int, int] = SIZE) -> Iterator[npt.NDArray[np.uint8]]:
    """uint8 (H, W, 3): a slope of colours, over which a bright square goes its way."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    slope = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=2).astype(np.uint8)
    for index in range(number):
        picture = slope.copy()
        left = 2 * index % (width - 16)
        picture[8:24, left : left + 16] = (255, 255, 40)
        yield picture


def write_film(
    path: Path,
    codec: str = "libx264",
    frames: int = 20,
    *,
    size: tuple[int, int] = SIZE,
    pixel_format: str = "yuv420p",
    times: Sequence[int] | None = None,
    time_base: Fraction = TIME_BASE,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    matrix: Sequence[int] | None = None,
    sar: Fraction | None = None,
    colour: Sequence[int] | None = None,
    sounds: Sequence[str] = (),
    chapters: bool = False,
    metadata: dict[str, str] | None = None,
    format: str | None = None,
) -> Path:
    """A film of `moving_pictures`.

    Args:
        times: of the frames, in units of the time base; 25 a second by default.
        colour: primaries, transfer function, matrix and range.
        sounds: codecs of the sound tracks, each a tone of the film's length.
    """
    with av.open(str(path), "w", format=format, options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream: Any = container.add_stream(codec, rate=RATE, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.time_base = stream.codec_context.time_base = time_base
        if sar is not None:
            stream.codec_context.sample_aspect_ratio = sar
        context = stream.codec_context
        if colour is not None:
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = colour
        if matrix is not None:
            stream.set_display_matrix(list(matrix))
        tones = [container.add_stream(name, rate=48000) for name in sounds]
        for number, tone in enumerate(tones):
            tone.metadata["language"] = ("eng", "deu", "fra")[number]
        if chapters:
            half = frames * 1000 // RATE // 2
            both = [(0, half, "Jane at home"), (half, 2 * half, "two")]
            container.set_chapters(
                [
                    {"id": number, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": t}}
                    for number, (start, end, t) in enumerate(both)
                ]
            )
        step = int(1 / (RATE * time_base))
        for index, pixels in enumerate(moving_pictures(frames, size)):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=pixel_format, threads=1)
            if colour is not None:
                frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range = colour
            frame.pts = index * step if times is None else times[index]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        for tone in tones:
            _add_tone(container, tone, frames / RATE)
        container.mux(stream.encode(None))
    return path


def _add_tone(container: Any, stream: Any, seconds: float) -> None:
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.codec_context.format, stream.codec_context.layout, 48000, size)
    samples = (8000 * np.sin(np.arange(int(seconds * 48000)) * 440 * 2 * np.pi / 48000)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
    frame.sample_rate, frame.pts = 48000, 0
    for part in (frame, None):
        for resampled in resampler.resample(part):
            container.mux(stream.encode(resampled))
    container.mux(stream.encode(None))


def ffmpeg(*arguments: str | Path) -> None:
    """Runs FFmpeg; skips the test where it is not installed."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("needs the program ffmpeg")
    subprocess.run([program, "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def packets_of(path: Path) -> list[tuple[int, bytes, Fraction | None]]:
    """Content and time of each packet that is not of a film, stream by stream."""
    with av.open(str(path)) as container:
        found = [
            (packet.stream.index, bytes(packet), None if packet.pts is None else packet.pts * packet.time_base)
            for packet in container.demux()
            if packet.size and packet.stream.type in ("audio", "subtitle")
        ]
    return sorted(found, key=lambda each: each[0])


class SquareDetector:
    """Finds the bright square of `moving_pictures`."""

    kinds = frozenset(["face"])

    def detect(self, picture: Pixels) -> list[Detection]:
        red, green, blue = (picture[:, :, channel].astype(int) for channel in range(3))
        y, x = np.nonzero((red > 200) & (green > 200) & (blue < 120))
        if len(x) < 20:
            return []
        return [Detection(Box(int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1), 0.9, "face")]


def load_square(settings: DetectSettings) -> ModelFinder:
    """Can be sent to worker processes."""
    return ModelFinder([SquareDetector()], settings)


class KillingDetector(SquareDetector):
    """Kills its process at the fifth look, as long as the file named in the environment does not exist or says so."""

    looks = 0

    def detect(self, picture: Pixels) -> list[Detection]:
        self.looks += 1
        mark = Path(os.environ["TROUBLE_MARK"])
        if self.looks == 5 and (not mark.exists() or mark.read_text() == "always"):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().detect(picture)


def load_killing(settings: DetectSettings) -> ModelFinder:
    """Can be sent to worker processes."""
    return ModelFinder([KillingDetector()], settings)
