"""A recogniser that was trained on redacted faces of the people whom it is to tell apart.

After McPherson, Shokri and Shmatikov (2016, arXiv:1609.00408), who train networks on redacted pictures. Here the last
layer is trained, on the vectors of a recogniser and on the colours themselves: ridge regression, whose best solution is
known in closed form, so that the result depends on no training schedule.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from anonymizer.audit.scores import Floats, Truth
from anonymizer.types import Pixels8

FOLDS = 5
GRID_PX = 16
"""The colours are given on a grid of so many places in both directions."""
_NOTHING = 1e-12
"""Mean variance below which all pictures are taken to be the same."""
PENALTIES = np.logspace(-3, 4, 15)
"""Tried for the regression, in multiples of the mean variance of a feature; the best on the training part is taken."""


def features_of(faces: Sequence[Pixels8], vectors: Floats) -> Floats:
    """What the classifier gets: the vectors, and the colours of the faces on a coarse grid, (N, D + 768).

    Args:
        faces: uint8 (S, S, 3).
        vectors: (N, D), of length 1.
    """
    grids = np.array([cv2.resize(face, (GRID_PX, GRID_PX), interpolation=cv2.INTER_AREA).ravel() for face in faces])
    colours = grids.astype(np.float64) / 255
    spread = colours - colours.mean(axis=0)
    size = np.sqrt((spread**2).sum(axis=1).mean())
    return np.hstack([vectors - vectors.mean(axis=0), spread / max(float(size), 1e-9)])


def trained_scores(features: Floats, truth: Truth, people: int, seed: int = 0) -> Floats:
    """How much each picture resembles each person, by a classifier trained on the other folds, (N, people).

    Args:
        features: (N, D), of redacted pictures.
        truth: (N,).
        seed: deals the pictures of each person out to the folds.
    """
    folds = _folds(truth, np.random.default_rng(seed))
    scores = np.empty((len(truth), people))
    for fold in range(FOLDS):
        here = folds == fold
        scores[here] = _classify(features[~here], truth[~here], features[here], people)
    return scores


def _folds(truth: Truth, random: np.random.Generator) -> Truth:
    folds = np.empty(len(truth), np.intp)
    for person in np.unique(truth):
        of_person = np.flatnonzero(truth == person)
        folds[random.permutation(of_person)] = (np.arange(len(of_person)) + random.integers(FOLDS)) % FOLDS
    return folds


def _classify(known: Floats, truth: Truth, probes: Floats, people: int) -> Floats:
    """Ridge regression on one column for each person, solved by the singular values of the features.

    The penalty is the one under which most training pictures are recognised by a regression without them: the answers
    with a picture left out follow in closed form (Golub, Heath and Wahba 1979).
    """
    centre = known.mean(axis=0)
    left, sizes, right = np.linalg.svd(known - centre, full_matrices=False)
    wanted = np.eye(people)[truth]
    shares = wanted.mean(axis=0)
    projected = left.T @ (wanted - shares)
    scale = max(float((sizes**2).mean()), _NOTHING)
    best, best_hits = PENALTIES[0], -1.0
    for penalty in PENALTIES:
        damped = sizes**2 / (sizes**2 + penalty * scale)
        leverage = ((left**2) * damped).sum(axis=1, keepdims=True) + 1 / len(known)
        answers = left @ (damped[:, np.newaxis] * projected)
        without = (answers - leverage * (wanted - shares)) / np.maximum(1 - leverage, 1e-6)
        hits = float((without.argmax(axis=1) == truth).mean())
        if hits > best_hits:
            best, best_hits = penalty, hits
    weights = right.T @ ((sizes / (sizes**2 + best * scale))[:, np.newaxis] * projected)
    scores: Floats = (probes - centre) @ weights + shares
    return scores
