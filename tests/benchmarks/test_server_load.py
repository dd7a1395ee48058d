"""The comparison of the server with the command line runs, and says what it found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes import save, smooth

from benchmarks import server_load


@pytest.mark.slow
def test_it_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("uvicorn")
    save(tmp_path / "a.jpg", smooth(64, 64))
    monkeypatch.setattr(server_load, "LEAST_PICTURES", 20)
    arguments = ["--clients", "3", "--seconds", "1", "--workers", "1"]
    monkeypatch.setattr("sys.argv", ["server_load", str(tmp_path), *arguments])
    assert server_load.main() == 0
    text = capsys.readouterr().out
    for expected in (
        r"command line: [\d.]+ and [\d.]+ pictures a second, before and after, with 1 workers",
        r"single client: waits [\d.]+ s, [\d.]+ of what the pipeline itself takes",
        r"3 clients: [\d.]+ pictures a second, [\d.]+ of the command line's",
        r"statuses: {200: \d+}",
        r"memory of all processes: \d+ MB before; median of each tenth of the time: (\d+, ){9}\d+ MB, at most \d+ MB",
    ):
        assert re.search(expected, text), text
