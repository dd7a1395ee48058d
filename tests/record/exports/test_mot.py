"""Tests of anonymizer.record.exports.mot: files as MOT challenge, CVAT and Datumaro write and read them."""

from __future__ import annotations

import pytest
from fakes import plate
from record.exports.test_films import MOVING, film_of, tracked

from anonymizer.record.exports.films import ReadFilm
from anonymizer.record.exports.mot import LABELS, MOT, PLACE, SEQUENCE


def read(text: str, labels: str | None = None) -> ReadFilm:
    files = {PLACE: text.encode()} | ({} if labels is None else {LABELS: labels.encode()})
    return MOT.read(files, film_of(*([] for _ in range(10))))


def test_what_is_written() -> None:
    files = MOT.write(film_of([tracked(3, 10), plate(200, 100, 260, 120)], [tracked(3, 12.5)]))
    assert files[PLACE].decode().splitlines() == [
        "1,3,10.00,10.00,40.00,50.00,1,1,1",
        "1,4,200.00,100.00,60.00,20.00,1,2,1",
        "2,3,12.50,10.00,40.00,50.00,1,1,1",
    ]
    assert files[LABELS].startswith(b"face\nplate\n")
    assert files[SEQUENCE].decode().splitlines() == [
        "[Sequence]",
        "name=clips/a.mp4",
        "frameRate=25",
        "seqLength=2",
        "imWidth=400",
        "imHeight=300",
    ]


def test_classes_have_the_names_of_the_labels() -> None:
    text = "1,7,10,10,40,50,1,2,1\n1,8,10,10,40,50,0,1,0.3\n"
    assert [(box.kind, box.track) for box in read(text, "plate\nface\n").frames[0]] == [("face", 7), ("plate", 8)]
    assert [box.kind for box in read(text).frames[0]] == ["plate", "face"]
    assert read("1,7,1,1,9,9,1,99,1\n").frames[0][0].kind == "class 99"


def test_results_without_a_class_are_faces() -> None:
    (box,) = read("3,-1,10,20,40,50\n").frames[2]
    assert (box.kind, box.track, box.corners) == ("face", None, (10, 20, 50, 70))


@pytest.mark.parametrize(
    ("text", "reason"),
    [("1,2,3\n", "line 1 of gt/gt.txt has less than 6 numbers"), ("a,1,2,3,4,5\n", "does not begin with two whole")],
)
def test_lines_that_are_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(text)


def test_the_file_itself_is_needed() -> None:
    with pytest.raises(ValueError, match=r"has no gt/gt\.txt"):
        MOT.read({LABELS: b""}, MOVING)
