"""A real browser, Debian's Chromium, driven through its own driver."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

WAIT_S = 90.0
AXE = Path(__file__).parent / "axe-core" / "axe.min.js"
MUST_RUN = "ANONYMIZER_TESTS_NEED_BROWSER"
"""With this variable tests fail where there is no browser, in place of being skipped."""
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # it would not start for root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """A window that shows the page."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    def open(self, address: str) -> None:
        self.driver.get(address)
        self.until_ready()

    def until_ready(self) -> None:
        """Until the scripts of the page have begun."""
        code = "return Boolean(document.documentElement && 'ready' in document.documentElement.dataset)"
        self.until(lambda: self.script(code))

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def wait_for(self, code: str, *arguments: Any) -> Any:
        """What an asynchronous expression gives."""
        wrapped = f"const answer = arguments[arguments.length - 1]; ({code}).then(answer, (e) => answer(String(e)))"
        return self.driver.execute_async_script(wrapped, *arguments)

    def at(self, name: str) -> WebElement:
        return self.driver.find_element(By.ID, name)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.all(selector)]

    def until(self, is_so: Callable[[], object]) -> None:
        end_s = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < end_s, f"the page says {self.texts('#status, h1')}, and {self.messages()}"
            time.sleep(0.05)

    def drop(self, files: Sequence[Path]) -> None:
        """Drops files as a person does, with a mouse."""
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for event in ("dragEnter", "dragOver", "drop"):
            self.command("Input.dispatchDragEvent", type=event, x=100, y=100, data=data)

    def drag(self, element: WebElement, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Draws with the mouse, from one place to another, as shares of the element."""
        self.script("arguments[0].scrollIntoView({block: 'center'})", element)
        area = self.script("return arguments[0].getBoundingClientRect().toJSON()", element)
        places = [(area["left"] + area["width"] * x, area["top"] + area["height"] * y) for x, y in (begin, end)]
        for kind, (x, y) in zip(
            ("mousePressed", "mouseMoved", "mouseReleased"), (places[0], places[1], places[1]), strict=True
        ):
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def set(self, name: str, value: object) -> None:
        """Moves a slider or chooses."""
        self.script(
            "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
            "for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, {bubbles: true}))",
            name,
            str(value),
        )

    def press(self, key: str) -> None:
        self.driver.switch_to.active_element.send_keys(key)

    def download(self, name: str) -> bytes:
        """A file that is being downloaded, once it is complete."""
        file = self.downloads / name
        end_s = time.monotonic() + WAIT_S
        while not file.exists() or list(self.downloads.glob("*.crdownload")):
            assert time.monotonic() < end_s, f"{name} was not downloaded: {[*self.downloads.iterdir()]}"
            time.sleep(0.05)
        content = file.read_bytes()
        file.unlink()
        return content

    def barriers(self) -> list[str]:
        """What axe finds that keeps people out."""
        self.script(AXE.read_text(encoding="utf-8"))
        found = self.wait_for("axe.run()")
        return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]

    def messages(self) -> list[str]:
        """Errors in the console: scripts that fail, and what the content security policy forbids."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[no-untyped-call]

    def shoot(self, file: Path) -> None:
        """A screenshot of the whole page, for people to look at."""
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def command(self, name: str, **arguments: object) -> Any:
        """One of the browser's own, of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)


@contextmanager
def browsing(downloads: Path, preferences: Mapping[str, object] = {}) -> Iterator[Browser]:
    """Starts a browser, and ends it."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing = "Chromium and its driver are not installed (apt-get install chromium chromium-driver)"
        if os.environ.get(MUST_RUN):
            pytest.fail(missing)
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (*_ARGUMENTS, "--window-size=1280,1000"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads), **preferences})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield Browser(window, downloads)
    finally:
        window.quit()


@contextmanager
def running(*command: str) -> Iterator[str]:
    """Runs a command of the program that serves, and yields its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "anonymizer", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if " on http://" in line:
                break
        else:
            raise AssertionError("".join(lines))
        yield line.split(" on ")[1].split(";")[0].strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)
