"""Forms in memory."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymizer.web.forms import parse_form
from anonymizer.web.limits import MAX_PARTS
from anonymizer.web.problems import Problem

TYPE = "multipart/form-data; boundary=xyz"


def encoded(**parts: object) -> tuple[str, bytes]:
    """A form as a client sends it."""
    files = {name: ("näme.jpg", part) if isinstance(part, bytes) else (None, part) for name, part in parts.items()}
    request = httpx.Request("POST", "http://localhost", files=files)  # type: ignore[arg-type]
    return request.headers["content-type"], request.read()


@given(st.binary(min_size=1), st.text(st.characters(exclude_categories=["C", "Z"]), max_size=300))
def test_what_a_client_posts_arrives(content: bytes, text: str) -> None:
    form = parse_form(*encoded(file=content, method=text, detections=b"[]"))
    assert form.files == {"file": content, "detections": b"[]"}
    assert form.fields == {"method": text}


def test_parts_are_told_apart_by_their_names_alone() -> None:
    body = (
        b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a; name=method"\r\nX: y\r\n\r\n1\r\n2\r\n'
        b"--xyz  \r\ncontent-disposition: form-data; name=method\r\n\r\nsolid\r\n--xyz--\r\nepilogue"
    )
    form = parse_form('multipart/form-data; charset=utf-8; boundary="xyz"', b"preamble\r\n" + body)
    assert (form.files, form.fields) == ({"file": b"1\r\n2"}, {"method": "solid"})


def test_a_field_without_a_file_is_as_good_as_none() -> None:
    assert (
        parse_form(TYPE, b'--xyz\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--xyz--').files
        == {}
    )


def test_several_may_be_chosen_of_a_list() -> None:
    chosen = part("kinds", "face") + part("kinds", "") + part("method", "solid") + part("kinds", "text,code")
    assert parse_form(TYPE, chosen + b"--xyz--").fields == {"kinds": "face,text,code", "method": "solid"}


def part(name: str, content: str = "x") -> bytes:
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n'.encode()


@pytest.mark.parametrize(
    ("content_type", "body", "what"),
    [
        ("multipart/form-data", b"", "no boundary"),
        (f"multipart/form-data; boundary={'x' * 71}", b"", "no boundary"),
        ("multipart/form-data; boundary*=a; boundary*0=b", b"", "no boundary"),
        (f"multipart/form-data; boundary*{'9' * 5000}=a", b"", "no boundary"),
        (TYPE, b"--xyz\r\nContent-Disposition: form-data; name*=a; name*0=b\r\n\r\n\r\n--xyz--", "has no name"),
        (TYPE, b"", "ends too early"),
        (TYPE, b"hello", "ends too early"),
        (TYPE, part("file"), "ends too early"),
        (TYPE, b"--xyz", "ends too early"),
        (TYPE, part("file")[:-4] + b"--xyz--", "ends too early"),
        (TYPE, b"--xyz\r\n\r\nx\r\n--xyz--", "has no name"),
        (TYPE, b"--xyz\r\nname=file\r\n\r\nx\r\n--xyz--", "has no name"),
        (TYPE, b"--xyz\r\nContent-Disposition: " + b"x" * 9000 + b"\r\n\r\nx\r\n--xyz--", "has no name"),
        (TYPE, part("file") + part("file") + b"--xyz--", "is there twice"),
        (TYPE, part("method") + part("method") + b"--xyz--", "is there twice"),
        (TYPE, b'--xyz\r\nContent-Disposition: form-data; name="cells"\r\n\r\n\xff\r\n--xyz--', "not text"),
    ],
)
def test_forms_that_are_none_are_refused(content_type: str, body: bytes, what: str) -> None:
    with pytest.raises(Problem, match=what) as caught:
        parse_form(content_type, body)
    assert caught.value.status == 400


def test_many_parts_are_refused_before_they_are_taken_apart() -> None:
    body = b"".join(part(f"a{number}") for number in range(10_000)) + b"--xyz--"
    with pytest.raises(Problem, match=f"more than {MAX_PARTS} parts") as caught:
        parse_form(TYPE, body)
    assert caught.value.status == 413
    just = b"".join(part(f"a{number}") for number in range(MAX_PARTS)) + b"--xyz--"
    assert len(parse_form(TYPE, just).fields) == MAX_PARTS


@given(st.binary(max_size=300))
def test_no_body_is_too_odd(body: bytes) -> None:
    with suppress(Problem):
        parse_form(TYPE, b"--xyz\r\n" + body)
