"""The frame of all commands: errors become sentences and exit codes."""

import subprocess
import sys

import click
import pytest

from anonymizer.cli.main import anonymize, main, run
from anonymizer.errors import AnonymizerError, ModelError, OutputError, SettingsError


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (AnonymizerError("pictures failed"), 1, "anonymize: pictures failed\n"),
        (SettingsError("wrong"), 2, "anonymize: wrong\n"),
        (ModelError("damaged"), 3, "anonymize: damaged\n"),
        (OutputError("disk full"), 4, "anonymize: disk full\n"),
        (click.UsageError("no such option"), 2, "anonymize: no such option\n"),
        (KeyboardInterrupt(), 130, "anonymize: interrupted\n"),
        (click.Abort(), 130, "anonymize: interrupted\n"),
        (
            ZeroDivisionError("by zero"),
            1,
            "anonymize: unexpected ZeroDivisionError: by zero. Please report this with what --log FILE writes.\n",
        ),
    ],
)
def test_errors_end_in_a_sentence_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, text: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(anonymize, "main", fail)
    assert run([]) == code
    assert capsys.readouterr().err == text


def test_the_exit_code_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["anonymize", "--nonsense"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2


def test_version_does_not_load_what_is_slow() -> None:
    """Neither NumPy, OpenCV nor TensorFlow may be imported for it."""
    script = (
        "import sys; from anonymizer.cli.main import run; code = run(['--version']);"
        "sys.exit(code or bool({'numpy', 'cv2', 'tensorflow', 'PIL', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert "native code: " in done.stdout


def test_help_tells_defaults_exit_codes_and_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for part in ("[default: jpg,jpeg,", "[default: auto]", "Exit codes:", "130", "Examples:", "models", "config"):
        assert part in text
