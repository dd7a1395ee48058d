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
    Kernel,
    RedactSettings,
    Settings,
    VerbositySettings,
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
def test_settings_survive_the_way_through_yaml(
    kinds: tuple[str, ...] | None, threshold: float | None, kernel: Kernel | None, margin: float
) -> None:
    settings = Settings(
        detect=DetectSettings(kinds, face_threshold=threshold, weights=Path("my models")),
        redact=RedactSettings(obfuscation_kernel=kernel, face_margin=margin),
    )
    written = yaml.safe_dump(
        to_options(settings.find, settings.read, settings.detect, settings.redact, settings.write, settings.record)
    )
    assert settings_from_options(yaml.safe_load(written)) == settings


def test_keys_are_unique_over_all_settings() -> None:
    keys = [key_of(setting) for part in ALL_SETTINGS for setting in fields(part)]
    assert len(keys) == len(set(keys))


def test_all_settings_survive_as_plain_values() -> None:
    for part in ALL_SETTINGS:
        assert from_options(part, yaml.safe_load(yaml.safe_dump(to_options(part())))) == part()


def test_the_log_and_the_verbosity_are_settings() -> None:
    verbosity = from_options(VerbositySettings, {"verbose": True, "log": "anonymize.log"})
    assert (verbosity.verbose, verbosity.log) == (1, Path("anonymize.log"))


def test_config_file(tmp_path: Path) -> None:
    path = tmp_path / "anonymize.yaml"
    path.write_text("face-threshold: 0.4\nimage_output: out\n")
    assert read_config(path) == {"face-threshold": 0.4, "image-output": "out"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("face-treshold: 1", "unknown key 'face-treshold'; did you mean 'face-threshold'?"),
        ("limit: 1\nlimit: 2", "key 'limit' is there more than once"),
        ('redact-zone: {"a/*": "0,0", "a/*": "1,1"}', "key 'a/*' is there more than once"),
        ("face_threshold: 1\nface-threshold: 1", "key 'face-threshold' is there more than once"),
        ("- face", "must hold lines such as"),
        ("a: [", "is not YAML"),
        ("\xff", "is not YAML"),
    ],
)
def test_wrong_config_files(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "anonymize.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        read_config(path)
    assert message in str(caught.value)


def test_missing_config_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_config(tmp_path / "none.yaml")


def test_empty_config_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert read_config(path) == {}
