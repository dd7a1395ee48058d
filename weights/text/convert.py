"""Makes the bundled detector of text from the numbers that the PyPI wheel of RapidOCR carries.

    pip install -e '.[convert]'
    python -m weights.text.convert

Downloads the wheel with pip, checks the SHA-256 of its ONNX file, rebuilds the network of PP-OCRv4 in TensorFlow,
checks on pictures that both answer the same, and writes `text.tflite` with its checksum in `model.yaml`.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from .graph import Network

HERE = Path(__file__).parent
WHEEL = "rapidocr-onnxruntime==1.4.4"
DETECTOR_IN_WHEEL = "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx"
DETECTOR_SHA256 = "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"
SIZE_MULTIPLE = 32
Pictures = Sequence[np.ndarray]
"""Each uint8 (1, H, W, 3) RGB."""

MOST_OFF = 1e-4
"""Between the answers of the original and of the rebuilt network, probabilities."""
MEAN_OFF = 2e-3
"""The same of the file, on average over the pixels of a picture."""
LEAST_AGREEING = 0.98
"""Share of the pixels that both take for text, of those that either does."""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        write_detector(Network(download(Path(scratch))))


def write_detector(network: Network) -> None:
    pictures = [padded(picture) for picture in sample_pictures()]
    expected = answers_of_original(network, pictures)
    check_network("the rebuilt detector", expected, [answer_of(network, each) for each in pictures])
    model = to_tflite(network, (None, None), "probabilities", [tf.float16])
    found = answers_of_file(model, pictures)
    both = sum(int(((one > 0.3) & (other > 0.3)).sum()) for one, other in zip(expected, found, strict=True))
    either = sum(int(((one > 0.3) | (other > 0.3)).sum()) for one, other in zip(expected, found, strict=True))
    check_file("the detector's file", expected, found, both / max(either, 1))
    (HERE / "text.tflite").write_bytes(model)
    write_checksum("model.yaml", model)


def download(folder: Path) -> bytes:
    """The detector, an ONNX file."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("rapidocr_onnxruntime-*.whl")
    content = zipfile.ZipFile(wheel).read(DETECTOR_IN_WHEEL)
    found = hashlib.sha256(content).hexdigest()
    if found != DETECTOR_SHA256:
        sys.exit(f"{DETECTOR_IN_WHEEL} has SHA-256 {found}: not the file this recipe was written for")
    return content


def write_checksum(name: str, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    path = HERE / name
    path.write_text(re.sub(r"(?m)^sha256: .*$", f'sha256: "{sha256}"', path.read_text()))
    print(f"{name}: {len(content)} bytes, sha256 {sha256}")


def normalised(pictures: tf.Tensor) -> tf.Tensor:
    """As the networks take them: BGR, -1 to 1.

    Args:
        pictures: uint8 (N, H, W, 3), RGB.
    """
    return tf.reverse(tf.cast(pictures, tf.float32), axis=[3]) * (2 / 255) - 1


def sample_pictures() -> list[np.ndarray]:
    """Those of the repository, with some text drawn on each; uint8 (H, W, 3), RGB."""
    pictures = []
    for path in sorted((HERE.parents[1] / "images" / "originals").iterdir()):
        picture = cv2.imread(str(path))
        assert picture is not None, path
        for row, size in enumerate((0.5, 1, 2)):
            cv2.putText(picture, f"{path.stem} 12{row}", (10, 40 + 60 * row), 0, size, (255, 255, 255), 2)
        pictures.append(np.ascontiguousarray(picture[:, :, ::-1]))
    return pictures


def padded(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, -height % SIZE_MULTIPLE), (0, -width % SIZE_MULTIPLE), (0, 0)))[np.newaxis]


def answers_of_original(network: Network, pictures: Pictures) -> list[np.ndarray]:
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(network.model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = []
    for picture in pictures:
        planes = normalised(picture).numpy().transpose(0, 3, 1, 2)
        (answer,) = session.run(None, {network.entry: planes})
        answers.append(answer.transpose(0, 2, 3, 1) if answer.ndim == 4 else answer)
    return answers


def answer_of(network: Network, picture: np.ndarray) -> np.ndarray:
    return np.asarray(network(normalised(picture)))


def to_tflite(
    network: Callable[[tf.Tensor], tf.Tensor], size: tuple[int | None, int | None], answer: str, types: list[tf.DType]
) -> bytes:
    """A file for one picture, uint8 (1, *size, 3) RGB.

    Args:
        answer: name of the output.
        types: of the weights; none: 8-bit integers.
    """
    serve = tf.function(
        lambda image: network(normalised(image)), input_signature=[tf.TensorSpec((1, *size, 3), tf.uint8, "image")]
    )
    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    module = tf.Module()
    module.serve = tf.function(
        lambda image: {answer: frozen(image)[0]}, input_signature=[tf.TensorSpec((1, *size, 3), tf.uint8, "image")]
    )
    with tempfile.TemporaryDirectory() as scratch:
        tf.saved_model.save(module, scratch, signatures={"serving_default": module.serve})
        converter = tf.lite.TFLiteConverter.from_saved_model(scratch)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = types
        return bytes(converter.convert())


def answers_of_file(model: bytes, pictures: Pictures) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=model, num_threads=1)
    (entry,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    answers = []
    for picture in pictures:
        interpreter.resize_tensor_input(entry["index"], picture.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(entry["index"], picture)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(answer["index"]).copy())
    return answers


def check_network(what: str, expected: Pictures, found: Pictures) -> None:
    """Exits unless all answers are those of the original."""
    off = max(float(np.abs(one - other).max()) for one, other in zip(expected, found, strict=True))
    print(f"{what}: probabilities off by {off:.2g} at most, {len(expected)} pictures")
    if off > MOST_OFF:
        sys.exit(f"{what} differs from the original")


def check_file(what: str, expected: Pictures, found: Pictures, agreeing: float) -> None:
    off = [float(np.abs(one - other).mean()) for one, other in zip(expected, found, strict=True)]
    print(f"{what}: probabilities off by {max(off):.2g} on average at most; {agreeing:.4f} agree")
    if max(off) > MEAN_OFF or agreeing < LEAST_AGREEING:
        sys.exit(f"{what} differs from the original")


if __name__ == "__main__":
    main()
