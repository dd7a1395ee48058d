from pathlib import Path

import pytest

from anonymizer.cli.main import run


def test_bundled_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    out = capsys.readouterr().out
    assert "centerface: face from score 0.2" in out
    assert "licence  MIT" in out
    assert "plate: plate from score 0.525" in out
    assert "licence  Apache-2.0" in out
    assert "head: head from score 0.25\n  counts   the people" in out
    assert out.count("  counts   ") == 1
    assert out.count("  limits   ") == out.count("  licence  ")
    assert "code: code from score 0.3\n  limits   no screens and no cards" in out
    assert "format   codes, run by zxing-cpp" in out
    assert "format   tflite, run by LiteRT" in out


def test_damaged_models(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "face.tflite").write_text("a text file")
    assert run(["models", "--weights", str(tmp_path)]) == 3
    assert "is damaged, or no TFLite model" in capsys.readouterr().err


def test_no_models(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["models", "--weights", str(tmp_path)]) == 3
    assert "holds no model" in capsys.readouterr().err
