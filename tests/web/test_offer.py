from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib import resources

import pytest
from web.served import Served

from anonymizer.kinds import MODEL_KINDS
from anonymizer.settings import DetectSettings, RedactSettings, ServeSettings, Settings
from anonymizer.web.offer import describe_offer, render_kinds, usual_kinds
from anonymizer.web.request_settings import FIELDS, parse_settings


def test_it_says_what_holds_where_a_request_says_nothing() -> None:
    defaults = Settings(redact=RedactSettings(method="solid"))
    offer = describe_offer(ServeSettings(max_bytes=7), defaults, {"face": 0.3})
    assert offer["settings"]["method"]["default"] == "solid"  # type: ignore[index]
    assert offer["kinds"] == {"face": {"threshold": 0.3, "one": "a face", "plural": "faces", "is_default": True}}
    assert offer["max_bytes"] == 7


def test_programs_can_ask_for_it(served: Served) -> None:
    offer = served.client.get("/v1/settings").json()
    assert set(offer["settings"]) == set(FIELDS)
    assert "jpg" in offer["extensions"]


def test_the_form_of_the_page_says_what_holds_anyway() -> None:
    """Without scripts, a browser sends all of its fields."""
    form = _Form()
    form.feed(resources.files("anonymizer.web").joinpath("static/index.html").read_text())
    assert {"method", "cells", "face-margin", "preset"} <= set(form.fields)
    assert parse_settings(form.fields, Settings()) == Settings()


ALL = dict.fromkeys(MODEL_KINDS, 0.5)


@pytest.mark.parametrize(
    ("settings", "usual"),
    [
        (DetectSettings(), ["face", "plate"]),
        (DetectSettings(preset="crowd"), ["face", "plate", "head"]),
        (DetectSettings("area,text"), ["text"]),
    ],
)
def test_the_form_offers_all_kinds_and_chooses_those_of_the_operator(
    settings: DetectSettings, usual: list[str]
) -> None:
    assert usual_kinds(settings, ALL) == usual
    html = render_kinds(settings, ALL)
    assert re.findall(r'value="(\w+)"', html) == list(ALL)
    assert re.findall(r'value="(\w+)" checked', html) == usual
    assert "text on signs, houses and screens</label>" in html


def test_the_page_is_served_with_the_choice(served: Served) -> None:
    page = served.client.get("/").text
    assert re.findall(r'name="kinds" value="(\w+)" checked', page) == ["face"]


class _Form(HTMLParser):
    """What is sent where nobody has changed anything."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = given.get("name")
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.fields):
            self.fields[self._select] = given["value"]
        elif tag == "input" and "name" in given and given["type"] in ("range", "color"):
            self.fields[given["name"]] = given["value"]
