"""The way of one posted picture, in a worker process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from anonymizer.detect.silhouettes import choose_silhouettes
from anonymizer.detect.zones import add_given
from anonymizer.errors import PictureError, picture_boundary
from anonymizer.files.decode import decode_picture
from anonymizer.files.library_messages import messages_of
from anonymizer.files.mask_png import encode_masks
from anonymizer.files.picture import Picture
from anonymizer.formats import FORMATS
from anonymizer.kinds import GIVEN_KINDS, KINDS, Kind
from anonymizer.pipeline import Finder, encode_redacted, find_in, mask_picture, redact_picture, warnings_of
from anonymizer.record.detections import from_json, to_json
from anonymizer.run.replay import keep_recorded
from anonymizer.settings import DetectSettings
from anonymizer.types import FrameDetections, Job, Progress
from anonymizer.web.orders import Done, Order

NAME = "a posted picture"
"""Stands for it in messages: names of files are not known here."""
_DECODED, _FOUND, _HIDDEN = 0.05, 0.85, 0.9
"""Shares of the work that are done then, as they are for photographs: only progress bars are made of them."""


@dataclass(frozen=True)
class PostedFinder:
    """A `Finder` that knows what a client says is in a picture."""

    detections: bytes
    """Detection JSON."""
    settings: DetectSettings
    """Its kinds, thresholds and zones drop some."""

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(KINDS)

    def find(self, picture: Picture, job: Job | None = None) -> list[FrameDetections]:
        """What was posted of each frame.

        Raises:
            PictureError: it is damaged, or does not fit the picture.
        """
        sizes = [(frame.pixels.shape[0], frame.pixels.shape[1]) for frame in picture.frames]
        try:
            frames = from_json(self.detections, sizes)
        except ValueError as error:
            raise PictureError(f"does not fit its detections: {error}") from None
        posted = [frames.get(number, FrameDetections([])) for number in range(len(sizes))]
        kinds = frozenset([*(self.settings.kinds or KINDS), *GIVEN_KINDS])
        return [keep_recorded(frame, size, kinds, self.settings) for frame, size in zip(posted, sizes, strict=True)]


def redact(
    order: Order, load: Callable[[DetectSettings], Finder], tell: Callable[[Progress], None], began_s: float
) -> Done:
    """
    Args:
        load: makes what says where faces and plates are.
        tell: is told how far the picture is.
        began_s: when the work began, on the clock of time.perf_counter().

    Raises:
        PictureError: the picture cannot be processed.
        AnonymizerError: the settings ask for something that no model looks for.
    """
    settings = order.settings
    finder = load(settings.detect) if order.detections is None else PostedFinder(order.detections, settings.detect)
    with messages_of(NAME), picture_boundary(NAME):
        if not order.only_detects and settings.redact.only_detects(finder.kinds | settings.detect.given_kinds):
            raise PictureError("would stay as it is: the method of every kind is none")
        picture = decode_picture(order.content, settings.read)
        tell(Progress("decoded", _DECODED))
        found = add_given(picture, find_in(picture, finder), settings.detect)
        if (silhouettes := choose_silhouettes(settings.redact)) is not None:
            found = silhouettes.add(picture, found)
        tell(Progress("looked at", _FOUND))
        warnings = warnings_of(picture, found, settings.redact)
        done = Done(
            b"",
            _media_type(picture),
            FORMATS[picture.encoding.format].extensions[0],
            to_json(found),
            _mask(order, picture, found),
            [(frame.pixels.shape[1], frame.pixels.shape[0]) for frame in picture.frames],
            _counts(found),
            warnings,
            0.0,
        )
        if not order.only_detects:
            redacted = redact_picture(picture, found, settings.redact, in_place=True)
            tell(Progress("hidden", _HIDDEN))
            encoded = encode_redacted(picture, redacted, settings.write)
            done = replace(done, file=encoded.content, warnings=[*warnings, *encoded.left_out])
    return replace(done, seconds=time.perf_counter() - began_s)


def _media_type(picture: Picture) -> str:
    name = picture.encoding.format
    return Image.MIME.get(name, f"image/{FORMATS[name].extensions[0]}")


def _mask(order: Order, picture: Picture, found: Sequence[FrameDetections]) -> bytes | None:
    if not order.wants_mask:
        return None
    settings = order.settings.redact
    shown = settings.in_any_case() if order.only_detects else settings
    return encode_masks(mask_picture(picture, found, shown))


def _counts(found: Sequence[FrameDetections]) -> dict[Kind, int]:
    kinds = [detection.kind for frame in found for detection in frame.detections]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}
