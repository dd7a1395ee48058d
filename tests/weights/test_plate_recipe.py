"""The training recipe of the plate model, in miniature: a few steps on drawn pictures, exported and loaded."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer.detect.load import load_detectors
from anonymizer.settings import DetectSettings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def run(*arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_train_export_detect(tmp_path: Path) -> None:
    run("weights.plate.train", "--smoke", "--out", tmp_path / "run")
    weights = tmp_path / "run" / "last.weights.h5"
    run("weights.plate.export", weights, tmp_path / "plate.tflite", "--width", "tiny")
    (tmp_path / "model.yaml").write_text(
        "file: plate.tflite\nlabels: {1: plate}\ninput: {size_multiple: 32}\nviews: [{longest_side: 320}]\n"
    )
    (detector,) = load_detectors(DetectSettings(weights=tmp_path, plate_threshold=0.001))
    found = detector.detect(np.full((100, 130, 3), 90, np.uint8))
    assert all(0 <= detection.score <= 1 for detection in found)

    # and further, from these weights, on a pack and pictures without plates that were looked through before
    for folder in ("pack", "negatives"):
        (tmp_path / folder).mkdir()
        for i in range(4):
            pixels = np.random.default_rng([i, len(folder)]).integers(0, 256, (9, 12, 3), dtype=np.uint8)
            cv2.imwrite(f"{tmp_path}/{folder}/{i}.png", cv2.resize(pixels, (240, 180), interpolation=cv2.INTER_CUBIC))
    box = {"kind": "plate", "x_min": 40, "y_min": 60, "x_max": 110, "y_max": 90, "ignore": False}
    entries = [{"image": f"{i}.png", "width": 240, "height": 180, "boxes": [box], "part": "train"} for i in range(4)]
    entries[3]["part"] = "held_out"
    (tmp_path / "pack" / "annotations.json").write_text(json.dumps(entries))
    given = ("--data", tmp_path / "pack", "--negatives", tmp_path / "negatives", "--max-side", 160)
    run("weights.plate.mine", tmp_path / "plate.tflite", tmp_path / "further", *given)
    options = (*given, "--init", weights, "--cache", tmp_path / "cache", "--exclude", tmp_path / "pack")
    run("weights.plate.train", "--smoke", *options, "--out", tmp_path / "further")
    assert (tmp_path / "further" / "last.weights.h5").is_file()
    assert len(json.loads((tmp_path / "further" / "mined.json").read_text())) == 2

    run("weights.plate.evaluate", tmp_path / "plate.tflite", tmp_path / "pack", tmp_path / "found", "--held-out")
    assert [path.name for path in (tmp_path / "found").iterdir()] == ["3.json"]
