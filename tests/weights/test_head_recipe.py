"""The recipe of the head model: examples and matching, and a training in miniature on drawn pictures."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.detect.load import load_detectors
from anonymizer.geometry import Box
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Kind, Pixels8

ROOT = Path(__file__).parents[2]
SIDE = 128


def draw_pack(pack: Path, pictures: int = 4) -> None:
    """Round heads on a ground of coarse cells; in every second picture only their middles are labelled."""
    entries = []
    for index in range(pictures):
        rng = np.random.default_rng(index)
        pixels = cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (200, 150))
        boxes, points = [], []
        for _ in range(6):
            (x, y), radius = rng.integers(20, 130, 2).tolist(), int(rng.integers(6, 15))
            cv2.circle(pixels, (x, y), radius, (90, 140, 200), -1)
            sides = {"x_min": x - radius, "y_min": y - radius, "x_max": x + radius, "y_max": y + radius}
            boxes.append({"kind": "head", **sides, "ignore": False})
            points.append([x, y])
        is_boxed = index % 2 == 0
        cv2.imwrite(str(pack / f"{index}.jpg"), pixels)
        entries.append(
            {
                "image": f"{index}.jpg",
                "width": 200,
                "height": 150,
                "boxes": boxes if is_boxed else [],
                "head_points": [] if is_boxed else points,
                "annotated": ["head"] if is_boxed else ["head_points"],
                "group": "boxes" if is_boxed else "points",
                "part": "train" if index < 2 else "held_out",
            }
        )
    (pack / "annotations.json").write_text(json.dumps(entries))


def test_a_pack_is_read_in_parts(tmp_path: Path) -> None:
    from weights.head.data import read_pack

    draw_pack(tmp_path)
    boxed, pointed = read_pack(tmp_path, "train")
    assert boxed.measured.all()
    assert not pointed.measured.any()
    assert {row.name for row in read_pack(tmp_path, "held_out")} == {"2.jpg", "3.jpg"}

    notes = {"1.jpg": {"sizes": [10.0] * 6, "unlabelled": [[1, 2, 40, 50]]}}
    (tmp_path / "sizes.json").write_text(json.dumps(notes))
    _, pointed = read_pack(tmp_path, "train")
    assert pointed.measured.all()
    assert pointed.ignore.tolist() == [False] * 6 + [True]
    assert np.allclose((pointed.boxes[:6, 2:] - pointed.boxes[:6, :2]), 10)


def test_sizes_are_guessed_from_the_third_neighbour() -> None:
    from weights.head.data import guess_sizes

    row = np.stack([np.arange(10) * 20.0, np.zeros(10)], axis=1)
    assert guess_sizes(row)[0] == pytest.approx(60 * 0.7)
    assert guess_sizes(row)[5] == pytest.approx(40 * 0.7)
    assert len(guess_sizes(row[:2])) == 2


@given(st.floats(-np.pi, np.pi), st.floats(3, 50))
def test_a_turned_head_stays_round(angle: float, radius: float) -> None:
    from weights.head.augment import warp_boxes

    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    box = np.array([[40 - radius, 60 - radius, 40 + radius, 60 + radius]])
    (found,) = warp_boxes(box, turn, np.array([7.0, 9.0]))
    middle = turn @ [40, 60] + [7, 9]
    assert np.allclose(found, [*(middle - radius), *(middle + radius)], atol=1e-3)


@given(st.lists(st.tuples(st.floats(8, 120), st.floats(8, 120), st.floats(8, 30)), min_size=1, max_size=5))
def test_targets_decode_to_the_heads(heads: list[tuple[float, float, float]]) -> None:
    from weights.head.augment import View, targets
    from weights.head.evaluate import decode, suppress
    from weights.head.network import STRIDE

    cells = {(int(x / STRIDE), int(y / STRIDE)): (x, y, side) for x, y, side in heads}
    kept: list[tuple[float, float, float]] = []
    for x, y, side in cells.values():  # apart from each other, so that every one is a peak
        if all(max(abs(x - a), abs(y - b)) > (side + c) for a, b, c in kept):
            kept.append((x, y, side))
    boxes = np.array([[x - side / 2, y - side / 2, x + side / 2, y + side / 2] for x, y, side in kept], np.float32)
    no = np.zeros(len(boxes), bool)
    target = targets(View(np.zeros((SIDE, SIDE, 3), np.uint8), boxes, no, ~no))
    heat = target[..., :1].clip(1e-6, 1 - 1e-6)
    answer = np.concatenate([np.log(heat / (1 - heat)), target[..., 4:]], axis=-1)
    found, scores = suppress(*decode(answer))
    found = found[scores > 0.99]
    assert len(found) == len(boxes)
    for box in boxes:
        assert np.abs(found - box).max(axis=1).min() < 0.01


def test_ignored_and_tiny_heads_are_neither_learnt_nor_background() -> None:
    from weights.head.augment import View, targets

    boxes = np.array([[20, 20, 40, 40], [80, 80, 83, 83]], np.float32)
    view = View(np.zeros((SIDE, SIDE, 3), np.uint8), boxes, np.array([True, False]), np.ones(2, bool))
    target = targets(view)
    assert target[..., 0].max() == 0
    assert target[5:10, 5:10, 1].max() == 0
    assert target[20, 20, 1] == 0
    assert target[15, 15, 1] == 1


def test_views_show_the_heads_where_the_boxes_are(tmp_path: Path) -> None:
    from weights.head.augment import look
    from weights.head.data import read_pack

    draw_pack(tmp_path)
    row = read_pack(tmp_path, "train")[0]
    colour = np.array([200, 140, 90])
    for seed in range(20):
        for view in look(np.random.default_rng(seed), row, SIDE, 2):
            assert view.pixels.shape == (SIDE, SIDE, 3)
            sides = view.boxes[:, 2:] - view.boxes[:, :2]
            for box, ignored, side in zip(view.boxes, view.ignore, sides, strict=True):
                x, y = ((box[:2] + box[2:]) / 2).astype(int)
                if not ignored and side.min() > 9:
                    assert np.abs(view.pixels[y, x].astype(int) - colour).max() < 40


def draw_empty(pack: Path, pictures: int = 3) -> None:
    """Pictures without heads, the last one held out; in the first, a place was taken for a head."""
    entries = []
    for index in range(pictures):
        rng = np.random.default_rng(100 + index)
        cv2.imwrite(
            str(pack / f"{index}.png"), cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (400, 300))
        )
        part = "held_out" if index == pictures - 1 else "train"
        entry = {"image": f"{index}.png", "width": 400, "height": 300, "group": "empty/drawn", "part": part}
        entries.append({**entry, "boxes": [], "annotated": ["head"]})
    (pack / "annotations.json").write_text(json.dumps(entries))
    (pack / "mistaken.json").write_text(json.dumps({"0.png": [[100, 120, 110, 130]]}))


def test_views_without_heads_are_background_and_show_what_was_mistaken(tmp_path: Path) -> None:
    from weights.head.augment import look, targets, view_matrix
    from weights.head.data import read_pack

    draw_empty(tmp_path)
    mistaken, other = read_pack(tmp_path, "train")
    assert mistaken.mistaken.tolist() == [[100, 120, 110, 130]]
    assert not len(other.mistaken)
    for seed in range(10):
        for view in look(np.random.default_rng(seed), mistaken, SIDE, 2):
            target = targets(view)
            assert target[..., 0].max() == 0
            assert target[..., 1].min() == 1
    shown = [view_matrix(np.random.default_rng(seed), mistaken, SIDE) @ [105, 125, 1] for seed in range(60)]
    seldom = [view_matrix(np.random.default_rng(seed), other, SIDE) @ [105, 125, 1] for seed in range(60)]

    def inside(places: list[np.ndarray]) -> int:
        return sum(bool(((place >= 0) & (place < SIDE)).all()) for place in places)

    assert inside(shown) > 1.3 * inside(seldom)


def test_pictures_without_heads_have_a_share_of_their_own(tmp_path: Path) -> None:
    from weights.head.data import by_group, read_pack
    from weights.head.train import EMPTY_SHARE, weigh

    for name in ("heads", "empty"):
        (tmp_path / name).mkdir()
    draw_pack(tmp_path / "heads")
    draw_empty(tmp_path / "empty")
    groups = by_group([row for name in ("heads", "empty") for row in read_pack(tmp_path / name, "train")])
    weights = dict(zip(sorted(groups), weigh(groups).tolist(), strict=True))
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["empty/drawn"] == pytest.approx(EMPTY_SHARE)
    del groups["empty/drawn"]
    assert weigh(groups).tolist() == pytest.approx([0.5, 0.5])


def test_mining_notes_what_no_label_explains() -> None:
    from weights.head import data, mine

    boxes = np.array([[10, 10, 30, 30]], np.float32)
    row = data.Row(ROOT / "images" / "x", "a", "g", boxes, np.zeros(1, bool), np.ones(1, bool), 100, 100)
    found = np.array([[12, 8, 29, 31], [60, 10, 80, 30], [60, 60, 80, 80], [0, 60, 20, 80]], np.float32)
    scores = np.array([0.9, mine.SURE, mine.SURE - 0.01, mine.MISTAKEN - 0.01], np.float32)
    assert mine.places_of(row, found, scores) == [[60, 60, 80, 80]]
    empty = dataclasses.replace(row, boxes=np.zeros((0, 4), np.float32))
    assert mine.places_of(empty, found, scores) == found[:3].tolist()


def test_pictures_with_somebody_or_like_others_stay_out(tmp_path: Path) -> None:
    from weights.head.empty import Counts, look_through

    class Watcher:
        kinds: frozenset[Kind] = frozenset({"face"})

        def detect(self, picture: Pixels8) -> list[Detection]:
            return [Detection(Box(0, 0, 9, 9), 1.0, "face")] if picture.mean() > 200 else []

    for name, seed in (("a", 1), ("b", 2), ("copy", 1)):
        rng = np.random.default_rng(seed)
        cv2.imwrite(str(tmp_path / f"{name}.png"), cv2.resize(rng.integers(0, 256, (9, 9), dtype=np.uint8), (90, 90)))
    cv2.imwrite(str(tmp_path / "seen.png"), 255 - np.tri(90, dtype=np.uint8))
    log = Counts()
    entries = list(look_through(tmp_path, [Watcher()], [], 10, log))
    assert [Path(entry["image"]).name for entry in entries] == ["a.png", "b.png"]
    assert (log.read, log.like_others, log.with_somebody, log.kept) == (4, 1, 1, 2)


def test_each_detection_finds_one_head() -> None:
    from weights.head.data import Row
    from weights.head.evaluate import match

    boxes = np.array([[0, 0, 20, 20], [10, 0, 30, 20], [50, 50, 54, 54], [70, 70, 90, 90]], np.float32)
    ignore = np.array([False, False, False, True])
    row = Row(Path("a"), "a", "g", boxes, ignore, ~ignore, 100, 100)
    detections = np.array([[0, 0, 31, 21], [2, 1, 29, 19], [3, 3, 12, 12], [48, 48, 58, 58], [70, 70, 90, 90]])
    hits, wrong, heads = match(row, detections, np.array([0.9, 0.8, 0.7, 0.6, 0.5]))
    assert int(heads) == 2  # the third is smaller than 8 pixels, the fourth ignored: so are their detections
    assert hits.tolist() == [0.9, 0.8]
    assert wrong.tolist() == [0.7]


@pytest.mark.slow
def test_train_measure_export(tmp_path: Path) -> None:
    draw_pack(tmp_path)
    weights = tmp_path / "run" / "last.weights.h5"

    def run(module: str, *arguments: object) -> str:
        command = [sys.executable, "-m", f"weights.head.{module}", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    training = ("--data", tmp_path, "--out", tmp_path / "run", "--batch", 2, "--size", 64, "--warmup", 1)
    run("train", *training, "--steps", 4, "--until", 2)
    assert "resumed at step 2" in run("train", *training, "--steps", 4)
    assert "2 pictures" in run("sizes", weights, tmp_path)
    assert set(json.loads((tmp_path / "sizes.json").read_text())) == {"1.jpg", "3.jpg"}
    assert "sha256" in run("export", weights, tmp_path / "head.tflite")
    (tmp_path / "model.yaml").write_text("file: head.tflite\nlabels: {1: head}\ninput: {size_multiple: 32}\n")
    assert "boxes (1 pictures, 6 heads)" in run("evaluate", tmp_path, "--data", tmp_path)
    assert "2 pictures" in run("mine", tmp_path, "--data", tmp_path, "--group", "boxes", "--group", "points")
    assert set(json.loads((tmp_path / "mistaken.json").read_text())) == {"0.jpg", "1.jpg"}
    (detector,) = load_detectors(DetectSettings(weights=tmp_path, kinds="head", head_threshold=0.001))
    assert all(0 <= detection.score <= 1 for detection in detector.detect(np.full((100, 130, 3), 90, np.uint8)))
