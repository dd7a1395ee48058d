from __future__ import annotations

import pytest

from anonymizer.settings import DetectSettings, RedactSettings, Settings
from anonymizer.web.problems import Problem
from anonymizer.web.request_settings import FIELDS, OF_THE_OPERATOR, parse_settings, schema_of, to_flag


def test_what_is_said_takes_the_place_of_what_the_server_says() -> None:
    defaults = Settings(detect=DetectSettings(face_threshold=0.3), redact=RedactSettings("solid"))
    settings = parse_settings(
        {"method": "mosaic", "cells": "4", "redact-zone": "0,0 0.5,0 0.5,0.5", "allow-truncated": "on", "color": ""},
        defaults,
    )
    assert settings.redact == RedactSettings("mosaic", cells=4)
    assert settings.detect.threshold_of("face") == 0.3
    assert settings.detect.redact_zone == (("*", (((0, 0), (0.5, 0), (0.5, 0.5)),)),)
    assert settings.read.allow_truncated
    assert parse_settings({}, defaults) == defaults


@pytest.mark.parametrize("key", [*OF_THE_OPERATOR, "input", "write-detections", "keep-visible", "image-extensions"])
def test_places_and_limits_of_the_server_are_none_of_a_clients_business(key: str) -> None:
    with pytest.raises(Problem, match="unknown key") as caught:
        parse_settings({key: "/etc/passwd"}, Settings())
    assert caught.value.further == {"setting": key}


@pytest.mark.parametrize("settings", [{"obfuscation-kernel": "65,3,19", "method": "solid"}, {"cells": "many"}])
def test_the_setting_that_is_wrong_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        parse_settings(settings, Settings())
    assert caught.value.further["setting"] in settings
    assert not caught.value.detail.startswith("--")


def test_flags() -> None:
    assert to_flag("mask", "TRUE")
    assert not to_flag("mask", "0")


def test_every_setting_has_a_schema() -> None:
    assert schema_of("preset") == {"type": "string", "enum": ["fast", "balanced", "thorough", "crowd"]}
    assert schema_of("lossless-only") == {"type": "boolean"}
    assert schema_of("feather") == {"type": "number"}
    assert schema_of("cells") == {"type": "integer"}
    assert all(schema_of(key)["type"] for key in FIELDS)
