"""Detectors that answer, crash, or make the process end, and pictures to show them."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from PIL import Image

from anonymizer.detect.detector import Detector
from anonymizer.detect.frames import ModelFinder
from anonymizer.errors import ModelError
from anonymizer.geometry import Box
from anonymizer.pipeline import PictureProcess
from anonymizer.redact.redaction import to_scene
from anonymizer.redact.scene import RedactionTarget, Scene
from anonymizer.redact.targets import to_targets
from anonymizer.settings import DetectSettings, RedactSettings, Settings
from anonymizer.types import Detection, Job, Kind, Pixels, Pixels8, Result

Folders: TypeAlias = tuple[Path, Path]
"""Where a run reads, and where it writes."""


class UseDetectors(Protocol):
    """What the fixture `use_detectors` gives."""

    def __call__(self, *detectors: Detector) -> None: ...


class FixedDetector:
    """Answers the same for every picture."""

    def __init__(self, *detections: Detection, kinds: Sequence[Kind] = ("face",)) -> None:
        self.kinds = frozenset(kinds)
        self._detections = list(detections)

    def detect(self, picture: Pixels) -> list[Detection]:
        return self._detections


class KeenDetector:
    """Answers those of its detections in whose boxes the picture is noisy: what is redacted it does not see."""

    def __init__(self, *detections: Detection, kinds: Sequence[Kind] = ("face",)) -> None:
        self.kinds = frozenset(kinds)
        self._detections = detections

    def detect(self, picture: Pixels) -> list[Detection]:
        return [found for found in self._detections if self._sees(found.box, picture)]

    def _sees(self, box: Box, picture: Pixels) -> bool:
        part = picture[int(box.y_min) : int(box.y_max), int(box.x_min) : int(box.x_max)].astype(int)
        return part.size > 0 and np.abs(np.diff(part, axis=1)).mean() > 20


class CrashingDetector:
    """Raises for pictures whose first pixel is pure red, finds nothing in others."""

    kinds = frozenset(["face"])

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def detect(self, picture: Pixels) -> list[Detection]:
        if tuple(picture[0, 0]) == (255, 0, 0):
            raise self._error
        return []


class TroublesomeDetector:
    """Finds a face, or makes trouble that no Python code could catch, by the first pixel of the picture."""

    kinds = frozenset(["face"])

    def detect(self, picture: Pixels) -> list[Detection]:
        red, green, blue = picture[0, 0].tolist()
        if (green, blue) == (0, 0) and red >= 254:  # 254: only once
            mark = Path(os.environ["TROUBLE_MARK"])
            if red == 255 or not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if (red, green, blue) == (0, 255, 0):
            time.sleep(3600)
        if (red, green, blue) == (0, 0, 254):
            Path(os.environ["TROUBLE_MARK"]).touch()
        while (red, green, blue) == (0, 0, 255) and not Path(os.environ["TROUBLE_MARK"]).exists():
            time.sleep(0.01)
        return [face(5, 5, 15, 15)]


def load_troublesome(settings: DetectSettings) -> ModelFinder:
    """Can be sent to worker processes, unlike a detector of the test that runs."""
    return ModelFinder([TroublesomeDetector()], settings)


def load_nothing(settings: DetectSettings) -> ModelFinder:
    raise ModelError("model net is damaged")


def load_to_death(settings: DetectSettings) -> ModelFinder:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def process(job: Job, source: Path, target: Path, detectors: Sequence[Detector], settings: Settings) -> Result:
    """The way of one picture with these detectors."""
    return PictureProcess(source, target, ModelFinder(detectors, settings.detect), settings)(job)


def marked(first_pixel: tuple[int, int, int], seed: int = 0) -> Pixels:
    """Random pixels behind a first one that tells TroublesomeDetector what to do."""
    pixels = noise(30, 30, seed=seed)
    pixels[0, 0] = first_pixel
    return pixels


KILLS, KILLS_ONCE, HANGS = (255, 0, 0), (254, 0, 0), (0, 255, 0)
WAITS, ENDS_THE_WAIT = (0, 0, 255), (0, 0, 254)


def face(x_min: float, y_min: float, x_max: float, y_max: float, score: float = 0.9) -> Detection:
    return Detection(Box(x_min, y_min, x_max, y_max), score, "face")


def plate(x_min: float, y_min: float, x_max: float, y_max: float, score: float = 0.9) -> Detection:
    return Detection(Box(x_min, y_min, x_max, y_max), score, "plate")


def scene_of(
    pixels: Pixels, found: Sequence[Detection], settings: RedactSettings
) -> tuple[Scene, list[RedactionTarget]]:
    """What the methods are given for these detections."""
    targets = to_targets(found, pixels.shape[:2], settings)
    return to_scene(pixels, targets), targets


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> Pixels8:
    """Random pixels, uint8 (height, width, channels)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def noise16(height: int, width: int, channels: int = 3, seed: int = 0) -> Pixels:
    """Random pixels, uint16 (height, width, channels)."""
    return np.random.default_rng(seed).integers(0, 65536, (height, width, channels), dtype=np.uint16)


def smooth(height: int, width: int) -> Pixels8:
    """A colour gradient, which survives JPEG well. uint8 (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 255 // height, columns * 255 // width, (rows + columns) * 255 // (height + width)]
    return np.stack(planes, axis=2).astype(np.uint8)


def save(path: Path, pixels: Pixels, **options: Any) -> Path:
    """Saves a picture; the folder is made where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.squeeze()).save(path, **options)
    return path


def load(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image)
