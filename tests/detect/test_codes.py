"""QR, bar and other codes, which the tests draw."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import zxingcpp
from detect.drawn_codes import DrawnCode, draw, ground, hidden_share
from fakes import save
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonymizer.cli.main import run
from anonymizer.detect import codes
from anonymizer.detect.codes import CodeDetector, Sighting, bars, united, whole_bars
from anonymizer.detect.description import ViewSpec
from anonymizer.detect.load import choose_models as choose
from anonymizer.detect.load import load_detectors, try_model
from anonymizer.errors import ModelError
from anonymizer.settings import DetectSettings
from anonymizer.types import Detection, Pixels8

SIZE = (240, 320)
ORIGINALS = Path(__file__).parents[2] / "images" / "originals"


def found_in(picture: Pixels8, threshold: float | None = None) -> list[Detection]:
    (detector,) = load_detectors(DetectSettings("code", code_threshold=threshold))
    return detector.detect(picture)


def drawn_bars(
    text: str, code_format: str, degrees: float = 0.0, module_px: float = 2.0
) -> tuple[Pixels8, codes.Corners]:
    """A picture with a linear or stacked code, and the corners of its modules."""
    shown = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, code_format)).to_image(scale=8)
    card = np.asarray(shown, np.uint8)
    return placed(card, degrees, module_px / 8)


def placed(card: npt.NDArray[np.uint8], degrees: float, scale: float) -> tuple[Pixels8, codes.Corners]:
    height, width = 360, 480
    turn = cv2.getRotationMatrix2D((card.shape[1] / 2, card.shape[0] / 2), degrees, scale)
    turn[:, 2] += width / 2 - card.shape[1] / 2, height / 2 - card.shape[0] / 2
    fine = np.vstack([turn[:1], turn[1:]]) * 4
    picture = ground(height * 4, width * 4)
    warped = cv2.warpAffine(card, fine, (width * 4, height * 4))
    inside = cv2.warpAffine(np.full_like(card, 255), fine, (width * 4, height * 4), flags=cv2.INTER_NEAREST) > 0
    picture[inside] = warped[inside][:, np.newaxis]
    dark = card < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    (top, bottom), (left, right) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
    box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    shrunk = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8), np.asarray(box @ turn[:, :2].T + turn[:, 2], np.float32)


@pytest.mark.parametrize("module_px", [2.0, 3.0])
@pytest.mark.parametrize(
    ("code", "blur", "noise"),
    [
        pytest.param(DrawnCode(), 0.0, 2.0, id="upright"),
        pytest.param(DrawnCode(degrees=33), 0.0, 2.0, id="turned"),
        pytest.param(DrawnCode(degrees=10, tilt=0.15), 0.0, 2.0, id="perspective"),
        pytest.param(DrawnCode(dark=235, light=25), 0.0, 2.0, id="inverted"),
        pytest.param(DrawnCode(dark=120, light=160), 0.0, 1.0, id="low contrast"),
        pytest.param(DrawnCode(logo=0.25), 0.0, 2.0, id="logo"),
        pytest.param(DrawnCode(damage=0.4), 0.0, 2.0, id="damaged"),
        pytest.param(DrawnCode(), 0.35, 2.0, id="blurred"),
        pytest.param(DrawnCode(quiet=1), 0.0, 2.0, id="without a margin"),
    ],
)
def test_qr_codes_are_hidden_however_they_lie(code: DrawnCode, module_px: float, blur: float, noise: float) -> None:
    code = replace(code, module_px=module_px)
    picture = draw([code], SIZE, blur * module_px, noise)
    assert hidden_share(code.corners, found_in(picture), SIZE) >= 0.995


def test_several_codes_in_a_picture_each_have_an_outline() -> None:
    places = [(70.0, 70.0), (250.0, 70.0), (70.0, 180.0), (250.0, 180.0)]
    drawn = [DrawnCode(center=place, module_px=2 + index / 2, degrees=20 * index) for index, place in enumerate(places)]
    found = found_in(draw(drawn, SIZE))
    assert len(found) == 4
    assert all(hidden_share(code.corners, found, SIZE) >= 0.995 for code in drawn)
    assert all(one.kind == "code" and one.score == 1 and one.outline is not None for one in found)


def test_what_cannot_be_read_counts_less() -> None:
    damaged = draw([DrawnCode(damage=0.4)], SIZE)
    assert {one.score for one in found_in(damaged)} == {0.5}
    assert found_in(damaged, threshold=0.6) == []
    assert found_in(draw([DrawnCode()], SIZE), threshold=0.6)


def test_rings_of_a_dress_are_no_codes() -> None:
    """Their corners lie like those of QR codes, which hid more than a quarter of the picture."""
    with Image.open(ORIGINALS / "swearing_in_group.jpg") as image:
        dress = np.asarray(image.convert("RGB").crop((1050, 420, 1450, 820)), np.uint8)
    assert found_in(dress) == []
    assert {one.score for one in found_in(dress, threshold=0.1)} == {0.2}


def test_what_lies_nowhere_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library may see a code without knowing where."""
    real = zxingcpp.read_barcodes(draw([DrawnCode(damage=0.4)], SIZE), return_errors=True)[0]
    nowhere = SimpleNamespace(x=0, y=0)
    place = SimpleNamespace(**dict.fromkeys(("top_left", "top_right", "bottom_right", "bottom_left"), nowhere))
    unplaced = SimpleNamespace(position=place, error=real.error, format=real.format)
    monkeypatch.setattr(zxingcpp, "read_barcodes", lambda gray, **options: [unplaced])
    assert found_in(ground(*SIZE)) == []


