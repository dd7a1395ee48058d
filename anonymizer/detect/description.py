"""What is known of a model before it is loaded: the values that a `model.yaml` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, sqrt
from pathlib import Path
from typing import Literal, TypeAlias

from anonymizer.kinds import KINDS, Kind
from anonymizer.settings import PRESETS

DEFAULT_THRESHOLD = 0.3
"""For models that name none; that of the understand.ai anonymizer."""

ScoreRule: TypeAlias = Literal["best", "mean"]
"""How the scores that several views give to one object become one score."""


@dataclass(frozen=True)
class ViewSpec:
    """At which scale a model sees the picture, and for which objects: one line of `views` in `model.yaml`.

    Sizes are the longer side of an object, in pixels of what the model sees.
    """

    longest_side: int | None = None
    """The picture is shrunk until its longer side has at most this many pixels."""
    max_pixels: int | None = None
    """The picture is shrunk until it has at most this many pixels."""
    enlarge: float = 1.0
    """The picture is enlarged by up to this factor."""
    max_enlarged_pixels: int | None = None
    """Limit of the enlarged picture, in pixels. A picture with more pixels is neither enlarged nor shrunk by it."""
    min_scale: float = 0.0
    """The view is left out for pictures that cannot be enlarged by this factor."""
    min_size: float = 0.0
    """Smaller objects are left to views that show them larger, if there are any."""
    vote_min_size: float = 0.0
    """The view has no vote on the score of smaller objects, if other views have one; its boxes still count."""
    max_size: float = inf
    """Larger objects are left to views that show them smaller."""
    mirrored: bool = False
    """The picture is mirrored left to right."""
    quarter_turns: int = 0
    """The picture is turned by this many quarters, anticlockwise. Views with the same turn form a group: a mean score
    is the mean over one group, and the best group counts for an object that several groups find."""
    score_exponent: float = 1.0
    """Scores are raised to this power: above 1, detections of this view count for less."""

    def scale(self, height: int, width: int) -> float | None:
        """Factor that enlarges or shrinks a picture of this size in pixels; None if the view is left out."""
        area = height * width
        scale = self.enlarge
        if self.max_enlarged_pixels is not None:
            scale = max(1.0, min(scale, sqrt(self.max_enlarged_pixels / area)))
        if self.longest_side is not None:
            scale = min(scale, self.longest_side / max(height, width))
        if self.max_pixels is not None:
            scale = min(scale, sqrt(self.max_pixels / area))
        return scale if scale >= self.min_scale else None


ORIGINAL_SIZE = (ViewSpec(),)
"""The views of models that name none: the picture at its own size."""


@dataclass(frozen=True)
class SecondLook:
    """How doubtful objects are scored again, one by one: `second_look` in `model.yaml`.

    The model sees a square around the object, scaled so that the object has a size that the model scores well.
    """

    presets: tuple[str, ...] = PRESETS
    """Presets with a second look."""
    from_score: float = 0.1
    to_score: float = 0.5
    """Objects are doubtful if from_score <= score < to_score."""
    sizes: tuple[float, ...] = (32.0, 48.0)
    """Longer side of the object in each of the squares, in pixels of what the model sees."""
    side: int = 96
    """Height and width of the squares, in pixels."""
    weight: float = 0.25
    """Weight of the second look in the new score, 0 to 1."""
    bias: float = 0.0
    """Added to the log odds of the new score."""
    max_objects: int = 500
    """At most this many objects of a picture are looked at again, those with the highest scores first: a time limit."""

    def is_doubtful(self, score: float) -> bool:
        return self.from_score <= score < self.to_score


@dataclass(frozen=True)
class TurnedLook:
    """How objects are noticed that lie on their side or upside down: `turned_look` in `model.yaml`.

    The model sees squares around the surest objects, each in all four ways that a picture can be turned.
    """

    presets: tuple[str, ...] = PRESETS
    """Presets with a turned look."""
    from_score: float = 0.05
    """Only objects from this score on are looked at."""
    size: float = 32.0
    """Longer side of the object in each of the squares, in pixels of what the model sees."""
    side: int = 64
    """Height and width of the squares, in pixels."""
    deciding_objects: int = 6
    """So many objects, those with the highest scores, say by how much the picture is turned. It is then searched in all
    upright views in that turn, too."""
    min_ratio: float = 1.3
    min_evidence: float = 0.15
    """The evidence for a turn is the sum of the squared scores of these objects. It must be above min_ratio times that
    for the picture as it is, plus min_evidence."""
    sure_score: float = 0.6
    crowd_size: float = 16.0
    crowd_side: int = 256
    """If that is not clear and no object has the sure_score, a larger square is looked at, where most objects are: this
    is the median of their longer sides, and the height and width of the square, in pixels of what the model sees. The
    evidence is the same sum, over everything in the square."""
    to_score: float = 0.2
    """In pictures that are not turned, objects below this score count by themselves if they are turned."""
    min_size: float = 24.0
    """Those with a shorter longer side are left out, in pixels of the picture."""
    max_objects: int = 8
    """At most so many of them are looked at, those with the highest scores."""
    score_exponent: float = 3.0
    """Their scores when turned are raised to this power: above 1, they count for less."""


@dataclass(frozen=True)
class RegionRule:
    """How a map of probabilities becomes regions: `regions` in `model.yaml`.

    As in "Real-time Scene Text Detection with Differentiable Binarization" (Liao et al. 2020, arXiv:1911.08947), whose
    networks answer with the inner part of each region, so that neighbours stay apart.
    """

    from_probability: float = 0.3
    """Connected pixels from this probability on are a region, 0..1."""
    grow: float = 1.5
    """The region's rectangle grows on every side by this share of its area over its perimeter."""
    min_side: float = 2.0
    """Regions whose rectangle has a shorter side before it grows are noise, in pixels of the picture."""


