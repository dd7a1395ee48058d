"""How well an attack tells people apart, from one matrix of scores: each picture against each person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.intp]
"""(N,): the number of the person on each picture."""

RESAMPLES = 1000
RANDOM_ATTACKS = 200
TIES = 1e-9


@dataclass(frozen=True)
class Share:
    """A share of the pictures, with what can be said about the share among all people."""

    value: float
    low: float
    high: float
    """The interval that holds 95 % of the values when people are drawn again (bootstrap by person)."""
    chance: float
    """What an attacker without any knowledge reaches."""
    chance_error: float
    """Standard error of that for so many pictures."""

    @property
    def is_by_chance(self) -> bool:
        """Whether it is at most two standard errors above chance."""
        return self.value <= self.chance + 2 * self.chance_error


@dataclass(frozen=True)
class Identification:
    """What an attack reaches."""

    pictures: int
    people: int
    rank_1: Share
    """Share of the pictures for which the person comes first (closed set)."""
    rank_5: Share
    accepted_at_1_percent: Share
    """Share of the right claims that are accepted where one of 100 wrong ones is (TAR at FAR 1 %)."""
    accepted_at_1_permille: Share
    equal_error: float
    """Error rate where as many right claims are refused as wrong ones are accepted; 0.5 by chance."""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def nearest(
    probes: Floats, gallery: Floats, whose: Truth, people: int, own: npt.NDArray[np.intp] | None = None
) -> Floats:
    """How much each picture resembles the most similar picture of each person, other than itself, (N, people).

    Args:
        probes: (N, D), vectors of length 1.
        gallery: (M, D), of these and perhaps other pictures: clear, or redacted in the same way.
        whose: (M,), who is in each picture of the gallery.
        own: (N,), where each probe stands in the gallery; by default both hold the same pictures.
    """
    similarity = probes @ gallery.T
    each = np.arange(len(probes))
    similarity[each, each if own is None else own] = -np.inf
    scores = np.full((len(probes), people), -np.inf)
    for person in range(people):
        scores[:, person] = similarity[:, whose == person].max(axis=1)
    return scores


def judge(scores: Floats, truth: Truth, seed: int = 0, galleries: npt.NDArray[np.intp] | None = None) -> Identification:
    """
    Args:
        scores: (N, P), how much each picture resembles each person; -inf where there is nothing to compare with.
        truth: (N,).
        seed: of the random draws.
        galleries: (P,), with how many pictures of each person it was compared, the attacked one among them; by default
            these are the attacked ones.
    """
    random = np.random.default_rng(seed)
    galleries = np.bincount(truth, minlength=scores.shape[1]) if galleries is None else galleries
    chances = _by_chance(tuple(truth.tolist()), tuple(galleries.tolist()), seed)
    shares = []
    for measure, chance in zip(_MEASURES, chances, strict=True):
        hits = measure(scores, truth)
        low, high = _bootstrap(hits, truth, random)
        shares.append(Share(float(hits.mean()), low, high, *chance))
    rank_1, rank_5, at_1_percent, at_1_permille = shares
    return Identification(
        pictures=len(truth),
        people=len(np.unique(truth)),
        rank_1=rank_1,
        rank_5=rank_5,
        accepted_at_1_percent=at_1_percent,
        accepted_at_1_permille=at_1_permille,
        equal_error=equal_error(scores, truth),
    )


def hits_at(scores: Floats, truth: Truth, rank: int) -> Floats:
    """For each picture how likely the right person is among the first so many, (N,). Equal scores share the places."""
    right = scores[np.arange(len(truth)), truth][:, np.newaxis]
    above = (scores > right + TIES).sum(axis=1)
    with np.errstate(invalid="ignore"):  # of a picture that has nothing to be compared with
        equal = (np.abs(scores - right) <= TIES).sum(axis=1)
    hits: Floats = ((rank - above) / np.maximum(equal, 1)).clip(0, 1) * np.isfinite(right[:, 0])
    return hits


def accepted(scores: Floats, truth: Truth, false_rate: float) -> Floats:
    """Whether the right claim of each picture is accepted, (N,), where so many of the wrong ones are at most."""
    right, wrong = _claims(scores, truth)
    limit = np.quantile(wrong, 1 - false_rate, method="higher")
    passes: Floats = (right > limit).astype(np.float64)
    return passes


def equal_error(scores: Floats, truth: Truth) -> float:
    """The error rate at the limit where both kinds of error are equally frequent."""
    right, wrong = _claims(scores, truth)
    limits = np.unique(np.concatenate([right, wrong]))
    refused = np.searchsorted(np.sort(right), limits, side="left") / len(right)
    taken = 1 - np.searchsorted(np.sort(wrong), limits, side="left") / len(wrong)
    at = int(np.argmin(np.abs(refused - taken)))
    return float((refused[at] + taken[at]) / 2)


_MEASURES: Sequence[Callable[[Floats, Truth], Floats]] = (
    lambda scores, truth: hits_at(scores, truth, 1),
    lambda scores, truth: hits_at(scores, truth, 5),
    lambda scores, truth: accepted(scores, truth, 0.01),
    lambda scores, truth: accepted(scores, truth, 0.001),
)
"""The shares of `Identification`, in its order."""


@lru_cache(maxsize=4)
def _by_chance(shown: tuple[int, ...], of_people: tuple[int, ...], seed: int) -> Sequence[tuple[float, float]]:
    """What an attacker without any knowledge reaches in each of the measures: mean and standard error.

    Args:
        shown: the person on each picture.
        of_people: the galleries.
    """
    truth: Truth = np.array(shown, np.intp)
    galleries, random = np.array(of_people, np.intp), np.random.default_rng([seed, 1])
    values = np.empty((RANDOM_ATTACKS, len(_MEASURES)))
    for attack in range(RANDOM_ATTACKS):
        scores = _random_scores(galleries, truth, random)
        values[attack] = [measure(scores, truth).mean() for measure in _MEASURES]
    return [(float(column.mean()), float(column.std())) for column in values.T]


def _claims(scores: Floats, truth: Truth) -> tuple[Floats, Floats]:
    """The scores of right claims (N,) and of wrong ones (M,)."""
    is_right = np.zeros(scores.shape, bool)
    is_right[np.arange(len(truth)), truth] = True
    wrong = scores[~is_right]
    return scores[is_right], wrong[np.isfinite(wrong)]


def _random_scores(galleries: npt.NDArray[np.intp], truth: Truth, random: np.random.Generator) -> Floats:
    """Scores of vectors that know nothing: the largest of so many random numbers as a person has pictures."""
    sizes = np.tile(galleries, (len(truth), 1)).astype(np.float64)
    sizes[np.arange(len(truth)), truth] -= 1
    uniform = random.random(sizes.shape)
    with np.errstate(divide="ignore"):
        scores: Floats = np.where(sizes > 0, np.log(uniform) / np.maximum(sizes, 1), -np.inf)
    return scores


def _bootstrap(hits: Floats, truth: Truth, random: np.random.Generator) -> tuple[float, float]:
    totals = np.bincount(truth, weights=hits)
    counts = np.bincount(truth)
    totals, counts = totals[counts > 0], counts[counts > 0]
    drawn = random.integers(0, len(counts), (RESAMPLES, len(counts)))
    means = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
