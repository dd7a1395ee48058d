"""A real server in a thread of this process, with real worker processes that find what fakes say."""

from __future__ import annotations

import io
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from fakes import load_troublesome
from PIL import Image

from anonymizer.detect.frames import ModelFinder
from anonymizer.pipeline import Finder
from anonymizer.run.service import Service
from anonymizer.settings import DetectSettings, ServeSettings, Settings
from anonymizer.types import Pixels
from anonymizer.web.access import Keys
from anonymizer.web.api import Api
from anonymizer.web.jobs import Desk
from anonymizer.web.redaction_task import RedactionTask
from anonymizer.web.review import Review
from anonymizer.web.server import listen, make_server, open_film_desk

TOKEN = "a-token-for-tests-only"
TIMEOUT_S = 120.0


def load_once(settings: DetectSettings) -> ModelFinder:
    """Ends each process but the first one that loads."""
    mark = Path(os.environ["TROUBLE_MARK"])
    if mark.exists():
        os.kill(os.getpid(), signal.SIGKILL)
    mark.touch()
    return load_troublesome(settings)


class Served:
    """A server, and a client for it."""

    def __init__(self, api: Api, server: uvicorn.Server, address: str) -> None:
        self.api = api
        self.server = server
        self.address = address
        self.client = httpx.Client(base_url=address, timeout=TIMEOUT_S)

    def connect(self) -> socket.socket:
        """A connection on which nothing was sent yet."""
        return socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])), timeout=TIMEOUT_S)

    def redact(self, content: bytes, **settings: str) -> httpx.Response:
        return self.client.post("/v1/redact", content=content, params=settings)


@contextmanager
def serving(
    load: Callable[[DetectSettings], Finder] = load_troublesome,
    settings: Settings = Settings(),
    timeout_s: float = 60.0,
    review: Review | None = None,
    films: Callable[[DetectSettings], Finder] | None = None,
    **limits: Any,
) -> Iterator[Served]:
    """Starts a server on a free port, and ends it.

    Args:
        films: makes what says what is in films; None: it takes none.
    """
    serve = ServeSettings(port=0, workers=1, timeout=timeout_s, **limits)
    desk: Desk = Service(RedactionTask(settings.detect, load), 1, timeout_s)
    film_desk = None if films is None else open_film_desk(serve, settings.detect, films)
    desks = [desk] if film_desk is None else [desk, film_desk]
    for each in desks:
        each.start()
    listener = listen(serve)
    api = Api(desk, film_desk, {"face": 0.2}, serve, settings, Keys(serve.token), review)
    server = make_server(api)
    thread = threading.Thread(target=server.run, args=[[listener]], daemon=True)
    thread.start()
    served = Served(api, server, f"http://127.0.0.1:{listener.getsockname()[1]}")
    try:
        yield served
    finally:
        served.client.close()
        server.should_exit = True
        thread.join()
        listener.close()
        for each in desks:
            each.close()


def png(pixels: Pixels) -> bytes:
    """A picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pixels_of(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def problem_of(response: httpx.Response) -> Mapping[str, Any]:
    """What is wrong."""
    assert response.headers["content-type"] == "application/problem+json"
    problem: Mapping[str, Any] = response.json()
    assert problem["status"] == response.status_code
    return problem
