"""What the server offers to pages and programs: what may be set, what is looked for, and how much it takes."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from anonymizer.formats import EXTENSIONS, FILM_EXTENSIONS
from anonymizer.kinds import TRAITS, Kind, default_kinds
from anonymizer.settings import STAGES, DetectSettings, ServeSettings, Settings
from anonymizer.web.request_settings import FIELDS, schema_of
from anonymizer.web.review import Review


def describe_offer(
    serve: ServeSettings,
    defaults: Settings,
    thresholds: Mapping[Kind, float],
    review: Review | None = None,
    takes_films: bool = False,
) -> dict[str, object]:
    """As plain values.

    Args:
        defaults: what holds where a request says nothing.
        thresholds: scores from which on detections count then, of each kind that may be looked for.
        review: the finished folder that the page shows, where it shows one.
    """
    plain = {key: value for stage in STAGES for key, value in getattr(defaults, stage).as_options().items()}
    return {
        "settings": {key: {"default": plain[key], **schema_of(key)} for key in FIELDS},
        "kinds": {
            kind: {
                "threshold": threshold,
                "one": TRAITS[kind].one,
                "plural": TRAITS[kind].plural,
                "is_default": kind in usual_kinds(defaults.detect, thresholds),
            }
            for kind, threshold in thresholds.items()
        },
        "extensions": [*EXTENSIONS, *(FILM_EXTENSIONS if takes_films else ())],
        "max_bytes": serve.max_bytes,
        "max_pixels": serve.max_pixels,
        "films": None
        if not takes_films
        else {
            "extensions": list(FILM_EXTENSIONS),
            "max_bytes": serve.max_film_bytes,
            "max_pixels": serve.max_film_pixels,
            "max_frames": serve.max_film_frames,
            "max_seconds": serve.max_film_seconds,
            "timeout_seconds": serve.film_timeout,
        },
        "needs_token": serve.token is not None,
        "review": None if review is None else review.offer(),
    }


def usual_kinds(settings: DetectSettings, available: Mapping[Kind, object]) -> list[Kind]:
    """Those of the available kinds that are looked for where a request names none."""
    usual = settings.kinds or default_kinds(settings.preset)
    return [kind for kind in available if kind in usual]


def render_kinds(settings: DetectSettings, available: Mapping[Kind, object]) -> str:
    """The choice of kinds in the form of the page, as HTML. Those that are looked for anyway are chosen."""
    usual = usual_kinds(settings, available)
    return "\n".join(
        f'<span><input type="checkbox" id="kind-{kind}" name="kinds" value="{kind}"{" checked" * (kind in usual)}> '
        f'<label for="kind-{kind}">{escape(TRAITS[kind].about or TRAITS[kind].plural)}</label></span>'
        for kind in available
    )
