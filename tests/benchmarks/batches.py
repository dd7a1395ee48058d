"""Measures whether a batch of crops of one size takes less time than the same crops one after the other.

    python -m tests.benchmarks.batches [--rounds N]

The bundled models run on one thread, as in a run with several worker processes. They are made for one picture: in a
batch their answers are those of all crops together, but the work is the same. So only the time is compared.

On an AMD EPYC with AVX512-VNNI, a batch took 1.03 to 1.06 times as long as single crops at 640 x 480 and 1024 x 768,
for both models; at 96 x 96, where a crop takes half a millisecond, 0.84 to 0.89 (faces) and 0.95 to 1.02 (plates). So a
batch is not worth it, and detectors take one picture.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from anonymizer.detect.catalogue import find_models

SIZES = ((96, 96), (480, 640), (768, 1024))
"""Height and width: a second look, and views of small and usual pictures."""
BATCHES = (4, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11, metavar="N", help="of which the median counts")
    arguments = parser.parse_args()
    print("| model | size | batch | ms a crop, one by one | ms a crop, in a batch | ratio |")
    print("|---|---|---|---|---|---|")
    for model in find_models():
        for height, width in SIZES:
            for batch in BATCHES:
                alone_ms, together_ms = compare(model.path, (height, width), batch, arguments.rounds)
                figures = f"{alone_ms:.2f} | {together_ms:.2f} | {together_ms / alone_ms:.2f}"
                print(f"| {model.name} | {width} x {height} | {batch} | {figures} |", flush=True)


def compare(path: Path, size: tuple[int, int], batch: int, rounds: int) -> tuple[float, float]:
    """Median CPU milliseconds a crop, one by one and in a batch, in turns."""
    crops = np.random.default_rng(0).integers(0, 256, (batch, *size, 3), dtype=np.uint8)
    single, several = prepared(path, (1, *size, 3)), prepared(path, crops.shape)
    alone_s, together_s = [], []
    for number in range(rounds + 1):
        alone = sum(seconds(single, crop[np.newaxis]) for crop in crops)
        together = seconds(several, crops)
        if number:  # the first round warms up
            alone_s.append(alone / batch)
            together_s.append(together / batch)
    return 1000 * median(alone_s), 1000 * median(together_s)


def prepared(path: Path, shape: tuple[int, ...]) -> Interpreter:
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], shape)
    interpreter.allocate_tensors()
    return interpreter


def seconds(interpreter: Interpreter, pixels: np.ndarray) -> float:
    """CPU seconds of one call."""
    start_s = time.process_time()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
    interpreter.invoke()
    return time.process_time() - start_s


if __name__ == "__main__":
    main()