@pytest.mark.parametrize("degrees", [0, 15, 100])
@pytest.mark.parametrize(
    ("code_format", "text"),
    [("EAN13", "4006381333931"), ("Code128", "ABC-1234"), ("ITF", "12345678901231"), ("PDF417", "Jane Doe")],
)
def test_bars_are_hidden_as_a_whole_at_any_angle(code_format: str, text: str, degrees: float) -> None:
    picture, corners = drawn_bars(text, code_format, degrees)
    assert hidden_share(corners.astype(np.float64), found_in(picture), (360, 480)) >= 0.98


@pytest.mark.parametrize(
    ("code_format", "text"), [("DataMatrix", "Jane Doe"), ("Aztec", "M1DOE/JANE"), ("DataBarOmni", "0112345678901231")]
)
def test_other_codes(code_format: str, text: str) -> None:
    picture, corners = drawn_bars(text, code_format, 10)
    assert hidden_share(corners.astype(np.float64), found_in(picture), (360, 480)) >= 0.98


def test_bars_that_nobody_can_read() -> None:
    card = np.full((400, 1200), 255, np.uint8)
    for start in np.flatnonzero(np.random.default_rng(3).random(60) < 0.5):
        card[40:-40, 100 + 16 * start : 112 + 16 * start] = 0
    picture, corners = placed(card, 25, 0.25)
    found = found_in(picture)
    assert [one.score for one in found] == [0.4]
    assert hidden_share(corners.astype(np.float64), found, (360, 480)) >= 0.98


