from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
from tiny_models import detector_in, save_graph_def, save_saved_model


@pytest.mark.parametrize("save", [save_saved_model, save_graph_def])
def test_worker_processes_share_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[[Path], Path]
) -> None:
    """TensorFlow would take all of its memory for the first of them."""
    grows = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grow: grows.append((gpu, grow)))
    save(tmp_path / ("face.pb" if save is save_graph_def else "face"))
    detector_in(tmp_path, kinds=("face",))
    assert grows == [("GPU:0", True), ("GPU:1", True)]
