"""What a worker process does to a picture or film that was posted: bytes in, bytes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from anonymizer.errors import AnonymizerError, PictureError, TooLargeError
from anonymizer.settings import DetectSettings
from anonymizer.web.orders import Done, Failed, FilmLimits, Order
from anonymizer.web.privacy import forbid_core_dumps

if TYPE_CHECKING:
    from anonymizer.pipeline import Finder

MAX_FINDERS = 16
"""So many are kept, for requests with equal settings; the models are shared."""


@dataclass(frozen=True)
class RedactionTask:
    """Redacts pictures or films, once its models are loaded."""

    settings: DetectSettings
    """Those of the server: their models are loaded at the beginning."""
    load: Callable[[DetectSettings], Finder]
    """Makes what says where faces and plates are."""
    films: FilmLimits | None = None
    """Of a worker that works on films; None: it works on pictures."""

    def begin(self) -> Callable[[Order], Done | Failed]:
        """Loads the models.

        Raises:
            ModelError: a model is missing, damaged or not a detection model.
        """
        forbid_core_dumps()
        load = lru_cache(MAX_FINDERS)(self.load)
        load(self.settings)
        if self.films is not None:
            from anonymizer.web.film_redaction import bound_worker

            bound_worker(self.films)
        return _Work(load, self.films)

    def give_up(self, order: Order, reason: str) -> Failed:
        return Failed("picture-failed", reason.replace("--timeout ", ""))

    def sweep(self, order: Order) -> None:
        """Leaves nothing behind: there are no files."""


class _Work:
    """Works on one order at a time, and tells how far it is."""

    def __init__(self, load: Callable[[DetectSettings], Finder], films: FilmLimits | None) -> None:
        # Imported here: the process of the server needs neither OpenCV nor the formats.
        from anonymizer.web.redaction import redact

        self._redact = redact
        self._load = load
        self._films = films
        self._tell: Callable[[str], None] = lambda text: None

    def listen(self, beat: Callable[[str], None]) -> None:
        """See `LongWork`."""
        self._tell = beat

    def __call__(self, order: Order) -> Done | Failed:
        began_s = time.perf_counter()
        try:
            if not order.is_film:
                return self._redact(order, self._load, self._tell, began_s)
            from anonymizer.web.film_redaction import redact_film

            assert self._films is not None
            return redact_film(order, self._load, self._films, self._tell, began_s)
        except PictureError as error:
            return Failed("too-large" if isinstance(error, TooLargeError) else "picture-failed", _plain(error))
        except AnonymizerError as error:  # settings that no model can follow
            return Failed("wrong-setting", _plain(error))


def _plain(error: AnonymizerError) -> str:
    """What it says, without the dashes of options."""
    return str(error).replace("--", "")
