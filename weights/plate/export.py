"""Exporting trained weights as a TFLite file and a SavedModel, and checking both against the network.

``python -m weights.plate.export WEIGHTS plate.tflite --saved-model FOLDER``
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile

import click
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from .evaluate import TfliteModel
from .model import WIDTHS, Serving, build

OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")


def frozen_module(network: keras.Model) -> tf.Module:
    """Wrap the network's serving function with its numbers as constants.

    The converter does not find the variables of a Keras 3 model behind a function: without this step it
    writes a file whose weights are missing.
    """
    serving = Serving(network)
    concrete = convert_variables_to_constants_v2(serving.__call__.get_concrete_function())
    names = sorted(OUTPUTS)  # the order in which a function flattens a dictionary
    module = tf.Module()
    module.serve = tf.function(
        lambda input_tensor: dict(zip(names, concrete(input_tensor), strict=True)),
        input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="input_tensor")],
    )
    return module


def save(network: keras.Model, folder: pathlib.Path) -> None:
    """Write the SavedModel with the signature ``serving_default``."""
    module = frozen_module(network)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})


def convert(folder: pathlib.Path) -> bytes:
    """Turn the SavedModel into a TFLite file with float16 weights."""
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def parity(network: keras.Model, model: pathlib.Path, picture: np.ndarray, floor: float = 0.05) -> dict[str, float]:
    """Compare the network with its TFLite file on a picture, uint8 (1, H, W, 3).

    Returns how many detections of at least ``floor`` each finds, and the largest differences of box sides
    (pixels) and scores between each of the network's and the nearest of the file's.
    """
    serving = Serving(network)
    ours = {name: value.numpy() for name, value in serving(tf.constant(picture)).items()}
    theirs = TfliteModel(model)(picture)
    tables = []
    for out in (ours, theirs):
        keep = out["detection_scores"][0] >= floor
        sides = out["detection_boxes"][0][keep] * np.tile(picture.shape[1:3], 2)
        tables.append(np.column_stack([sides, out["detection_scores"][0][keep]]))
    result: dict[str, float] = {"found": len(tables[0]), "found_tflite": len(tables[1])}
    if all(len(table) for table in tables):
        apart = np.abs(tables[0][:, None] - tables[1][None])
        nearest = apart[np.arange(len(apart)), apart.sum(axis=2).argmin(axis=1)]
        result |= {"box_px": float(nearest[:, :4].max()), "score": float(nearest[:, 4].max())}
    return result


@click.command()
@click.argument("weights", type=click.Path(exists=True, path_type=pathlib.Path))
@click.argument("target", type=click.Path(path_type=pathlib.Path))
@click.option("--saved-model", type=click.Path(path_type=pathlib.Path), help="Keep the SavedModel here.")
@click.option("--width", type=click.Choice(list(WIDTHS)), default="small", show_default=True)
@click.option("--picture", type=click.Path(exists=True, path_type=pathlib.Path), help="Check parity on this.")
def main(
    weights: pathlib.Path,
    target: pathlib.Path,
    saved_model: pathlib.Path | None,
    width: str,
    picture: pathlib.Path | None,
) -> None:
    """Export WEIGHTS (written by train.py) to the TFLite file TARGET."""
    network = build(WIDTHS[width])
    network.load_weights(weights)
    with tempfile.TemporaryDirectory() as scratch:
        folder = saved_model or pathlib.Path(scratch) / "saved_model"
        save(network, folder)
        target.write_bytes(convert(folder))
    content = target.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    click.echo(f"{network.count_params()} parameters, {len(content)} bytes, sha256 {digest}")
    if picture:
        from .data import decode
        from .evaluate import fit

        click.echo(f"parity: {parity(network, target, fit(decode(picture), 640)[0])}")


if __name__ == "__main__":
    main()
