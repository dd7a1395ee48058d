from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import anonymizer
from anonymizer.cli.main import run
from anonymizer.settings import ServeSettings, Settings

TOKEN = "a-token-for-tests-only"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ServeSettings, Settings]]:
    """What servers were started with."""
    pytest.importorskip("uvicorn")
    started: list[tuple[ServeSettings, Settings]] = []

    def start(serve: ServeSettings, settings: Settings, on_ready: Callable[[str], None]) -> None:
        started.append((serve, settings))
        on_ready("http://127.0.0.1:8000/")

    monkeypatch.setattr("anonymizer.web.server.run_server", start)
    monkeypatch.delenv("ANONYMIZE_TOKEN", raising=False)
    return started


def test_it_serves_this_machine_alone(given: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve"]) == 0
    ((serve, settings),) = given
    assert (serve.host, serve.port, serve.token) == ("127.0.0.1", 8000, None)
    assert settings == Settings()
    assert capsys.readouterr().out == "serving on http://127.0.0.1:8000/; Ctrl-C ends it\n"


def test_options_are_defaults_of_requests(given: list[Any], tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("face-threshold: 0.1\nmax-jobs: 5\n")
    assert (
        run(["serve", "--config", str(tmp_path / "c.yaml"), "--method", "solid", "--server-name", "a.org,B.org"]) == 0
    )
    ((serve, settings),) = given
    assert settings.detect.threshold_of("face") == 0.1
    assert settings.redact.method == "solid"
    assert (serve.max_jobs, serve.server_name) == (5, ("a.org", "b.org"))


def test_other_machines_need_a_token(
    given: list[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["serve", "--host", "0.0.0.0"]) == 2
    assert "add a --token" in capsys.readouterr().err
    assert run(["serve", "--host", "0.0.0.0", "--token", "short"]) == 2
    assert "16 or more" in capsys.readouterr().err
    assert run(["serve", "--host", "0.0.0.0", "--token", TOKEN]) == 0
    monkeypatch.setenv("ANONYMIZE_TOKEN", TOKEN)
    assert run(["serve", "--host", "::"]) == 0
    assert {serve.token for serve, _ in given} == {TOKEN}


@pytest.mark.parametrize(
    "arguments", [["--workers", "0"], ["--port", "70000"], ["--host", "a b"], ["--max-bytes", "0"], ["--keep", "-1"]]
)
def test_wrong_options_are_named(given: list[Any], capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(["serve", *arguments]) == 2
    assert arguments[0] in capsys.readouterr().err
    assert not given


def test_without_the_extra_it_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anonymizer, "web", import_module("anonymizer.web"))  # so that the package gets it back, too
    for name in [name for name in sys.modules if name.startswith("anonymizer.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["serve"]) == 2
    assert "needs the package uvicorn" in capsys.readouterr().err
