"""Fine-tuning the face model: examples, targets and measures, on drawn pictures."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from weights.face.augment import Scene

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


def a_scene() -> "Scene":
    """One face, whose middle is 60, 65."""
    from weights.face.augment import Scene

    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return Scene(pixels, np.array([[40, 40, 80, 90]], np.float32), np.ones(1, np.float32), np.zeros(1, bool))


def test_labels_are_sure_and_heads_are_places_to_look_at(tmp_path: Path) -> None:
    from weights.face.augment import look
    from weights.face.data import read_faces, read_unlabelled

    for kind in ("face", "head"):
        draw_pack(tmp_path / kind, kind)
    labelled = read_faces(tmp_path / "face", "train")
    unlabelled = read_unlabelled(tmp_path / "head", "train")
    assert [len(row.boxes) for row in labelled] == [len(row.boxes) for row in unlabelled] == [3, 3]
    for seed in range(5):
        scene = look(np.random.default_rng(seed), labelled[0], SIDE)
        assert (scene.scores == 1).all()
        assert not len(look(np.random.default_rng(seed), unlabelled[0], SIDE).boxes)


def test_a_folder_without_labels_is_read_as_it_is(tmp_path: Path) -> None:
    from weights.face.data import read_unlabelled

    for index in range(12):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((40, 60, 3), 20 * index, np.uint8))
    trained, held_out = (read_unlabelled(tmp_path, part) for part in ("train", "held_out"))
    assert len(trained) + len(held_out) == 12
    assert {row.group for row in trained} == {tmp_path.name}


def test_the_teacher_adds_what_is_not_labelled() -> None:
    from weights.face.augment import taught

    on_the_face, elsewhere = [42, 38, 80, 92], [10, 90, 30, 110]
    scene = taught(a_scene(), np.array([on_the_face, elsewhere], np.float32), np.array([0.7, 0.3], np.float32))
    assert scene.boxes[1:].tolist() == [elsewhere]
    assert scene.scores.tolist() == [1, np.float32(0.3)]
    assert scene.ignore.tolist() == [False, False]


def test_the_teacher_is_asked_for_all_but_pictures_without_faces(tmp_path: Path) -> None:
    from weights.face.augment import examples
    from weights.face.data import read_negatives, read_unlabelled

    draw_pack(tmp_path / "head", "head")
    seen = []

    def find(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append(pixels)
        return np.array([[40, 40, 80, 90]], np.float32), np.array([0.6], np.float32)

    rows = read_unlabelled(tmp_path / "head", "train"), read_negatives(tmp_path / "head", "train")
    (pixels, target), (_, of_changed) = examples(np.random.default_rng(0), rows[0][0], SIDE, find)
    np.testing.assert_array_equal(seen[0], pixels)
    assert target[..., 1].sum() == 1
    assert target[16, 15, :2].tolist() == [np.float32(0.6), 1]
    assert of_changed[..., 0].max() == np.float32(0.6)
    empty = examples(np.random.default_rng(0), rows[1][0], SIDE, find)
    assert len(seen) == 1
    assert all(target[..., 1].sum() == 0 for _, target in empty)


def test_scores_around_a_face_have_a_limit() -> None:
    import dataclasses

    from weights.face.augment import targets

    scene = a_scene()
    target = targets(scene)
    assert np.argwhere(target[..., 1]).tolist() == [[16, 15]]
    assert target[16, 15, 0] == 1
    assert target[16, 15, 2:6] == pytest.approx([1, 1, np.log(50 / 4), np.log(40 / 4)])
    assert target[16, 15, 6:] == pytest.approx([-0.25, -0.5])
    assert 0.2 < target[16, 16, 0] < target[16, 14, 0] < 1
    assert target[16, 24, 0] == target[0, 0, 0] == pytest.approx(0.02)
    doubtful = targets(dataclasses.replace(scene, scores=np.array([0.3], np.float32)))
    assert doubtful[16, 15, 0] == np.float32(0.3)
    assert not doubtful[..., 2:].any()
    ignored = targets(dataclasses.replace(scene, ignore=np.ones(1, bool)))
    assert (ignored[11:21, 11:19, 0] == 1).all()
    assert not ignored[..., 1:].any()


def test_the_loss_is_none_where_the_scores_are_the_targets() -> None:
    import tensorflow as tf

    from weights.face.augment import targets
    from weights.face.train import losses

    target = targets(a_scene())
    score = np.clip(target[..., :1], 1e-4, 1 - 1e-4)
    answer = np.concatenate([np.log(score / (1 - score)), target[..., 4:]], axis=-1)

    def loss(change: float) -> list[float]:
        moved = answer + np.array([change, 0, 0, 0, 0], np.float32)
        return [float(part) for part in losses(tf.constant(moved[None]), tf.constant(target[None]))]

    assert loss(0) == pytest.approx([0, 0, 0], abs=1e-3)
    assert loss(2)[0] > 1  # everywhere
    assert 0 < loss(-10)[0] < loss(2)[0]  # at the face alone


def test_scenes_turn_with_their_boxes() -> None:
    from weights.face.augment import turned

    scene = a_scene()
    scene.pixels[:] = 0
    scene.pixels[40:90, 40:80] = 255
    for quarters in range(1, 4):
        moved = turned(scene, quarters * np.pi / 2, (0, 0, 0))
        x_min, y_min, x_max, y_max = np.rint(moved.boxes[0]).astype(int)
        assert moved.pixels[y_min:y_max, x_min:x_max].min() == 255
        assert (moved.pixels > 0).sum() == (scene.pixels > 0).sum()


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
    from weights.face.augment import look, turned
    from weights.face.data import read_faces

    draw_pack(tmp_path / "faces", "face")
    row = read_faces(tmp_path / "faces", "train")[0]
    seen = 0
    for seed in range(40):
        scene = look(np.random.default_rng(seed), row, SIDE)
        for view in (scene, turned(scene, seed / 5, (0, 0, 0))):
            assert view.pixels.shape == (SIDE, SIDE, 3)
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

    scene = a_scene()
    pixels = scene.pixels.copy()
    changed = []
    for seed in range(40):
        scene.pixels[:] = pixels
        cover(np.random.default_rng(seed), scene)
        changed.append((scene.pixels != pixels).any(axis=2)[40:90, 40:80].mean())
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


def test_measure(tmp_path: Path) -> None:
    from weights.face import evaluate

    draw_pack(tmp_path / "face", "face")
    for preset in ("own", "fast"):
        options = ["--faces", str(tmp_path / "face"), "--change", "by 90", "--preset", preset]
        done = CliRunner().invoke(evaluate.main, [str(ROOT / "weights" / "face"), *options], catch_exceptions=False)
        assert done.output.startswith("2 pictures")
        assert f"\n{preset} " in done.output
        assert "(6 faces)" in done.output


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # of TensorFlow
def test_train(tmp_path: Path) -> None:
    import keras

    from weights.face.network import build_network
    from weights.face.tuned import from_faces

    for kind in ("face", "head"):
        draw_pack(tmp_path / kind, kind)
    keras.utils.set_random_seed(0)
    network = from_faces(build_network())
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel, bias - (4, 0, 0, 0, 0)])  # hardly any cell is a face
    network.save_weights(tmp_path / "first.weights.h5")
    pictures, run = str(tmp_path / "face"), tmp_path / "run"
    options = ["--faces", pictures, "--unlabelled", str(tmp_path / "head"), "--negatives", pictures]
    options += ["--init", str(tmp_path / "first.weights.h5"), "--out", str(run)]
    options += ["--batch", "2", "--size", "64", "--warmup", "1", "--steps", "4"]
    # A process of its own: TensorFlow takes the number of threads before it computes anything.
    subprocess.run([sys.executable, "-m", "weights.face.train", *options], cwd=ROOT, check=True)
    assert [line.split(",")[0] for line in (run / "loss.csv").read_text().split()] == ["1", "2", "3", "4"]
    assert (run / "last.weights.h5").is_file()