def test_stripes_that_are_few_are_no_code() -> None:
    picture = ground(360, 480)
    picture[100:250, 100:300] = np.where(np.arange(200) // 14 % 2, 255, 0)[:, np.newaxis]
    assert found_in(picture) == []


def test_bars_are_followed_to_their_ends() -> None:
    gray = np.full((200, 300), 255, np.uint8)
    for x in range(60, 240, 12):
        gray[40:160, x : x + 6] = 0
    part = np.array([(60, 90), (234, 90), (234, 92), (60, 92)], np.float32)
    whole = whole_bars(gray, part)
    assert whole[:, 1].min() == pytest.approx(40, abs=4)
    assert whole[:, 1].max() == pytest.approx(160, abs=4)
    assert (whole[:, 0].min(), whole[:, 0].max()) == pytest.approx((60, 234), abs=4)
    assert np.array_equal(whole_bars(gray, part[:, ::-1] * 0), part * 0)


@pytest.mark.parametrize("where", [(40, 50), (250, 240), (300, 130)])
def test_small_codes_in_large_pictures(where: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As the pieces of a very large picture are, but small."""
    monkeypatch.setattr(codes, "SIDE_PX", 256)
    monkeypatch.setattr(codes, "SHARED_PX", 160)
    code = DrawnCode(module_px=2, degrees=20, center=(float(where[1]), float(where[0])))
    picture = draw([code], (360, 300))
    assert hidden_share(code.corners, found_in(picture), (360, 300)) >= 0.995


def test_codes_larger_than_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "SIDE_PX", 128)
    monkeypatch.setattr(codes, "SHARED_PX", 32)
    code = DrawnCode(module_px=8, center=(160, 120))
    assert hidden_share(code.corners, found_in(draw([code], SIZE)), SIZE) >= 0.995


def test_more_codes_than_the_library_returns_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one = draw([DrawnCode(module_px=2, text="A1", center=(32, 32))], (64, 64))
    sheet = np.tile(one, (3, 4, 1))

    class Few:
        """As the library with a smaller limit."""

        BarcodeFormat, BarcodeFormats = zxingcpp.BarcodeFormat, zxingcpp.BarcodeFormats

        @staticmethod
        def read_barcodes(gray: Pixels8, **options: object) -> Sequence[object]:
            return zxingcpp.read_barcodes(gray, **options)[:3]  # type: ignore[arg-type]

    monkeypatch.setattr(codes, "_library", lambda: Few)
    monkeypatch.setattr(codes, "MOST_AT_ONCE", 3)
    assert len(CodeDetector([ViewSpec()], 0.3).detect(sheet)) == 12


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 3), (7, 700)])
@pytest.mark.parametrize("seed", range(3))
def test_pictures_without_codes(shape: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    assert found_in(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) == []
    assert found_in(np.full((*shape, 3), 80 * seed, np.uint8)) == []


@given(st.integers(0, 10_000), st.integers(1, 160), st.integers(1, 160), st.integers(1, 9), st.booleans())
def test_no_picture_makes_trouble(seed: int, height: int, width: int, cell: int, is_tiled: bool) -> None:
    """Black and white cells, of which some look like the beginning of a code."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 2, (height // cell + 1, 1 if is_tiled else width // cell + 1), dtype=np.uint8) * 255
    picture = np.repeat(np.repeat(small, cell, axis=0), width if is_tiled else cell, axis=1)[:height, :width]
    for one in found_in(np.repeat(picture[:, :, np.newaxis], 3, axis=2)):
        assert 0.3 <= one.score <= 1
        assert one.box.touches((height, width))


@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(2, 40), st.sampled_from([0.4, 1.0])), max_size=8
    )
)
def test_nothing_is_lost_where_sightings_are_united(squares: list[tuple[int, int, int, float]]) -> None:
    sightings = [
        Sighting(np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)], np.float32), score)
        for x, y, side, score in squares
    ]
    whole = united(sightings)
    assert len(whole) <= len(sightings)
    for one in sightings:
        assert any(
            all(cv2.pointPolygonTest(code.corners, (float(x), float(y)), True) >= -0.01 for x, y in one.corners)
            and code.score >= one.score
            for code in whole
        )


def test_bars_are_found_by_themselves() -> None:
    picture, _ = drawn_bars("4006381333931", "EAN13", 40)
    (one,) = bars(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))
    assert one.score == 1


def test_the_library_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    (model,) = choose(DetectSettings("code"))
    assert try_model(model).startswith("zxing-cpp ")
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    with pytest.raises(ModelError, match="pip install zxing-cpp"):
        load_detectors(DetectSettings("code"))


def test_what_a_code_says_is_written_nowhere(tmp_path: Path) -> None:
    """A mosaic is asked for and solid is used; the record is replayed as it is."""
    source, out = tmp_path / "in", tmp_path / "out"
    save(source / "a.png", draw([DrawnCode(module_px=3)], SIZE))
    assert read_barcodes(source / "a.png")
    style = ["--kinds", "code", "--method", "mosaic", "--workers", "0"]
    assert run(["--input", str(source), "--image-output", str(out), *style]) == 0
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) >= 3
    assert not any(b"example.org" in path.read_bytes() for path in written)
    assert read_barcodes(out / "a.png") == []
    (found,) = json.loads((out / "a.json").read_text())
    assert (found["kind"], found["score"], *found["outline"]) == ("code", 1, "polygon")
    again = tmp_path / "again"
    replay = ["--detections", str(out), "--method", "mosaic", "--workers", "0"]
    assert run(["--input", str(source), "--image-output", str(again), *replay]) == 0
    assert (again / "a.png").read_bytes() == (out / "a.png").read_bytes()
    assert run(["check", str(out), "--against", str(source), "--kinds", "code", "--workers", "0"]) == 0


def read_barcodes(path: Path) -> list[str]:
    with Image.open(path) as image:
        return [one.text for one in zxingcpp.read_barcodes(np.asarray(image.convert("L")), return_errors=True)]


@pytest.mark.slow
def test_a_code_of_two_pixels_a_module_in_24_megapixels() -> None:
    picture = ground(4000, 6000)
    code = DrawnCode(module_px=2, degrees=17)
    picture[2000:2240, 2950:3270] = draw([code], SIZE)
    found = found_in(picture)
    moved = [one for one in found if one.box.x_min >= 2950 and one.box.x_max <= 3270]
    assert len(moved) == 1
    assert hidden_share(code.corners + np.array((2950, 2000)), moved, (4000, 6000)) >= 0.995
