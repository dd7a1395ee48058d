"""Exporting trained weights as a TFLite file with float16 numbers, and checking it against the network.

python -m weights.silhouette.export last.weights.h5 silhouette.tflite --picture some.jpg
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
import cv2
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from weights.checksum import write_checksum
from weights.plate.export import convert

from .network import SIZE, build, with_probabilities


def to_tflite(network: keras.Model) -> bytes:
    """A network in logits as a TFLite file: uint8 (1, S, S, C) -> probabilities, float32 (1, S, S)."""
    _, size, _, channels = network.input_shape
    served = with_probabilities(network)

    signature = [tf.TensorSpec((1, size, size, channels), tf.uint8)]
    serve = tf.function(lambda crop: served(tf.cast(crop, tf.float32), training=False), input_signature=signature)
    # The converter loses the weights of a Keras 3 network inside a function unless they are frozen first.
    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    module = tf.Module()
    module.serve = tf.function(lambda crop: frozen(crop)[0], input_signature=signature)
    with tempfile.TemporaryDirectory() as scratch:
        tf.saved_model.save(module, scratch, signatures=module.serve)
        return convert(Path(scratch))


def difference(content: bytes, network: keras.Model, picture: np.ndarray) -> float:
    """The largest difference of probabilities between the file and the network on a crop, uint8 (S, S, C)."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[np.newaxis])
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    expected = with_probabilities(network)(tf.constant(picture[np.newaxis], tf.float32)).numpy()
    return float(np.abs(found - expected).max())


@click.command()
@click.argument("weights", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--picture", type=click.Path(exists=True, path_type=Path), help="Compare both on this picture.")
@click.option("--size", default=SIZE, show_default=True, help="As in the training.")
@click.option("--channels", default=3, show_default=True, help="As in the training.")
def main(weights: Path, target: Path, picture: Path | None, size: int, channels: int) -> None:
    """Export WEIGHTS, written by train.py, to the TFLite file TARGET, and its checksum to segmenter.yaml beside it."""
    network = build(size, channels)
    network.load_weights(weights)
    content = to_tflite(network)
    if picture:
        way = cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_GRAYSCALE
        crop = cv2.resize(np.asarray(cv2.imread(str(picture), way)), (size, size), interpolation=cv2.INTER_AREA)
        crop = np.ascontiguousarray(crop.reshape(size, size, channels)[:, :, ::-1])
        click.echo(f"largest difference {difference(content, network, crop):.4f}")
    target.write_bytes(content)
    click.echo(f"{network.count_params()} parameters")
    write_checksum(target.with_name("segmenter.yaml"), content)


if __name__ == "__main__":
    main()
