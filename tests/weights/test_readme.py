"""What weights/README.md says of model.yaml is what the program reads."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from anonymizer.detect.description import RegionRule, SecondLook, TurnedLook, ViewSpec
from anonymizer.detect.model_yaml import KEYS, read_description

README = (Path(__file__).parents[2] / "weights" / "README.md").read_text(encoding="utf-8")


def test_the_example_is_a_description(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "saved_model.pb").touch()
    (tmp_path / "model.yaml").write_text(example)
    model = read_description(tmp_path / "model.yaml")
    assert model.kinds == {2: "plate", 3: "face"}
    assert [spec.min_size for spec in model.views["balanced"]] == [40, 0]


@pytest.mark.parametrize(
    "key", [*KEYS, *(part.name for kind in (ViewSpec, SecondLook, TurnedLook, RegionRule) for part in fields(kind))]
)
def test_every_key_is_documented(key: str) -> None:
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
    assert any(f"`{key}`" in row for row in rows)
