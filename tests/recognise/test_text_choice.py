from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from fakes import face
from recognise.texts import drawn, line, picture_of, reader

from anonymizer.cli.main import run
from anonymizer.geometry import Box
from anonymizer.recognise.patterns import Patterns
from anonymizer.recognise.text_choice import TextChoice, load_text_choice, next_of_each
from anonymizer.recognise.text_reader import Reading, TextReader
from anonymizer.settings import ChooseSettings
from anonymizer.types import Detection, FrameDetections, Pixels8

BLANK = np.zeros((120, 600, 3), np.uint8)


class FixedReader:
    """Reads what it is told to, in the order of the texts."""

    def __init__(self, *readings: Reading) -> None:
        self._readings = list(readings)

    def read_detection(self, rgb: Pixels8, found: Detection) -> Reading:
        return self._readings.pop(0)


def says(*texts: str, doubt: str | None = None) -> Reading:
    return Reading(texts, 0.95, doubt)


def hidden(pattern: str, texts: Sequence[Detection], *readings: Reading) -> list[Detection]:
    choice = TextChoice(Patterns([pattern]), cast(TextReader, FixedReader(*readings)))
    return list(choice.choose(picture_of(BLANK), [FrameDetections(texts)]).frames[0].detections)


def test_drawn_text_that_matches_is_hidden_and_the_rest_stays_visible() -> None:
    texts = [line(0, 15, 240), line(1, 15, 350)]
    choice = TextChoice(Patterns(["email"]), reader())
    found = FrameDetections([*texts, face(1, 1, 9, 9)], [texts[0]])
    chosen = choice.choose(picture_of(drawn("Open daily", "info@example.org")), [found])
    assert chosen.frames == [FrameDetections([texts[1], face(1, 1, 9, 9)], [])]
    (entry,) = chosen.done
    assert (entry["kind"], entry["by"], entry["remove"]) == ("text", "text-match", {"box": [15, 10, 240, 52]})
    assert "Open" not in str(chosen.done)


def test_doubtful_readings_are_hidden() -> None:
    texts = [line(0), line(1)]
    assert hidden("Ada", texts, says("Grace"), says("Grace", doubt="cannot be read for sure")) == [texts[1]]
    assert hidden("Ada", texts, says("Grace"), Reading(doubt="is too long")) == [texts[1]]


def test_a_text_that_matches_upside_down_is_hidden() -> None:
    assert hidden("Ada", [line(0)], says("epv", "Ada")) == [line(0)]


def test_parts_of_a_line_match_together() -> None:
    parts = [line(0, 20, 100), line(0, 120, 200), line(0, 230, 300), line(1, 20, 100)]
    readings = says("+49"), says("89 12"), says("34"), says("Open")
    assert hidden("phone", [parts[3], *parts[:3]], readings[3], *readings[:3]) == parts[:3]
    far = [line(0, 20, 100), line(0, 400, 500)]
    assert hidden("phone", far, says("+49"), says("89 1234")) == [far[1]]  # alone: six digits
    assert hidden("phone", far, says("+49 8"), says("9123")) == []


def test_a_number_in_many_parts_is_hidden_to_its_end() -> None:
    parts = [line(0, 60 * number, 60 * number + 50) for number in range(6)]
    iban = [says(group) for group in ("DE89", "3704", "0044", "0532", "0130", "00")]
    assert hidden("iban", parts, *iban) == parts
    assert hidden(r"\d{12}", parts, *[says(group) for group in ("12", "34", "56", "78", "90", "12")]) == parts


def test_what_matches_alone_takes_no_neighbour_along() -> None:
    parts = [line(0, 20, 100), line(0, 120, 200)]
    assert hidden("number", parts, says("Street"), says("12")) == [parts[1]]


def test_the_next_text_of_a_line() -> None:
    texts = [line(0, 20, 100), line(0, 120, 200), line(1, 20, 100), line(0, 500, 590)]
    assert next_of_each(texts) == [1, None, None, None]


def looks(*readings: Reading) -> bool:
    choice = TextChoice(Patterns(["Ada"]), reader())
    return choice.judge_track(readings) is not None


def test_a_track_stays_visible_if_no_frame_shows_it_matching() -> None:
    clear, doubtful = says("Grace"), Reading(doubt="is too long")
    assert looks(clear, clear, clear)
    assert looks(clear, clear, clear, doubtful)
    assert not looks(clear, clear)
    assert not looks(clear, clear, clear, *[doubtful] * 4)
    assert not looks(clear, clear, clear, says("Ada"))
    assert not looks(clear, clear, clear, says("Ada", doubt="cannot be read for sure"))


def test_no_choice_without_patterns() -> None:
    assert load_text_choice(ChooseSettings()) is None


def test_a_run_writes_down_neither_texts_nor_patterns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import cv2

    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), drawn("", "Entrance", "Lovelace", ""))
    folders = ["--input", str(tmp_path / "in"), "--image-output", str(tmp_path / "out"), "--workers", "0"]
    assert run([*folders, "--kinds", "text", "--text-match", "Lovelace"]) == 0
    before, after = (cv2.imread(str(tmp_path / folder / "a.png")) for folder in ("in", "out"))
    assert before is not None
    assert after is not None
    rows = (before != after).any(axis=(1, 2))
    assert not rows[:120].any()
    assert rows[140:160].all()
    written = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.suffix != ".png" and path.is_file()]
    said = capsys.readouterr()
    for content in (*written, said.out.encode(), said.err.encode()):
        assert b"ovelace" not in content
        assert b"ntrance" not in content


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kinds", "text", "--text-match", "Lovelace("], "--text-match: is no regular expression"),
        (["--text-match", "Lovelace"], "--text-match: text is not looked for; add --kinds text"),
    ],
)
def test_wrong_options(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"")
    folders = ["--input", str(tmp_path / "in"), "--image-output", str(tmp_path / "out")]
    assert run([*folders, *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Lovelace" not in error
    assert not (tmp_path / "out").exists()


def test_boxes_are_read_in_films() -> None:
    reading = TextChoice(Patterns(["Ada"]), reader()).reader.read(drawn("Grace"), Box(15, 10, 130, 52))
    assert reading.texts[0] == "Grace"
