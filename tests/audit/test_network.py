from pathlib import Path

import numpy as np
import pytest

from anonymizer.audit import network
from anonymizer.audit.network import build_network


@pytest.mark.parametrize("side_px", [32, 64])
@pytest.mark.parametrize("flags", ["avx2", "avx2 avx512_bf16"])
def test_an_untrained_network_changes_nothing(
    side_px: int, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(network, "_CPU_FLAGS", tmp_path / "cpuinfo")
    faces = np.random.default_rng(0).random((2, side_px, side_px, 3)).astype(np.float32)
    built = build_network(side_px)
    assert built.layers[1].compute_dtype == ("bfloat16" if "bf16" in flags else "float32")
    guesses = built.predict(faces, verbose=0)
    assert guesses.dtype == np.float32
    np.testing.assert_allclose(guesses, faces, atol=1e-6)


def test_numbers_are_long_where_nobody_knows_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_CPU_FLAGS", tmp_path / "missing")
    assert {layer.compute_dtype for layer in build_network(32).layers} == {"float32"}
