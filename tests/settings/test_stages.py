import pickle
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.errors import SettingsError
from anonymizer.settings import (
    ALL_SETTINGS,
    DetectSettings,
    FindSettings,
    Kernel,
    RedactSettings,
    RunSettings,
    Settings,
    from_options,
    key_of,
    read_config,
    settings_from_options,
    to_options,
)


@given(
    st.sampled_from([None, ("face",), ("plate",), ("face", "plate")]),
    st.none() | st.floats(0.001, 1.0),
    st.none()
    | st.builds(Kernel, st.sampled_from([1, 21, 65]), st.integers(1, 8) | st.floats(0.1, 8), st.sampled_from([1, 9])),
    st.floats(0, 5),
)
def test_settings_survive_the_way_through_yaml(kinds, threshold, kernel, margin):
    settings = Settings(
        detect=DetectSettings(kinds, face_threshold=threshold, weights=Path("my models")),
        redact=RedactSettings(obfuscation_kernel=kernel, face_margin=margin),
    )
    written = yaml.safe_dump(
        to_options(settings.find, settings.read, settings.detect, settings.redact, settings.write, settings.record)
    )
    assert settings_from_options(yaml.safe_load(written)) == settings


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("face-threshold", "0", "0 is not in the range 0.001..1.0"),
        ("face-threshold", 1.5, "1.5 is not in the range"),
        ("plate-threshold", "high", "'high' is not a number"),
        ("plate-threshold", True, "True is not a number"),
        ("plate-threshold", float("nan"), "nan is not in the range"),
        ("kinds", "face,dog", "'dog' is not one of face, plate"),
        ("kinds", "", "'' is not one of face, plate"),
        ("kinds", [], "[] does not name a kind"),
        ("kinds", {}, "{} does not name a kind"),
        ("input", "a\0b", "is not a path"),
        ("limit", float("inf"), "inf is not a whole number"),
        ("kinds", 3, "3 is not a comma-separated list"),
        ("image-extensions", "jpg,,png", "empty"),
        ("image-extensions", "jpg,json", "json is the extension of the detections"),
        ("obfuscation-kernel", "21,2", "neither auto nor"),
        ("obfuscation-kernel", "21,2,9,4", "neither auto nor"),
        ("obfuscation-kernel", "20,2,9", "kernel size 20 is not an odd number"),
        ("obfuscation-kernel", "21,2,0", "kernel size 0 is not an odd number"),
        ("obfuscation-kernel", "21,0,9", "sigma 0 is not in the range"),
        ("face-margin", -0.1, "-0.1 is not in the range"),
        ("color", None, "None is neither mean"),
        ("color", "000", "'000' is neither mean"),
        ("cells", 0, "0 is not a whole number from 1 on"),
        ("metadata", "some", "'some' is not one of strip, safe, keep"),
        ("write-detections", "maybe", "'maybe' is neither true nor false"),
        ("limit", 0, "0 is not a whole number from 1 on"),
        ("limit", 2.5, "2.5 is not a whole number"),
        ("weights", "", "'' is not a path"),
        ("input", 7, "7 is not a path"),
        ("exclude-zone", "0,0 1,1", "a polygon of three or more corners"),
        ("exclude-zone", "0,0 1.1,0 1.1,1 0,1", "corners are pixels, or fractions"),
        ("exclude-zone", "0,0 1,1 0.5,0.5", "a zone has no area"),
        ("exclude-zone", "0,0 1,0 0,1 1,1", "a zone has no area"),
        ("exclude-zone", "0,0 .5,0 .5,1 0,1 0,0 .5,0 .5,1 0,1", "crosses or touches"),
        ("exclude-zone", "0,0 1,1 -1,2", "with numbers from 0 on"),
        ("exclude-zone", "0,0 1,1 2", "is not a polygon such as"),
        ("include-zone", [[1, 2], [3, 4]], "is not a polygon such as"),
        ("include-zone", 3, "is not a polygon such as"),
        ("workers", "many", "'many' is not a number"),
        ("workers", -1, "neither auto nor a whole number from 0"),
        ("timeout", 0, "0 is not a time in seconds"),
        ("shard", "3/2", "'3/2' is not a share such as 2/8"),
        ("shard", "0/2", "'0/2' is not a share"),
        ("shard", "1", "'1' is not a share"),
    ],
)
def test_wrong_values_are_refused_with_the_option_and_the_reason(key, value, message):
    (part,) = [part for part in ALL_SETTINGS if key in to_options(part())]
    with pytest.raises(SettingsError, match=f"^--{key}: ") as caught:
        from_options(part, {key: value})
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_extensions_are_lower_case_and_without_dots():
    assert FindSettings(".JPG, png,jpg").image_extensions == ("jpg", "png")


