import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anonymizer
from anonymizer.detect.load import choose_models, chosen_kinds
from anonymizer.errors import ModelError, SettingsError
from anonymizer.geometry import Box
from anonymizer.kinds import DEFAULT_KINDS, GIVEN_KINDS, KINDS, MODEL_KINDS, TRAITS
from anonymizer.settings import DetectSettings, RedactSettings
from anonymizer.types import Detection

ROW = '    "hand": KindTraits("a hand", "hands", shape="ellipse", margin=0.0, has_cells=True, is_default=False),\n'


@pytest.fixture(scope="module")
def with_hands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package whose table of kinds has one row more, and nothing else is changed."""
    folder = tmp_path_factory.mktemp("with_hands")
    package = Path(anonymizer.__file__).parent
    shutil.copytree(package, folder / "anonymizer", ignore=shutil.ignore_patterns("__pycache__"))
    table = folder / "anonymizer" / "kinds.py"
    before, end, after = table.read_text().partition("}\nKINDS")
    table.write_text(before + ROW + end + after)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models import save_tflite

    folder = tmp_path_factory.mktemp("models")
    save_tflite(folder / "model.tflite")
    (folder / "model.yaml").write_text("file: model.tflite\nlabels: {1: hand, 2: face}\n")
    return folder


def call(package: Path, *arguments: object) -> str:
    command = [sys.executable, "-m", "anonymizer", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_kind_is_one_row(with_hands: Path, models: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[16:32, 8:24] = pixels[16:32, 80:96] = 200  # what the model calls a head, and a face
    Image.fromarray(pixels).save(tmp_path / "in" / "a.png")
    folders = ("--input", tmp_path / "in", "--image-output", tmp_path / "out")
    style = ("--hand-threshold", 0.5, "--hand-method", "solid", "--hand-shape", "box", "--hand-margin", 0.125)
    call(with_hands, *folders, "--weights", models, "--kinds", "hand", *style, "--feather", 0)

    (found,) = json.loads((tmp_path / "out" / "a.json").read_text())
    assert (found["kind"], found["x_min"], found["y_max"]) == ("hand", 8, 32)
    expected = pixels.copy()
    expected[14:34, 6:26] = 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "a.png")), expected)
    report = json.loads((tmp_path / "out" / "anonymize-report.json").read_text())
    assert report["settings"]["hand-threshold"] == 0.5
    assert report["totals"]["detections"] == {"hand": 1}


@pytest.mark.slow
def test_a_new_kind_does_not_change_what_is_looked_for(with_hands: Path, models: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("L", (64, 64)).save(tmp_path / "in" / "a.png")
    folders = ("--input", tmp_path / "in", "--image-output", tmp_path / "out")
    assert "would look for face in 1 pictures" in call(with_hands, *folders, "--weights", models, "--dry-run")


def test_the_help_speaks_of_a_new_kind(with_hands: Path) -> None:
    text = " ".join(call(with_hands, "--help").split())
    assert "--hand-threshold FLOAT Score from which on a hand counts" in text
    assert "By default ellipse for faces and heads and hands, box for plates and " in text
    assert "along the longer side of a face or a head or a person or a hand whose brightness shows" in text


def test_default_kinds_without_a_model_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("file: graph.pb\nlabels: {1: face}\nviews: {fast: [{}]}\n")
    settings = DetectSettings(weights=tmp_path, preset="thorough")
    with pytest.raises(ModelError, match=r"no model in .* finds face or plate with --preset thorough"):
        choose_models(settings)
    fast = DetectSettings(weights=tmp_path, preset="fast")
    assert chosen_kinds(choose_models(fast), fast) == ("face",)


def test_areas_are_never_looked_for(tmp_path: Path) -> None:
    assert (set(KINDS) - set(MODEL_KINDS), GIVEN_KINDS) == ({"area"}, ("area",))
    assert list(DetectSettings.thresholds.fields()) == [f"{kind}_threshold" for kind in MODEL_KINDS]
    assert DetectSettings().threshold_of("area") is None
    with pytest.raises(SettingsError, match="--kinds area: no model looks for that; add face or plate or head"):
        choose_models(DetectSettings("area"))
    settings = DetectSettings("area,face")
    assert chosen_kinds(choose_models(settings), settings) == ("face",)
    (tmp_path / "model.yaml").write_text("file: graph.pb\nlabels: {1: area}\n")
    with pytest.raises(ModelError, match=r"none of the labels .'area'. belongs"):
        choose_models(DetectSettings(weights=tmp_path))


def test_detections_of_other_kinds_are_refused() -> None:
    """Otherwise nothing would hide them."""
    with pytest.raises(ValueError, match="kind 'dog' is not one of face, plate"):
        Detection(Box(0, 0, 1, 1), 0.5, "dog")


def test_settings_of_each_kind() -> None:
    assert DEFAULT_KINDS == ("face", "plate")
    margins = {kind: traits.margin for kind, traits in TRAITS.items()}
    assert RedactSettings(plate_margin=0.5).margins == {**margins, "plate": 0.5}
    assert (margins["face"], margins["plate"], margins["area"]) == (0.3, 0.1, 0)
    shapes = {kind: RedactSettings().shape_of(kind) for kind in KINDS}
    assert (
        shapes.items() >= {"face": "ellipse", "plate": "box", "head": "ellipse", "area": "box", "text": "box"}.items()
    )
    cells = {kind: RedactSettings(cells=4).cells_of(kind) for kind in KINDS}
    assert cells.items() >= {"face": 4, "plate": 1, "head": 4, "area": 1, "text": 1}.items()
    settings = DetectSettings(face_threshold=0.3, plate_threshold=0.4, weights="models")
    assert settings.with_thresholds({"plate": 0.6}) == DetectSettings(plate_threshold=0.6, weights="models")
    assert tuple(TRAITS) == KINDS


def test_codes_are_always_hidden_with_solid() -> None:
    """Cells as small as the modules of a code would show it as it is."""
    for method in ("gaussian", "mosaic", "image", "inpaint"):
        assert RedactSettings(method=method).method_of("code") == "solid"
        with pytest.raises(SettingsError, match=f"--code-method {method}: codes are always hidden with solid"):
            RedactSettings(code_method=method)
    assert RedactSettings(obfuscation_kernel="21,2,9").method_of("code") == "solid"
    assert RedactSettings(method="none").method_of("code") == "none"
    assert RedactSettings(code_method="none").method_of("code") == "none"
    assert RedactSettings(method="none", code_method="solid").method_of("code") == "solid"
