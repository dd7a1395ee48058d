"""The recipe of the silhouette model: examples, the teacher's masks, and a training in miniature on drawn pictures."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weights.data.labels import BACKGROUND, BODY, FACE, HEAD, IGNORED

ROOT = Path(__file__).parents[2]
SIDE = 64
SKIN, HAIR, SHIRT = (200, 150, 120), (60, 30, 20), (30, 60, 200)


def draw_head(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A face with hair around it and a shirt below, on coarse cells: RGB (120, 100, 3) and its mask."""
    rng = np.random.default_rng(seed)
    pixels = cv2.resize(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8), (100, 120))
    mask = np.zeros((120, 100), np.uint8)
    for (centre, axes), colour, value in (
        (((50, 118), (45, 30)), SHIRT, BODY),
        (((50, 50), (30, 36)), HAIR, HEAD),
        (((50, 56), (20, 26)), SKIN, FACE),
    ):
        cv2.ellipse(pixels, centre, axes, 0, 0, 360, colour, -1)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, value, -1)
    return pixels, mask


def draw_pack(pack: Path, heads: int = 4) -> None:
    entries = []
    for index in range(heads):
        pixels, mask = draw_head(index)
        cv2.imwrite(str(pack / f"{index}.png"), pixels[:, :, ::-1])
        cv2.imwrite(str(pack / f"{index}_mask.png"), mask)
        part = "train" if index % 2 else "held_out"
        entries.append({"image": f"{index}.png", "mask": f"{index}_mask.png", "group": "drawn", "part": part})
    (pack / "annotations.json").write_text(json.dumps([*entries, {**entries[0], "part": "train"}]))


def test_a_pack_is_read_with_the_boxes_of_its_faces(tmp_path: Path) -> None:
    from weights.silhouette.data import read_pack

    draw_pack(tmp_path)
    rows = read_pack(tmp_path, "train")
    assert [row.name for row in rows] == ["1.png", "3.png", "0.png"]
    assert rows[0].box.tolist() == [30, 30, 71, 83]
    (small, *_) = read_pack(tmp_path, "train", largest=60)
    assert small.pixels.shape == (60, 50, 3)
    assert np.abs(small.box * 2 - rows[0].box).max() <= 3


@given(st.integers(0, 10**6), st.sampled_from([1, 3]))
def test_examples_show_the_head_where_the_answer_is(seed: int, channels: int) -> None:
    from weights.silhouette.augment import example
    from weights.silhouette.data import Row, box_of_face

    pixels, mask = draw_head(0)
    row = Row("a", "g", pixels, mask, np.array(box_of_face(mask), np.float32))
    scenes = [np.full((80, 90, 3), 90, np.uint8)]
    crop, answer = example(np.random.default_rng(seed), row, [row], scenes, SIDE, channels)
    assert crop.shape == (SIDE, SIDE, channels)
    assert crop.dtype == np.uint8
    assert answer.shape == (SIDE, SIDE, 2)
    assert set(np.unique(answer)) <= {0, 1}
    assert answer[SIDE // 2, SIDE // 2, 0] == 1 or not answer[SIDE // 2, SIDE // 2, 1]
    assert 0.02 < answer[..., 0].mean() < 0.8


def test_the_teacher_knows_heads_and_not_what_may_be_hair() -> None:
    from weights.silhouette.teach import to_mask

    _, drawn = draw_head(0)
    person = (drawn != BACKGROUND).astype(np.float32)
    face = np.array([30.0, 30, 71, 83])
    mask = to_mask(person, face, np.zeros((0, 4)))
    assert mask is not None
    assert (mask[30:80, 40:61] == HEAD).all()
    assert (mask[drawn == BODY] != HEAD).mean() > 0.9
    assert (mask[:10] == BACKGROUND).all()
    assert to_mask(1 - person, face, np.zeros((0, 4))) is None
    beside = to_mask(person, face, np.array([[60.0, 90, 100, 119]]))
    assert beside is not None
    assert (beside[95:110, 75:85] == BACKGROUND).all()
    assert mask[110, 20] == IGNORED


def test_heads_of_crowds_have_faces() -> None:
    from weights.silhouette.teach import heads_of

    box = {"x_min": 0, "y_min": 0, "x_max": 100, "y_max": 100}
    face, head = heads_of({"boxes": [{**box, "kind": "face"}, {**box, "kind": "head"}]})
    assert face.tolist() == [0, 0, 100, 100]
    assert head.tolist() == [13, 22, 87, 98]


def test_groups_are_drawn_by_their_shares() -> None:
    from weights.silhouette.train import SHARES, shares_of

    shares = shares_of({"celeba_mask": [], "crowds/a": [None] * 3, "crowds/b": [None]})  # type: ignore[list-item]
    assert shares.sum() == pytest.approx(1)
    assert shares[0] == pytest.approx(SHARES["celeba_mask"])
    assert shares[1] == pytest.approx(3 * shares[2])


def test_a_threshold_by_the_own_distribution() -> None:
    from weights.silhouette.evaluate import own_threshold

    share = np.full((40, 40), 0.1, np.float32)
    share[10:30, 10:30] = 0.6
    assert 0.1 <= own_threshold(share) < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("channels", [3, 1])
def test_train_export_measure(tmp_path: Path, channels: int) -> None:
    draw_pack(tmp_path)
    folder = tmp_path / "own"
    folder.mkdir()

    def run(module: str, *arguments: object) -> str:
        command = [sys.executable, "-m", f"weights.silhouette.{module}", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    shape = ("--size", SIDE, "--channels", channels)
    training = (
        "--data",
        tmp_path,
        "--out",
        tmp_path / "run",
        "--batch",
        2,
        "--warmup",
        1,
        "--scenes",
        tmp_path,
        *shape,
    )
    run("train", *training, "--steps", 4, "--until", 2)
    assert "resumed at step 2" in run("train", *training, "--steps", 4)
    (folder / "segmenter.yaml").write_text(
        "name: own\nfile: own.tflite\ncontexts: {face: 2.6}\nthreshold: 0.4\nlicence: none\norigin: drawn\nsha256: x\n"
    )
    weights, file = tmp_path / "run" / "last.weights.h5", folder / "own.tflite"
    out = run("export", weights, file, "--picture", tmp_path / "0.png", *shape)
    assert float(out.split()[2]) < 0.01
    measured = run("evaluate", folder, "--data", tmp_path, "--own-threshold")
    assert "| drawn | 2 |" in measured
