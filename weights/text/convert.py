"""Makes the bundled detector and reader of text from the numbers that the PyPI wheel of RapidOCR carries.

    pip install -e '.[convert]'
    python -m weights.text.convert

Downloads the wheel with pip, checks the SHA-256 of its ONNX files, rebuilds the networks of PP-OCRv4 in TensorFlow,
checks on pictures that both answer the same, and writes `text.tflite` with its checksum in `model.yaml`, and
`reader.tflite` with `characters.txt` and their checksum in `reader.yaml`.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from weights.checksum import write_checksum
from weights.data.wheels import download

from .graph import Network

HERE = Path(__file__).parent
WHEEL = "rapidocr-onnxruntime==1.4.4"
CHECKSUMS = {
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx": (
        "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"
    ),
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx": (
        "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"
    ),
}
"""SHA-256 of the detector and the reader, in the wheel."""
SIZE_MULTIPLE = 32
HEIGHT = 48
"""Of the lines that the reader sees."""
WIDTHS = (160, 320, 480)
"""Of the lines that it is compared on."""

Pictures = Sequence[np.ndarray]
"""Each uint8 (1, H, W, 3) RGB."""

MOST_OFF = 1e-4
"""Between the answers of the original and of the rebuilt network, probabilities."""
MEAN_OFF = 2e-3
"""The same of the file, on average over the pixels of a picture, and over all characters of a line."""
LEAST_AGREEING = 0.98
"""Share of the pixels that both take for text, of those that either does; of the characters that both read."""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        detector, reader = (Network(content) for content in download(WHEEL, CHECKSUMS, Path(scratch)))
    write_detector(detector)
    write_reader(reader)


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
    write_checksum(HERE / "model.yaml", model)


def write_reader(network: Network) -> None:
    (characters,) = [each.value for each in network.model.metadata_props if each.key == "character"]
    # The class behind them is a space.
    names = [*characters.split("\n"), " "]
    lines = sample_lines()
    expected = answers_of_original(network, lines)
    check_network("the rebuilt reader", expected, [answer_of(network, each) for each in lines])
    if expected[0].shape[-1] != len(names) + 1:
        sys.exit(f"the reader has {expected[0].shape[-1]} classes for {len(names)} characters")
    model = to_tflite(network, (HEIGHT, None), "scores", [tf.float16])
    found = answers_of_file(model, lines)
    pairs = [(one.argmax(-1), other.argmax(-1)) for one, other in zip(expected, found, strict=True)]
    same = sum(int(((one == other) & (one > 0)).sum()) for one, other in pairs)
    check_file("the reader's file", expected, found, same / max(sum(int((one > 0).sum()) for one, _ in pairs), 1))
    text = "\n".join(names).encode()
    (HERE / "reader.tflite").write_bytes(model)
    (HERE / "characters.txt").write_bytes(text)
    write_checksum(HERE / "reader.yaml", model + text)


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


def sample_lines() -> list[np.ndarray]:
    """Drawn lines of text, uint8 (1, 48, W, 3)."""
    random = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@.-")
    lines = []
    for number in range(30):
        line = np.full((HEIGHT, WIDTHS[number % len(WIDTHS)], 3), random.integers(120, 256, 3), np.uint8)
        text = "".join(random.choice(letters, line.shape[1] // 24))
        cv2.putText(line, text, (6, 34), int(random.choice([0, 2, 3, 4])), 0.9, random.integers(0, 80, 3).tolist(), 2)
        lines.append(cv2.GaussianBlur(line, (0, 0), float(random.uniform(0.3, 1.2)))[np.newaxis])
    return lines


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
