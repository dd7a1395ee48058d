"""What a worker process does to a picture that was posted: bytes in, bytes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from anonymizer.errors import AnonymizerError, PictureError
from anonymizer.settings import DetectSettings
from anonymizer.web.orders import Done, Failed, Order
from anonymizer.web.privacy import forbid_core_dumps

if TYPE_CHECKING:
    from anonymizer.pipeline import Finder

MAX_FINDERS = 16
"""So many are kept, for requests with equal settings; the models are shared."""


@dataclass(frozen=True)
class RedactionTask:
    """Redacts pictures, once its models are loaded."""

    settings: DetectSettings
    """Those of the server: their models are loaded at the beginning."""
    load: Callable[[DetectSettings], Finder]
    """Makes what says where faces and plates are."""

    def begin(self) -> Callable[[Order], Done | Failed]:
        """Loads the models.

        Raises:
            ModelError: a model is missing, damaged or not a detection model.
        """
        # Imported here: the process of the server needs neither OpenCV nor the formats.
        from anonymizer.web.redaction import redact

        forbid_core_dumps()
        load = lru_cache(MAX_FINDERS)(self.load)
        load(self.settings)

        def work(order: Order) -> Done | Failed:
            began_s = time.perf_counter()
            try:
                return redact(order, load, began_s)
            except PictureError as error:
                return Failed("too-large" if "--max-pixels" in str(error) else "picture-failed", _plain(error))
            except AnonymizerError as error:  # settings that no model can follow
                return Failed("wrong-setting", _plain(error))

        return work

    def give_up(self, order: Order, reason: str) -> Failed:
        return Failed("picture-failed", reason.replace("--timeout ", ""))

    def sweep(self, order: Order) -> None:
        """Leaves nothing behind: there are no files."""


def _plain(error: AnonymizerError) -> str:
    """What it says, without the dashes of options."""
    return str(error).replace("--", "")
