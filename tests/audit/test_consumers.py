from pathlib import Path

import numpy as np
import pytest
from tiny_models import picture_with, save_saved_model, save_tflite

from anonymizer.audit.consumers import Classifier, ObjectDetector, load_consumer
from anonymizer.errors import ModelError, SettingsError

PICTURE = picture_with((4, 6, 20, 26), (40, 10, 60, 40))


def test_a_detector_finds_objects_of_all_classes(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("???\nperson\ncar\n")
    detector = load_consumer(save_tflite(tmp_path / "model.tflite"), names)
    assert isinstance(detector, ObjectDetector)
    found = detector.find(PICTURE)
    assert found.names == ["person", "car"]
    np.testing.assert_allclose(found.boxes, [[4, 6, 20, 26], [40, 10, 60, 40]], atol=1e-4)
    assert (found.scores > 0.99).all()


@pytest.mark.slow
def test_a_folder_says_which_file_it_is(tmp_path: Path) -> None:
    save_saved_model(tmp_path / "model")
    (tmp_path / "model.yaml").write_text("file: model\nlabels: {1: bicycle}\nfirst_class: 1\n")
    detector = load_consumer(tmp_path)
    assert isinstance(detector, ObjectDetector)
    assert detector.find(PICTURE).names == ["bicycle", "class 2"]


def test_a_classifier_gives_each_class_a_number(tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def classify(pixels: tf.Tensor) -> tf.Tensor:
        mean = tf.reduce_mean(pixels)
        return tf.stack([[-mean, mean]])

    module = tf.Module()
    module.classify = classify
    converter = tf.lite.TFLiteConverter.from_concrete_functions([classify.get_concrete_function()], module)
    (tmp_path / "model.tflite").write_bytes(converter.convert())
    classifier = load_consumer(tmp_path / "model.tflite")
    assert isinstance(classifier, Classifier)
    np.testing.assert_allclose(classifier.classify(np.full((30, 20, 3), 255, np.uint8)), [-1, 1], atol=1e-5)


def test_a_network_of_keras_is_a_classifier(tmp_path: Path) -> None:
    import keras

    network = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D()])
    network.save(tmp_path / "model.keras")
    classifier = load_consumer(tmp_path / "model.keras")
    assert isinstance(classifier, Classifier)
    red = np.zeros((10, 10, 3), np.uint8)
    red[..., 0] = 255
    np.testing.assert_allclose(classifier.classify(red), [1, -1, -1], atol=1e-5)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="damaged"):
        load_consumer(tmp_path / "model.tflite")
    with pytest.raises(ModelError, match="is missing"):
        load_consumer(tmp_path / "missing.tflite")
    with pytest.raises(ModelError, match="neither"):
        load_consumer(tmp_path / "model.pt")
    with pytest.raises(SettingsError, match="no list of names"):
        load_consumer(save_tflite(tmp_path / "model.tflite"), tmp_path / "missing.txt")
