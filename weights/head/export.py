"""Exporting trained weights as a TFLite file with float16 numbers, and checking it against the network.

python -m weights.head.export last.weights.h5 head.tflite --picture some.jpg
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from weights.checksum import write_checksum
from weights.face.convert import MARKED, iou, read_padded, save
from weights.face.network import Detector
from weights.plate.export import convert

from .evaluate import OVERLAP, SCORE_FLOOR
from .network import build

SAME = 0.8
"""Intersection over union."""


def detector_of(network: keras.Model) -> Detector:
    """The network with decoding and peak selection in the graph, like the face model's."""
    answer = network.output
    heat = keras.ops.sigmoid(answer[..., :1])
    parts = keras.Model(network.input, [heat, answer[..., 1:3], answer[..., 3:]])
    return Detector(parts, SCORE_FLOOR, OVERLAP, only_maxima=True)


def agreement(model: bytes, detector: Detector, picture: np.ndarray) -> float:
    """Share of the network's detections that the TFLite file has too, overlapping by 0.8 or more.

    Not all: where two neighbouring cells answer the same, float16 decides which of them is the peak.
    """
    expected = {name: value.numpy()[0] for name, value in detector.detect(tf.constant(picture)).items()}
    serve = Interpreter(model_content=model, num_threads=1).get_signature_runner("serving_default")
    found = {name: value[0] for name, value in serve(input_tensor=picture).items()}
    marked = expected["detection_boxes"][expected["detection_scores"] >= MARKED]
    return float(np.mean([iou(box, found["detection_boxes"]).max() >= SAME for box in marked]))


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
        click.echo(f"{agreement(content, detector, np.ascontiguousarray(read_padded(picture))):.3f} of the heads agree")
    target.write_bytes(content)
    click.echo(f"{network.count_params()} parameters")
    write_checksum(target.with_name("model.yaml"), content)


if __name__ == "__main__":
    main()
