"""What libraries write to stderr is told with the name of the picture, and by no other program's stderr."""

import io
import logging
import os
from pathlib import Path

import pytest
from PIL import Image

from anonymizer.cli.main import run
from anonymizer.files import library_messages
from anonymizer.files.global_state import pillow_state
from anonymizer.files.library_messages import catch_messages, library_runs, messages_of


def write(text: str) -> None:
    os.write(library_messages.STDERR, text.encode())


def test_messages_are_logged_once_with_the_name_of_the_picture(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "anonymizer")
    with catch_messages(), messages_of("a.tif"):
        for _ in range(3):
            with library_runs(), pillow_state():
                write("Corrupt data\n\n")
        write("not by a library\n")
    assert caplog.messages == ["a.tif: a library says: Corrupt data"]
    assert capfd.readouterr().err == "not by a library\n"


def test_the_stderr_of_a_program_that_imports_this_stays_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    with messages_of("a.tif"), library_runs():
        write("hello\n")
    assert capfd.readouterr().err == "hello\n"


def test_a_flood_of_messages_neither_blocks_nor_fills_the_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "anonymizer")
    with catch_messages(), messages_of("a.tif"), library_runs():
        for number in range(20_000):
            try:
                write(f"line {number}\n")
            except BlockingIOError:
                break
    assert 20 < len(caplog.messages) < 25
    assert "further messages" in caplog.messages[-1]
    assert capfd.readouterr().err == ""


def test_stderr_is_restored_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with catch_messages(), pytest.raises(ZeroDivisionError), library_runs():
        raise ZeroDivisionError
    write("hello\n")
    assert capfd.readouterr().err == "hello\n"


def damaged_tiff() -> bytes:
    """A TIFF file of which libtiff complains on stderr."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (9, 99, 200)).save(buffer, "TIFF", compression="tiff_lzw")
    content = buffer.getvalue()
    with Image.open(io.BytesIO(content)) as image:
        start = image.tag_v2[273][0]
    return content[:start] + bytes(40) + content[start + 40 :]


@pytest.mark.parametrize("option", ["-q", "-v"])
@pytest.mark.parametrize("workers", ["0", "1"])
def test_quiet_runs_say_nothing_of_libraries_and_verbose_ones_name_the_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], option: str, workers: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tif").write_bytes(damaged_tiff())
    arguments = ["--input", str(tmp_path / "in"), "--image-output", str(tmp_path / "out"), "--workers", workers, option]
    assert run(arguments) == 1
    lines = capfd.readouterr().err.splitlines()
    told = [line for line in lines if "code not yet in table" in line]
    assert all(line.startswith("a.tif: a library says: ") for line in told)
    assert bool(told) == (option == "-v")
