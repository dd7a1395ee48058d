from dataclasses import FrozenInstanceError, dataclass, fields
from pathlib import Path
from typing import ClassVar

import pytest

from anonymizer.errors import SettingsError
from anonymizer.kinds import KINDS, MODEL_KINDS, TRAITS
from anonymizer.settings.fields import PerKind, SettingsPart, key_of, setting, to_plain


def to_whole_number(value: object) -> int:
    if not isinstance(value, int | str):
        raise ValueError(f"{value!r} is not a number")
    return int(value)


@dataclass(frozen=True)
class Part(SettingsPart, group="Files"):
    first_value: int = setting(1, to_whole_number, "Help.", "N")
    sizes: ClassVar[PerKind[int]] = PerKind("size", lambda kind: len(kind.plural), to_whole_number, "Of {one}.", "N")
    last: int = setting(2, to_whole_number, "Help.", "N", plain=hex)


def test_fields_are_options_keys_checks_and_help() -> None:
    part = Part(first_value=7)
    assert [key_of(each) for each in fields(part)] == ["first-value", *(f"{kind}-size" for kind in KINDS), "last"]
    assert [each.metadata["help"] for each in fields(part)][1:3] == ["Of a face.", "Of a plate."]
    assert part.as_options() == {
        "first-value": 7,
        **{f"{kind}-size": len(traits.plural) for kind, traits in TRAITS.items()},
        "last": "0x2",
    }
    assert Part.group == "Files"


def test_values_are_checked_and_turned_into_their_type() -> None:
    assert Part("3").first_value == 3  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"^--first-value: None is not a number$"):
        Part(None)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"^--plate-size: \[\] is not a number$"):
        Part(**{"plate_size": []})  # type: ignore[arg-type]
    with pytest.raises(FrozenInstanceError):
        Part().last = 3  # type: ignore[misc]


def test_settings_of_each_kind() -> None:
    part = Part(**{"plate_size": 9})
    assert part.sizes == {**{kind: len(traits.plural) for kind, traits in TRAITS.items()}, "plate": 9}
    assert Part.sizes.values({"plate": 3}) == {f"{kind}_size": 3 if kind == "plate" else None for kind in KINDS}
    assert part != Part()
    assert hash(part) != hash(Part())


def test_settings_of_kinds_that_models_look_for() -> None:
    of_models = PerKind("score", lambda kind: 1, to_whole_number, "Of {one}.", "N", only_models=True)
    assert list(of_models.fields()) == [f"{kind}_score" for kind in MODEL_KINDS]
    assert of_models.values({"area": 2}) == dict.fromkeys(of_models.fields())


def test_plain_values() -> None:
    assert [to_plain(value) for value in (("a", "b"), Path("a"), None, 1.5)] == ["a,b", "a", None, 1.5]
