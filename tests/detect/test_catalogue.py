import pytest

from anonymizer.detect.catalogue import BUNDLED, SecondLook, checksum, find_models, read_description
from anonymizer.detect.load import choose_models, chosen_kinds, thresholds_of
from anonymizer.errors import ModelError
from anonymizer.settings import DetectSettings


def test_every_bundled_model_is_intact_and_says_where_it_comes_from():
    models = find_models()
    assert "face" in {kind for model in models for kind in model.found_kinds}
    for model in models:
        assert model.sha256 == checksum(model)
        assert model.licence != "unknown"
        assert model.origin != "unknown"
        assert (model.path.parent / "LICENSE").is_file()
        assert model.path.is_relative_to(BUNDLED)


@pytest.mark.parametrize("names", [[], ["README.txt"]])
def test_folders_without_a_model(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ModelError, match="holds no model") as caught:
        find_models(tmp_path)
    assert caught.value.exit_code == 3


def test_a_missing_folder(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        find_models(tmp_path / "none")


def test_names_that_tell_no_kind(tmp_path):
    (tmp_path / "net.pb").touch()
    with pytest.raises(ModelError, match=r"says neither 'face' nor 'plate'; rename it, or put a model.yaml beside it"):
        find_models(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("labels: {1: face}", "'file' is missing"),
        ("file: net.pb", "'labels' is missing"),
        ("file: net.onnx\nlabels: {1: face}", "'net.onnx' is neither"),
        ("file: net.pb\nlabels: {1: dog}", "none of the labels"),
        ("file: net.pb\nlabels: {1: dog}\nkinds: {animal: [dog]}", "kind 'animal' is none of face, plate"),
        ("file: net.pb\nlabels: {1: face}\nthresholds: {face: 2}", "a threshold is not in the range"),
        ("file: net.pb\nlabels: {1: face}\ninput: {std: 0}", "std must be above 0"),
        ("file: net.pb\nlabels: {1: face}\ninput: {size_multiple: 0}", "size_multiple at least 1"),
        ("file: net.pb\nlabels: {1: face}\nviews: []", "there must be one at least"),
        ("file: net.pb\nlabels: {1: face}\nviews: {slow: [{}]}", "preset 'slow' is none of fast, balanced, thorough"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{size: 3}]", "unknown key 'size'; known are doubt, enlarge"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{largest: -3}]", "largest must be a number from 0 on"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{longest_side: 0}]", "must be above 0"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{doubt: 0}]", "and doubt must be above 0"),
        ("file: net.pb\nlabels: {1: face}\nscore: sum", "'sum' is neither best nor mean"),
        ("file: net.pb\nlabels: {1: face}\ncalibration: {fast: {0: 1}}", "calibration: needs exponents above 0"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {size: 3}", "second_look: unknown key 'size'; known are bias"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {presets: [slow]}", "presets must be some of fast, balanced"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {weight: 2}", "weight must be in the range 0..1"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {from_score: 0}", "scores and weight must be in the range"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {bias: -1000}", "bias at most 10"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {bias: 1" + 400 * "0" + "}", "bias at most 10"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {side: .inf}", "cannot convert float infinity"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {most: .nan}", "cannot convert float NaN"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {side: 4096}", "side must be at most 2048"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {sizes: [32, .nan]}", "needs sizes from 1 on and below side"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {sizes: []}", "needs sizes from 1 on and below side"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {sizes: [96]}", "needs sizes from 1 on and below side"),
        ("file: net.pb\nlabels: {1: face}\nsha256: 12", "sha256 must stand in quotes"),
        ("file: net.pb\nlabels: {1: face}\nthreshold: 1", "unknown key 'threshold'"),
        ("file: net.pb\nlabels: [face]", "has no attribute"),
        ("just text", "must hold lines such as"),
        ("a: [", "while parsing"),
    ],
)
def test_wrong_descriptions(tmp_path, content, message):
    (tmp_path / "net.pb").touch()
    (tmp_path / "model.yaml").write_text(content)
    with pytest.raises(ModelError) as caught:
        read_description(tmp_path / "model.yaml")
    assert message in str(caught.value)


def test_a_second_look(tmp_path):
    (tmp_path / "net.pb").touch()
    (tmp_path / "model.yaml").write_text("file: net.pb\nlabels: {1: face}\nsecond_look: {presets: [fast], sizes: [9]}")
    model = read_description(tmp_path / "model.yaml")
    assert model.second_look == SecondLook(presets=("fast",), sizes=(9,))
    assert "second_look" in model.without_places()  # and so in the fingerprint of a run


def test_a_described_model_that_is_missing(tmp_path):
    (tmp_path / "model.yaml").write_text("file: face.pb\nlabels: {1: face}\n")
    (model,) = find_models(tmp_path)
    with pytest.raises(ModelError, match="No such file"):
        checksum(model)


def test_kinds_without_a_model_are_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "face.pb").touch()
    with pytest.raises(ModelError, match=r"'plate'; name a folder with such a model by --weights, or .* --kinds face"):
        choose_models(DetectSettings(weights=tmp_path, kinds="face,plate"))


def test_kinds_default_to_those_that_have_a_model(tmp_path):
    (tmp_path / "face.pb").touch()
    settings = DetectSettings(weights=tmp_path)
    models = choose_models(settings)
    assert chosen_kinds(models, settings) == ("face",)
    assert thresholds_of(models[0], settings) == {"face": 0.3}
    assert thresholds_of(models[0], DetectSettings(face_threshold=0.7)) == {"face": 0.7}
