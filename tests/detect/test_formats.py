"""One contract for the loaders of all formats, on tiny real models."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import (
    SAVERS,
    find_bright_rectangles,
    find_not_a_number,
    save_graph_def,
    save_saved_model,
    save_tflite,
    without_scores,
)

from anonymizer.detect import tflite
from anonymizer.detect.catalogue import find_models
from anonymizer.detect.frames import detect
from anonymizer.detect.load import choose_models, load_detectors, load_model
from anonymizer.detect.signature import SignatureDetector
from anonymizer.errors import ModelError, PictureError
from anonymizer.geometry import Box
from anonymizer.settings import DetectSettings

DESCRIPTION = """
file: {file}
labels: {{1: left, 2: right}}
kinds: {{face: [left], plate: [right, other]}}
thresholds: {{face: 0.4, plate: 0.6}}
"""


@pytest.fixture(scope="session", params=SAVERS)
def model_folder(request, tmp_path_factory) -> Path:
    """A folder with a described model in one of the formats."""
    folder = tmp_path_factory.mktemp("weights")
    SAVERS[request.param](folder / request.param)
    (folder / "model.yaml").write_text(DESCRIPTION.format(file=request.param))
    return folder


def picture_with(*rectangles: tuple[int, int, int, int], height: int = 48, width: int = 64) -> np.ndarray:
    """A black picture with bright rectangles x_min, y_min, x_max, y_max."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for x_min, y_min, x_max, y_max in rectangles:
        pixels[y_min:y_max, x_min:x_max] = 255
    return pixels


def detector_in(folder, **settings) -> SignatureDetector:
    (detector,) = load_detectors(DetectSettings(weights=folder, **settings))
    return detector


def test_boxes_scores_and_kinds(model_folder):
    detector = detector_in(model_folder)
    assert detector.kinds == {"face", "plate"}
    (found,) = detector.detect([picture_with((3, 5, 20, 30), (40, 7, 60, 17))])
    assert [(detection.kind, detection.score) for detection in found] == [("face", 1.0), ("plate", 1.0)]
    for detection, box in zip(found, [(3, 5, 20, 30), (40, 7, 60, 17)], strict=True):
        assert dataclasses.astuple(detection.box) == pytest.approx(box, abs=1e-4)


def test_pictures_of_different_sizes_in_one_batch(model_folder):
    pictures = [
        picture_with((1, 1, 9, 9)),
        picture_with(height=7, width=5),
        picture_with((0, 0, 30, 100), height=100, width=77),
    ]
    found = detector_in(model_folder, kinds="face").detect(pictures)
    assert [len(of_one) for of_one in found] == [1, 0, 1]
    assert dataclasses.astuple(found[2][0].box) == pytest.approx((0, 0, 30, 100), abs=1e-4)


def test_pictures_of_many_sizes_in_turn(tmp_path, monkeypatch):
    """Those of the last few sizes find the model prepared; any other takes over the place of one."""
    made, make = [], tflite._interpreter
    monkeypatch.setattr(tflite, "_interpreter", lambda content: made.append(make(content)) or made[-1])
    save_tflite(tmp_path / "model.tflite")
    detector = detector_in(describe(tmp_path, "model.tflite"), face_threshold=0.5)
    heights = [60 + 4 * number for number in range(tflite.KEPT_SHAPES + 3)]
    for height in [*heights, *heights[::-1], *heights]:
        (found,) = detector.detect([picture_with((10, 10, 20, 30), height=height)])[0]
        assert dataclasses.astuple(found.box) == pytest.approx((10, 10, 20, 30), abs=1e-4)
    assert len(made) == tflite.KEPT_SHAPES


def test_large_inputs_leave_no_memory_for_others(tmp_path, monkeypatch):
    monkeypatch.setattr(tflite, "KEPT_VALUES", 3 * 50 * 60)
    content = save_tflite(tmp_path / "model.tflite").read_bytes()
    prepared = tflite._Prepared(content, tflite._interpreter(content), 0)
    kept = []
    for height in (10, 20, 50, 60, 10, 40):
        prepared.for_shape((1, height, 60, 3))
        kept.append([shape[1] for shape in prepared._by_shape])
    assert kept == [[1, 10], [1, 10, 20], [50], [60], [10], [10, 40]]


def test_small_inputs_do_not_keep_the_memory_of_large_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(tflite, "KEPT_SHAPES", 1)
    content = save_tflite(tmp_path / "model.tflite").read_bytes()
    prepared = tflite._Prepared(content, tflite._interpreter(content), 0)
    large, half, small = (prepared.for_shape((1, height, 60, 3)) for height in (80, 40, 10))
    assert large is half
    assert small is not large


