"""What is said to the user, whether or not anybody can hear it."""

import os
import subprocess
import sys

import pytest

from anonymizer.cli.text import echo, silence_closed_streams, skipped_files


def test_lines_go_where_they_should(capsys: pytest.CaptureFixture[str]) -> None:
    echo("done")
    echo("failed", err=True)
    assert tuple(capsys.readouterr()) == ("done\n", "failed\n")


class Full:
    """A stream on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_work_goes_on_when_nothing_can_be_said(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, name, Full())
    echo("done", err=name == "stderr")
    silence_closed_streams()
    monkeypatch.setattr(sys, name, None)
    echo("done", err=name == "stderr")
    silence_closed_streams()


def test_closed_streams_keep_their_numbers() -> None:
    """Otherwise the next file that is opened would be taken for one of them."""
    script = (
        "import os; from anonymizer.cli.text import reserve_standard_streams; reserve_standard_streams();"
        "os.write(3, str(os.open(os.devnull, os.O_RDONLY)).encode())"
    )
    read, write = os.pipe()
    os.set_inheritable(write, True)
    command = f'exec 3>&{write}; exec "$0" -c "$1" <&- >&- 2>&-'
    subprocess.run(["bash", "-c", command, sys.executable, script], pass_fds=[write], check=True)
    os.close(write)
    with os.fdopen(read) as file:
        assert int(file.read()) > 2


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({".txt": 1}, "skipped 1 file with other extensions: .txt (1)"),
        ({".txt": 2, "": 1}, "skipped 3 files with other extensions: none (1), .txt (2)"),
    ],
)
def test_skipped_files(counts: dict[str, int], text: str) -> None:
    assert skipped_files(counts) == text
