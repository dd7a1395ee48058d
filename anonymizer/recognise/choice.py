"""Which of the faces that were found stay visible, by a gallery of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from anonymizer.detect.tones import to_rgb_8_bits
from anonymizer.files.picture import Frame, Picture
from anonymizer.recognise.gallery import Gallery, read_gallery
from anonymizer.recognise.models import load_face_reader
from anonymizer.recognise.resemblance import PERHAPS_SAME_PERSON, SAME_PERSON, FaceReader, Resemblance, best_match
from anonymizer.record.edits import Edited, Place
from anonymizer.settings import ChooseSettings
from anonymizer.types import Detection, FrameDetections, Kind

LEAST_LOOKS = 3
"""So many frames of a track must show clearly whose face it is."""
LEAST_CLEAR = 0.5
"""And so large a share of those frames that were looked at."""
FACE = "face"
"""The kind that galleries decide on. All others are hidden as ever."""
BY = "gallery"
"""Who decided, in the report."""


@dataclass(frozen=True, slots=True)
class ShownTrack:
    """Why the face of a track stays visible in a film."""

    name: str | None
    """Whose it is; None: nobody's of the gallery."""
    cosine: float
    """How much it resembles that person, on average, or anybody at most."""
    why: str
    """For the report."""


@dataclass(frozen=True)
class GalleryChoice:
    """Takes from what was found the faces that may stay visible."""

    kind: ClassVar[Kind] = FACE
    by: ClassVar[str] = BY
    gallery: Gallery
    reader: FaceReader
    hides_only: bool
    """Whether the people of the gallery are the ones to hide, and not those to show."""
    hides_rest: bool = False
    """Whether all else is hidden, so that places and not only detections stay visible."""

    def choose(self, picture: Picture, found: Sequence[FrameDetections]) -> Edited:
        """What remains to be hidden, and what the report says of each face that stays visible."""
        frames, done = [], []
        kept: list[list[Place]] = []
        for number, (frame, of_frame) in enumerate(zip(picture.frames, found, strict=True)):
            shown = self._shown(frame, [one for one in of_frame.detections if one.kind == FACE])
            frames.append(without(of_frame, [detection for detection, _ in shown]))
            kept.append([detection.redaction_box for detection, _ in shown])
            in_frame = {"frame": number} if len(picture.frames) > 1 else {}
            done += [{**self._entry(detection, why), **in_frame} for detection, why in shown]
        return Edited(frames, done, kept if self.hides_rest and any(kept) else ())

    def judge_track(self, looks: Sequence[Resemblance]) -> ShownTrack | None:
        """Whether the face of a track in a film stays visible: if enough frames show it clearly, and all of those
        agree. None if it is hidden.

        Args:
            looks: what could be said of it in some of its frames, spread over all of its time.
        """
        vectors = [look.vector for look in looks if look.vector is not None]
        if len(vectors) < LEAST_LOOKS or len(vectors) < LEAST_CLEAR * len(looks):
            return None
        matches = [best_match(vector, self.gallery.people) for vector in vectors]
        cosines = [cosine for _, cosine in matches]
        if self.hides_only:
            highest = max(cosines)
            why = f"resembles nobody of the gallery in {len(vectors)} frames, {highest:.2f} of 1 at most"
            return ShownTrack(None, highest, why) if highest < PERHAPS_SAME_PERSON else None
        names = {name for name, _ in matches}
        if len(names) > 1 or min(cosines) < SAME_PERSON:
            return None
        (name,) = names
        mean = sum(cosines) / len(cosines)
        return ShownTrack(name, mean, f"resembles {name} of the gallery in {len(vectors)} frames, {mean:.2f} of 1")

    def _entry(self, face: Detection, why: str) -> dict[str, object]:
        """As of an edit that removes the face, or keeps its place."""
        box = {"box": list(face.redaction_box.xyxy)}
        decided = {"reason": why, "by": BY}
        if self.hides_rest:
            return {"keep": box, **decided}
        return {"remove": box, "kind": face.kind, **decided, "found": {**box, "score": face.score}}

    def _shown(self, frame: Frame, faces: Sequence[Detection]) -> list[tuple[Detection, str]]:
        """The faces that stay visible, each with the reason."""
        rgb = to_rgb_8_bits(frame.view)
        read = [(face, self.reader.read(rgb, face.box)) for face in faces]
        return self._all_but_these_people(read) if self.hides_only else self._these_people(read)

    def _these_people(self, read: Sequence[tuple[Detection, Resemblance]]) -> list[tuple[Detection, str]]:
        """Of each person the face that resembles it most, if that is beyond doubt."""
        best: dict[str, tuple[float, Detection]] = {}
        for face, resemblance in read:
            if resemblance.vector is None:
                continue
            name, cosine = best_match(resemblance.vector, self.gallery.people)
            if name not in best or cosine > best[name][0]:
                best[name] = cosine, face
        return [
            (face, f"resembles {name} of the gallery, {cosine:.2f} of 1")
            for name, (cosine, face) in best.items()
            if cosine >= SAME_PERSON
        ]

    def _all_but_these_people(self, read: Sequence[tuple[Detection, Resemblance]]) -> list[tuple[Detection, str]]:
        shown = []
        for face, resemblance in read:
            if resemblance.vector is not None:
                _, cosine = best_match(resemblance.vector, self.gallery.people)
                if cosine < PERHAPS_SAME_PERSON:
                    shown.append((face, f"resembles nobody of the gallery, {cosine:.2f} of 1 at most"))
        return shown


def load_choice(settings: ChooseSettings, hides_rest: bool = False) -> GalleryChoice | None:
    """The one by a gallery; None where there is none.

    Args:
        hides_rest: whether all else is hidden.

    Raises:
        SettingsError: the folder is not a gallery of clear faces.
        ModelError: the recogniser is missing or damaged.
    """
    folder = settings.gallery
    if folder is None:
        return None
    reader = load_face_reader()
    return GalleryChoice(read_gallery(folder, reader), reader, settings.hide_only is not None, hides_rest)


def without(frame: FrameDetections, shown: Sequence[Detection]) -> FrameDetections:
    """The same without what stays visible."""

    def kept(detections: Sequence[Detection]) -> list[Detection]:
        return [one for one in detections if not any(one is face for face in shown)]

    in_alpha = None if frame.in_alpha is None else kept(frame.in_alpha)
    return replace(frame, detections=kept(frame.detections), in_alpha=in_alpha)