def test_only_wanted_kinds_are_reported(model_folder):
    detector = detector_in(model_folder, kinds="plate")
    assert detector.kinds == {"plate"}
    (found,) = detector.detect([picture_with((3, 5, 20, 30), (40, 7, 60, 17))])
    assert [detection.kind for detection in found] == ["plate"]


def test_thresholds_of_the_model_and_of_the_user(model_folder):
    half_bright = picture_with((2, 2, 12, 7), (2, 7, 7, 12), (40, 2, 50, 7), (40, 7, 45, 12))  # 75 of 100 pixels
    half_bright[7:9, 2:7] = half_bright[7:9, 40:45] = 0  # 65
    half_bright[2:4, 4:9] = half_bright[2:4, 42:47] = 0  # 55
    kinds = lambda **thresholds: [d.kind for d in detector_in(model_folder, **thresholds).detect([half_bright])[0]]  # noqa: E731
    assert kinds() == ["face"]
    assert kinds(plate_threshold=0.55, face_threshold=0.56) == ["plate"]
    assert kinds(plate_threshold=0.1) == ["face", "plate"]


def test_without_description_the_name_tells_the_kind(model_folder, tmp_path):
    (model,) = find_models(model_folder)
    renamed = tmp_path / f"weights_plate_v1.0.0{model.path.suffix}"
    (shutil.copytree if model.path.is_dir() else shutil.copy)(model.path, renamed)
    (found,) = detector_in(tmp_path).detect([picture_with((3, 5, 20, 30), (40, 7, 60, 17))])
    assert [detection.kind for detection in found] == ["plate", "plate"]


def test_wrong_checksum(model_folder, tmp_path):
    shutil.copytree(model_folder, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "model.yaml").open("a") as file:
        file.write(f"sha256: '{'0' * 64}'\n")
    with pytest.raises(ModelError, match=r"has SHA-256 [0-9a-f]{64}, its model.yaml says 0{64}") as caught:
        load_detectors(DetectSettings(weights=tmp_path))
    assert caught.value.exit_code == 3


def describe(folder: Path, file: str) -> Path:
    (folder / "model.yaml").write_text(f"file: {file}\nlabels: {{1: face}}\n")
    return folder


@pytest.mark.parametrize("file", SAVERS)
@pytest.mark.parametrize("content", [b"", b"this is a text file", b"\x08\x01" * 500])
def test_files_that_are_no_models(tmp_path, file, content):
    path = tmp_path / file
    if not path.suffix:
        path.mkdir()
        path = path / "saved_model.pb"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"is damaged, or no|no detection model"):
        load_detectors(DetectSettings(weights=describe(tmp_path, file)))


@pytest.mark.parametrize("file", SAVERS)
def test_truncated_models(tmp_path, file):
    path = SAVERS[file](tmp_path / file)
    path = path / "saved_model.pb" if path.is_dir() else path
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(ModelError, match="is damaged, or no"):
        load_detectors(DetectSettings(weights=describe(tmp_path, file)))


@pytest.mark.parametrize("file", SAVERS)
def test_models_without_the_outputs(tmp_path, file):
    SAVERS[file](tmp_path / file, without_scores)
    with pytest.raises(ModelError, match=r"no detection model: of the outputs .* it lacks detection_scores"):
        load_detectors(DetectSettings(weights=describe(tmp_path, file)))


@pytest.mark.parametrize("file", SAVERS)
def test_answers_that_are_no_numbers_are_errors_not_empty(tmp_path, file):
    SAVERS[file](tmp_path / file, find_not_a_number)
    (detector,) = load_detectors(DetectSettings(weights=describe(tmp_path, file)))
    with pytest.raises(PictureError, match="no numbers"):
        detector.detect([picture_with((3, 5, 20, 30), (40, 7, 60, 17))])


def test_outputs_under_other_names(tmp_path):
    def renamed(image_tensor):
        answer = find_bright_rectangles(image_tensor)
        answer["scores"] = answer.pop("detection_scores")
        return answer

    save_graph_def(tmp_path / "graph.pb", renamed)
    (tmp_path / "model.yaml").write_text("file: graph.pb\nlabels: {1: face}\noutputs: {detection_scores: 'scores:0'}\n")
    (found,) = detector_in(tmp_path).detect([picture_with((3, 5, 20, 30), (40, 7, 60, 17))])
    assert [detection.kind for detection in found] == ["face"]


