"""Workers on a cluster of Ray: one actor for each, which loads the models once.

Ray starts the actors, carries what they are told and what they answer, and says when one is gone. It tries nothing
again by itself: what becomes of items is for the dispatcher to say. Only names of files travel, never pixels.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from typing import Any, Generic

from anonymizer.detect.stderr import suppress_native_stderr
from anonymizer.errors import AnonymizerError, SettingsError
from anonymizer.run.dispatcher import Dispatcher, Lost, Seat
from anonymizer.run.executor import Answer, Executor, Item, Task
from anonymizer.run.machine import auto_workers
from anonymizer.run.remote import RemoteMessage, RemoteWorker, Reply

logger = logging.getLogger(__name__)

MISSING_RAY = "--executor ray needs Ray: pip install 'anonymizer[ray]'"
_STORE_BYTES = 80_000_000
"""For the objects of a Ray of our own, the least that it takes: nothing large is sent."""
_OF_ALL: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would tell its makers how it is used
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of what it will do one day
}
_OF_OUR_OWN: Mapping[str, str] = {
    "RAY_AUTH_MODE": "token",
    "RAY_worker_niceness": "0",  # else all other programs of the machine go first
    # Named after the systems on which it is the default: everything listens on 127.0.0.1 alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}
"""Whoever reaches the ports of Ray can run programs: nobody else may, nor other users of this machine."""
_OF_OTHERS = ("RAY_ADDRESS", "RAY_AUTH_TOKEN_PATH")
"""What leads to another cluster."""
_CONNECT_S = 10.0
"""How long a cluster may take to accept a connection."""
_PROBE_S = 1.0
"""How long a worker that could not be reached is left alone until it is asked again whether it has ended."""


@dataclass(frozen=True)
class RayPlace:
    """Which Ray, and what each worker takes of it."""

    address: str | None = None
    """Of a running cluster, such as 10.0.0.1:6379, or auto; None for one on this machine, for this run alone."""
    cpus: float = 1.0
    gpus: float = 0.0


class RayCluster(Generic[Item]):
    """See `Cluster`."""

    def __init__(self, place: RayPlace, task: Task[Item, Any]) -> None:
        self._place = place
        self._task = pickle.dumps(task)
        self._level = logging.getLogger(__name__.partition(".")[0]).getEffectiveLevel()
        self._ray: Any = None
        self._cleanup = ExitStack()
        self._actors: dict[Seat[Item], Any] = {}
        self._said: SimpleQueue[tuple[Seat[Item], Future[Reply]]] = SimpleQueue()
        self._probes: dict[Seat[Item], float] = {}
        """Workers that could not be reached, and when to ask them again."""

    def open(self, workers: int | None) -> None:
        with ExitStack() as cleanup:
            cleanup.enter_context(_environment(_OF_ALL))
            if not _is_connected():  # by the program that imports this package
                number = auto_workers() if workers is None else workers
                cleanup.enter_context(connection_to(self._place, number))
            import ray

            self._ray = ray
            cleanup.enter_context(_silenced())
            if self._place.address is None and not self.room():
                text = f"{self._place.cpus:g} processors and {self._place.gpus:g} graphics cards"
                raise SettingsError(f"Ray on this machine has no room for a worker that takes {text}")
            self._shared_task = ray.put(self._task)
            options = {"num_cpus": self._place.cpus, "num_gpus": self._place.gpus}
            self._actor = ray.remote(max_restarts=0, max_task_retries=0, **options)(_Actor)
            self._cleanup = cleanup.pop_all()

    def room(self) -> int:
        there = self._ray.cluster_resources()
        rooms = [
            there.get(name, 0.0) / each for name, each in (("CPU", self._place.cpus), ("GPU", self._place.gpus)) if each
        ]
        return math.floor(min(rooms) + 1e-9) if rooms else 1

    def hire(self, seat: Seat[Item]) -> None:
        self._actors[seat] = actor = self._actor.remote()
        self._watch(seat, actor.begin.remote(self._shared_task, self._level, os.getcwd()))

    def send(self, seat: Seat[Item], items: Sequence[Item]) -> None:
        self._watch(seat, self._actors[seat].take.remote(pickle.dumps(items)))

    def poll(self, timeout_s: float) -> Iterator[tuple[Seat[Item], Sequence[RemoteMessage] | Lost]]:
        for seat in [seat for seat, when_s in self._probes.items() if time.monotonic() > when_s]:
            del self._probes[seat]
            self._watch(seat, self._actors[seat].go_on.remote())
        with suppress(Empty):
            while True:
                seat, future = self._said.get(timeout=timeout_s)
                timeout_s = 0.0
                answer = self._answer(seat, future)
                if answer is not None:
                    yield seat, answer

    def end(self, seat: Seat[Item]) -> None:
        self._ray.kill(self._actors[seat], no_restart=True)

    def close(self) -> None:
        for actor in self._actors.values():
            with suppress(self._ray.exceptions.RayError, ValueError):
                self._ray.kill(actor, no_restart=True)
        self._actors.clear()
        self._cleanup.close()

    def _watch(self, seat: Seat[Item], call: Any) -> None:
        future: Future[Reply] = call.future()
        future.add_done_callback(lambda done: self._said.put((seat, done)))

    def _answer(self, seat: Seat[Item], future: Future[Reply]) -> Sequence[RemoteMessage] | Lost | None:
        """What a call brought; None if it is not clear yet what became of the worker."""
        errors = self._ray.exceptions
        try:
            reply = future.result()
        except errors.ActorUnavailableError:
            # It may live or not. Only once it is dead for certain may another one take its item.
            with suppress(errors.RayError):
                self.end(seat)
            self._probes[seat] = time.monotonic() + _PROBE_S
            return None
        except errors.RayActorError as error:
            self._actors.pop(seat, None)
            return self._loss(seat, error)
        except errors.RayError as error:
            logger.debug("a call of a worker failed", exc_info=True)
            raise AnonymizerError(f"a worker of Ray cannot work: {_last_line(error)}") from None
        if not reply.is_last:
            self._watch(seat, self._actors[seat].go_on.remote())
        return reply.messages

    def _loss(self, seat: Seat[Item], error: Exception) -> Lost:
        text = str(error)
        if getattr(error, "actor_init_failed", False) or "ModuleNotFoundError" in text:
            logger.debug("a worker cannot begin: %s", text)
            raise AnonymizerError(
                f"a machine of the cluster cannot run the program: {_last_line(error)}; install it there"
            )
        alive = {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
        if "its node has died" in text or (seat.node is not None and seat.node not in alive):
            return Lost("its machine ended", is_with_node=True)
        logger.debug("a worker ended: %s", text)
        return Lost("for want of memory" if "memory" in text and "OutOfMemory" in text else "by a crash")


class _Actor(RemoteWorker):
    """The worker in a process of Ray's."""

    def _node(self) -> str:
        import ray

        return str(ray.get_runtime_context().get_node_id())


