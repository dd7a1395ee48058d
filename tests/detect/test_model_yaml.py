from pathlib import Path

import pytest

from anonymizer.detect.description import SecondLook, TurnedLook
from anonymizer.detect.model_yaml import read_description
from anonymizer.errors import ModelError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("labels: {1: face}", "'file' is missing"),
        ("file: net.pb\ndetector: codes\nlabels: {1: code}", "detector is one of codes, and stands in place of a file"),
        ("detector: faces\nlabels: {1: face}", "detector is one of codes"),
        ("file: net.pb", "'labels' is missing"),
        ("file: net.onnx\nlabels: {1: face}", "'net.onnx' is neither"),
        ("file: net.pb\nlabels: {1: dog}", "none of the labels"),
        ("file: net.pb\nlabels: {1: dog}\nkinds: {animal: [dog]}", "kind 'animal' is none of face, plate"),
        ("file: net.pb\nlabels: {1: face}\nthresholds: {face: 2}", "a threshold is not in the range"),
        ("file: net.pb\nlabels: {1: face}\ninput: {std: 0}", "std must be above 0"),
        ("file: net.pb\nlabels: {1: face}\ninput: {size_multiple: 0}", "size_multiple at least 1"),
        ("file: net.pb\nlabels: {1: face}\nviews: []", "there must be one at least"),
        ("file: net.pb\nlabels: {1: face}\nfilm_views: {fast: []}", "film_views: there must be one at least"),
        ("file: net.pb\nlabels: {1: face}\nviews: {slow: [{}]}", "preset 'slow' is none of fast, balanced, thorough"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{size: 3}]", "unknown key 'size'; known are enlarge"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{max_size: -3}]", "max_size must be a number from 0 on"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{longest_side: 0}]", "must be above 0"),
        ("file: net.pb\nlabels: {1: face}\nviews: [{score_exponent: 0}]", "score_exponent must be above 0"),
        ("file: net.pb\nlabels: {1: face}\nscore: sum", "'sum' is neither best nor mean"),
        ("file: net.pb\nlabels: {1: face}\ncalibration: {fast: {0: 1}}", "calibration: needs exponents above 0"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {size: 3}", "second_look: unknown key 'size'; known are bias"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {presets: [slow]}", "presets must be some of fast, balanced"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {weight: 2}", "weight must be in the range 0..1"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {from_score: 0}", "scores and weight must be in the range"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {bias: -1000}", "bias at most 10"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {bias: 1" + 400 * "0" + "}", "bias at most 10"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {side: .inf}", "second_look: cannot convert float infinity"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {max_objects: .nan}", "second_look: cannot convert float NaN"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look:", "second_look: must hold keys, some of bias"),
        ("file: net.pb\nlabels: {1: face}\nviews: [3]", "views: must hold keys, some of enlarge"),
        ("file: net.pb\nlabels: {1: face}\nfirst_class: one", "first_class: invalid literal"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {side: 4096}", "side must be at most 2048"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {sizes: [32, .nan]}", "needs sizes from 1 on and below side"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {sizes: []}", "needs sizes from 1 on and below side"),
        ("file: net.pb\nlabels: {1: face}\nsecond_look: {sizes: [96]}", "needs sizes from 1 on and below side"),
        ("file: net.pb\nlabels: {1: face}\nturned_look: {}", "turned_look: needs boxes, and 'score: mean'"),
        (
            "file: net.pb\nlabels: {1: text}\nscore: mean\nregions: {}\nturned_look: {}",
            "turned_look: needs boxes, and 'score: mean'",
        ),
        *(
            (f"file: net.pb\nlabels: {{1: face}}\nscore: mean\nturned_look: {{{wrong}}}", f"turned_look: {message}")
            for wrong, message in (
                ("sides: 3", "unknown key 'sides'; known are crowd_side"),
                ("presets: [slow]", "presets must be some of fast, balanced"),
                ("presets: 3", "'int' object is not iterable"),
                ("deciding_objects: many", "invalid literal"),
                ("from_score: high", "'<' not supported"),
                ("from_score: 0", "scores must be in the range 0..1"),
                ("from_score: 0.5, to_score: 0.4", "scores must be in the range 0..1, from_score at most to_score"),
                ("to_score: .nan", "scores must be in the range 0..1"),
                ("size: 64", "sizes must be from 1 on and below the side"),
                ("side: 4096", "sizes must be from 1 on and below the side, sides at most 2048"),
                ("crowd_size: 0", "sizes must be from 1 on and below the side"),
                ("crowd_side: 16", "sizes must be from 1 on and below the side"),
                ("sure_score: 2", "scores must be in the range 0..1"),
                ("min_ratio: 0.5", "min_ratio must be from 1 on"),
                ("min_evidence: -1", "min_evidence and min_size must be numbers from 0 on"),
                ("min_size: .inf", "min_evidence and min_size must be numbers from 0 on"),
                ("score_exponent: 0", "min_ratio must be from 1 on, score_exponent above 0"),
                ("max_objects: -1", "deciding_objects and max_objects must be 0 or more"),
                ("deciding_objects: -1", "deciding_objects and max_objects must be 0 or more"),
            )
        ),
        (
            "file: net.pb\nlabels: {1: text}\nregions: {from_probability: 1}",
            "must lie between 0 and 1",
        ),
        ("file: net.pb\nlabels: {1: text}\nregions: {grow: .nan}", "grow in the range 0..10"),
        ("file: net.pb\nlabels: {1: text}\nregions: {min_side: .inf}", "min_side from 0 on"),
        ("file: net.pb\nlabels: {1: text}\nregions: {size: 1}", "regions: unknown key 'size'"),
        ("file: net.pb\nlabels: {1: text, 2: face}\nregions: {}", "regions: the model must find a single kind"),
        ("file: net.pb\nlabels: {1: face}\nsha256: 12", "sha256 must stand in quotes"),
        ("file: net.pb\nlabels: {1: face}\nthreshold: 1", "unknown key 'threshold'"),
        ("file: net.pb\nlabels: [face]", "has no attribute"),
        ("just text", "must hold lines such as"),
        ("a: [", "while parsing"),
    ],
)
def test_wrong_descriptions(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "net.pb").touch()
    (tmp_path / "model.yaml").write_text(content)
    with pytest.raises(ModelError) as caught:
        read_description(tmp_path / "model.yaml")
    assert message in str(caught.value)


