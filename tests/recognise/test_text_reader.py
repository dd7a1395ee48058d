from pathlib import Path

import numpy as np
import pytest
from recognise.texts import drawn, line, reader

from anonymizer.detect.catalogue import BUNDLED
from anonymizer.errors import ModelError
from anonymizer.geometry import Box
from anonymizer.recognise.text_reader import (
    HEIGHT_PX,
    MAX_WIDTH_PX,
    WIDTH_STEP_PX,
    describe_reader,
    line_of,
    load_text_reader,
    to_text,
    upright_quad,
)

QUAD = np.array([(10.0, 20.0), (110, 20), (110, 60), (10, 60)])


@pytest.mark.parametrize("text", ["Ada Lovelace 1815", "info@example.org", "+49 89 1234567"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_drawn_text_is_read_whichever_way_it_lies(text: str, turns: int) -> None:
    picture = drawn(text)
    width = 40 + 19 * len(text)
    part = np.ascontiguousarray(np.rot90(picture[10:52, 15:width], turns))
    reading = reader().read(part, Box(0, 0, part.shape[1], part.shape[0]))
    assert text.replace(" ", "") in {each.replace(" ", "") for each in reading.texts}


def test_turned_text_is_read_by_its_outline() -> None:
    import cv2

    picture = drawn("", "", "Ada Lovelace", "", "")
    turn = cv2.getRotationMatrix2D((300, 150), 25, 1)
    turned = np.asarray(cv2.warpAffine(picture, turn, (600, 300), borderValue=(220, 220, 220)), np.uint8)
    corners = np.array([(15, 130), (240, 130), (240, 172), (15, 172)], float) @ turn[:, :2].T + turn[:, 2]
    reading = reader().read_quad(turned, [(float(x), float(y)) for x, y in corners])
    assert reading.texts[0].replace(" ", "") == "AdaLovelace"
    assert reading.doubt is None


def test_what_is_in_doubt() -> None:
    flat = np.full((60, 600, 3), 128, np.uint8)
    assert reader().read(flat, Box(10, 10, 200, 50)).doubt == "cannot be read"
    assert reader().read(flat, Box(10, 10, 200, 18)).doubt == "is smaller than 10 pixels"
    assert reader().read(flat, Box(0, 10, 600, 22)).doubt == "is too long"
    noise = np.random.default_rng(0).integers(0, 256, (60, 200, 3)).astype(np.uint8)
    assert reader().read(noise, Box(10, 10, 190, 50)).doubt is not None


def test_a_detection_is_read_as_its_outline_says() -> None:
    picture = drawn("Grace", "Hopper")
    assert [reader().read_detection(picture, line(row, 15, 160)).texts[0] for row in (0, 1)] == ["Grace", "Hopper"]


@pytest.mark.parametrize("roll", range(4))
@pytest.mark.parametrize("step", [1, -1])
def test_corners_are_brought_in_order(roll: int, step: int) -> None:
    given = np.roll(QUAD, roll, axis=0)[::step]
    assert upright_quad([(float(x), float(y)) for x, y in given]).tolist() == QUAD.tolist()


def test_a_line_is_as_high_as_the_model_wants() -> None:
    rgb = np.zeros((100, 200, 3), np.uint8)
    rgb[20:60, 10:110] = 200
    found = line_of(rgb, QUAD)
    assert found is not None
    assert found.shape == (HEIGHT_PX, WIDTH_STEP_PX, 3)
    assert found[:, :118].min() > 150  # what lies in the rectangle
    assert (found[:, 120:] == 127).all()
    assert line_of(rgb, QUAD * (MAX_WIDTH_PX, 1)) is None


def test_repetitions_and_blanks_are_left_out() -> None:
    steps = np.array([[0.1, 0.9, 0], [0.2, 0.8, 0], [1, 0, 0], [0, 0.7, 0.3], [0.1, 0.3, 0.6]], np.float32)
    text, score = to_text(steps, ["", "a", "b"])
    assert text == "aab"
    assert score == pytest.approx(0.6)
    assert to_text(steps[2:3], ["", "a", "b"]) == ("", 0.0)
    assert to_text(steps, ["", "a", " "])[1] == pytest.approx(0.7)  # spaces do not count


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    for name in ("reader.yaml", "characters.txt", "reader.tflite"):
        (tmp_path / name).write_bytes((BUNDLED / "text" / name).read_bytes())
    assert len(describe_reader(tmp_path).characters) == 6624
    with open(tmp_path / "reader.tflite", "ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="damaged"):
        load_text_reader(tmp_path)
    (tmp_path / "reader.tflite").unlink()
    with pytest.raises(ModelError, match="No such file"):
        load_text_reader(tmp_path)
    (tmp_path / "reader.yaml").write_text("name: x")
    with pytest.raises(ModelError, match="is damaged"):
        load_text_reader(tmp_path)
