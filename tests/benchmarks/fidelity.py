"""What changes outside the mask, and what the lossless way costs.

    python -m tests.benchmarks.fidelity PACK [--limit N]

PACK is a folder with pictures, and perhaps an annotations.json whose boxes are redacted; pictures without boxes get
eight. First, N pictures of all formats are written by this program and compared with their sources by other means than
its own reader: Pillow's pixels, and the coefficients of JPEG files as jpeglib reads them. Then, N JPEG files of about 1
to 2 megapixels are read and written by this program and by OpenCV, which decodes and encodes anew, with the same boxes.
Exits with 1 if anything changed outside the mask of a picture that is reported as lossless.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import jpeglib
import numpy as np
import numpy.typing as npt
from PIL import Image

from anonymizer.errors import PictureError
from anonymizer.files.encode import encode_picture
from anonymizer.files.global_state import pillow_state
from anonymizer.files.orientation import turn_back
from anonymizer.files.picture import Frame, Picture
from anonymizer.files.read import read_picture
from anonymizer.formats import EXTENSIONS
from anonymizer.geometry import Box
from anonymizer.redact.frame import redact_frame
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection, FrameDetections

MEGAPIXELS = (0.7, 2.5)
TARGET = 2.0
BOXES = 8


@dataclass
class Totals:
    """Sums over pictures."""

    pictures: int = 0
    changed: int = 0
    outside: int = 0
    """Pixels, or for JPEG blocks of coefficients, outside the mask."""
    size_before: int = 0
    size_after: int = 0
    worst_ratio: float = 0.0

    def add(self, changed: int, outside: int, before: int, after: int) -> None:
        self.pictures += 1
        self.changed += changed
        self.outside += outside
        self.size_before += before
        self.size_after += after
        self.worst_ratio = max(self.worst_ratio, after / before)


@dataclass
class Times:
    """CPU seconds."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return sum(self.ours) / sum(self.theirs)


def boxes_of(pack: Path) -> dict[str, list[Detection]]:
    """Of each picture, by its path in the pack."""
    annotations = pack / "annotations.json"
    if not annotations.is_file():
        return {}
    return {
        entry["image"]: [
            Detection(
                Box(b["x_min"], b["y_min"], max(b["x_min"], b["x_max"]), max(b["y_min"], b["y_max"])), 1.0, b["kind"]
            )
            for b in entry["boxes"]
            if b["kind"] in ("face", "plate")
        ]
        for entry in json.loads(annotations.read_text())
    }


def eight_boxes(shape: tuple[int, ...]) -> list[Detection]:
    """Spread over the picture, a twentieth of its height each."""
    height, width = shape[:2]
    side = max(1.0, height / 20)
    centres = [(x * width / 5, y * height / 3) for x in (1, 2, 3, 4) for y in (1, 2)]
    return [Detection(Box(x, y, min(width, x + side), min(height, y + side)), 1.0, "face") for x, y in centres]


def redact(picture: Picture, detections: Sequence[Detection]) -> tuple[list[Frame], list[npt.NDArray[np.bool_]]]:
    redacted = [redact_frame(frame, FrameDetections(detections), RedactSettings()) for frame in picture.frames]
    return [frame for frame, _ in redacted], [mask for _, mask in redacted]


def compare(source: bytes, written: bytes, masks: Sequence[npt.NDArray[np.bool_]], orientation: int) -> tuple[int, int]:
    """Changed and all units outside the masks: blocks of JPEG files, pixels of others."""
    if source.startswith(b"\xff\xd8"):
        return _compare_blocks(source, written, turn_back(masks[0], orientation))
    changed = outside = 0
    with pillow_state(), Image.open(io.BytesIO(source)) as before, Image.open(io.BytesIO(written)) as after:
        for number, mask in enumerate(masks):
            before.seek(number)
            after.seek(number)
            one, other = (_visible(image) for image in (before, after))
            differs = (one != other).any(axis=2)[~turn_back(mask, orientation)]
            changed += int(differs.sum())
            outside += differs.size
    return changed, outside


def _visible(image: Image.Image) -> npt.NDArray[np.int64]:
    image.load()
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.int64)[:, :, np.newaxis]
    if image.mode == "CMYK":
        return np.asarray(image).astype(np.int64)
    return np.asarray(image.convert("RGBA")).astype(np.int64)


