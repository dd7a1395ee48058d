"""Runs the server: worker processes first, then the port."""

from __future__ import annotations

import logging
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib.util import find_spec
from types import FrameType

import uvicorn

from anonymizer.detect.frames import load_finder
from anonymizer.detect.load import lowest_thresholds
from anonymizer.errors import SettingsError
from anonymizer.files.memory import has_memory_files
from anonymizer.pipeline import Finder
from anonymizer.run.machine import auto_workers
from anonymizer.run.service import Service
from anonymizer.settings import DetectSettings, ServeSettings, Settings
from anonymizer.web.access import Keys
from anonymizer.web.api import Api
from anonymizer.web.app import make_app
from anonymizer.web.connections import GuardedProtocol
from anonymizer.web.jobs import Desk
from anonymizer.web.limits import KEEP_ALIVE_S, MAX_CONNECTIONS, SHUTDOWN_S
from anonymizer.web.orders import FilmLimits
from anonymizer.web.privacy import forbid_core_dumps
from anonymizer.web.redaction_task import RedactionTask
from anonymizer.web.review import Review

_SPARE_FILES = 256
"""Descriptors for everything but connections."""
_BACKLOG = 1024
"""Connections that the system keeps waiting."""


class _Server(uvicorn.Server):
    """Ends on signals, but not by them: the workers are to be ended, too. It also ends when they cannot go on."""

    def __init__(self, config: uvicorn.Config, api: Api) -> None:
        super().__init__(config)
        self._api = api

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or not self._api.is_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():  # no other may take signals
            yield
            return
        before = {number: signal.signal(number, self._take) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def run_server(
    serve: ServeSettings,
    settings: Settings,
    on_ready: Callable[[str], None],
    load: Callable[[DetectSettings], Finder] = load_finder,
    review: Review | None = None,
) -> None:
    """Serves until a signal ends it.

    Args:
        settings: what requests do not say is as here.
        on_ready: called with the address of the server when it listens.
        load: makes what says where faces and plates are, once in each worker.
        review: the finished folder that the page shows, where it shows one.

    Raises:
        SettingsError: the port cannot be used.
        ModelError: a model is missing, damaged or not a detection model.
        AnonymizerError: the workers cannot go on.
    """
    forbid_core_dumps()
    _silence_libraries()
    with closing(listen(serve)) as listener:
        pictures: Desk = Service(RedactionTask(settings.detect, load), serve.workers or auto_workers(), serve.timeout)
        films = open_film_desk(serve, settings.detect, load) if review is None or review.has_films else None
        with ExitStack() as desks:
            for desk in filter(None, (pictures, films)):
                desks.callback(desk.close)
                desk.start()
            keys = Keys(serve.token)
            api = Api(pictures, films, lowest_thresholds(settings.detect), serve, settings, keys, review)
            server = make_server(api)
            on_ready(_address(listener, serve))
            server.run(sockets=[listener])
            for desk in filter(None, (pictures, films)):
                if desk.error is not None:
                    raise desk.error


def open_film_desk(
    serve: ServeSettings, settings: DetectSettings, load: Callable[[DetectSettings], Finder] = load_finder
) -> Desk | None:
    """What works on films, not started yet; None where films are not taken.

    Raises:
        SettingsError: they are to be taken, and cannot be.
    """
    is_able = find_spec("av") is not None and has_memory_files()
    if serve.film_workers and not is_able:
        text = "films need PyAV (pip install 'anonymizer[video]') and files in memory, which Linux has"
        raise SettingsError(f"--film-workers {serve.film_workers}: {text}")
    workers = int(is_able) if serve.film_workers is None else serve.film_workers
    if not workers:
        return None
    limits = FilmLimits(
        serve.max_film_bytes,
        serve.max_film_pixels,
        serve.max_film_frames,
        serve.max_film_seconds,
        serve.film_timeout,
    )
    return Service(RedactionTask(settings, load, limits), workers, serve.timeout)


def make_server(api: Api) -> uvicorn.Server:
    """The HTTP server of an application. It logs nothing of requests."""
    config = uvicorn.Config(
        make_app(api),
        http=GuardedProtocol.limited_to(_allow_connections()),
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
        proxy_headers=bool(api.serve.trusted_proxy),
        forwarded_allow_ips=list(api.serve.trusted_proxy),
    )
    return _Server(config, api)


def _silence_libraries() -> None:
    """What they say of errors may quote what was posted."""
    for name in ("asyncio", "uvicorn"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def listen(serve: ServeSettings) -> socket.socket:
    """
    Raises:
        SettingsError: the address or the port cannot be used.
    """
    try:
        family, *_, address = socket.getaddrinfo(serve.host, serve.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SettingsError(f"--host {serve.host} --port {serve.port}: {error.strerror or error}") from None


def _address(listener: socket.socket, serve: ServeSettings) -> str:
    port = listener.getsockname()[1]
    host = f"[{serve.host}]" if ":" in serve.host else serve.host
    return f"http://{host}:{port}/"


def _allow_connections() -> int:
    """How many connections there may be. Raises the limit of open files for them, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft - _SPARE_FILES))
