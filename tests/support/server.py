"""Servers of ours on loopback: started, broken and restarted by tests, and gone when the tests are."""

import atexit
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import ClassVar, Self
from zlib import crc32

from tests.support.waiting import eventually_sync

START_TIMEOUT = 120
"""Seconds; 3 to 12 are usual, more when other tests have the processors."""
STOP_TIMEOUT = 20
"""Seconds for an orderly stop, before the process is killed."""


PORTS = 12_000
"""How many are given out, one after another."""
APART = 1_500
"""As many lie between the first ones of two processes that share a test run."""


def first_port(env: Mapping[str, str]) -> int:
    """Where a process begins, as a number below `PORTS`: anywhere, but those of one run apart from each other.

    Args:
        env: the process's environment, where xdist names the run and the process.
    """
    run = env.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex())
    process = int(env.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return (crc32(run.encode()) + process * APART) % PORTS


_tickets = count(first_port(os.environ))


def free_port() -> int:
    """A free port on loopback, below those that the kernel gives to outgoing connections.

    A client that calls a stopped server again and again on one of the kernel's ports gets, sooner or later,
    that very port for its own end: it then talks to itself, and the server cannot start again.

    No two servers of a test run get the same one, in whichever of its processes: one that is stopped, or not yet up,
    does not hold its own, and who waits for it would take the other for it.
    """
    while True:
        port = 20_000 + next(_tickets) % PORTS
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def listening(port: int) -> bool:
    """Whether someone accepts connections on this port of loopback."""
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


class Server(ABC):
    """A server of ours on loopback that keeps its port and its data over restarts.

    `start → (stop | kill → start)* → close`; as a context manager it is started and closed. Whatever ends the
    test run ends the server. On Linux that holds for a run that is killed, too, at this price: a server also
    ends with the *thread* that started it, so start it from one that stays.

    Attributes:
        folder: its data and its log `server.log`; removed by `close`.
        port: where it listens.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="clickstream-tests-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The command line."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers as it should; asked only while it listens."""

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: it ended, or does not answer in time; carries the end of its log.
        """
        self.begin()
        self.await_ready()

    def begin(self) -> None:
        """Start it and do not wait: for servers that wait for each other."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*bound_to_us(), *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which close their servers in order
            )

    def await_ready(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it ended, or does not answer in time; carries the end of its log.
        """
        try:
            eventually_sync(self._ended_or_ready, within=START_TIMEOUT)
        except AssertionError:
            self.kill()
            raise RuntimeError(self._trouble(f"does not answer after {START_TIMEOUT} s")) from None
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(self._trouble(f"ended with {self._process.returncode}"))

    def stop(self) -> None:
        """Ask it to stop, wait for that, kill it when it takes too long."""
        if not self._process:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop it and start it again with the same port and data."""
        self.stop()
        self.start()

    @property
    def running(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def freeze(self) -> None:
        """Stop it in the middle of what it does; the kernel takes connections for it."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep it frozen for as long as the block runs."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def close(self) -> None:
        """End it for good and remove its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _ended_or_ready(self) -> bool:
        ended = self._process is None or self._process.poll() is not None
        return ended or (listening(self.port) and self.ready())

    def _trouble(self, what: str) -> str:
        last = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
        return f"{self.name} on port {self.port} {what}; the end of its log:\n{last}"


def bound_to_us() -> tuple[str, ...]:
    """A prefix for a command that lets the kernel kill it when its parent dies, where a kernel does that."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
