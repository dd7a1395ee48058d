"""The commands that measure files run, and say what they find."""

import json
from pathlib import Path

import pytest
from fakes import noise, save, smooth

from benchmarks import fidelity, outcomes


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    save(tmp_path / "pack" / "a.jpg", smooth(1000, 1000))
    save(tmp_path / "pack" / "b.png", noise(40, 60, 4))
    save(tmp_path / "pack" / "c.webp", smooth(40, 60), quality=80)
    (tmp_path / "pack" / "d.jpg").write_bytes(b"no picture")
    return tmp_path / "pack"


def test_outcomes(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps([{"file": "pack/d.jpg", "what": "some text"}]))
    monkeypatch.setattr("sys.argv", ["outcomes", str(pack), "--manifest", str(manifest)])
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert outcomes.main() == 0
    text = capsys.readouterr().out
    assert "| b.png |  | anonymized, lossless | anonymized, lossless |  |" in text
    assert "| c.webp |  | anonymized, reencoded | anonymized, lossless |  |" in text
    assert "| d.jpg | some text | failed | failed | is no picture" in text
    assert "4 files: 3 anonymized, 1 failed" in text


def test_fidelity(pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["fidelity", str(pack), "--limit", "4"])
    assert fidelity.main() == 0
    text = capsys.readouterr().out
    assert "| JPEG | lossless | 1 | 0 of " in text
    assert "| PNG | lossless | 1 | 0 of " in text
    assert "changed outside the mask although lossless: 0" in text
    assert "1 JPEG files of" in text
