from pathlib import Path

import pytest
from tiny_models import describe, save_graph_def, save_saved_model

from anonymizer.detect.catalogue import BUNDLED, checksum, find_models
from anonymizer.detect.load import DETECTORS, choose_models, chosen_kinds, thresholds_of
from anonymizer.errors import ModelError
from anonymizer.settings import DetectSettings


def test_every_bundled_model_is_intact_and_says_where_it_comes_from() -> None:
    models = find_models()
    assert "face" in {kind for model in models for kind in model.found_kinds}
    for model in models:
        assert model.sha256 == checksum(model) or model.format in DETECTORS
        assert model.licence != "unknown"
        assert model.origin != "unknown"
        assert (model.path.parent / "LICENSE").is_file()
        assert model.path.is_relative_to(BUNDLED)


@pytest.mark.parametrize("names", [[], ["README.txt"]])
def test_folders_without_a_model(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ModelError, match="holds no model") as caught:
        find_models(tmp_path)
    assert caught.value.exit_code == 3


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        find_models(tmp_path / "none")


def test_file_names_without_a_kind(tmp_path: Path) -> None:
    (tmp_path / "net.pb").touch()
    with pytest.raises(ModelError, match=r"says neither 'face' nor 'plate' nor 'head' nor 'person'"):
        find_models(tmp_path)


def test_a_described_model_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("file: face.pb\nlabels: {1: face}\n")
    (model,) = find_models(tmp_path)
    with pytest.raises(ModelError, match="No such file"):
        checksum(model)


def test_kinds_without_a_model_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "face.pb").touch()
    with pytest.raises(ModelError, match=r"'plate'; name a folder with such a model by --weights, or .* --kinds face"):
        choose_models(DetectSettings(weights=tmp_path, kinds="face,plate"))


def test_kinds_default_to_those_that_have_a_model(tmp_path: Path) -> None:
    (tmp_path / "face.pb").touch()
    settings = DetectSettings(weights=tmp_path)
    models = choose_models(settings)
    assert chosen_kinds(models, settings) == ("face",)
    assert thresholds_of(models[0], settings) == {"face": 0.3}
    assert thresholds_of(models[0], DetectSettings(face_threshold=0.7)) == {"face": 0.7}


def test_a_description_covers_its_whole_folder(tmp_path: Path) -> None:
    """The folders of the model zoo hold one model in several formats."""
    save_graph_def(tmp_path / "frozen_inference_graph.pb")
    save_saved_model(tmp_path / "saved_model")
    (model,) = find_models(describe(tmp_path, "frozen_inference_graph.pb"))
    assert model.path.name == "frozen_inference_graph.pb"
