"""The training recipe of the plate model, in miniature: a few steps on drawn pictures, exported and loaded."""

import subprocess
import sys
from pathlib import Path

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
