"""The page in a real browser, on a real server with the bundled models."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("selenium")
pytest.importorskip("av")

import av
from detect.drawn_codes import DrawnCode, draw
from web.browser import Browser, browsing, running

from anonymizer.kinds import MODEL_KINDS

NAMES = ("astronaut.png", "drawn_car.jpg", "happy_couple.jpg")
LOWEST = {"face": 0.1, "plate": 0.2625}
"""From which scores on the page shows what is found: half of the models' thresholds."""

SEEN = """
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [64, 64];
canvas.getContext("2d").drawImage(document.getElementById(arguments[0]), 0, 0, 64, 64);
return canvas.toDataURL();
"""
"""What an element shows."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running("serve", "--port", "0", "--workers", "1") as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("downloads")) as browser:
        yield browser


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where screenshots go: a folder of the environment, for people who want to look at them."""
    folder = Path(os.environ.get("ANONYMIZER_TESTS_SCREENSHOTS", tmp_path))
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def _fresh_messages(browser: Browser) -> None:
    """What earlier tests made the browser say is theirs."""
    browser.messages()


def run(*arguments: object) -> None:
    """The command line."""
    command = [sys.executable, "-m", "anonymizer", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def look_at(browser: Browser, address: str, *files: Path) -> None:
    """Drops pictures and waits until all are looked at."""
    browser.open(address)
    browser.drop(files)
    browser.until(lambda: browser.at("status").text.startswith("All "))


@pytest.fixture(scope="module")
def film(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a face that moves."""
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    with Image.open(originals / "astronaut.png") as image, av.open(str(path), "w") as container:
        pixels = np.asarray(image.convert("RGB").resize((320, 320)))
        stream: Any = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 256, 256, "yuv420p"
        for number in range(24):
            part = np.ascontiguousarray(pixels[10 : 10 + 256, number : number + 256])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(part, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def card(browser: Browser, begin: str) -> Any:
    """The card of an object."""
    return next(each for each in browser.all("#objects button") if each.text.startswith(begin))


def unzip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_a_person_does_gives_the_files_of_the_command_line(
    browser: Browser, address: str, originals: Path, film: Path, tmp_path: Path, shots: Path
) -> None:
    look_at(browser, address, *(originals / name for name in NAMES), film)
    assert [text.split("\n")[0] for text in browser.texts("#pictures li")] == [*NAMES, film.name]
    browser.all("#pictures .picture")[2].click()
    browser.until(lambda: browser.at("editor-title").text == "happy_couple.jpg")

    face = card(browser, "Face 1")
    assert "hidden" in face.text
    face.click()
    assert "visible" in card(browser, "Face 1").text
    browser.at("tool-box").click()
    browser.drag(browser.at("outlines"), (0.1, 0.2), (0.3, 0.5))
    browser.until(lambda: any(text.startswith("Area 1") for text in browser.texts("#objects button")))
    before = browser.texts("#objects .state").count("hidden")
    browser.set("threshold-plate", LOWEST["plate"])
    assert browser.texts("#objects .state").count("hidden") > before  # at once, without the server

    assert not browser.barriers()
    browser.shoot(shots / "desktop.png")
    browser.at("with-detections").click()
    browser.at("download-all").click()
    files = unzip(browser.download("anonymized.zip"))
    names = (*NAMES, film.name)
    assert set(files) == {*names, *(f"{Path(name).stem}.json" for name in names)}
    assert not browser.messages()

    source = tmp_path / "in"
    source.mkdir()
    for name in NAMES:
        (source / name).write_bytes((originals / name).read_bytes())
    (source / film.name).write_bytes(film.read_bytes())
    lowest = [word for kind, score in LOWEST.items() for word in (f"--{kind}-threshold", score)]
    run("--input", source, "--image-output", tmp_path / "found", "--method", "none", *lowest)
    found = json.loads((tmp_path / "found" / "happy_couple.json").read_bytes())
    (removed,) = (each for each in found if each["kind"] == "face" and each["score"] > 0.9)
    (drawn,) = (each for each in json.loads(files["happy_couple.json"]) if each["kind"] == "area")
    edits = [
        {"file": "happy_couple.jpg", "remove": {"box": box_of(removed)}, "kind": "face"},
        {"file": "happy_couple.jpg", "add": {"box": box_of(drawn)}},
    ]
    (tmp_path / "edits.json").write_text(json.dumps({"edits": edits}))
    thresholds = ("--face-threshold", 0.2, "--plate-threshold", LOWEST["plate"])
    replay = ("--detections", tmp_path / "found", "--edits", tmp_path / "edits.json", *thresholds)
    run("--input", source, "--image-output", tmp_path / "out", *replay)
    for name, content in files.items():
        assert content == (tmp_path / "out" / name).read_bytes(), name


def box_of(entry: dict[str, float]) -> list[float]:
    return [entry[side] for side in ("x_min", "y_min", "x_max", "y_max")]


def test_a_film_is_watched_corrected_and_made(browser: Browser, address: str, film: Path, shots: Path) -> None:
    look_at(browser, address, film)
    browser.until(lambda: browser.at("editor-title").text == "clip.mp4")
    assert browser.texts("#objects .state").count("hidden") == 1
    assert "1 hidden" in browser.texts("#pictures .state")[0]
    browser.until(lambda: browser.script("return document.getElementById('film-before').readyState") >= 2)
    assert browser.at("film-before").is_displayed()
    assert not browser.at("before").is_displayed()
    browser.set("moment", 1)
    browser.until(lambda: browser.all("#outlines .line"))
    browser.until(lambda: browser.at("moment-text").text == "0:01 of 0:02")

    browser.at("make").click()
    browser.until(lambda: browser.at("film-after").is_displayed())
    before, after = (browser.script(SEEN, name) for name in ("film-before", "film-after"))
    assert before != after
    browser.set("compare", 50)
    assert not browser.barriers()
    browser.shoot(shots / "film.png")

    next(
        each for each in browser.all("#objects button") if "hidden" in each.text
    ).click()  # stays visible, in all frames
    browser.until(lambda: not browser.at("film-after").is_displayed())
    browser.at("tool-box").click()
    browser.drag(browser.at("outlines"), (0.1, 0.6), (0.4, 0.9))
    browser.at("with-detections").click()
    browser.at("download-all").click()
    entries = json.loads(unzip(browser.download("anonymized.zip"))["clip.json"])
    assert {(entry["kind"], entry.get("track")) for entry in entries} == {("area", None)}
    assert sorted(entry["frame"] for entry in entries) == list(range(24))
    assert not browser.messages()


def test_the_work_on_a_film_can_be_ended(browser: Browser, address: str, film: Path) -> None:
    browser.open(address)
    browser.drop([film])
    browser.until(lambda: browser.texts("#pictures button") and "Cancel" in browser.texts("#pictures button"))
    browser.all("#pictures [aria-label^=Cancel]")[0].click()
    browser.until(lambda: "cancelled" in browser.texts("#pictures .state")[0])
    browser.until(lambda: "films_on_hand 0" in httpx.get(f"{address}metrics").text)
    browser.all("#pictures [aria-label^=Try]")[0].click()
    browser.until(lambda: browser.at("status").text.startswith("All "))
    assert not browser.messages()


def test_untouched_results_are_those_of_the_first_command(browser: Browser, address: str, originals: Path) -> None:
    look_at(browser, address, originals / "happy_couple.jpg")
    browser.at("download").click()
    made = originals.parent / "anonymized" / "happy_couple.jpg"
    assert browser.download("happy_couple.jpg") == made.read_bytes()


def test_keys_do_what_the_buttons_do(browser: Browser, address: str, originals: Path) -> None:
    look_at(browser, address, originals / "drawn_car.jpg")
    states = browser.texts("#objects .state")
    browser.press("n")
    browser.until(lambda: browser.all("#objects .is-selected"))
    doubtful = browser.texts("#pictures .state")[0]
    browser.press("h")
    browser.press("k")
    assert browser.texts("#pictures .state")[0] != doubtful
    browser.press("u")
    browser.press("u")
    assert browser.texts("#objects .state") == states
    assert browser.texts("#pictures .state")[0] == doubtful
    assert re.fullmatch(r"(\d) doubtful here, \1 in 1 file\.", browser.at("left").text)
    browser.press("d")
    assert browser.at("left").text == "Nothing is doubtful."
    assert browser.texts("#objects .state") == states  # as it was
    browser.press("u")
    assert browser.texts("#pictures .state")[0] == doubtful
    browser.press("b")
    moved = browser.script("return document.querySelector('#outlines .is-selected.line').getAttribute('x')")
    browser.press("\ue014")  # the right arrow
    assert browser.script("return document.querySelector('#outlines .is-selected.line').getAttribute('x')") > moved


def test_kinds_are_chosen_as_on_the_command_line(
    browser: Browser, address: str, originals: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    with Image.open(originals / "happy_couple.jpg") as image:
        picture = image.convert("RGB").resize((image.width // 2, image.height // 2))
    code = DrawnCode(module_px=4, center=(70, 70))
    picture.paste(Image.fromarray(draw([code], (140, 140))), (10, 10))
    picture.save(source / "a.png")
    look_at(browser, address, source / "a.png")
    assert [box.get_attribute("value") for box in browser.all("#kinds input:checked")] == ["face", "plate"]
    assert len(browser.all("#kinds input")) == len(MODEL_KINDS)
    card(browser, "Face 1").click()
    faces = [text for text in browser.texts("#objects button") if text.startswith("Face")]
    assert "visible" in faces[0]
    browser.at("kind-code").click()
    browser.until(lambda: any(text.startswith("Code 1") for text in browser.texts("#objects button")))
    assert [text for text in browser.texts("#objects button") if text.startswith("Face")] == faces  # as decided
    assert browser.at("threshold-code").is_displayed()
    assert not browser.at("threshold-text").is_displayed()
    card(browser, "Face 1").click()
    browser.at("download").click()
    made = browser.download("a.png")
    assert not browser.barriers()
    for kind in ("plate", "code", "face"):
        browser.at(f"kind-{kind}").click()
    assert browser.at("kind-face").is_selected()  # nothing at all cannot be looked for
    assert not browser.messages()
    run("--input", source, "--image-output", tmp_path / "out", "--kinds", "face,plate,code")
    assert made == (tmp_path / "out" / "a.png").read_bytes()


def test_a_form_without_scripts_names_several_kinds(address: str, originals: Path) -> None:
    content = (originals / "coffee.png").read_bytes()
    parts: list[Any] = [("kinds", (None, "face")), ("kinds", (None, "code")), ("file", ("a.png", content))]
    answer = httpx.post(f"{address}v1/detect", files=parts, timeout=120)
    assert (answer.status_code, answer.json()["detections"]) == (200, [])


def test_a_decision_to_hide_outlives_another_search(browser: Browser, address: str) -> None:
    browser.open(address)
    code = """import('/static/picture.js').then(({ Picture }) => {
      const face = (x, score) => ({ kind: "face", score, x_min: x, y_min: 50, x_max: x + 20, y_max: 70 });
      const picture = new Picture(null, "a");
      const found = (...detections) => picture.takeFound({ detections, sizes: [[200, 200]] });
      found(face(20, 0.1), face(60, 0.9), face(120, 0.1));
      picture.decide(picture.found[0], true);
      picture.decide(picture.found[1], false);
      picture.decide(picture.found[2], true);
      found(face(61, 0.8), face(21, 0.1));
      return picture.toHide({ face: 0.2 }).map((one) => [one.kind, one.x_min]);
    })"""
    assert browser.wait_for(code) == [["face", 21], ["face", 120]]


@pytest.mark.parametrize("is_film", [True, False])
def test_it_does_so_in_films_and_animations(browser: Browser, address: str, is_film: bool) -> None:
    """What is not found again stays where it was, in each frame, whatever else has its number now."""
    browser.open(address)
    code = """import('/static/picture.js').then(({ Picture }) => {
      const isFilm = arguments[0];
      const entry = (frame, x, track, score) => ({
        kind: "face", score, x_min: x, y_min: 50, x_max: x + 20, y_max: 70, frame, ...(isFilm ? { track } : {}),
      });
      const track = (x, number, score) => [0, 1, 2].map((frame) => entry(frame, x + frame, number, score));
      const inOrder = (...tracks) => tracks.flat().sort((a, b) => a.frame - b.frame);
      const picture = new Picture(null, "a", isFilm);
      const found = (...tracks) => picture.takeFound({
        detections: inOrder(...tracks), sizes: [[200, 200], [200, 200], [200, 200]], film: { frames: 3 },
      });
      found(track(20, 1, 0.1), track(60, 2, 0.9), track(120, 3, 0.1));
      picture.decide(picture.found[0], true);
      picture.decide(picture.found[1], false);
      picture.decide(picture.found[2], true);
      found(track(61, 1, 0.8), track(21, 2, 0.1));
      const first = picture.toHide({ face: 0.2 });
      found(track(160, 1, 0.1));
      return [first, picture.toHide({ face: 0.2 })].map((all) =>
        all.map((one) => [one.frame, one.x_min, one.track ?? 0]).sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    })""".replace("arguments[0]", str(is_film).lower())
    first, second = browser.wait_for(code)
    numbers = (2, 3) if is_film else (0, 0)
    assert first == [
        [frame, x + frame, number] for frame in range(3) for x, number in zip((21, 120), numbers, strict=True)
    ]
    assert [entry[:2] for entry in second] == [entry[:2] for entry in first]
    assert {number for _, _, number in second} == ({2, 3} if is_film else {0})


def test_a_decision_to_show_does_not_go_on_to_what_is_beside_it(browser: Browser, address: str) -> None:
    """Boxes of two people overlap in the second frame; the weak one is the other's shadow."""
    browser.open(address)
    code = """import('/static/picture.js').then(({ Picture }) => {
      const entry = (frame, x, track, score) =>
        ({ kind: "face", score, x_min: x, y_min: 50, x_max: x + 20, y_max: 70, frame, track });
      const seen = (...numbers) => [0, 1].flatMap((frame) => [
        entry(frame, frame ? 30 : 90, numbers[0], 0.9), entry(frame, 22, numbers[1], 0.1),
      ]);
      const shown = (...decisions) => {
        const picture = new Picture(null, "a", true);
        const found = (detections) => picture.takeFound({ detections, sizes: [[200, 200]], film: { frames: 2 } });
        found(seen(1, 2));
        decisions.forEach((isHidden, number) => isHidden === null || picture.decide(picture.found[number], isHidden));
        found(seen(2, 1));
        const hidden = picture.toHide({ face: 0.2 }).map((one) => [one.frame, one.x_min]);
        return hidden.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      };
      return [shown(null, false), shown(true, false), shown(false, null)];
    })"""
    strong, weak = [[0, 90], [1, 30]], [[0, 22], [1, 22]]
    assert browser.wait_for(code) == [strong, sorted([*strong, *weak]), []]


def test_what_was_hidden_longer_stays_so(browser: Browser, address: str) -> None:
    """Another search finds it in one of three frames, under the number that another object had."""
    browser.open(address)
    code = """import('/static/picture.js').then(({ Picture }) => {
      const entry = (frame, x, track) =>
        ({ kind: "face", score: 0.1, x_min: x, y_min: 50, x_max: x + 20, y_max: 70, frame, track });
      const picture = new Picture(null, "a", true);
      const found = (...detections) => picture.takeFound({ detections, sizes: [[200, 200]], film: { frames: 3 } });
      found(entry(0, 20, 1), entry(1, 20, 1), entry(2, 20, 1));
      picture.decide(picture.found[0], true);
      found(entry(0, 120, 1), entry(1, 21, 2));
      return picture.toHide({ face: 0.2 }).map((one) => [one.frame, one.x_min, one.track]);
    })"""
    assert browser.wait_for(code) == [[0, 20, 3], [1, 21, 2], [2, 20, 3]]


@pytest.mark.parametrize("tool", ["ellipse", "brush"])
def test_shapes_are_hidden_as_drawn(browser: Browser, address: str, originals: Path, tool: str) -> None:
    look_at(browser, address, originals / "coffee.png")
    browser.at(f"tool-{tool}").click()
    browser.drag(browser.at("outlines"), (0.2, 0.2), (0.6, 0.4))
    browser.until(lambda: any(text.startswith("Area 1") for text in browser.texts("#objects button")))
    browser.press("\ue00c")  # Esc
    assert browser.at("tool-select").is_selected()
    browser.at("with-detections").click()
    browser.at("download-all").click()
    entries = json.loads(unzip(browser.download("anonymized.zip"))["coffee.json"])
    (drawn,) = (each for each in entries if each["kind"] == "area")
    assert list(drawn["outline"]) == ["stroke" if tool == "brush" else tool]
    assert not browser.messages()


@pytest.mark.parametrize("method", ["mosaic", "solid", "image", "inpaint"])
def test_methods_change_the_result(browser: Browser, address: str, originals: Path, method: str) -> None:
    look_at(browser, address, originals / "astronaut.png")
    browser.set("method", method)
    browser.at("download").click()
    run_alone = browser.download("astronaut.png")
    assert run_alone != (originals.parent / "anonymized" / "astronaut.png").read_bytes()
    assert not browser.messages()


def test_what_is_hidden_as_a_part_of_something_else_is_not_doubtful(browser: Browser, address: str) -> None:
    browser.open(address)
    code = """import('/static/picture.js').then(({ Picture, drawnObject }) => {
      const face = (x, score) => ({ kind: "face", score, x_min: x, y_min: 50, x_max: x + 20, y_max: 70 });
      const large = { kind: "face", score: 0.9, x_min: 40, y_min: 40, x_max: 100, y_max: 100 };
      const picture = new Picture(null, "a");
      picture.takeFound({ detections: [face(60, 0.15), face(85, 0.15), large], sizes: [[200, 200]] });
      const before = picture.doubtful({ face: 0.2 }).map((one) => one.members[0].x_min);
      picture.draw(drawnObject({ ellipse: { center: [95, 60], semi_axes: [60, 60] } }));
      const same = picture.doubtful({ face: 0.2 }).length;
      picture.decide(picture.found[2], false);
      return [before, same, picture.doubtful({ face: 0.2 }).length];
    })"""
    assert browser.wait_for(code) == [[85], 1, 2]


def test_names_and_errors_are_never_markup(browser: Browser, address: str, originals: Path, tmp_path: Path) -> None:
    evil = tmp_path / "<img src=x onerror=document.title='stolen'>.png"
    evil.write_bytes((originals / "coffee.png").read_bytes())
    broken = tmp_path / "'\"><svg onload=document.title='stolen'>.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n<script>document.title='stolen'</script>")
    drawing = tmp_path / "drawing.svg"
    drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>document.title='stolen'</script></svg>")
    look_at(browser, address, evil, broken, drawing)
    assert "_img src=x onerror=document.title='stolen'_.png" in browser.at("pictures").text
    assert len(browser.all(".is-failed")) == 2
    assert not browser.all("#pictures img, #pictures svg, #pictures script")
    assert browser.driver.title == "Hide faces, licence plates and more"
    assert not browser.messages() or all("422" in text or "415" in text for text in browser.messages())


def test_nothing_comes_from_elsewhere_and_nothing_stays(browser: Browser, address: str, originals: Path) -> None:
    look_at(browser, address, originals / "astronaut.png")
    asked = browser.script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert asked
    assert all(name.startswith((address, f"blob:{address}")) for name in asked)
    assert browser.script("return [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert browser.wait_for("indexedDB.databases()") == []
    assert browser.wait_for("caches.keys()") == []


def test_inline_scripts_and_styles_are_forbidden(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.script(
        "const script = document.createElement('script'); script.textContent = 'document.title = \"stolen\"';"
        "document.body.append(script); document.body.setAttribute('onclick', 'document.title = \"stolen\"');"
        "document.body.click()"
    )
    assert browser.driver.title == "Hide faces, licence plates and more"
    assert any("Content Security Policy" in text for text in browser.messages())


def test_names_in_zip_files_lead_nowhere_else(browser: Browser, address: str) -> None:
    browser.open(address)
    code = "import('/static/names.js').then((names) => arguments[0].map(names.cleanName))"
    names = {
        "../../etc/passwd": "etc/passwd",
        "/etc/passwd": "etc/passwd",
        "C:\\Windows\\a.jpg": "C_/Windows/a.jpg",
        "a/./../b.jpg": "a/b.jpg",
        "": "picture",
        "..": "picture",
        "a\u202egpj.exe": "a_gpj.exe",
        "line\nbreak.jpg": "line_break.jpg",
        "con. ": "con_",
        "x" * 300 + ".jpg": "x" * 196 + ".jpg",
        "Jürgen/日本.jpg": "Jürgen/日本.jpg",
    }
    assert browser.wait_for(code, list(names)) == list(names.values())
    code = "import('/static/names.js').then((names) => names.memberNames(arguments[0]))"
    posted = ["..\\..\\a.jpg", "a.jpg", "b/c.png", "B/c.png"]
    assert browser.wait_for(code, posted) == ["a.jpg", "a (2).jpg", "b/c.png", "B/c (2).png"]
    code = "import('/static/names.js').then((names) => [names.freeName('a.jpg', new Set(['a.jpg', 'a (2).jpg']))])"
    assert browser.wait_for(code) == ["a (3).jpg"]


def test_records_are_named_as_on_the_command_line(browser: Browser, address: str) -> None:
    from anonymizer.files.find import record_names

    browser.open(address)
    names = ["a.jpg", "b.jpg", "b.PNG", "c", "c.jpg", "d.e.jpg"]
    code = "import('/static/names.js').then((names) => names.recordNames(arguments[0]))"
    assert browser.wait_for(code, names) == record_names(names)


def test_the_page_fits_a_phone_in_the_dark(
    browser: Browser, address: str, originals: Path, film: Path, shots: Path
) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.command("Emulation.setDeviceMetricsOverride", **metrics)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.command("Emulation.setEmulatedMedia", features=dark)
    try:
        look_at(browser, address, originals / "astronaut.png", film)
        for index, name in enumerate(("astronaut.png", film.name)):
            browser.all("#pictures .picture")[index].click()
            browser.until(lambda name=name: browser.at("editor-title").text == name)  # type: ignore[misc]
            assert browser.script("return document.documentElement.scrollWidth") <= 390
            assert not browser.barriers()
            browser.shoot(shots / f"phone-{name}.png")
    finally:
        browser.command("Emulation.clearDeviceMetricsOverride")
        browser.command("Emulation.setEmulatedMedia", features=[])


def test_the_plain_case_works_without_scripts(address: str, originals: Path, tmp_path: Path) -> None:
    with browsing(tmp_path, {"profile.managed_default_content_settings.javascript": 2}) as browser:
        browser.driver.get(address)
        browser.at("file").send_keys(str(originals / "happy_couple.jpg"))
        browser.all("#plain button")[0].click()
        made = originals.parent / "anonymized" / "happy_couple.jpg"
        assert browser.download("anonymized.jpg") == made.read_bytes()
        text = tmp_path / "letter.txt"
        text.write_text("no picture")
        browser.at("file").send_keys(str(text))
        browser.all("#plain button")[0].click()
        browser.until(lambda: "does not take files of this kind" in browser.driver.title)
        browser.all("a")[0].click()
        browser.until(lambda: browser.all("#file"))


def test_people_sign_in_with_the_token(originals: Path, browser: Browser) -> None:
    token = "only-for-this-test"
    with running("serve", "--port", "0", "--workers", "1", "--token", token) as address:
        browser.driver.get(address)
        assert not browser.all("#file")
        assert not browser.barriers()
        browser.at("token").send_keys("x" * 20)
        browser.all("#sign-in button")[0].click()
        browser.until(lambda: "token is needed" in browser.driver.title)
        browser.all("a")[0].click()
        browser.until(lambda: browser.all("#token"))
        browser.at("token").send_keys(token)
        browser.all("#sign-in button")[0].click()
        browser.until_ready()
        browser.drop([originals / "astronaut.png"])
        browser.until(lambda: browser.at("status").text.startswith("All "))
        browser.at("sign-out").click()
        browser.until(lambda: browser.all("#token"))


def test_a_finished_folder_is_corrected_and_redacted_again(
    browser: Browser, originals: Path, film: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in NAMES:
        (source / name).write_bytes((originals / name).read_bytes())
    (source / film.name).write_bytes(film.read_bytes())
    run("--input", source, "--image-output", target)
    with running("review", str(target), "--against", str(source), "--workers", "1", "--reason", "seen") as address:
        browser.driver.get(address)
        browser.until_ready()
        assert "#" not in browser.driver.current_url
        names = browser.texts("#pictures .name")
        browser.all("#pictures .picture")[names.index("happy_couple.jpg")].click()
        browser.until(lambda: browser.at("editor-title").text == "happy_couple.jpg")
        card(browser, "Face 1").click()
        browser.press("b")
        browser.until(lambda: browser.at("status").text == "Decisions are saved.")
        assert not browser.barriers()
        browser.all("#pictures .picture")[names.index(film.name)].click()
        browser.until(lambda: browser.at("editor-title").text == film.name)
        card(browser, "Face 1").click()
        browser.until(lambda: "track: 1" in (target / "edits.yaml").read_text())
        browser.press("r")
        browser.until(lambda: "redacted again" in browser.at("status").text)
        assert not browser.messages()

        browser.driver.get(address)  # what was decided is there again
        browser.until_ready()
        browser.all("#pictures .picture")[names.index("happy_couple.jpg")].click()
        browser.until(lambda: any(text.startswith("Area 1") for text in browser.texts("#objects button")))
        assert "visible" in card(browser, "Face 1").text
        browser.driver.delete_all_cookies()
    edits = tmp_path / "out" / "edits.yaml"
    run("--input", source, "--detections", target, "--edits", edits, "--image-output", tmp_path / "again")
    for name in (*NAMES, film.name):
        made = (tmp_path / "out-reviewed" / name).read_bytes()
        assert made == (tmp_path / "again" / name).read_bytes()
        assert (made == (target / name).read_bytes()) is (name not in ("happy_couple.jpg", film.name))
    assert edits.read_text().count("reason: seen") == 3


def test_a_review_redacts_again_only_when_the_last_decision_is_saved(
    browser: Browser, originals: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "happy_couple.jpg").write_bytes((originals / "happy_couple.jpg").read_bytes())
    run("--input", source, "--image-output", target, "--preset", "fast", "--plate-threshold", 0.6)
    with running("review", str(target), "--against", str(source), "--workers", "1") as address:
        browser.driver.get(address)
        browser.until_ready()
        browser.script("scrollTo(0, 0)")
        browser.all("#pictures .picture")[0].click()
        in_view = "return arguments[0].getBoundingClientRect().bottom <= innerHeight"
        browser.until(lambda: browser.script(in_view, browser.at("scroller")))
        browser.script(
            "const send = fetch; window.slow = 0; window.fetch = async (address, ...rest) => {"
            " if (String(address).endsWith('/edits')) { slow++; await new Promise((go) => setTimeout(go, 1000)); }"
            " return send(address, ...rest); }"
        )
        card(browser, "Face 1").click()
        assert browser.script("return document.querySelector('#chosen').innerText").split() == [
            *card(browser, "Face 1").text.split()
        ]
        browser.until(lambda: browser.script("return window.slow"))  # the decision is on its way
        browser.press("r")
        browser.until(lambda: "redacted again" in browser.at("status").text)
        assert browser.at("said").text == browser.at("status").text
        assert not browser.messages()
        browser.driver.delete_all_cookies()
    assert "remove" in (target / "edits.yaml").read_text()
    name = "happy_couple.jpg"
    assert (tmp_path / "out-reviewed" / name).read_bytes() != (target / name).read_bytes()


def test_zooming_keeps_the_middle_of_the_picture(browser: Browser, address: str, originals: Path) -> None:
    browser.open(address)
    browser.drop([originals / "happy_couple.jpg"])
    browser.until(lambda: browser.at("status").text.startswith("All "))
    middle = (
        "const pane = document.getElementById('scroller');"
        "return [(pane.scrollLeft + pane.clientWidth / 2) / pane.scrollWidth,"
        " (pane.scrollTop + pane.clientHeight / 2) / pane.scrollHeight]"
    )
    for factor in (3, 6):
        browser.set("zoom", factor)
        assert browser.script(middle) == pytest.approx([0.5, 0.5], abs=0.02)
    browser.set("zoom", 1)
