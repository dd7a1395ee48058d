"""Fixtures of the tests of the server."""

from collections.abc import Iterator

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from web.served import Served, serving


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that finds one face in each picture, without a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TROUBLE_MARK", str(tmp_path_factory.mktemp("mark") / "mark"))
        with serving() as server:
            yield server
