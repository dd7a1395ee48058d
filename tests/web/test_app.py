from __future__ import annotations

import re
from pathlib import Path

import pytest
from web.served import TOKEN, Served, problem_of, serving

import anonymizer.web.app

STATIC = Path(anonymizer.web.app.__file__).with_name("static")


def test_files_of_the_package_are_served_and_no_others(served: Served) -> None:
    response = served.client.get("/static/docs.css")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/css; charset=utf-8")
    for name in ("..%2fapp.py", "../app.py", "nothing.css", ".", "%00.css", "docs.css/"):
        assert served.client.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/v1", "/v1/redact/", "/v1/jobs/", "/v1/jobs/a/b", "/%2e%2e/etc/passwd"])
def test_there_is_nothing_elsewhere(served: Served, path: str) -> None:
    assert problem_of(served.client.get(path))["status"] == 404


def test_the_first_page_works_without_scripts(served: Served) -> None:
    page = served.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<form id="upload" method="post" action="/v1/redact" enctype="multipart/form-data">' in page.text
    assert 'href="/docs"' in page.text


def test_pages_hold_nothing_inline_and_nothing_from_elsewhere() -> None:
    for page in STATIC.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<style|<script(?! type=\"module\" src=)|\son\w+=|\sstyle=|javascript:", text)
        assert not re.search(r"(src|href|action)=\"(?!/)", text)


def test_scripts_make_no_markup_of_texts() -> None:
    scripts = [script.read_text(encoding="utf-8") for script in STATIC.glob("*.js")]
    assert scripts
    for script in scripts:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script)
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", script)


def test_who_must_sign_in_sees_nothing_else() -> None:
    with serving(token=TOKEN) as served:
        assert 'action="/v1/session"' in served.client.get("/").text
        assert "/v1/redact" not in served.client.get("/").text
        assert served.client.post("/v1/session", data={"token": TOKEN}).status_code == 204
        assert "/v1/redact" in served.client.get("/").text
