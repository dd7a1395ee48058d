"""How much more closely the gate looks than the anonymizing run did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from anonymizer.detect.frames import ModelFinder, load_finder
from anonymizer.detect.load import choose_models, thresholds_of
from anonymizer.detect.signature import SignatureDetector
from anonymizer.kinds import Kind
from anonymizer.pipeline import Finder
from anonymizer.settings import PRESETS, THRESHOLD_RANGE, DetectSettings
from anonymizer.types import Detection

SURE = 0.4
"""A detection is sure from this share of the way from the threshold to 1: 0.52 for faces, 0.715 for plates.

Around redacted areas the models see things that were not there before, mostly collars, hands and the edges of the
blur. Of 547 photographs of people, redacted, some 160 had such a detection at the run's own threshold, 4 a sure one,
with the first face model. With the present one, 16 of a sample of 60 had one, and none had a sure one.
"""


@dataclass(frozen=True)
class Thresholds:
    """Scores per kind."""

    reported: Mapping[Kind, float]
    """Detections with at least this score are reported."""
    run: Mapping[Kind, float]
    """With at least this score the run would have redacted them."""
    sure: Mapping[Kind, float]
    """With at least this score they count even beside redacted areas."""

    def reports(self, found: Detection) -> bool:
        return found.score >= self.reported.get(found.kind, 0.0)


def preset_of_gate(reported: DetectSettings) -> str:
    """The preset of the anonymizing run, or the default one if that looks more closely."""
    return max(reported.preset, DetectSettings().preset, key=PRESETS.index)


def choose_thresholds(given: DetectSettings, reported: DetectSettings, share: float) -> Thresholds:
    """
    Args:
        given: what the user asks for; takes precedence.
        reported: of the anonymizing run. It can only lower the models' own thresholds: a run with high thresholds
            must not make the gate miss anything.
        share: of the run's thresholds; detections from there on are reported.

    Raises:
        ModelError: a wanted kind has no model.
    """
    own = _lowest_thresholds(given.with_thresholds({}))
    asked, of_run = given.thresholds, reported.thresholds
    run = {kind: asked[kind] or min(value, of_run[kind] or value) for kind, value in own.items()}
    return Thresholds(
        reported={kind: max(THRESHOLD_RANGE[0], share * value) for kind, value in run.items()},
        run=run,
        sure={kind: value + SURE * (1 - value) for kind, value in run.items()},
    )


def with_faint(thresholds: Thresholds, kind: Kind, score: float) -> Thresholds:
    """The same, but what is of a kind is reported from a score on, if that is lower."""
    lowest = min(score, thresholds.reported.get(kind, score))
    return replace(thresholds, reported={**thresholds.reported, kind: lowest})


def _lowest_thresholds(settings: DetectSettings) -> dict[Kind, float]:
    thresholds: dict[Kind, float] = {}
    for model in choose_models(settings):
        for kind, value in thresholds_of(model, settings).items():
            thresholds[kind] = min(value, thresholds.get(kind, 1.0))
    return thresholds


def load_sensitive_finder(settings: DetectSettings, thresholds: Thresholds) -> ModelFinder:
    """The finder of the gate: the models of the run from lower scores on, at the scales of the preset.

    Raises:
        ModelError: a model is missing, damaged or not a detection model.
    """
    return load_finder(settings.with_thresholds(thresholds.reported))


def beside_hidden(finder: Finder) -> Finder:
    """The same finder for a picture in which something is hidden: it does not take it for turned.

    The surest faces say how a picture is turned, and those are hidden: by what is left, 3 of 90 held-out pictures
    seemed to be turned, and hands and patterns in them to be faces. The run saw the faces.
    """
    if not isinstance(finder, ModelFinder):
        return finder
    detectors = [each.upright() if isinstance(each, SignatureDetector) else each for each in finder.detectors]
    return replace(finder, detectors=detectors)
