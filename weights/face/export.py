"""Writing fine-tuned weights as a TFLite file of integers, like the bundled one.

    python -m weights.face.export last.weights.h5 FOLDER face.tflite --numbers centerface.onnx --share 0.7

FOLDER holds the pictures that settle the range of each tensor, as for `weights.face.convert`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import keras
import onnx

from weights.checksum import write_checksum

from .convert import FLOAT_STRIDE, calibration_crops, copy_numbers, to_tflite
from .network import Detector, build_network
from .quantise import quantise
from .tuned import build, mix, to_faces


def model_of(trained: keras.Model, original: keras.Model | None, share: float, calibrate: Path | None) -> bytes:
    """A TFLite file of a trained network, or of what lies `share` of the way from the original to it.

    Integers with ranges that pictures in the folder `calibrate` settle, or 32-bit floats without one.
    """
    network = to_faces(trained)
    if original is not None:
        mix(original, network, share)
    with tempfile.TemporaryDirectory() as scratch:
        content = to_tflite(Detector(network), Path(scratch))
    return quantise(content, calibration_crops(calibrate), FLOAT_STRIDE) if calibrate else content


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("weights", type=_FILE)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--numbers", type=_FILE, help="CenterFace's ONNX file, to mix the weights with.")
@click.option("--share", default=1.0, show_default=True, help="How far from CenterFace's numbers to the weights.")
@click.option("--floats", is_flag=True, help="32-bit floats, to measure what integers cost.")
def main(weights: Path, folder: Path, target: Path, numbers: Path | None, share: float, floats: bool) -> None:
    """Export WEIGHTS, written by train.py, to TARGET, and its checksum to the model.yaml beside it."""
    trained = build()
    trained.load_weights(weights)
    original = None
    if numbers:
        original = build_network()
        copy_numbers(onnx.load(str(numbers)), original)
    content = model_of(trained, original, share, None if floats else folder)
    target.write_bytes(content)
    write_checksum(target.with_name("model.yaml"), content)


if __name__ == "__main__":
    main()
