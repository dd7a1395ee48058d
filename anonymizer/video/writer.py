"""Writes a redacted film and proves it: the second and the third way through a film."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av.error

from anonymizer.errors import PictureError
from anonymizer.settings import Settings
from anonymizer.video.encoders import Encoding, matched, without_captions
from anonymizer.video.groups import Spans
from anonymizer.video.packets import CopyPlan, NotCopiedError
from anonymizer.video.paint import Painter
from anonymizer.video.selection import Selection
from anonymizer.video.silence import Muted
from anonymizer.video.sink import FilmSink, Rhythm, SinkPlan, choose_encoding
from anonymizer.video.source import Film, FilmFrame
from anonymizer.video.survey import Survey
from anonymizer.video.verify import Account, CopiedFrames, verify

logger = logging.getLogger(__name__)

_COPYING_ENCODER = "libx264"
_NOTHING = Spans(())


@dataclass(frozen=True)
class Written:
    """How a film was written."""

    encoding: Encoding
    copied: Spans
    """Frames whose packets were copied."""
    why_not: str | None = None
    """Why none were, in words that continue "the film"; None if some were."""
    encoded_sound: int = 0
    """How many sound tracks were encoded as a whole, to mute parts of them."""


@dataclass(frozen=True)
class FilmWriter:
    """Writes one film."""

    film: Film
    survey: Survey
    painter: Painter
    selection: Selection
    settings: Settings
    on_hidden: Callable[[int], None] = lambda number: None
    """Called with the number of frames that were redacted so far."""
    on_proved: Callable[[int], None] = lambda number: None
    """Called with the number of frames of the new film that were proved so far."""
    mute: Sequence[tuple[float, float]] = ()
    """When all sound is silent: from and to, seconds on the clock of the file."""

    def write(self, place: Path) -> Written:
        """Copies what may be copied; if what comes of it is not what it should be, encodes the whole film.

        Raises:
            PictureError: the film has changed since the first pass, a frame cannot be redacted or encoded, or what was
                written is not what it should be.
            OSError: the file cannot be written.
        """
        plan = self._plan()
        try:
            copying = self._copying(plan)
        except NotCopiedError as reason:
            return self._write(place, plan, str(reason))
        try:
            return self._write(place, copying, None)
        except (PictureError, ValueError, av.error.FFmpegError) as error:
            logger.info("%s: the film is encoded as a whole, since its parts do not fit: %s", self.film.path, error)
            return self._write(place, plan, f"cannot be put together from copied and new parts: {error}")

    def _plan(self) -> SinkPlan:
        """For a film that is encoded as a whole."""
        video, chosen, policy = self.settings.video, self.selection, self.settings.write.metadata
        rhythm = Rhythm.of(self.survey.times)
        encoding = choose_encoding(self.film, rhythm, video.video_encoder, video.video_quality, self.survey.bit_rate)
        has_titles, has_captions = policy == "keep", video.subtitles == "keep"
        if not has_captions:
            encoding = without_captions(encoding)
        return SinkPlan(
            encoding,
            rhythm,
            chosen.streams,
            chosen.chapters,
            chosen.metadata,
            has_titles,
            tuple(self.mute),
            captions=has_captions,
            is_part=not self.film.is_whole,
        )

    def _copying(self, plan: SinkPlan) -> SinkPlan:
        """The same for a film of which parts are copied.

        Raises:
            NotCopiedError: that cannot be.
        """
        if not self.settings.video.video_copy:
            raise NotCopiedError("was not to be copied in parts")
        if not self.film.is_whole:
            raise NotCopiedError("is written in part")
        if self.survey.packets is None:
            raise NotCopiedError("is not H.264 in MP4, Matroska or a transport stream")
        encoding = plan.encoding
        if encoding.encoder != _COPYING_ENCODER or encoding.pixel_format != self.film.facts.pixel_format:
            raise NotCopiedError(f"is encoded by {encoding.encoder} as {encoding.pixel_format}")
        copy = self.survey.packets.plan(self.survey.times, self.painter.hides)
        return replace(plan, copy=copy, encoding=_encoding_beside(encoding, copy))

    def _write(self, place: Path, plan: SinkPlan, why_not: str | None) -> Written:
        copied = CopiedFrames(_NOTHING if plan.copy is None else Spans.copied(plan.copy.stretches))
        muted = self._redact(place, plan, copied)
        facts, account = self.film.facts, self.survey.account
        verify(place, facts, account, plan.kept, self.settings.read, copied, muted, self.on_proved)
        return Written(plan.encoding, copied.spans, why_not, len(muted.retimed))

    def _redact(self, place: Path, plan: SinkPlan, copied: CopiedFrames) -> Muted:
        account = Account(self.film.facts.time_base)
        with self.film.opened() as reading:
            sink = FilmSink(place, self.film.facts, plan, reading)
            reading.on_packet = sink.copy
            with sink.closed_at_end():
                for item in account.noted(reading):
                    if isinstance(item, FilmFrame):
                        self._hide(item, sink, copied)
                    else:
                        sink.copy(item)
        if account.frames.digest != self.survey.account.frames.digest:
            raise PictureError("has changed while it was read")
        return sink.muted

    def _hide(self, frame: FilmFrame, sink: FilmSink, copied: CopiedFrames) -> None:
        if frame.index >= len(self.survey.times):
            raise PictureError("has changed while it was read")
        has_changed = self.painter.paint(frame.picture, frame.index)
        if frame.index not in copied.spans:
            sink.write(frame.picture, frame.time)
        elif has_changed:
            raise PictureError(f"would show what was hidden in frame {frame.index}")
        copied.note(frame)
        self.on_hidden(frame.index + 1)


def _encoding_beside(encoding: Encoding, copy: CopyPlan) -> Encoding:
    number, references = copy.free_number, copy.sequences[0].reference_frames
    return matched(encoding, copy.profile, copy.level, number, references, copy.delay, copy.reordered > 0)


def facts_of(written: Written) -> dict[str, object]:
    """What the report says of how a film was written."""
    if written.why_not is not None:
        return {"frames_copied": 0, "encoded_as_a_whole": f"the film {written.why_not}"}
    return {"frames_copied": written.copied.frames, "copied": [[first, end - 1] for first, end in written.copied]}
