"""What redaction costs a data set: how much of the pictures is hidden or changed, and what models still see in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from anonymizer.audit.change import RIM, Change, Flags, change, hidden_and_outside
from anonymizer.audit.consumers import Classifier, Consumer
from anonymizer.audit.faces import Face
from anonymizer.audit.labels import Label, Labelled
from anonymizer.audit.pictures import found_in, read_pixels
from anonymizer.audit.precision import Floats, Objects, Precision, hits_of
from anonymizer.audit.redactions import FromFolder, Ours, Redaction
from anonymizer.files.find import find_pictures
from anonymizer.formats import EXTENSIONS
from anonymizer.geometry import Box, PixelBox
from anonymizer.pipeline import Finder
from anonymizer.recognise.align import Landmarks
from anonymizer.redact.frame import mask_detections
from anonymizer.types import Pixels8

SURE = 0.5
"""Score from which on what a detector finds in an original counts as being there."""
KEPT = 0.3
"""Score from which on such an object counts as found again: a score a little lower is no loss yet."""
TOUCHED = 0.01
"""An object is touched where something is hidden in this share of its box."""
NAMES = 12
"""So many names of objects have rows of their own, the most frequent ones."""
WORST = 10
_NO_LANDMARKS: Landmarks = np.zeros((5, 2))


@dataclass(frozen=True)
class Kept:
    """Objects that a detector finds in the originals, and finds again."""

    objects: int
    found_again: int
    touched: int
    """Those in whose box something is hidden."""
    touched_found_again: int


@dataclass(frozen=True)
class Detected:
    """What a detector sees after redaction."""

    to_itself: Precision | None
    """With what it sees in the originals, from the score `SURE` on, as the truth; 1 without redaction."""
    kept: Kept
    kept_of_name: Mapping[str, Kept]
    before: Precision | None
    """In the originals, with the labels of people as the truth; None without labels of what it knows."""
    after: Precision | None


@dataclass(frozen=True)
class Classified:
    """What a classifier sees after redaction."""

    same_class: float
    """Share of the pictures whose likeliest class is that of the original."""
    among_five: float
    """Share for which the original's class is among the five likeliest."""


@dataclass(frozen=True)
class Utility:
    """What a redaction costs."""

    redaction: str
    pictures: int
    hidden: float
    """Share of a picture, mean."""
    most_hidden: float
    changed_outside: float
    """Share of the pixels outside that differ at all, mean over pictures."""
    unchanged_outside: int
    """In how many pictures none does."""
    largest_outside: int
    """Largest difference outside, in levels."""
    edges_outside: float
    """Strength of edges there beside that of the originals, mean."""
    colours: float
    """Share of the colours that are as they were, mean."""
    worst: Sequence[tuple[str, Change]]
    """Pictures with most changed outside, then those of which most is hidden."""
    detected: Detected | None = None
    classified: Classified | None = None

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass
class _Row:
    """What is gathered of a redaction."""

    changes: list[tuple[str, Change]] = field(default_factory=list)
    objects: list[Objects] = field(default_factory=list)
    touched: list[Flags] = field(default_factory=list)
    """Of the objects in each original."""
    classes: list[Floats] = field(default_factory=list)


def measure_utility(
    folder: Path,
    pictures: Sequence[Labelled],
    redactions: Sequence[Redaction],
    finder: Finder,
    consumer: Consumer | None = None,
    on_picture: Callable[[], None] = lambda: None,
) -> list[Utility]:
    """
    Args:
        pictures: with labels, where there are any.
        finder: says what is hidden.
        consumer: looks at the originals and at what was made of them.

    Raises:
        SettingsError: a picture cannot be read.
    """
    rows = {row.name: _Row() for row in redactions}
    originals = _Row()
    for picture in pictures:
        on_picture()
        pixels = read_pixels(folder, picture.name)
        found = found_in(pixels, finder)
        _ask(consumer, pixels, originals)
        first = found[0].box if found else Box(0, 0, 1, 1)
        shown = Face(picture.name, "", pixels, found, first, _NO_LANDMARKS)
        for one in redactions:
            row, redacted = rows[one.name], one.redact(shown)
            allowed = allowed_by(one, shown)
            row.changes.append((picture.name, change(pixels, redacted, allowed)))
            _ask(consumer, redacted, row)
            if originals.objects:
                hidden, _ = hidden_and_outside(pixels, redacted, allowed)
                row.touched.append(_touched(originals.objects[-1].from_score(SURE), hidden))
    labels = [_objects(picture.labels) for picture in pictures]
    return [_utility(name, row, originals, labels) for name, row in rows.items()]


def listed_pictures(folder: Path) -> list[Labelled]:
    """All pictures in a folder, without labels.

    Raises:
        SettingsError: it is not a folder.
    """
    return [Labelled(job.name, []) for job in find_pictures(folder, EXTENSIONS, None)]


