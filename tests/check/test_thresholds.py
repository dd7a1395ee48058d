"""The gate looks more closely than the run did, whatever its report says."""

import pytest

from anonymizer.check.thresholds import choose_thresholds, preset_of_gate
from anonymizer.settings import THRESHOLD_RANGE, DetectSettings

USUAL = DetectSettings()


def test_from_a_share_of_the_threshold_on_it_is_told_and_far_above_it_is_sure() -> None:
    chosen = choose_thresholds(USUAL, USUAL, 0.5)
    assert chosen.run == {"face": 0.2, "plate": 0.55}
    assert chosen.reported == pytest.approx({"face": 0.1, "plate": 0.275})
    assert chosen.sure == pytest.approx({"face": 0.52, "plate": 0.73})


def test_a_report_only_lowers_what_the_models_say() -> None:
    blind = DetectSettings(face_threshold=0.9, plate_threshold=0.3)
    assert choose_thresholds(USUAL, blind, 1).run == {"face": 0.2, "plate": 0.3}


def test_what_the_user_asks_for_decides() -> None:
    asked = DetectSettings(face_threshold=0.8)
    assert choose_thresholds(asked, DetectSettings(face_threshold=0.1), 1).run["face"] == 0.8


def test_thresholds_stay_in_their_range() -> None:
    chosen = choose_thresholds(DetectSettings(face_threshold=THRESHOLD_RANGE[0]), USUAL, 0.1)
    assert chosen.reported["face"] == THRESHOLD_RANGE[0]


def test_only_wanted_kinds_have_thresholds() -> None:
    assert set(choose_thresholds(DetectSettings(kinds=("plate",)), USUAL, 1).run) == {"plate"}


@pytest.mark.parametrize(
    ("of_run", "of_gate"), [("fast", "balanced"), ("balanced", "balanced"), ("thorough", "thorough")]
)
def test_the_gate_never_looks_less_closely_than_a_usual_run(of_run: str, of_gate: str) -> None:
    assert preset_of_gate(DetectSettings(preset=of_run)) == of_gate