@dataclass(frozen=True)
class ModelDescription:
    """What is known of a model before it is loaded: the content of `model.yaml`."""

    name: str
    folder: Path
    """Folder of the description; without a description, that of the model."""
    path: Path
    """The TFLite file, the frozen graph or the SavedModel folder."""
    format: str
    """tflite, saved_model or graph_def; of a detector without a network, its name."""
    kinds: Mapping[int, Kind]
    """Kind per class number of the model; other classes are ignored."""
    every_class: Kind | None = None
    """The kind of all classes, for models without a label map."""
    thresholds: Mapping[Kind, float] = field(default_factory=dict)
    """Default score threshold per kind."""
    score: ScoreRule = "best"
    """Score of an object that several views, turned alike, find: the best one, or the mean over all views of the group
    that cover objects of its size."""
    size_multiple: int = 1
    """Height and width of the input must be multiples of it; pictures are padded with zeros."""
    views: Mapping[str, tuple[ViewSpec, ...]] = field(default_factory=lambda: dict.fromkeys(PRESETS, ORIGINAL_SIZE))
    """The views of the picture, per preset. The model is not used with presets that are missing."""
    film_views: Mapping[str, tuple[ViewSpec, ...]] = field(default_factory=dict)
    """The same for the frames of films; as pictures for presets that are missing."""
    calibration: Mapping[str, Mapping[float, float]] = field(default_factory=dict)
    """Per preset: exponents of the scores, by the longer side of the object in pixels of the picture, interpolated
    between sizes over the logarithm. They make a threshold mean about the same for each preset and size."""
    second_look: SecondLook | None = None
    turned_look: TurnedLook | None = None
    regions: RegionRule | None = None
    """For models that answer with a map of probabilities in place of boxes."""
    mean: float = 0.0
    """For models that take floats: (pixel - mean) / std with pixel in 0..255."""
    std: float = 1.0
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Name in the model per name of the Object Detection API, where they differ."""
    first_class: int | None = None
    """Number that the model gives to the first class of the label map: 1, or 0. None if the format defines it."""
    sha256: str | None = None
    """Expected checksum, see `anonymizer.detect.catalogue.checksum`."""
    licence: str = "unknown"
    origin: str = "unknown"
    limits: str = ""
    """What it does not find, for people."""

    @property
    def found_kinds(self) -> tuple[Kind, ...]:
        """The kinds that the model finds, in the order of `KINDS`."""
        found = {self.every_class, *self.kinds.values()}
        return tuple(kind for kind in KINDS if kind in found)

    def without_paths(self) -> dict[str, object]:
        """All fields except those with the model's location."""
        return {name: value for name, value in vars(self).items() if name not in ("folder", "path")}

    def threshold(self, kind: Kind) -> float:
        return self.thresholds.get(kind, DEFAULT_THRESHOLD)
