"""Timing one pass of the detector on one thread, beside an ONNX model's.

``python -m weights.plate.speed plate.tflite --peer centerface.onnx``
"""

from __future__ import annotations

import pathlib
import statistics
import time
from collections.abc import Callable

import click
import numpy as np

from .evaluate import TfliteModel


def onnx_pass(path: pathlib.Path, side: int) -> Callable[[], object]:
    """Prepare a pass of an ONNX model over a square float32 picture (1, 3, S, S), one thread.

    Initialisers listed among the inputs are taken off that list (they keep onnxruntime from folding them),
    and fixed input sizes are made free.
    """
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    constants = {entry.name for entry in model.graph.initializer}
    inputs = [entry for entry in model.graph.input if entry.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    for tensor in [*model.graph.input, *model.graph.output]:
        for i, dimension in enumerate(tensor.type.tensor_type.shape.dim):
            dimension.dim_param = f"{tensor.name}_{i}"
    del model.graph.value_info[:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(0).integers(0, 256, (1, 3, side, side)).astype(np.float32)
    return lambda: session.run(None, {session.get_inputs()[0].name: picture})


def tflite_pass(path: pathlib.Path, side: int) -> Callable[[], object]:
    """Prepare a pass of a TFLite plate model over a square uint8 picture (1, S, S, 3), one thread."""
    model = TfliteModel(path, threads=1)
    picture = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    return lambda: model(picture)


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=pathlib.Path))
@click.option("--peer", type=click.Path(exists=True, path_type=pathlib.Path), help="ONNX model to time too.")
@click.option("--side", default=640, show_default=True)
@click.option("--rounds", default=20, show_default=True)
def main(model: pathlib.Path, peer: pathlib.Path | None, side: int, rounds: int) -> None:
    """Print the median and the least milliseconds of one pass; passes of both models take turns."""
    passes = {model.name: tflite_pass(model, side)}
    if peer:
        passes[peer.name] = onnx_pass(peer, side)
    times: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(rounds):
        for name, one in passes.items():
            start = time.perf_counter()
            one()
            times[name].append(1000 * (time.perf_counter() - start))
    for name, values in times.items():
        click.echo(f"{name}: median {statistics.median(values[1:]):.1f} ms, least {min(values[1:]):.1f} ms")


if __name__ == "__main__":
    main()