def test_kernel_is_read_from_text_and_lists():
    assert RedactSettings(obfuscation_kernel="65,3,19").obfuscation_kernel == Kernel(65, 3.0, 19)
    assert RedactSettings(obfuscation_kernel=[65, 3, 19]).obfuscation_kernel == Kernel(65, 3.0, 19)
    assert RedactSettings(obfuscation_kernel="auto").obfuscation_kernel is None


@pytest.mark.parametrize(
    ("written", "color"),
    [("Gray", "#808080"), ("#FF8000", "#ff8000"), ("#f80", "#ff8800"), ("rgb(1,2,3)", "#010203"), ("mean", "mean")],
)
def test_colors(written, color):
    assert RedactSettings(color=written).color == color


def test_methods_shapes_and_margins_per_kind():
    settings = RedactSettings(method="solid", plate_method="mosaic", shape="box", face_shape="ellipse")
    assert [settings.method_of(kind) for kind in ("face", "plate")] == ["solid", "mosaic"]
    assert [settings.shape_of(kind) for kind in ("face", "plate")] == ["ellipse", "box"]
    assert [RedactSettings().shape_of(kind) for kind in ("face", "plate")] == ["ellipse", "box"]


def test_only_detects():
    assert RedactSettings(method="none").only_detects(["face", "plate"])
    assert RedactSettings(face_method="none").only_detects(["face"])
    assert not RedactSettings(face_method="none").only_detects(["face", "plate"])


def test_digest_follows_the_content_of_the_overlay():
    """Which the settings cannot know: no file is there."""
    settings, elsewhere = (Settings(redact=RedactSettings("image", overlay=f"{name}.png")) for name in "ab")
    assert settings.digest("1" * 64) == elsewhere.digest("1" * 64) != settings.digest("2" * 64)
    assert settings.as_dict("1" * 64)["overlay"] == "1" * 64
    with pytest.raises(ValueError, match="the checksum of the overlay is missing"):
        settings.digest()


def test_settings_can_be_sent_to_another_machine():
    settings = Settings(
        detect=DetectSettings("face", face_threshold=0.4, exclude_zone="0,0 1,0 1,1", weights="nowhere"),
        redact=RedactSettings("image", overlay="nowhere.png", plate_margin=0.5),
    )
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_keys_are_unique_over_all_settings():
    keys = [key_of(setting) for part in ALL_SETTINGS for setting in fields(part)]
    assert len(keys) == len(set(keys))


def test_config_file(tmp_path):
    path = tmp_path / "anonymize.yaml"
    path.write_text("face-threshold: 0.4\nimage_output: out\n")
    assert read_config(path) == {"face-threshold": 0.4, "image-output": "out"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("face-treshold: 1", "unknown key 'face-treshold'; did you mean 'face-threshold'?"),
        ("limit: 1\nlimit: 2", "key 'limit' is there more than once"),
        ("face_threshold: 1\nface-threshold: 1", "key 'face-threshold' is there more than once"),
        ("- face", "must hold lines such as"),
        ("a: [", "is not YAML"),
        ("\xff", "is not YAML"),
    ],
)
def test_wrong_config_files(tmp_path, content, message):
    path = tmp_path / "anonymize.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        read_config(path)
    assert message in str(caught.value)


def test_missing_config_file(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        read_config(tmp_path / "none.yaml")


def test_empty_config_file(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert read_config(path) == {}


def test_digest_tells_what_decides_the_output():
    assert Settings().digest() == Settings(detect=DetectSettings(weights="elsewhere")).digest()
    assert Settings().digest() != Settings(detect=DetectSettings(face_threshold=0.5)).digest()


def test_run_settings_are_no_part_of_the_report():
    assert not set(to_options(RunSettings())).intersection(Settings().as_dict())


def test_presets():
    assert DetectSettings().preset == "balanced"
    assert settings_from_options({"preset": "thorough"}).detect.preset == "thorough"
    with pytest.raises(SettingsError, match=r"--preset: 'slow' is not one of fast, balanced, thorough"):
        DetectSettings(preset="slow")


def test_projections():
    assert DetectSettings().projection == "flat"
    with pytest.raises(SettingsError, match=r"--projection: 'round' is not one of flat, equirectangular"):
        DetectSettings(projection="round")