def test_classes_that_are_numbered_from_zero(tmp_path):
    def from_zero(image_tensor):
        return {**find_bright_rectangles(image_tensor), "detection_classes": tf.constant([[0.0, 1.0]])}

    save_saved_model(tmp_path / "model", from_zero)
    (tmp_path / "model.yaml").write_text("file: model\nlabels: {2: face}\nfirst_class: 0\n")
    (found,) = detector_in(tmp_path).detect([picture_with((3, 5, 20, 30), (40, 7, 60, 17))])
    assert [detection.box.x_min for detection in found] == pytest.approx([40])


def test_inputs_of_a_fixed_size_and_of_floats(tmp_path):
    def of_normalised(image_tensor):
        # Bright is above 0.5 once (pixel - 127.5) / 127.5 is applied; the model expects just that.
        return find_bright_rectangles(image_tensor * 128.0 + 64.5)

    save_tflite(tmp_path / "model.tflite", of_normalised, (32, 32), tf.float32)
    (tmp_path / "model.yaml").write_text("file: model.tflite\nlabels: {1: face}\ninput: {mean: 127.5, std: 127.5}\n")
    (found,) = detector_in(tmp_path).detect([picture_with((16, 12, 48, 36), height=96, width=128)])
    assert dataclasses.astuple(found[0].box) == pytest.approx((16, 12, 48, 36), abs=4)


def test_padding_to_a_multiple_moves_no_box(tmp_path):
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text("file: model.tflite\nlabels: {1: face}\ninput: {size_multiple: 32}\n")
    (found,) = detector_in(tmp_path).detect([picture_with((3, 5, 20, 30), height=33, width=65)])
    assert dataclasses.astuple(found[0].box) == pytest.approx((3, 5, 20, 30), abs=1e-4)


def test_looking_at_several_sizes(tmp_path):
    """What each view shows is reported in pixels of the picture."""
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text(
        "file: model.tflite\nlabels: {1: face}\ninput: {size_multiple: 32}\n"
        "views: [{longest_side: 50}, {longest_side: 100}, {longest_side: 400}]\n"
    )
    (found,) = detector_in(tmp_path).detect([picture_with((20, 40, 60, 80), height=100, width=200)])
    assert len(found) == 3
    for detection in found:
        assert dataclasses.astuple(detection.box) == pytest.approx((20, 40, 60, 80), abs=4)


def test_small_objects_in_a_shrunk_view_are_left_to_the_larger_ones(tmp_path):
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text(
        "file: model.tflite\nlabels: {1: face, 2: face}\n"
        "input: {size_multiple: 32}\nviews: [{longest_side: 100, min_size: 30}, {longest_side: 400}]\n"
    )
    (found,) = detector_in(tmp_path).detect([picture_with((20, 40, 40, 80), (130, 10, 190, 90), height=100, width=200)])
    assert [round(detection.box.width) for detection in found] == [60, 20, 60]


def test_a_score_that_is_the_mean_of_the_views(tmp_path):
    """What one view does not see counts as 0 where it answers for such objects."""
    save_tflite(tmp_path / "model.tflite")
    description = (
        "file: model.tflite\nlabels: {1: face, 2: face}\ninput: {size_multiple: 32}\n"
        "views: [{longest_side: 100, min_size: 30}, {}, {mirrored: true}]\nscore: mean\n"
    )
    (tmp_path / "model.yaml").write_text(description)
    picture = picture_with((20, 40, 40, 80), (130, 10, 190, 90), height=100, width=200)
    (found,) = detector_in(tmp_path).detect([picture])
    assert [d.score for d in found] == pytest.approx([1, 1])
    boxes = sorted(dataclasses.astuple(d.box) for d in found)
    assert boxes[0] == pytest.approx((20, 40, 40, 80), abs=1e-4)
    assert boxes[1] == pytest.approx((130, 10, 190, 90), abs=4)


def test_presets_without_views_have_no_part_of_a_model(tmp_path):
    save_tflite(tmp_path / "model.tflite")
    (tmp_path / "model.yaml").write_text("file: model.tflite\nlabels: {1: face}\nviews: {thorough: [{}]}\n")
    assert choose_models(DetectSettings(weights=tmp_path, preset="thorough"))
    with pytest.raises(ModelError, match="finds the kind 'face'"):
        choose_models(DetectSettings(weights=tmp_path, kinds="face", preset="fast"))


