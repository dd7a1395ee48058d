import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymizer.audit.scores import accepted, equal_error, hits_at, judge, nearest


def truth_of(people: int, pictures: int) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    return np.repeat(np.arange(people), pictures)


def test_vectors_that_tell_everything_reach_everything() -> None:
    truth = truth_of(10, 4)
    vectors = np.eye(10)[truth]
    result = judge(nearest(vectors, vectors, truth, 10), truth)
    assert result.rank_1.value == result.rank_5.value == result.accepted_at_1_percent.value == 1
    assert result.equal_error == 0
    assert not result.rank_1.is_by_chance
    assert result.rank_1.chance == pytest.approx(3 / 39, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_vectors_that_tell_nothing_reach_no_more_than_chance(seed: int) -> None:
    truth = truth_of(20, 6)
    vectors = np.random.default_rng(seed).normal(size=(120, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    result = judge(nearest(vectors, vectors, truth, 20), truth)
    assert abs(result.rank_1.value - result.rank_1.chance) < 4.5 * result.rank_1.chance_error
    assert abs(result.rank_5.value - result.rank_5.chance) < 4.5 * result.rank_5.chance_error
    assert 0.35 < result.equal_error < 0.65


def test_equal_pictures_tell_nothing() -> None:
    truth = truth_of(5, 4)
    vectors = np.tile([[1.0, 0.0]], (20, 1))
    result = judge(nearest(vectors, vectors, truth, 5), truth)
    assert result.rank_1.value == pytest.approx(1 / 5)
    assert result.accepted_at_1_percent.value == 0


def test_a_picture_is_not_compared_with_itself() -> None:
    truth = np.array([0, 0, 1, 1])
    vectors = np.array([[1.0, 0, 0], [0, 1.0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    scores = nearest(vectors, vectors, truth, 2)
    assert scores[0].tolist() == [0, 1]
    assert hits_at(scores, truth, 1).tolist() == [0, 0, 0, 0]


def test_a_gallery_may_hold_more_pictures_than_are_attacked() -> None:
    whose = np.array([0, 0, 0, 1, 1])
    gallery = np.array([[1.0, 0, 0], [0, 1.0, 0], [0.6, 0.8, 0], [0, 0, 1.0], [0, 0.6, 0.8]])
    scores = nearest(gallery[[2, 4]], gallery, whose, 2, own=np.array([2, 4]))
    assert scores.tolist() == [[pytest.approx(0.8), pytest.approx(0.48)], [pytest.approx(0.6), pytest.approx(0.8)]]


def test_a_person_with_one_picture_is_never_recognised() -> None:
    truth = np.array([0, 1, 1])
    vectors = np.eye(3)
    scores = nearest(vectors, vectors, truth, 2)
    assert hits_at(scores, truth, 1)[0] == 0
    assert judge(scores, truth).pictures == 3


def test_one_of_a_hundred_wrong_claims_is_accepted() -> None:
    truth = truth_of(101, 1)
    scores = np.zeros((101, 101))
    scores[~np.eye(101, dtype=bool)] = np.linspace(0, 1, 101 * 100)
    scores[np.arange(101), truth] = 0.985
    assert accepted(scores, truth, 0.01).mean() == 0
    assert accepted(scores, truth, 0.02).mean() == 1


def test_the_equal_error_lies_between_the_two_kinds() -> None:
    truth = np.array([0, 1] * 50)
    random = np.random.default_rng(0)
    scores = random.normal(size=(100, 2))
    scores[np.arange(100), truth] += 2
    assert equal_error(scores, truth) == pytest.approx(0.16, abs=0.06)


def test_the_interval_is_wider_for_fewer_people() -> None:
    def width(people: int) -> float:
        truth = truth_of(people, 8)
        hits = np.random.default_rng(people).random((people, 1)) < 0.5
        scores = np.zeros((len(truth), people))
        scores[np.arange(len(truth)), truth] = np.where(np.repeat(hits, 8), 1.0, -1.0)
        share = judge(scores, truth).rank_1
        assert share.low <= share.value <= share.high
        return share.high - share.low

    assert width(8) > 2 * width(128)


def test_a_person_with_one_picture_changes_nothing_about_the_others() -> None:
    truth = np.array([0, 0, 1, 1, 2, 2, 3])
    alike = np.ones((7, 1))
    hits = hits_at(nearest(alike, alike, truth, 4), truth, 1)
    assert hits[:6].max() < 0.5
    assert hits[6] == 0
