"""Fine-tuning the face model: examples, targets and measures, on drawn pictures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
SIDE = 128
COLOUR = (90, 140, 200)


def draw_pack(pack: Path, kind: str, pictures: int = 4) -> None:
    """Ellipses on a ground of coarse cells, labelled as faces or as heads; the last two pictures are held out."""
    pack.mkdir()
    entries = []
    for index in range(pictures):
        rng = np.random.default_rng(index)
        pixels = cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (200, 150))
        boxes = []
        for x, y in ((40, 40), (130, 50), (80, 110)):
            width, height = rng.integers(8, 16, 2).tolist()
            cv2.ellipse(pixels, (x, y), (width, height), 0, 0, 360, COLOUR, -1)
            sides = {"x_min": x - width, "y_min": y - height, "x_max": x + width, "y_max": y + height}
            boxes.append({"kind": kind, **sides, "ignore": False})
        cv2.imwrite(str(pack / f"{index}.png"), pixels)
        entries.append(
            {
                "image": f"{index}.png",
                "width": 200,
                "height": 150,
                "boxes": boxes,
                "annotated": [kind],
                "group": kind,
                "part": "train" if index < 2 else "held_out",
            }
        )
    (pack / "annotations.json").write_text(json.dumps(entries))


def test_faces_that_only_the_teacher_sees_are_ignored(tmp_path: Path) -> None:
    from weights.face.data import read_faces

    draw_pack(tmp_path / "faces", "face")
    on_a_face, elsewhere = [30, 30, 50, 50, 0.9], [160, 100, 190, 140, 0.6]
    row, other = read_faces(tmp_path / "faces", "train", {"0.png": np.array([on_a_face, elsewhere], np.float32)})
    assert row.ignore.tolist() == [False] * 3 + [True]
    assert row.boxes[3].tolist() == elsewhere[:4]
    assert len(other.boxes) == 3


def test_heads_without_a_sure_face_are_ignored(tmp_path: Path) -> None:
    from weights.face.data import read_heads

    draw_pack(tmp_path / "heads", "head")
    sure, doubtful = [35, 33, 46, 47, 0.8], [125, 42, 137, 58, 0.3]
    (row,) = read_heads(tmp_path / "heads", "train", {"0.png": np.array([sure, doubtful], np.float32)})
    assert row.boxes[0].tolist() == sure[:4]
    assert row.ignore.tolist() == [False, True, True, True]
    assert not row.measured.any()


def test_pictures_without_faces_are_in_one_part_only(tmp_path: Path) -> None:
    from weights.face.data import read_negatives

    for index in range(12):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((40, 60, 3), 20 * index, np.uint8))
    trained, held_out = (
        {row.name for row in read_negatives(tmp_path, part, ["3.png"])} for part in ("train", "held_out")
    )
    assert not trained & held_out
    assert trained | held_out == {f"{index}.png" for index in range(12) if index != 3}


def test_views_show_the_faces_where_the_boxes_are(tmp_path: Path) -> None:
    from weights.face.augment import look
    from weights.face.data import read_faces

    draw_pack(tmp_path / "faces", "face")
    row = read_faces(tmp_path / "faces", "train", {})[0]
    seen = 0
    for seed in range(30):
        for view, linear in look(np.random.default_rng(seed), row, SIDE, 2):
            assert view.pixels.shape == (SIDE, SIDE, 3)
            assert linear.shape == (2, 2)
            assert view.boxes.min(initial=0) >= 0
            assert view.boxes.max(initial=0) <= SIDE
            for box, ignored in zip(view.boxes, view.ignore, strict=True):
                x, y = ((box[:2] + box[2:]) / 2).astype(int)
                if not ignored and (box[2:] - box[:2]).min() > 9:
                    assert np.abs(view.pixels[y, x].astype(int) - COLOUR[::-1]).max() < 40
                    seen += 1
    assert seen > 20


def test_at_most_half_of_a_face_is_covered() -> None:
    from weights.face.augment import cover
    from weights.head.augment import View

    box = np.array([[40, 40, 90, 90]], np.float32)
    changed = []
    for seed in range(40):
        pixels = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        view = View(pixels.copy(), box, np.zeros(1, bool), np.ones(1, bool))
        cover(np.random.default_rng(seed), view, np.eye(2))
        changed.append((view.pixels != pixels).any(axis=2)[40:90, 40:90].mean())
    assert sum(share == 0 for share in changed) > 5
    assert sum(share > 0.1 for share in changed) > 10
    assert max(changed) < 0.75


def test_the_numbers_go_there_and_back() -> None:
    import keras

    from weights.face.network import build_network
    from weights.face.tuned import from_faces, mix, to_faces

    keras.utils.set_random_seed(0)
    faces = build_network()
    network = from_faces(faces)
    back = to_faces(network)
    for before, after in zip(faces.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    heat, log_size, offset = (part.numpy() for part in faces(pixels))
    answer = network(pixels).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-answer[..., :1])), heat, atol=1e-5)
    np.testing.assert_allclose(answer[..., 1:], np.concatenate([log_size, offset], axis=-1), rtol=1e-4, atol=1e-4)

    other = build_network()
    expected = [0.75 * one + 0.25 * two for one, two in zip(faces.get_weights(), other.get_weights(), strict=True)]
    mix(faces, other, 0.25)
    for value, wanted in zip(other.get_weights(), expected, strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-6)


@given(st.integers(1, 3), st.integers(20, 60), st.integers(20, 60))
def test_boxes_turn_with_the_picture(quarters: int, width: int, height: int) -> None:
    from weights.face.evaluate import turned

    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[3:12, 5:10] = 255
    turned_pixels, ((x_min, y_min, x_max, y_max),) = turned(quarters)(pixels, np.array([[5, 3, 10, 12]]), "")
    inside = turned_pixels[y_min:y_max, x_min:x_max]
    assert inside.min() == 255
    assert inside.size == 3 * 5 * 9


def test_measures_of_what_is_found() -> None:
    from weights.face.evaluate import average_precision, best_cover, match

    faces = np.array([[0, 0, 20, 20], [50, 50, 70, 70], [80, 80, 99, 99]], np.float32)
    ignore = np.array([False, False, True])
    boxes = np.array([[1, 1, 20, 20], [2, 2, 21, 21], [52, 50, 62, 60], [81, 81, 98, 98]], np.float32)
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    hit, counts = match(boxes, scores, faces, ignore)
    assert hit.tolist() == [True, False, False, False]
    assert counts.tolist() == [True, True, True, False]
    assert average_precision(hit[counts], scores[counts], 2) == pytest.approx(0.5)
    assert best_cover(boxes, scores, faces).tolist() == [0.9, 0, 0.6]
    assert best_cover(boxes[:0], scores[:0], faces).tolist() == [0, 0, 0]


def test_teach_and_measure(tmp_path: Path) -> None:
    from weights.face import data, evaluate, teach

    for kind in ("face", "head"):
        draw_pack(tmp_path / kind, kind)
    run = CliRunner()
    teacher = tmp_path / "teacher.jsonl"
    for _ in range(2):
        done = run.invoke(teach.main, [str(tmp_path / "head"), "--out", str(teacher)], catch_exceptions=False)
        assert done.output == "2 pictures\n"
    found = data.read_teacher(teacher)
    assert set(found) == {"0.png", "1.png"}
    assert {faces.shape[1] for faces in found.values()} == {5}
    for preset in ("own", "fast"):
        options = ["--faces", str(tmp_path / "face"), "--change", "by 90", "--preset", preset]
        done = run.invoke(evaluate.main, [str(ROOT / "weights" / "face"), *options], catch_exceptions=False)
        assert done.output.startswith("2 pictures")
        assert f"\n{preset} " in done.output
        assert "(6 faces)" in done.output
