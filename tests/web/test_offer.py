from __future__ import annotations

from html.parser import HTMLParser
from importlib import resources

from web.served import Served

from anonymizer.settings import RedactSettings, ServeSettings, Settings
from anonymizer.web.offer import describe_offer
from anonymizer.web.request_settings import FIELDS, parse_settings


def test_it_says_what_holds_where_a_request_says_nothing() -> None:
    defaults = Settings(redact=RedactSettings(method="solid"))
    offer = describe_offer(ServeSettings(max_bytes=7), defaults, {"face": 0.3})
    assert offer["settings"]["method"]["default"] == "solid"  # type: ignore[index]
    assert offer["kinds"] == {"face": {"threshold": 0.3, "one": "a face", "plural": "faces"}}
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