def test_a_second_look(tmp_path: Path) -> None:
    (tmp_path / "net.pb").touch()
    (tmp_path / "model.yaml").write_text("file: net.pb\nlabels: {1: face}\nsecond_look: {presets: [fast], sizes: [9]}")
    model = read_description(tmp_path / "model.yaml")
    assert model.second_look == SecondLook(presets=("fast",), sizes=(9,))
    assert "second_look" in model.without_paths()  # and so in the fingerprint of a run


def test_a_turned_look(tmp_path: Path) -> None:
    (tmp_path / "net.pb").touch()
    (tmp_path / "model.yaml").write_text(
        "file: net.pb\nlabels: {1: face}\nscore: mean\nturned_look: {presets: [fast], max_objects: 3}"
    )
    model = read_description(tmp_path / "model.yaml")
    assert model.turned_look == TurnedLook(presets=("fast",), max_objects=3)
    assert "turned_look" in model.without_paths()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("views: [{smallest: 3}]", "views: unknown key 'smallest'; it is called 'min_size' now"),
        ("views: [{largest: 3}]", "views: unknown key 'largest'; it is called 'max_size' now"),
        ("views: [{judges_from: 3}]", "views: unknown key 'judges_from'; it is called 'vote_min_size' now"),
        ("views: [{least_enlarged: 3}]", "views: unknown key 'least_enlarged'; it is called 'min_scale' now"),
        ("views: [{doubt: 3}]", "views: unknown key 'doubt'; it is called 'score_exponent' now"),
        ("second_look: {most: 3}", "second_look: unknown key 'most'; it is called 'max_objects' now"),
        ("views: [{most: 3}]", "views: unknown key 'most'; known are enlarge"),
    ],
)
def test_keys_of_earlier_versions_are_refused_with_their_new_names(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "net.pb").touch()
    (tmp_path / "model.yaml").write_text(f"file: net.pb\nlabels: {{1: face}}\n{line}\n")
    with pytest.raises(ModelError) as caught:
        read_description(tmp_path / "model.yaml")
    assert message in str(caught.value)


def test_a_detector_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("detector: codes\nlabels: {1: code}\nlimits: none that are bent\n")
    model = read_description(tmp_path / "model.yaml")
    assert (model.format, model.path, model.limits) == ("codes", tmp_path / "model.yaml", "none that are bent")
    assert model.found_kinds == ("code",)