def _compare_blocks(source: bytes, written: bytes, mask: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """A block is outside if no pixel that it stands for is in the mask."""
    changed = outside = 0
    before, after = coefficients(source), coefficients(written)
    rows, columns = before[0].shape[:2]
    for one, other in zip(before, after, strict=True):
        # How many pixels a block of this component spans: 8 times a power of two, or thrice.
        height = 8 * max(1, round(rows / one.shape[0]))
        width = 8 * max(1, round(columns / one.shape[1]))
        padded = np.zeros((one.shape[0] * height, one.shape[1] * width), bool)
        part = mask[: padded.shape[0], : padded.shape[1]]
        padded[: part.shape[0], : part.shape[1]] = part
        touched = padded.reshape(one.shape[0], height, one.shape[1], width).any(axis=(1, 3))
        changed += int(((one != other).any(axis=(2, 3)) & ~touched).sum())
        outside += int((~touched).sum())
    return changed, outside


def coefficients(content: bytes) -> list[npt.NDArray[np.int16]]:
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(content)
        file.flush()
        jpeg = jpeglib.read_dct(file.name)
        jpeg.load()
        return [component for component in (jpeg.Y, jpeg.Cb, jpeg.Cr, jpeg.K) if component is not None]


def check(pack: Path, limit: int) -> int:
    boxes = boxes_of(pack)
    totals: dict[tuple[str, str], Totals] = {}
    for path in _spread(list(_pictures(pack)), limit):
        try:
            picture = read_picture(path)
        except PictureError as error:
            print(f"not read: {path.relative_to(pack)}: {error}")
            continue
        detections = boxes.get(path.relative_to(pack).as_posix()) or eight_boxes(picture.pixels.shape)
        frames, masks = redact(picture, detections)
        encoded = encode_picture(picture, frames, masks, "strip")
        total = totals.setdefault((picture.encoding.format, encoded.fidelity), Totals())
        counts = (0, 0)
        if encoded.fidelity == "lossless":
            counts = compare(picture.content, encoded.content, masks, picture.encoding.orientation)
        total.add(*counts, len(picture.content), len(encoded.content))
    print("| format | fidelity | pictures | changed outside the mask | size after / before | at most |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (name, fidelity), total in sorted(totals.items()):
        share = f"{total.changed} of {total.outside}" if fidelity == "lossless" else "all may"
        ratio = total.size_after / total.size_before
        print(f"| {name} | {fidelity} | {total.pictures} | {share} | {ratio:.3f} | {total.worst_ratio:.3f} |")
    return sum(total.changed for total in totals.values())


def _pictures(pack: Path) -> Iterator[Path]:
    for path in sorted(pack.rglob("*")):
        if path.suffix.lower().lstrip(".") in EXTENSIONS and path.is_file():
            yield path


def _spread(items: list[Path], limit: int) -> list[Path]:
    return [items[i * len(items) // limit] for i in range(limit)] if limit < len(items) else items


def race(pack: Path, limit: int) -> None:
    files = [path for path in _pictures(pack) if _is_medium_jpeg(path)]
    files = _spread(files, limit)
    cv2.setNumThreads(1)
    times = {0: Times(), BOXES: Times()}
    changed, outside = {"ours": 0, "OpenCV": 0}, 0
    for path in files:
        for number, some in times.items():
            picture = read_picture(path)
            detections = eight_boxes(picture.pixels.shape)[:number]
            frames, masks = redact(picture, detections)
            content, seconds = _timed(partial(_ours, path, frames, masks))
            some.ours.append(seconds)
            bgr = np.ascontiguousarray(turn_back(frames[0].pixels, picture.encoding.orientation)[:, :, ::-1])
            theirs, seconds = _timed(partial(_opencv, path, bgr))
            some.theirs.append(seconds)
            if number:
                mask = turn_back(masks[0], picture.encoding.orientation)
                far = ~cv2.dilate(mask.astype(np.uint8), np.ones((65, 65), np.uint8)).astype(bool)
                before = np.asarray(Image.open(io.BytesIO(picture.content)).convert("RGB"))[far]
                outside += len(before)
                for name, new in (("ours", content), ("OpenCV", theirs)):
                    after = np.asarray(Image.open(io.BytesIO(new)).convert("RGB"))[far]
                    changed[name] += int((before != after).any(axis=1).sum())
    print(f"\n{len(files)} JPEG files of {MEGAPIXELS[0]} to {MEGAPIXELS[1]} megapixels: CPU milliseconds for one")
    print("| boxes | ours | OpenCV, decode and encode | ratio | target |")
    print("| --- | --- | --- | --- | --- |")
    for number, some in times.items():
        our_ms, their_ms = (1000 * sum(values) / len(files) for values in (some.ours, some.theirs))
        print(f"| {number} | {our_ms:.1f} | {their_ms:.1f} | {some.ratio:.2f} | {TARGET} |")
    shares = ", ".join(f"{name} {100 * count / outside:.2f} %" for name, count in changed.items())
    print(f"pixels changed further than 32 pixels from the mask: {shares}")


def _is_medium_jpeg(path: Path) -> bool:
    try:
        with pillow_state(), Image.open(path) as image:
            megapixels: float = image.width * image.height / 1e6
            return image.format == "JPEG" and MEGAPIXELS[0] <= megapixels <= MEGAPIXELS[1]
    except OSError:
        return False


def _timed(do: Callable[[], bytes]) -> tuple[bytes, float]:
    """The quickest of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        result = do()
        seconds.append(time.process_time() - start)
    return result, min(seconds)


def _ours(path: Path, frames: Sequence[Frame], masks: Sequence[npt.NDArray[np.bool_]]) -> bytes:
    return encode_picture(read_picture(path), frames, masks, "strip").content


def _opencv(path: Path, redacted: npt.NDArray[np.uint8 | np.uint16]) -> bytes:
    cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".jpg", redacted)[1].tobytes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--limit", type=int, default=100, metavar="N")
    arguments = parser.parse_args()
    changed = check(arguments.pack, arguments.limit)
    print(f"changed outside the mask although lossless: {changed}")
    race(arguments.pack, arguments.limit)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
