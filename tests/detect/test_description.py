from pathlib import Path

import pytest

from anonymizer.detect.description import DEFAULT_THRESHOLD, ModelDescription, SecondLook, ViewSpec


@pytest.mark.parametrize(
    ("spec", "scale"),
    [
        (ViewSpec(), 1),
        (ViewSpec(longest_side=50), 0.25),
        (ViewSpec(longest_side=1000), 1),
        (ViewSpec(max_pixels=5000), 0.5),
        (ViewSpec(enlarge=2), 2),
        (ViewSpec(enlarge=2, max_enlarged_pixels=45_000), 1.5),
        (ViewSpec(enlarge=2, max_enlarged_pixels=45_000, min_scale=1.5), 1.5),
        (ViewSpec(enlarge=2, max_enlarged_pixels=45_000, min_scale=1.6), None),
    ],
)
def test_scale_of_a_picture_of_100_by_200_pixels(spec: ViewSpec, scale: float | None) -> None:
    assert spec.scale(100, 200) == scale


@pytest.mark.parametrize(("score", "is_doubtful"), [(0.09, False), (0.1, True), (0.49, True), (0.5, False)])
def test_scores_in_between_are_doubtful(score: float, is_doubtful: bool) -> None:
    assert SecondLook(from_score=0.1, to_score=0.5).is_doubtful(score) == is_doubtful


def test_kinds_and_thresholds_of_a_model() -> None:
    model = ModelDescription(
        "net", Path("a"), Path("a/net.pb"), "graph_def", {1: "plate", 2: "face"}, thresholds={"plate": 0.7}
    )
    assert model.found_kinds == ("face", "plate")
    assert [model.threshold(kind) for kind in model.found_kinds] == [DEFAULT_THRESHOLD, 0.7]


def test_the_location_of_a_model_is_not_part_of_what_it_is() -> None:
    here, there = (ModelDescription("net", Path(p), Path(p, "net.pb"), "graph_def", {}, "face") for p in "ab")
    assert here != there
    assert here.without_paths() == there.without_paths()