def make_ray_executor(
    task: Task[Item, Answer],
    place: RayPlace,
    workers: int | None,
    timeout_s: float,
    is_stopping: Callable[[], bool] = lambda: False,
    on_beat: Callable[[Item, str], None] = lambda item, text: None,
) -> Executor[Item, Answer]:
    return Dispatcher(RayCluster(place, task), task, workers, timeout_s, is_stopping, on_beat)


def _is_connected() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def require_ray() -> None:
    """
    Raises:
        SettingsError: Ray is not installed.
    """
    if find_spec("ray") is None:
        raise SettingsError(MISSING_RAY)


@contextmanager
def connection_to(place: RayPlace, workers: int) -> Iterator[None]:
    """A connection to the cluster, or to a Ray of our own, which ends with it.

    Raises:
        SettingsError: the cluster cannot be reached.
        AnonymizerError: Ray cannot be started.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "logging_level": logging.CRITICAL}
    with ExitStack() as cleanup:
        if place.address is None:
            own = {"RAY_AUTH_TOKEN": secrets.token_hex(32), "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
            cleanup.enter_context(_environment({**_OF_OUR_OWN, **own}, _OF_OTHERS))
            # Sockets lie in it, whose paths must be short.
            folder = cleanup.enter_context(
                tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True)
            )
            options: dict[str, Any] = {
                "address": "local",
                "num_cpus": math.ceil(workers * place.cpus),
                "num_gpus": None if place.gpus else 0,
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
                "_temp_dir": folder,
            }
        else:
            _require_listener(place.address)
            options = {"address": place.address}
        import ray

        if place.address is None:
            cleanup.enter_context(_loopback_alone())
        _forget_tokens()
        cleanup.callback(_forget_tokens)
        cleanup.callback(ray.shutdown)
        try:
            with _own_signals(), nullcontext() if place.address is None else suppress_native_stderr():
                ray.init(**options, **quiet)
        except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
            logger.debug("Ray cannot be reached or started", exc_info=True)
            if place.address is not None:
                raise SettingsError(f"--ray-address {place.address}: {_last_line(error)}") from None
            raise AnonymizerError(f"Ray cannot be started: {_last_line(error)}") from None
        yield


@contextmanager
def _loopback_alone() -> Iterator[None]:
    """A Ray that is started within listens on 127.0.0.1 alone, also where Ray was imported before.

    It reads the environment once, when it is imported.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _require_listener(address: str) -> None:
    """Ray itself would try for minutes.

    Raises:
        SettingsError: nobody listens there.
    """
    host, _, port = address.rpartition(":")
    if host:
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
        except OSError as error:
            raise SettingsError(f"--ray-address {address}: {error.strerror or error}") from None


@contextmanager
def _environment(values: Mapping[str, str], without: Sequence[str] = ()) -> Iterator[None]:
    """Sets variables of the environment, which processes that are started within have, too; Ray adds its own."""
    before = dict(os.environ)
    os.environ.update(values)
    for name in without:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        added = [name for name in os.environ if name.startswith("RAY_") or name == "PYTHONBREAKPOINT"]
        for name in {*values, *without, *added}:
            os.environ.pop(name, None)
            os.environ.update({name: before[name]} if name in before else {})


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; who asks politely for the end of a run is to be heard."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _silenced() -> Iterator[None]:
    """Ray prints to stdout what it has to say about dead machines and processes: it goes to the log."""
    from ray._private import worker

    rays = logging.getLogger("ray")
    level, printed = rays.level, getattr(worker, "print_to_stdstream", None)

    def log(data: Mapping[str, Any], *arguments: Any, **named: Any) -> None:
        logger.debug("Ray says: %s", "\n".join(data.get("lines", ())))

    rays.setLevel(logging.CRITICAL)
    worker.print_to_stdstream = log
    try:
        yield
    finally:
        rays.setLevel(level)
        worker.print_to_stdstream = printed


def _forget_tokens() -> None:
    """Ray keeps what it has read of the environment for as long as the process lives."""
    with suppress(ImportError, AttributeError):
        raylet: Any = import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
