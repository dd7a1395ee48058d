import shutil
from pathlib import Path

import pytest

from anonymizer.detect.catalogue import BUNDLED, find_models
from anonymizer.errors import ModelError
from anonymizer.recognise.models import describe_recogniser, load_face_reader


def test_the_bundled_recogniser_is_whole() -> None:
    assert describe_recogniser().name == "SFace"


def test_the_recogniser_is_no_detection_model() -> None:
    assert all(model.folder.name != "recogniser" for model in find_models())


@pytest.mark.parametrize("file", ["sface.tflite", "yunet.onnx"])
def test_a_changed_file_is_refused(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "recogniser"
    shutil.copytree(BUNDLED / "recogniser", folder)
    with open(folder / file, "ab") as changed:
        changed.write(b"x")
    with pytest.raises(ModelError, match="damaged"):
        load_face_reader(folder)


def test_a_missing_recogniser_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"recogniser\.yaml: No such file"):
        load_face_reader(tmp_path)
    (tmp_path / "recogniser.yaml").write_text("name: only\n")
    with pytest.raises(ModelError, match="'file'"):
        load_face_reader(tmp_path)


def test_loading_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    load_face_reader()
    assert capfd.readouterr() == ("", "")
