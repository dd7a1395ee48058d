import numpy as np

from anonymizer.audit.retrained import GRID_PX, features_of, trained_scores
from anonymizer.audit.scores import judge

TRUTH = np.repeat(np.arange(8), 10)


def test_features_are_vectors_and_colours() -> None:
    faces = [np.full((112, 112, 3), level, np.uint8) for level in (10, 200)]
    features = features_of(faces, np.eye(2))
    assert features.shape == (2, 2 + GRID_PX * GRID_PX * 3)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-9)


def test_what_every_picture_of_a_person_has_is_learned() -> None:
    random = np.random.default_rng(0)
    own = random.normal(size=(8, 40))
    features = own[TRUTH] + random.normal(size=(80, 40)) * np.linspace(0.3, 6, 40)
    nearest = judge(_nearest(features), TRUTH).rank_1.value
    trained = judge(trained_scores(features, TRUTH, 8), TRUTH).rank_1
    assert trained.value > nearest
    assert not trained.is_by_chance


def test_noise_is_not_learned() -> None:
    features = np.random.default_rng(1).normal(size=(80, 40))
    share = judge(trained_scores(features, TRUTH, 8), TRUTH).rank_1
    assert share.value < 0.3


def test_the_same_seed_gives_the_same_scores() -> None:
    features = np.random.default_rng(2).normal(size=(80, 12))
    np.testing.assert_array_equal(trained_scores(features, TRUTH, 8, 3), trained_scores(features, TRUTH, 8, 3))


def _nearest(
    features: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    from anonymizer.audit.scores import nearest

    vectors = features / np.linalg.norm(features, axis=1, keepdims=True)
    return nearest(vectors, vectors, TRUTH, 8)