def test_scores_are_calibrated_by_the_size_of_the_object(tmp_path):
    save_graph_def(tmp_path / "face.pb", answer(detection_scores=[[0.5] * 3], detection_boxes=[[
        [0.0, 0.0, 0.1, 0.1], [0.0, 0.0, 0.2, 0.2], [0.0, 0.0, 0.8, 0.8]
    ]]))  # fmt: skip
    (tmp_path / "model.yaml").write_text(
        "file: face.pb\nlabels: {1: face}\ncalibration: {balanced: {10: 2, 40: 1}}\nthresholds: {face: 0.1}\n"
    )
    (found,) = detector_in(tmp_path).detect([picture_with(height=100, width=100)])
    assert [d.score for d in found] == pytest.approx([0.25, 0.5**1.5, 0.5])
    (found,) = detector_in(tmp_path, preset="fast").detect([picture_with(height=100, width=100)])
    assert [d.score for d in found] == [0.5, 0.5, 0.5]


SECOND_LOOK = """
file: model.tflite
labels: {1: face}
thresholds: {face: 0.4}
score: %s
second_look: {presets: [balanced], from_score: 0.2, sizes: [20, 40], weight: 0.5}
"""


@pytest.mark.parametrize("rule", ["best", "mean"])
def test_doubtful_objects_are_looked_at_once_more(tmp_path, rule):
    """The model is sure of what is large in what it sees, and sees all of this picture once, small."""

    def find_large(image_tensor):
        found = find_bright_rectangles(image_tensor)
        sides = found["detection_boxes"][0, :, 2:] - found["detection_boxes"][0, :, :2]
        return {**found, "detection_scores": tf.where(tf.reduce_max(sides, 1) > 0.3, 0.9, 0.3)[tf.newaxis]}

    save_tflite(tmp_path / "model.tflite", find_large)
    (tmp_path / "model.yaml").write_text(SECOND_LOOK % rule)
    pixels = picture_with((100, 60, 110, 80), height=300, width=400)
    assert detector_in(tmp_path, preset="fast").detect([pixels]) == [[]]
    # The middle of the picture cuts the object in two, and to the model either half is one. Only the left counts.
    (found,) = detector_in(tmp_path).detect([pixels])[0]
    assert 0.4 <= found.score < 0.9
    assert found.box.xyxy == pytest.approx((100, 60, 110, 80), abs=0.01)


def find_in_tall_pictures(image_tensor):
    """A sure face in the middle of pictures that are higher than wide."""
    is_tall = tf.shape(image_tensor)[1] > tf.shape(image_tensor)[2]
    return {
        "detection_boxes": tf.constant([[[0.4, 0.4, 0.6, 0.6]]]),
        "detection_scores": [[tf.where(is_tall, 0.9, 0.0)]],
        "detection_classes": tf.constant([[1.0]]),
        "num_detections": tf.constant([1.0]),
    }


@pytest.mark.parametrize(
    ("views", "score"),
    [
        ("[{}, {enlarge: 2}, {quarter_turns: 1}]", 0.9),
        ("[{}, {enlarge: 2}, {quarter_turns: 1}, {quarter_turns: 1, mirrored: true}, {quarter_turns: 3}]", 0.9),
        ("[{}, {enlarge: 2}, {quarter_turns: 1, score_exponent: 2}]", 0.81),
        ("[{}, {enlarge: 2}]", None),
    ],
)
@pytest.mark.parametrize("rule", ["best", "mean"])
def test_views_of_the_upright_picture_have_no_vote_on_what_is_turned(tmp_path, views, score, rule):
    save_graph_def(tmp_path / "face.pb", find_in_tall_pictures)
    (tmp_path / "model.yaml").write_text(f"file: face.pb\nlabels: {{1: face}}\nscore: {rule}\nviews: {views}\n")
    found = detect(picture_with(height=100, width=200), [detector_in(tmp_path)])
    assert [d.score for d in found] == ([] if score is None else [pytest.approx(score)])
    assert all(d.box.xyxy == pytest.approx((80, 40, 120, 60)) for d in found)


def test_several_models_share_the_work(tmp_path):
    save_graph_def(tmp_path / "weights_face_v1.0.0.pb")
    save_graph_def(tmp_path / "weights_plate_v1.0.0.pb")
    detectors = load_detectors(DetectSettings(weights=tmp_path))
    assert [detector.kinds for detector in detectors] == [{"face"}, {"plate"}]
    assert [model.name for model in choose_models(DetectSettings(weights=tmp_path, kinds="plate"))] == [
        "weights_plate_v1.0.0.pb"
    ]


