"""Which object owns the pixels that objects share, and how the settings of a kind apply to its targets."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import face, noise, plate
from redact.strategies import redacted

from anonymizer.geometry import Box
from anonymizer.outlines import PolygonOutline
from anonymizer.redact.frame import mask_detections
from anonymizer.redact.targets import to_targets
from anonymizer.settings import RedactSettings
from anonymizer.types import Detection


def test_of_overlapping_objects_the_largest_has_the_pixels() -> None:
    """The small one would show more of the place that they share."""
    pixels = noise(80, 80)
    large, small = face(10, 10, 70, 70), face(30, 30, 40, 40)
    both, alone = redacted(pixels, [small, large], RedactSettings()), redacted(pixels, [large], RedactSettings())
    assert (both == alone).all()


@pytest.mark.parametrize("face_method", ["gaussian", "mosaic"])
def test_of_overlapping_objects_the_stricter_method_has_the_pixels(face_method: str) -> None:
    pixels = noise(80, 80)
    settings = RedactSettings(face_method=face_method, plate_method="solid", cells=1, feather=0)
    result = redacted(pixels, [face(10, 10, 70, 70), plate(30, 30, 50, 40)], settings)
    assert (result[30:40, 30:50] == 0).all()


def test_the_extent_of_a_detection_is_hidden() -> None:
    pixels = noise(80, 80)
    wide = Detection(Box(30, 30, 40, 40), 0.9, "face", extent=Box(20, 20, 60, 60))
    expected = redacted(pixels, [face(20, 20, 60, 60)], RedactSettings())
    assert (redacted(pixels, [wide], RedactSettings()) == expected).all()


def test_kinds_have_their_own_margins_shapes_and_methods() -> None:
    pixels = noise(60, 60)
    settings = RedactSettings(
        face_margin=0.5, plate_margin=0.0, feather=0.0, face_method="solid", plate_method="gaussian", color="#0a141e"
    )
    as_face = redacted(pixels, [face(20, 20, 40, 40)], settings)
    as_plate = redacted(pixels, [plate(20, 20, 40, 40)], settings)
    changed = (as_face != pixels).any(axis=2)
    assert changed[30, 6:54].all()
    assert not changed[6:10, 6:10].any()
    assert (as_face[30, 30] == (10, 20, 30)).all()
    assert np.ptp(as_plate[20:40, 20:40].astype(int)) < 60
    assert ((as_plate != pixels).any(axis=2) == (np.pad(np.ones((20, 20), bool), 20))).mean() > 0.99


def test_a_kind_with_the_method_none_stays_as_it_is() -> None:
    pixels = noise(60, 60)
    settings = RedactSettings(face_method="none")
    both = redacted(pixels, [face(5, 5, 25, 25), plate(30, 30, 50, 40)], settings)
    assert (both == redacted(pixels, [plate(30, 30, 50, 40)], settings)).all()
    assert (both[:25] == pixels[:25]).all()


HAIR = PolygonOutline(((30, 20), (70, 20), (75, 60), (60, 70), (40, 70), (25, 60)))
SILHOUETTE = RedactSettings(shape="silhouette", face_margin=0, feather=0)


def with_hair(track: int | None = None) -> Detection:
    return replace(face(35, 35, 65, 75), silhouette=HAIR, track=track)


def hidden(found: Detection, settings: RedactSettings) -> np.ndarray:
    return np.asarray(mask_detections(noise(120, 100), [found], settings) == 1)


def test_a_silhouette_is_hidden_together_with_the_ellipse() -> None:
    plain = face(35, 35, 65, 75)
    ellipse, both = hidden(plain, SILHOUETTE), hidden(with_hair(), SILHOUETTE)
    drawn = hidden(Detection.of(HAIR, "face"), SILHOUETTE)
    assert (both == (ellipse | drawn)).all()
    assert drawn[~ellipse].any()
    assert ellipse[~drawn].any()


def test_a_silhouette_is_hidden_only_where_that_is_asked_for() -> None:
    settings = RedactSettings(feather=0)
    assert (hidden(with_hair(), settings) == hidden(face(35, 35, 65, 75), settings)).all()
    mixed = RedactSettings(shape="silhouette", face_shape="ellipse", feather=0)
    assert (hidden(with_hair(), mixed) == hidden(face(35, 35, 65, 75), mixed)).all()


def test_without_a_silhouette_the_ellipse_keeps_its_margin() -> None:
    plain = face(35, 35, 65, 75)
    assert (hidden(plain, RedactSettings(shape="silhouette")) == hidden(plain, RedactSettings())).all()
    assert not (hidden(plain, RedactSettings()) & ~hidden(plain, RedactSettings(face_margin=0.3))).any()


@pytest.mark.parametrize("margin", [0.0, 0.2, 0.6])
def test_all_of_the_box_and_the_silhouette_is_hidden_and_more_with_a_margin(margin: float) -> None:
    settings = RedactSettings(shape="silhouette", face_margin=margin, feather=0)
    covered = hidden(with_hair(), settings)
    assert covered[35:75, 35:65].all()
    assert covered[hidden(Detection.of(HAIR, "face"), SILHOUETTE)].all()
    assert covered[hidden(with_hair(), SILHOUETTE)].all()


@pytest.mark.parametrize("track", [None, 3])
def test_a_silhouette_only_adds_to_what_is_hidden_without_one(track: int | None) -> None:
    settings = RedactSettings(shape="silhouette", feather=0)
    covered = hidden(with_hair(track), settings)
    assert covered[hidden(face(35, 35, 65, 75), settings)].all()
    assert covered.sum() > hidden(face(35, 35, 65, 75), settings).sum()


def test_the_soft_edge_lies_outside_of_the_silhouette() -> None:
    soft = mask_detections(noise(120, 100), [with_hair()], RedactSettings(shape="silhouette", face_margin=0))
    sharp = hidden(with_hair(), SILHOUETTE)
    assert ((soft == 1) == sharp).all()
    assert ((soft > 0) & (soft < 1)).any()


def test_a_silhouette_outside_of_the_picture_changes_nothing() -> None:
    away = PolygonOutline(((-90, -90), (-50, -90), (-70, -40)))
    found = replace(face(35, 35, 65, 75), silhouette=away)
    assert (hidden(found, SILHOUETTE) == hidden(face(35, 35, 65, 75), SILHOUETTE)).all()
    (target,) = to_targets([found], (120, 100), SILHOUETTE)
    assert target.region.core.top == 0


@pytest.mark.parametrize("method", ["gaussian", "mosaic", "solid", "image", "inpaint"])
def test_every_method_paints_a_silhouette(method: str) -> None:
    pixels = noise(120, 100)
    settings = RedactSettings(method, shape="silhouette")
    changed = (redacted(pixels, [with_hair()], settings) != pixels).any(axis=2)
    assert changed[hidden(with_hair(), settings)].mean() > 0.95
    assert not changed[100:].any()
