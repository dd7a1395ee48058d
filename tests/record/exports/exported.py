"""Pictures and detections to be exported."""

from dataclasses import replace

from fakes import face, plate
from hypothesis import strategies as st

from anonymizer.geometry import Box
from anonymizer.kinds import KINDS
from anonymizer.outlines import EllipseOutline, Outline, PolygonOutline, StrokeOutline
from anonymizer.record.exports.values import ExportedPicture, ExportFormat, ReadPicture
from anonymizer.types import Detection

COUPLE = ExportedPicture(
    "a/happy couple.jpg",
    (800, 533),
    [
        face(10.5, 20.25, 110.5, 150.75, 0.93),
        replace(face(-3.7, 40.123, 80.2, 150.9, 0.5), extent=Box(-5, 39, 82, 153), track=7),
    ],
)
EMPTY = ExportedPicture("b.png", (512, 500), [])
CAR = ExportedPicture("cars & <more>/ä.jpg", (960, 640), [plate(400.1, 500.2, 520.3, 540.4, 0.8)])
PICTURES = [COUPLE, EMPTY, CAR]


def read_back(export_format: ExportFormat, *pictures: ExportedPicture) -> list[ReadPicture]:
    """What the format says of these pictures, in their order."""
    sizes = {picture.name: picture.size for picture in pictures}
    read = {picture.name: picture for picture in export_format.read(export_format.write(pictures, "out"), sizes)}
    return [read[picture.name] for picture in pictures]


@st.composite
def outlines(draw: st.DrawFn, box: Box) -> Outline:
    (x, y), size = box.center, (max(box.width, 1.0), max(box.height, 1.0))
    corners = st.tuples(st.floats(x, x + size[0]), st.floats(y, y + size[1]))
    shapes: list[Outline] = [
        PolygonOutline(((x, y), (x + size[0], y), (x, y + size[1]), *draw(st.lists(corners, max_size=3)))),
        EllipseOutline((x, y), size, draw(st.floats(-180, 180))),
        StrokeOutline(((x, y), draw(corners)), size[0]),
    ]
    return draw(st.sampled_from(shapes))


@st.composite
def detections(draw: st.DrawFn) -> Detection:
    """In a picture of 400 x 300 pixels, or partly outside it."""
    x_min, y_min = draw(st.floats(-50, 399)), draw(st.floats(-50, 299))
    width, height = draw(st.floats(0.1, 300)), draw(st.floats(0.1, 300))
    box = Box(x_min, y_min, max(x_min + width, 1.0), max(y_min + height, 1.0))
    if draw(st.integers(0, 3)) == 0:
        return Detection.of(draw(outlines(box)), draw(st.sampled_from(KINDS)), draw(st.floats(0, 1)))
    grown = draw(st.none() | st.floats(0.01, 20))
    extent = None if grown is None else Box(box.x_min - grown, box.y_min, box.x_max, box.y_max + grown)
    track = draw(st.none() | st.integers(0, 1000))
    return Detection(box, draw(st.floats(0, 1)), draw(st.sampled_from(KINDS)), extent, track=track)


NAMES = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=["Cs"]), min_size=1, max_size=20).map(
    lambda stem: f"{stem}.jpg"
)


@st.composite
def pictures(draw: st.DrawFn) -> ExportedPicture:
    return ExportedPicture(draw(NAMES), (400, 300), draw(st.lists(detections(), max_size=5)))