def allowed_by(redaction: Redaction, face: Face) -> Flags | None:
    """Where a redaction may hide something, (H, W): of this program the mask, of other methods what lies in and next to
    what was found; None where another program decided on it.
    """
    if isinstance(redaction.redact, Ours):
        return np.asarray(mask_detections(face.pixels, face.found, redaction.redact.settings) > 0)
    if isinstance(redaction.redact, FromFolder):
        return None
    size = (face.pixels.shape[0], face.pixels.shape[1])
    allowed = np.zeros(size, bool)
    for one in face.found:
        allowed[PixelBox.around(one.box, size, margin=RIM).inside(size).slices] = True
    return allowed


def _ask(consumer: Consumer | None, pixels: Pixels8, row: _Row) -> None:
    if isinstance(consumer, Classifier):
        row.classes.append(consumer.classify(pixels))
    elif consumer is not None:
        row.objects.append(consumer.find(pixels))


def _touched(objects: Objects, hidden: Flags) -> Flags:
    """In which of the objects something is hidden, (N,)."""
    height, width = hidden.shape
    shares = []
    for x_min, y_min, x_max, y_max in objects.boxes.tolist():
        rows = slice(max(0, int(y_min)), min(height, int(np.ceil(y_max))))
        part = hidden[rows, max(0, int(x_min)) : min(width, int(np.ceil(x_max)))]
        shares.append(float(part.mean()) if part.size else 0.0)
    return np.array(shares) >= TOUCHED


def _objects(labels: Sequence[Label]) -> Objects:
    boxes = np.array([label.box.xyxy for label in labels], np.float64).reshape(-1, 4)
    return Objects([label.kind for label in labels], boxes, np.ones(len(labels)))


def _utility(name: str, row: _Row, originals: _Row, labels: Sequence[Objects]) -> Utility:
    changes = [each for _, each in row.changes]
    worst = sorted(row.changes, key=lambda pair: (-pair[1].changed_outside, -pair[1].hidden, pair[0]))[:WORST]
    return Utility(
        redaction=name,
        pictures=len(changes),
        hidden=float(np.mean([each.hidden for each in changes])),
        most_hidden=max(each.hidden for each in changes),
        changed_outside=float(np.mean([each.changed_outside for each in changes])),
        unchanged_outside=sum(each.changed_outside == 0 for each in changes),
        largest_outside=max(each.largest_outside for each in changes),
        edges_outside=float(np.mean([each.edges_outside for each in changes])),
        colours=float(np.mean([each.colours for each in changes])),
        worst=worst,
        detected=_detected(row, originals, labels) if row.objects else None,
        classified=_classified(row, originals) if row.classes else None,
    )


def _detected(row: _Row, originals: _Row, labels: Sequence[Objects]) -> Detected:
    truth = [one.from_score(SURE) for one in originals.objects]
    counted = Counter(name for one in truth for name in one.names)
    names = [name for name, _ in counted.most_common()]
    kept = {name: _kept(name, truth, row) for name in names}
    # What people labelled counts where the detector knows such objects at all.
    known = {name for one in originals.objects for name in one.names}
    labelled = sorted({name for one in labels for name in one.names} & known)
    return Detected(
        to_itself=Precision.of(truth, row.objects, names),
        kept=_sum(kept.values()),
        kept_of_name={name: kept[name] for name in names[:NAMES]},
        before=Precision.of(labels, originals.objects, labelled),
        after=Precision.of(labels, row.objects, labelled),
    )


def _kept(name: str, truth: Sequence[Objects], row: _Row) -> Kept:
    counts = np.zeros(4, int)
    for wanted, found, touched in zip(truth, row.objects, row.touched, strict=True):
        is_named = np.array([one == name for one in wanted.names], bool)
        is_again = _found_again(wanted.only(is_named), found.named(name).from_score(KEPT))
        is_touched = touched[is_named]
        counts += [len(is_again), is_again.sum(), is_touched.sum(), (is_again & is_touched).sum()]
    return Kept(*counts.tolist())


def _found_again(wanted: Objects, found: Objects) -> Flags:
    """Which of the wanted objects, (N,), are among those found: the roles are changed, the surest wanted one first."""
    return hits_of(found, wanted)


def _sum(parts: Iterable[Kept]) -> Kept:
    total = np.zeros(4, int)
    for part in parts:
        total += [part.objects, part.found_again, part.touched, part.touched_found_again]
    return Kept(*total.tolist())


def _classified(row: _Row, originals: _Row) -> Classified:
    likeliest = [int(one.argmax()) for one in originals.classes]
    ranks = [int((after > after[wanted]).sum()) for wanted, after in zip(likeliest, row.classes, strict=True)]
    return Classified(float(np.mean([rank < 1 for rank in ranks])), float(np.mean([rank < 5 for rank in ranks])))
