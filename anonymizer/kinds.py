"""The kinds of objects that can be found and hidden: one row each, and nothing about a kind stands anywhere else.

A row gives a kind its options (`--face-threshold`, `--face-method` ...), its keys in the configuration file, and its
place in the detections and the report. `model.yaml` says which models find it. What people and zones hide is a kind
too, which no model looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from anonymizer.geometry import Shape

Kind: TypeAlias = str
"""A key of `TRAITS`."""


Silhouettes: TypeAlias = Literal["never", "on demand", "by default"]
"""Whether objects of a kind are hidden by their silhouettes: a bundled model draws them, see `detect.silhouettes`."""


@dataclass(frozen=True, slots=True)
class KindTraits:
    """What sets one kind apart from the others."""

    one: str
    """How a text speaks of one: "a face"."""
    plural: str
    """And of several: "faces"."""
    about: str = field(default="", kw_only=True)
    """What a list of kinds says of it, where that is more than the plural."""
    shape: Shape
    """What is hidden by default: the box, or the ellipse through its corners."""
    margin: float
    """By which share of the box's size what is hidden is widened on every side by default, 0..5."""
    has_cells: bool
    """Whether `cells` applies to it. Otherwise its methods show the brightness of one cell at most."""
    is_default: bool
    """Whether it is looked for where the user names no kinds. A new kind must not change existing command lines."""
    presets: tuple[str, ...] = ()
    """Presets with which it is looked for all the same."""
    is_of_people: bool = False
    """Whether everybody in a picture has one, seen from any side, so that their number is that of the people."""
    only_method: str | None = None
    """The only method that hides it, whatever is chosen for others: of `settings.METHODS`."""
    resembles_redaction: bool = False
    """Whether a model takes the bars that hide it for it, with high scores."""
    has_models: bool = True
    """Whether models look for it. Otherwise people and zones say where it is, and it is always hidden."""
    silhouettes: Silhouettes = "never"
    silhouette_alone: bool = False
    """Whether a silhouette takes the place of the shape around the box, as an outline, but in films. Otherwise it is
    united with the ellipse."""


TRAITS: Mapping[Kind, KindTraits] = {
    # With a margin of 0.2 the corners of what recognisers look at stayed visible in one of 20 faces: anonymizer/audit.
    "face": KindTraits(
        "a face", "faces", shape="ellipse", margin=0.3, has_cells=True, is_default=True, silhouettes="on demand"
    ),
    # From several cells its text could be read back.
    "plate": KindTraits(
        "a plate", "plates", about="licence plates", shape="box", margin=0.1, has_cells=False, is_default=True
    ),
    # Seen from any side, for crowds.
    "head": KindTraits(
        "a head",
        "heads",
        about="heads, seen from any side",
        shape="ellipse",
        margin=0.1,
        has_cells=True,
        is_default=False,
        presets=("crowd",),
        is_of_people=True,
        silhouettes="on demand",
    ),
    # From head to foot, in any pose.
    "person": KindTraits(
        "a person",
        "people",
        about="whole people",
        shape="box",
        margin=0.05,
        has_cells=True,
        is_default=False,
        silhouettes="on demand",
        silhouette_alone=True,
    ),
    # As exact as it was drawn.
    "area": KindTraits("an area", "areas", "box", margin=0.0, has_cells=False, is_default=False, has_models=False),
    # Of words and lines. From several cells it could be read back, as a plate.
    "text": KindTraits(
        "a text",
        "texts",
        about="text on signs, houses and screens",
        shape="box",
        margin=0.1,
        has_cells=False,
        is_default=False,
        resembles_redaction=True,
    ),
    # QR and bar codes. What a mosaic leaves of one can be read; the margin makes up for corners in whole pixels.
    "code": KindTraits(
        "a code",
        "codes",
        about="QR and bar codes",
        shape="box",
        margin=0.1,
        has_cells=False,
        is_default=False,
        only_method="solid",
    ),
}
KINDS: tuple[Kind, ...] = tuple(TRAITS)
MODEL_KINDS: tuple[Kind, ...] = tuple(kind for kind, traits in TRAITS.items() if traits.has_models)
GIVEN_KINDS: tuple[Kind, ...] = tuple(kind for kind, traits in TRAITS.items() if not traits.has_models)
"""Nothing is looked for: they are hidden whatever kinds a user names."""
ZONE_KIND: Kind = "area"
"""Of what zones hide."""
TEXT_KIND: Kind = "text"
"""Of what can be read."""
PEOPLE_KINDS: tuple[Kind, ...] = tuple(kind for kind, traits in TRAITS.items() if traits.is_of_people)
DEFAULT_KINDS: tuple[Kind, ...] = tuple(kind for kind, traits in TRAITS.items() if traits.is_default)


def default_kinds(preset: str) -> tuple[Kind, ...]:
    """What is looked for where the user names no kinds."""
    return tuple(kind for kind, traits in TRAITS.items() if traits.is_default or preset in traits.presets)
