"""The record of a film is read along with it."""

from pathlib import Path

import pytest
from fakes import face

from anonymizer.check.film_record import FilmRecord, opened_record
from anonymizer.record.detections import film_to_json

FOUND = [
    (0.0, [face(1, 1, 5, 5), face(6, 6, 9, 9)]),
    (0.04, []),
    (0.08, [face(2, 1, 6, 5)]),
    (0.12, [face(2, 1, 6, 5)]),
]


def write(path: Path, content: bytes | None = None) -> Path:
    path.write_bytes(b"".join(film_to_json(FOUND)) if content is None else content)
    return path


def test_frame_by_frame(tmp_path: Path) -> None:
    with opened_record("a.mp4", write(tmp_path / "a.json")) as record:
        assert [record.in_frame(index, time_s) for index, (time_s, _) in enumerate(FOUND)] == [f for _, f in FOUND]
        record.finish(4)
    assert record.findings == []


def test_without_a_record_nobody_knows() -> None:
    with opened_record("a.mp4", None) as record:
        assert record.in_frame(0, 0.0) is None


def test_an_empty_record_says_that_nothing_was_hidden(tmp_path: Path) -> None:
    with opened_record("a.mp4", write(tmp_path / "a.json", b"[]\n")) as record:
        assert record.in_frame(0, 0.0) == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is damaged"),
        (b"{}", "not a list"),
        (b'[\n  {"frame": 0}\n]\n', "entry 1: kind None"),
        (b"[\n  {}\n", "damaged"),
    ],
)
def test_a_damaged_record_explains_nothing(tmp_path: Path, content: bytes, text: str) -> None:
    with opened_record("a.mp4", write(tmp_path / "a.json", content)) as record:
        assert record.in_frame(0, 0.0) is None
    (finding,) = record.findings
    assert (finding.file, finding.kind, finding.level) == ("a.mp4", "record", "finding")
    assert text in finding.text


def test_damage_behind_the_first_frames(tmp_path: Path) -> None:
    content = write(tmp_path / "a.json").read_bytes()
    with opened_record("a.mp4", write(tmp_path / "a.json", content[:-20])) as record:
        assert record.in_frame(0, 0.0) == FOUND[0][1]
        assert record.in_frame(2, 0.08) is None


def test_other_times_and_more_frames(tmp_path: Path) -> None:
    with opened_record("a.mp4", write(tmp_path / "a.json")) as record:
        assert record.in_frame(0, 0.5) is None
    assert "frame 0 comes at 0.000 s, which comes at 0.500 s" in record.findings[0].text
    with opened_record("a.mp4", write(tmp_path / "a.json")) as record:
        record.in_frame(0, 0.0)
        record.finish(1)
    assert record.findings[0].text == "a.json beside it speaks of frame 2, and the film has 1"


def test_a_record_that_cannot_be_opened(tmp_path: Path) -> None:
    with opened_record("a.mp4", tmp_path / "gone.json") as record:
        assert isinstance(record, FilmRecord)
    assert "cannot be read" in record.findings[0].text
