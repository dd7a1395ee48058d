"""Loading of models and the choice of those that are needed."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread

import pytest
from tiny_models import detector_in, picture_with, save_graph_def, save_tflite

from anonymizer.detect import load, tflite
from anonymizer.detect.description import ModelDescription
from anonymizer.detect.inference import LoadedModel
from anonymizer.detect.load import choose_models, load_detectors
from anonymizer.errors import ModelError
from anonymizer.settings import DetectSettings


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The paths of the TFLite models that were loaded, in order."""
    paths: list[Path] = []
    original = tflite.load

    def counted(model: ModelDescription) -> LoadedModel:
        paths.append(model.path)
        return original(model)

    monkeypatch.setattr(tflite, "load", counted)
    return paths


def test_other_settings_load_no_model_again(tmp_path: Path, loads: list[Path]) -> None:
    path = save_tflite(tmp_path / "face.tflite")
    first = load_detectors(DetectSettings(weights=tmp_path))
    for settings in (
        DetectSettings(weights=tmp_path),
        DetectSettings(weights=tmp_path, face_threshold=0.7),
        DetectSettings(weights=tmp_path, exclude_zone="0,0.8 1,0.8 1,1 0,1"),
        DetectSettings(weights=tmp_path, projection="equirectangular"),
        DetectSettings(weights=tmp_path, preset="fast"),
        DetectSettings(weights=tmp_path, kinds=("face",)),
    ):
        assert len(load_detectors(settings)) == len(first) == 1
    assert loads == [path]


def test_a_file_that_has_changed_is_loaded_anew(tmp_path: Path, loads: list[Path]) -> None:
    path = save_tflite(tmp_path / "face.tflite")
    load_detectors(DetectSettings(weights=tmp_path))
    save_tflite(path, size=(32, 32))
    load_detectors(DetectSettings(weights=tmp_path))
    assert loads == [path, path]


def test_other_names_of_outputs_load_a_model_anew(tmp_path: Path, loads: list[Path]) -> None:
    path = save_tflite(tmp_path / "model.tflite")
    description = tmp_path / "model.yaml"
    for line in ("", "outputs: {detection_scores: detection_scores}\n"):
        description.write_text("file: model.tflite\nlabels: {1: face}\n" + line)
        load_detectors(DetectSettings(weights=tmp_path))
    assert loads == [path, path]


def test_a_failed_load_is_not_kept(tmp_path: Path, loads: list[Path]) -> None:
    path = tmp_path / "face.tflite"
    path.write_bytes(b"this is a text file")
    for _ in range(2):
        with pytest.raises(ModelError, match="is damaged"):
            load_detectors(DetectSettings(weights=tmp_path))
    save_tflite(path)
    load_detectors(DetectSettings(weights=tmp_path))
    assert loads == [path] * 3


def test_threads_load_a_model_once(tmp_path: Path, loads: list[Path]) -> None:
    path = save_tflite(tmp_path / "face.tflite")
    barrier, kinds = Barrier(6), []

    def use() -> None:
        barrier.wait()
        (detector,) = load_detectors(DetectSettings(weights=tmp_path))
        kinds.append(detector.kinds)

    threads = [Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds == [{"face"}] * 6
    assert loads == [path]


def test_the_log_says_what_was_loaded_and_how(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = save_graph_def(tmp_path / "face.pb")
    with caplog.at_level(logging.DEBUG, logger=load.__name__):
        load_detectors(DetectSettings(weights=tmp_path))
    assert f"loaded model face.pb from {path} with TensorFlow" in caplog.text


def test_models_are_not_used_with_presets_that_they_do_not_name(tmp_path: Path) -> None:
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text("file: model.tflite\nlabels: {1: face}\nviews: {thorough: [{}]}\n")
    assert choose_models(DetectSettings(weights=tmp_path, preset="thorough"))
    with pytest.raises(ModelError, match="finds the kind 'face'"):
        choose_models(DetectSettings(weights=tmp_path, kinds="face", preset="fast"))


def test_several_models_share_the_work(tmp_path: Path) -> None:
    save_graph_def(tmp_path / "weights_face_v1.0.0.pb")
    save_graph_def(tmp_path / "weights_plate_v1.0.0.pb")
    detectors = load_detectors(DetectSettings(weights=tmp_path))
    assert [detector.kinds for detector in detectors] == [{"face"}, {"plate"}]
    assert [model.name for model in choose_models(DetectSettings(weights=tmp_path, kinds="plate"))] == [
        "weights_plate_v1.0.0.pb"
    ]


def test_threads_share_a_detector(tmp_path: Path) -> None:
    save_tflite(tmp_path / "face.tflite")
    detector = detector_in(tmp_path, face_threshold=0.5)
    pictures = [picture_with((4, 5, 20 + number, 30), height=40 + number) for number in range(8)]
    expected = [detector.detect(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.detect, 5 * pictures)) == 5 * expected
    assert all(expected)
