from pathlib import Path

import pytest
import tensorflow as tf

from anonymizer.detect.catalogue import find_models
from anonymizer.detect.load import load_model
from anonymizer.errors import ModelError


def test_a_model_whose_input_is_not_a_picture(tmp_path: Path) -> None:
    def of_numbers(numbers: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict.fromkeys(("detection_boxes", "detection_scores", "detection_classes", "num_detections"), numbers)

    module = tf.Module()
    module.serve = tf.function(of_numbers, input_signature=[tf.TensorSpec((None,), tf.float32, "numbers")])
    tf.saved_model.save(module, str(tmp_path / "face"), signatures={"serving_default": module.serve})
    (model,) = find_models(tmp_path)
    with pytest.raises(ModelError, match="expected are RGB pictures"):
        load_model(model)
