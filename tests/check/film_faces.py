"""Films in which something with detail moves, which a detector finds and redaction hides."""

from __future__ import annotations

from collections.abc import Container, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image
from video.film_samples import SquareDetector

from anonymizer.detect.frames import ModelFinder
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels, Pixels8

SIZE = (160, 96)
RATE = 25
_PATCH = np.kron(np.indices((6, 6)).sum(axis=0) % 2, np.ones((4, 4), int))


def face_pictures(number: int, gone: Container[int] = (), second: Container[int] = ()) -> Iterator[Pixels8]:
    """uint8 (96, 160, 3): a slope of colours, over which a yellow pattern of 24 pixels goes its way.

    Args:
        gone: frames without it.
        second: frames that show another one of 24 pixels, bottom right.
    """
    width, height = SIZE
    y, x = np.mgrid[:height, :width]
    slope = np.stack([x, y, (x + y) // 2], axis=2).astype(np.uint8)
    patch = np.where(_PATCH[:, :, np.newaxis], (255, 255, 40), (70, 60, 0)).astype(np.uint8)
    for index in range(number):
        picture = slope.copy()
        if index not in gone:
            left = 8 + 2 * index % (width - 60)
            picture[12:36, left : left + 24] = patch
        if index in second:
            picture[66:90, 130:154] = patch
        yield picture


def write_faces(path: Path, frames: int = 30, codec: str = "libx264", step: int = 1, **pictures: Any) -> Path:
    """A film of `face_pictures`, with a sound track.

    Args:
        step: how many twenty-fifths of a second each frame is shown.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        name: Any = codec
        stream: Any = container.add_stream(name, rate=RATE, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        sound: Any = container.add_stream("aac", rate=48000)
        for index, pixels in enumerate(face_pictures(frames, **pictures)):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p", threads=1)
            frame.pts, frame.time_base = index * step, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        samples = np.zeros((1, 48000 * frames // RATE), np.int16)
        samples[0, ::50] = 8000
        resampler = av.AudioResampler(sound.codec_context.format, sound.codec_context.layout, 48000, 1024)
        tone = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        tone.sample_rate, tone.pts = 48000, 0
        for part in (tone, None):
            for resampled in resampler.resample(part):
                container.mux(sound.encode(resampled))
        container.mux(sound.encode(None))
        container.mux(stream.encode(None))
    return path


def write_pan(path: Path, picture: Path, frames: int) -> Path:
    """A film of 640 x 400 pixels in which a camera pans over a picture, 4 pixels a frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = Image.open(picture).convert("RGB")
    shown = shown.resize((720, max(400, round(720 * shown.height / shown.width))))
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = 640, 400, "yuv420p"
        for index in range(frames):
            part = np.asarray(shown.crop((4 * index, 0, 640 + 4 * index, 400)))
            frame = av.VideoFrame.from_ndarray(part, "rgb24").reformat(format="yuv420p", threads=1)
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class EverySquareDetector(SquareDetector):
    """Finds the yellow patterns of both places."""

    def detect(self, picture: Pixels) -> list[Detection]:
        found = []
        for top, bottom in ((0, 60), (60, picture.shape[0])):
            part = picture.copy()
            part[:top], part[bottom:] = 0, 0
            found += super().detect(part)
        return found


def load_squares(settings: DetectSettings) -> ModelFinder:
    """Can be sent to worker processes."""
    return ModelFinder([EverySquareDetector()], settings)