def test_a_model_that_takes_no_pictures(tmp_path):
    def of_numbers(numbers):
        return dict.fromkeys(("detection_boxes", "detection_scores", "detection_classes", "num_detections"), numbers)

    module = tf.Module()
    module.serve = tf.function(of_numbers, input_signature=[tf.TensorSpec((None,), tf.float32, "numbers")])
    tf.saved_model.save(module, str(tmp_path / "face"), signatures={"serving_default": module.serve})
    (model,) = find_models(tmp_path)
    with pytest.raises(ModelError, match="expected are RGB pictures"):
        load_model(model)


def answer(**changes):
    """A graph that answers the same for every picture: three sure detections in the left half."""
    fixed = {
        "detection_boxes": [[[0.0, 0.0, 1.0, 0.5]] * 3],
        "detection_scores": [[0.9] * 3],
        "detection_classes": [[1.0] * 3],
        "num_detections": [3.0],
    }
    return lambda image_tensor: {name: tf.constant(value) for name, value in {**fixed, **changes}.items()}


def test_boxes_outside_the_picture_are_clipped_or_left_out(tmp_path):
    boxes = [[[-0.5, -0.5, 0.5, 2.0], [1.5, 0.0, 2.0, 1.0], [0.0, -1.0, 1.0, -0.2]]]
    save_graph_def(tmp_path / "face.pb", answer(detection_boxes=boxes))
    (found,) = detector_in(tmp_path).detect([picture_with(height=10, width=20)])
    assert [detection.box for detection in found] == [Box(0, 0, 20, 5)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detection_boxes": [[[100.0, 100.0, 200.0, 200.0]] * 3]}, "boxes that are no fractions"),
        ({"detection_classes": [[0.0, 0.0, 0.0]]}, "classes below the first; see 'first_class'"),
        ({"detection_classes": [[float("nan")] * 3]}, "no numbers"),
        ({"detection_boxes": [[[0.0, 0.0, float("inf"), 1.0]] * 3]}, "no numbers"),
        ({"detection_scores": [[17.0] * 3]}, "scores that are not in the range"),
        ({"num_detections": [4.0]}, "announced 4 detections but gave fewer"),
    ],
)
def test_senseless_answers_are_errors_not_empty(tmp_path, changes, message):
    save_graph_def(tmp_path / "graph.pb", answer(**changes))
    (detector,) = load_detectors(DetectSettings(weights=describe(tmp_path, "graph.pb")))
    with pytest.raises(PictureError, match=message):
        detector.detect([picture_with()])


def test_outputs_of_the_post_processing_operation(tmp_path, monkeypatch):
    """TFLite exports of the Object Detection API name tensors their own way and number classes from 0."""
    monkeypatch.setattr("anonymizer.detect.tflite._POSTPROCESS", {
        "detection_boxes": "PartitionedCall:0",
        "detection_classes": "PartitionedCall:1",
        "detection_scores": "PartitionedCall:2",
        "num_detections": "PartitionedCall:3",
    })  # fmt: skip
    monkeypatch.setattr("ai_edge_litert.interpreter.Interpreter.get_signature_list", lambda self: {})
    save_tflite(tmp_path / "model.tflite")
    describe(tmp_path, "model.tflite")
    (detector,) = load_detectors(DetectSettings(weights=tmp_path))
    assert detector._loaded.first_class == 0


def test_an_output_that_does_not_exist(tmp_path):
    save_graph_def(tmp_path / "graph.pb")
    (tmp_path / "model.yaml").write_text(
        "file: graph.pb\nlabels: {1: face}\noutputs: {detection_scores: 'detection_scores:3'}\n"
    )
    with pytest.raises(ModelError, match="has no such output"):
        load_detectors(DetectSettings(weights=tmp_path))


def test_a_description_speaks_for_its_whole_folder(tmp_path):
    """The folders of the model zoo hold one model in several formats."""
    save_graph_def(tmp_path / "frozen_inference_graph.pb")
    save_saved_model(tmp_path / "saved_model")
    (model,) = find_models(describe(tmp_path, "frozen_inference_graph.pb"))
    assert model.path.name == "frozen_inference_graph.pb"


@pytest.mark.parametrize("save", [save_saved_model, save_graph_def])
def test_worker_processes_share_a_gpu(tmp_path, monkeypatch, save):
    """TensorFlow would take all of its memory for the first of them."""
    grows = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, grow: grows.append((gpu, grow)))
    save(tmp_path / ("face.pb" if save is save_graph_def else "face"))
    detector_in(tmp_path, kinds=("face",))
    assert grows == [("GPU:0", True), ("GPU:1", True)]
