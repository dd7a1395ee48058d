"""Reading pictures to train the plate model on, what is noted in them, and the plates that are drawn."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from weights.plate import data, evaluate, mine, render
from weights.plate.data import Row, Sample


def save(path: Path, seed: int, width: int = 200, height: int = 120) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    pixels = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    return np.asarray(pixels)


def row_of(path: Path) -> Row:
    return Row(path, path.name, "g", np.array([[20, 40, 100, 60]], np.float32), np.zeros(1, bool))


def pack(folder: Path, count: int = 3) -> list[dict[str, object]]:
    folder.mkdir()
    entries: list[dict[str, object]] = []
    for i in range(count):
        save(folder / f"{i}.png", i)
        entries.append({"image": f"{i}.png", "width": 200, "height": 120, "boxes": []})
    (folder / "annotations.json").write_text(json.dumps(entries))
    return entries


def test_a_cached_picture_is_the_same_as_a_decoded_one(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 1)
    row = row_of(tmp_path / "a.png")
    (tmp_path / "cache").mkdir()
    plain = data.load(row, 150)
    for _ in range(2):  # written, and read again
        cached = data.load_cached(row, 150, tmp_path / "cache")
        assert np.allclose(cached.boxes, plain.boxes)
        assert len(cached.levels) == len(plain.levels)
        for ours, theirs in zip(cached.levels, plain.levels, strict=True):
            assert np.array_equal(ours, theirs)
    assert np.array_equal(data.load_all([row], 150, cache=tmp_path / "cache")[0].levels[0], plain.levels[0])
    assert data.load_cached(row, 400, tmp_path / "cache").levels[0].shape == (120, 200, 3)


def test_a_pack_may_say_what_is_held_out(tmp_path: Path) -> None:
    entries = pack(tmp_path / "pack", 2)
    for entry, part in zip(entries, ("held_out", "train"), strict=True):
        entry["part"] = part
    (tmp_path / "pack/annotations.json").write_text(json.dumps(entries))
    assert [data.is_held_out(row) for row in data.read_pack(tmp_path / "pack")] == [True, False]


def test_negatives_are_a_folder_or_a_pack(tmp_path: Path) -> None:
    entries = pack(tmp_path / "pack")
    (tmp_path / "pack/annotations.json").write_text(json.dumps(entries[1:]))
    assert [row.name for row in data.read_negatives(tmp_path / "pack", {"2.png"})] == ["1.png"]
    (tmp_path / "pack/annotations.json").unlink()
    assert [row.name for row in data.read_negatives(tmp_path / "pack", {"2.png"})] == ["0.png", "1.png"]


def test_noted_places_come_back_in_pixels_of_any_size(tmp_path: Path) -> None:
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, bool)
    large, small = (Sample([np.zeros((h, 2 * h, 3), np.uint8)], *nothing, "a.png") for h in (128, 64))

    def run(picture: np.ndarray) -> dict[str, np.ndarray]:
        return {"detection_boxes": np.array([[[0.25, 0.25, 0.5, 0.5]]]), "detection_scores": np.array([[0.9]])}

    notes = mine.look_through(run, [], [large], tmp_path)
    assert mine.boxes_of(notes["hard"], large).tolist() == [[64, 32, 128, 64]]
    assert mine.boxes_of(notes["hard"], small).tolist() == [[32, 16, 64, 32]]
    assert mine.boxes_of(notes["ignore"], large).shape == (0, 4)
    assert (tmp_path / "hard.txt").read_text() == "0.900 a.png\n"
    assert (tmp_path / "hard.png").is_file()


@pytest.mark.parametrize("draw", [draw for _, draw in render.PLATES])
def test_plates_are_drawn_without_fonts_too(draw: render.Draw) -> None:
    picture = draw(np.random.default_rng(4), render.Fonts())
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert np.ptp(picture) > 60


def test_egyptian_plates_have_a_band_above_two_fields() -> None:
    for seed in range(20):
        picture = render.egyptian(np.random.default_rng(seed), render.Fonts())
        assert 0.85 < picture.shape[1] / picture.shape[0] < 2.7
        above, below = picture[6:20].reshape(-1, 3), picture[60:].reshape(-1, 3)
        assert np.median(below, axis=0).min() > 190
        assert abs(np.median(above, axis=0) - np.median(below, axis=0)).max() > 20


def test_small_pictures_are_seen_enlarged_too() -> None:
    assert evaluate.scales(300, 416, (320, 640, 1280), 2.0) == [320 / 416, 1.0, 2.0]
    assert evaluate.scales(300, 416, (320, 640, 1280)) == [320 / 416, 1.0]
    assert evaluate.scales(768, 1024, (320, 640, 1280), 2.0) == [320 / 1024, 640 / 1024, 1.25]
    assert evaluate.scales(1080, 1920, (640, 1280), 2.0) == [640 / 1920, 1280 / 1920]
    assert evaluate.seen(np.zeros((30, 40, 3), np.uint8), 2.0).shape == (1, 64, 96, 3)
