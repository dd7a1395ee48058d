import ast
import inspect
import pickle
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from anonymizer.errors import SettingsError
from anonymizer.kinds import KINDS
from anonymizer.settings import (
    ChooseSettings,
    DetectSettings,
    RedactSettings,
    RunSettings,
    Settings,
    stages,
    to_options,
)
from anonymizer.settings.fields import SettingsPart


def test_methods_shapes_and_margins_per_kind() -> None:
    settings = RedactSettings(method="solid", plate_method="mosaic", shape="box", face_shape="ellipse")
    assert [settings.method_of(kind) for kind in ("face", "plate")] == ["solid", "mosaic"]
    assert [settings.shape_of(kind) for kind in ("face", "plate")] == ["ellipse", "box"]
    assert [RedactSettings().shape_of(kind) for kind in ("face", "plate")] == ["ellipse", "box"]


def test_only_detects() -> None:
    assert RedactSettings(method="none").only_detects(["face", "plate"])
    assert RedactSettings(face_method="none").only_detects(["face"])
    assert not RedactSettings(face_method="none").only_detects(["face", "plate"])


def test_galleries_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="--keep-visible and --hide-only exclude each other"):
        ChooseSettings(Path("friends"), Path("others"))
    assert ChooseSettings(hide_only=Path("others")).gallery == Path("others")
    settings = Settings(choose=ChooseSettings(Path("friends")))
    assert settings.as_dict({"keep-visible": "1" * 64})["keep-visible"] == "1" * 64
    assert settings.digest({"keep-visible": "1" * 64}) != settings.digest({"keep-visible": "2" * 64})


def test_digest_follows_the_content_of_the_overlay() -> None:
    """Which the settings cannot know: no file is there."""
    settings, elsewhere = (Settings(redact=RedactSettings("image", overlay=f"{name}.png")) for name in "ab")
    assert settings.digest({"overlay": "1" * 64}) == elsewhere.digest({"overlay": "1" * 64})
    assert settings.digest({"overlay": "1" * 64}) != settings.digest({"overlay": "2" * 64})
    assert settings.as_dict({"overlay": "1" * 64})["overlay"] == "1" * 64
    with pytest.raises(ValueError, match="the checksum of overlay is missing"):
        settings.digest()


def test_settings_can_be_sent_to_another_machine() -> None:
    settings = Settings(
        detect=DetectSettings("face", face_threshold=0.4, exclude_zone="0,0 1,0 1,1", weights="nowhere"),
        redact=RedactSettings("image", overlay="nowhere.png", plate_margin=0.5),
    )
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_digest_tells_what_decides_the_output() -> None:
    assert Settings().digest() == Settings(detect=DetectSettings(weights="elsewhere")).digest()
    assert Settings().digest() != Settings(detect=DetectSettings(face_threshold=0.5)).digest()


def test_run_settings_are_no_part_of_the_report() -> None:
    assert not set(to_options(RunSettings())).intersection(Settings().as_dict())


def test_what_is_used_with_one_method_only() -> None:
    with pytest.raises(SettingsError, match=r"^--overlay is only used with --method image$"):
        RedactSettings(overlay="face.png")
    with pytest.raises(SettingsError, match=r"^--obfuscation-kernel is only used with --method gaussian$"):
        RedactSettings("solid", obfuscation_kernel="21,2,9")
    assert RedactSettings("solid", plate_method="image", overlay="face.png").overlay is not None


def declared_parameters(part: type[SettingsPart]) -> dict[str, Any]:
    """The parameters with their defaults that a type checker is told that a class is made with."""
    (tree,) = ast.parse(inspect.getsource(part)).body
    (function,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    arguments = function.args
    names = [argument.arg for argument in (*arguments.args[1:], *arguments.kwonlyargs)]
    defaults = [*arguments.defaults, *[default for default in arguments.kw_defaults if default is not None]]
    assert arguments.kwarg is not None
    return {name: ast.literal_eval(default) for name, default in zip(names, defaults, strict=True)}


@pytest.mark.parametrize("part", [DetectSettings, RedactSettings])
def test_type_checkers_are_told_of_the_fields_that_there_are(part: type[SettingsPart]) -> None:
    of_kinds = {f"{kind}_{name}" for kind in KINDS for name in ("threshold", "method", "shape", "margin")}
    actual = {each.name: each.default for each in fields(part) if each.name not in of_kinds}
    assert declared_parameters(part) == actual
    assert MISSING not in actual.values()


def test_no_other_part_hides_what_it_is_made_with() -> None:
    parts = [each for each in vars(stages).values() if inspect.isclass(each) and issubclass(each, SettingsPart)]
    told = {each for each in parts if "TYPE_CHECKING" in inspect.getsource(each)}
    assert told == {DetectSettings, RedactSettings}


def test_people_who_are_hidden_alone_and_all_being_hidden_exclude_each_other() -> None:
    detect = DetectSettings(hide_all_but=True)
    assert detect.given_kinds == {"area"}
    with pytest.raises(SettingsError, match="--hide-all-but and --hide-only exclude each other"):
        Settings(detect=detect, choose=ChooseSettings(hide_only=Path("people")))
    assert Settings(detect=detect, choose=ChooseSettings(Path("people"))).detect.hide_all_but
