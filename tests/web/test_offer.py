from __future__ import annotations

from web.served import Served

from anonymizer.settings import RedactSettings, ServeSettings, Settings
from anonymizer.web.offer import describe_offer
from anonymizer.web.request_settings import FIELDS


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
