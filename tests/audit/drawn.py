"""Drawn faces of drawn people, and where everything is in them."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from anonymizer.audit.faces import IN_BOX, Face
from anonymizer.geometry import Box
from anonymizer.types import Detection, Pixels8

SIZE = 160
BOX = Box(y_min=34, x_min=44, y_max=130, x_max=116)


def draw(person: int, picture: int) -> Pixels8:
    """A face whose colours and proportions are those of a person, in a light that differs from picture to picture."""
    own, light = np.random.default_rng(person), np.random.default_rng([person, picture])
    canvas = np.full((SIZE, SIZE, 3), light.integers(60, 200, 3), np.uint8)
    skin, hair, eyes, mouth = (tuple(int(value) for value in own.integers(20, 235, 3)) for _ in range(4))
    cv2.ellipse(canvas, (80, 74), (44, 54), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (80, 84), (34, 46), 0, 0, 360, skin, -1, cv2.LINE_AA)
    marks = landmarks().round().astype(int)
    for x, y in marks[:2]:
        cv2.circle(canvas, (int(x), int(y)), int(own.integers(3, 8)), eyes, -1, cv2.LINE_AA)
    cv2.line(canvas, (80, 74), (int(marks[2][0]), int(marks[2][1])), hair, int(own.integers(1, 4)), cv2.LINE_AA)
    middle = (int(marks[3:, 0].mean()), int(marks[3:, 1].mean()))
    cv2.ellipse(canvas, middle, (14, int(own.integers(2, 8))), 0, 0, 360, mouth, -1, cv2.LINE_AA)
    brightness = light.uniform(0.85, 1.15)
    noise = light.normal(0, 4, canvas.shape)
    return np.asarray((canvas * brightness + noise).clip(0, 255), np.uint8)


def landmarks() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return IN_BOX * [BOX.width, BOX.height] + [BOX.x_min, BOX.y_min]


def face(person: int, picture: int = 0) -> Face:
    return Face(
        f"p{person}/{picture}.png",
        f"p{person}",
        draw(person, picture),
        [Detection(BOX, 0.9, "face")],
        BOX,
        landmarks(),
    )


def faces(people: int, pictures: int) -> Sequence[Face]:
    return [face(person, picture) for person in range(people) for picture in range(pictures)]


def write_film(path: Path, frames: Sequence[Pixels8], crf: int = 10) -> None:
    """A film of these frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf)})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode())
