"""Exporting trained weights as a TFLite file with float16 numbers, and checking it against the network.

python -m weights.head.export last.weights.h5 head.tflite --picture some.jpg
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

import click
import keras
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from weights.face.convert import check_model, read_padded, save
from weights.face.network import Detector
from weights.plate.export import convert

from .evaluate import OVERLAP, SCORE_FLOOR
from .network import build


def detector_of(network: keras.Model) -> Detector:
    """The network with decoding and peak selection in the graph, like the face model's."""
    answer = network.output
    heat = keras.ops.sigmoid(answer[..., :1])
    parts = keras.Model(network.input, [heat, answer[..., 1:3], answer[..., 3:]])
    return Detector(parts, SCORE_FLOOR, OVERLAP, only_maxima=True)


@click.command()
@click.argument("weights", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--picture", type=click.Path(exists=True, path_type=Path), help="Compare both on this picture.")
def main(weights: Path, target: Path, picture: Path | None) -> None:
    """Export WEIGHTS, written by train.py, to the TFLite file TARGET, and its checksum to the model.yaml beside it."""
    network = build()
    network.load_weights(weights)
    detector = detector_of(network)
    with tempfile.TemporaryDirectory() as scratch:
        save(detector, Path(scratch) / "saved_model")
        content = convert(Path(scratch) / "saved_model")
    if picture:
        check_model(content, detector, [np.ascontiguousarray(read_padded(picture))])
    target.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    description = target.with_name("model.yaml")
    if description.is_file():
        description.write_text(re.sub(r"(?m)^sha256: .*$", f'sha256: "{digest}"', description.read_text()))
    click.echo(f"{network.count_params()} parameters, {len(content)} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
