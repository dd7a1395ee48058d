"""The gate looks at least as closely as a run does by default, whatever the report of the run says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.check.thresholds import SURE, beside_hidden, choose_thresholds, load_sensitive_finder, preset_of_gate
from anonymizer.detect.frames import ModelFinder, load_finder
from anonymizer.detect.signature import SignatureDetector
from anonymizer.errors import ModelError
from anonymizer.settings import PRESETS, THRESHOLD_RANGE, DetectSettings

SCORES = st.floats(*THRESHOLD_RANGE)


def test_of_the_bundled_models() -> None:
    thresholds = choose_thresholds(DetectSettings(), DetectSettings(), 0.5)
    assert thresholds.run == {"face": 0.2, "plate": 0.525}
    assert thresholds.reported == {"face": 0.1, "plate": 0.2625}
    assert thresholds.sure == pytest.approx({"face": 0.52, "plate": 0.715})


def test_only_of_the_kinds_that_are_wanted() -> None:
    assert set(choose_thresholds(DetectSettings("face"), DetectSettings(), 0.5).run) == {"face"}


def test_what_the_user_asks_for_decides() -> None:
    thresholds = choose_thresholds(DetectSettings(face_threshold=0.4), DetectSettings(face_threshold=0.1), 1)
    assert (thresholds.run["face"], thresholds.reported["face"]) == (0.4, 0.4)


@pytest.mark.parametrize(("of_run", "reported"), [(0.9, 0.1), (0.1, 0.05), (None, 0.1)])
def test_a_report_only_lowers_the_thresholds_of_the_models(of_run: float | None, reported: float) -> None:
    thresholds = choose_thresholds(DetectSettings(), DetectSettings(face_threshold=of_run), 0.5)
    assert thresholds.reported["face"] == reported


@given(asked=st.none() | SCORES, of_run=st.none() | SCORES, share=st.floats(0, 1))
def test_reported_run_and_sure_follow_each_other(asked: float | None, of_run: float | None, share: float) -> None:
    thresholds = choose_thresholds(DetectSettings(face_threshold=asked), DetectSettings(face_threshold=of_run), share)
    for kind in ("face", "plate"):
        reported, run, sure = thresholds.reported[kind], thresholds.run[kind], thresholds.sure[kind]
        assert THRESHOLD_RANGE[0] <= reported <= run <= sure <= 1
        assert sure == pytest.approx(run + SURE * (1 - run))
    if asked is None:
        assert thresholds.run["face"] <= 0.2


@pytest.mark.parametrize("preset", PRESETS)
def test_the_preset_of_the_run_but_none_that_looks_less_closely_than_the_default(preset: str) -> None:
    assert preset_of_gate(DetectSettings(preset=preset)) == {"fast": "balanced"}.get(preset, preset)


def test_the_models_answer_from_the_reported_thresholds_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[DetectSettings] = []

    def load(settings: DetectSettings) -> list[object]:
        asked.append(settings)
        return []

    monkeypatch.setattr("anonymizer.detect.frames.load_detectors", load)
    load_sensitive_finder(DetectSettings(), choose_thresholds(DetectSettings(), DetectSettings(), 0.5))
    assert {kind: limit for kind, limit in asked[0].thresholds.items() if limit is not None} == {
        "face": 0.1,
        "plate": 0.2625,
    }


def test_without_a_model_for_a_wanted_kind(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ModelError):
        choose_thresholds(DetectSettings("face", weights=tmp_path_factory.mktemp("empty")), DetectSettings(), 0.5)


def test_thresholds_stay_in_their_range() -> None:
    chosen = choose_thresholds(DetectSettings(face_threshold=THRESHOLD_RANGE[0]), DetectSettings(), 0.1)
    assert chosen.reported["face"] == THRESHOLD_RANGE[0]


def test_each_kind_has_its_own_thresholds() -> None:
    blind = DetectSettings(face_threshold=0.9, plate_threshold=0.3)
    assert choose_thresholds(DetectSettings(), blind, 1).run == {"face": 0.2, "plate": 0.3}
    assert set(choose_thresholds(DetectSettings(kinds=("plate",)), DetectSettings(), 1).run) == {"plate"}


def test_beside_what_is_hidden_no_picture_is_taken_for_turned() -> None:
    finder = load_finder(DetectSettings("face"))
    upright = beside_hidden(finder)
    assert isinstance(upright, ModelFinder)
    assert upright.settings == finder.settings
    turned, same = finder.detectors[0], upright.detectors[0]
    assert isinstance(turned, SignatureDetector)
    assert isinstance(same, SignatureDetector)
    assert same is not turned
    assert same.thresholds == turned.thresholds
