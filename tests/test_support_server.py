"""Servers that tests start: they answer, or say why not, and leave nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.server import APART, PORTS, Server, first_port, listening
from tests.support.waiting import eventually_sync


class PythonServer(Server):
    """A server that is quick to start: it runs Python code, which finds its port in `sys.argv[1]`."""

    name = "Python"

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def command(self) -> tuple[str, ...]:
        """Python on the code."""
        return (sys.executable, "-c", self.code, str(self.port))

    def ready(self) -> bool:
        """To listen is enough."""
        return True


LISTEN = "import socket, sys; server = socket.create_server(('127.0.0.1', int(sys.argv[1])))"
SERVE = f"{LISTEN}\nwhile True: server.accept()"


def test_a_server_leaves_nothing_behind() -> None:
    """A closed server has given back its port and its folder, and may be closed again."""
    with PythonServer(SERVE) as server:
        assert listening(server.port)
        server.close()

    assert not listening(server.port)
    assert not server.folder.exists()


def test_a_server_that_ends_says_why() -> None:
    """Where a server does not start, the message has the end of its log, and nothing is left."""
    server = PythonServer("raise SystemExit('no disk')")

    with pytest.raises(RuntimeError, match=r"(?s)Python on port \d+ ended with 1; .*no disk"), server:
        pass

    assert not server.folder.exists()


def test_a_server_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not end when asked is ended."""
    monkeypatch.setattr("tests.support.server.STOP_TIMEOUT", 0.1)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVE}"

    with PythonServer(deaf) as server:
        server.stop()

        assert not listening(server.port)


def test_a_frozen_server_goes_on_later() -> None:
    """It does nothing for as long as the block runs, though the kernel takes connections for it."""
    with PythonServer(SERVE) as server:
        assert server._process
        process = psutil.Process(server._process.pid)
        with server.frozen():
            eventually_sync(lambda: process.status() == psutil.STATUS_STOPPED)
            assert listening(server.port)
        eventually_sync(lambda: process.status() != psutil.STATUS_STOPPED)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_server_dies_with_a_killed_run(tmp_path: Path) -> None:
    """No server outlives a test run, not even one that was killed."""
    code = (
        "from tests.test_support_server import PythonServer, SERVE\n"
        "with PythonServer(SERVE) as server: print(server._process.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # a killed run removes nothing
    ) as run:
        assert run.stdout
        pid = int(run.stdout.readline())
        run.kill()

    eventually_sync(lambda: not psutil.pid_exists(pid))


def test_processes_of_one_run_give_out_other_ports() -> None:
    """Each has as many for itself as no run needs; where a run begins differs from that of another one."""

    def first(run: str, process: int) -> int:
        return first_port({"PYTEST_XDIST_TESTRUNUID": run, "PYTEST_XDIST_WORKER": f"gw{process}"})

    distances = [(first("a", number + 1) - first("a", number)) % PORTS for number in range(4)]

    assert distances == [APART] * 4
    assert first("a", 0) != first("b", 0)
    assert all(0 <= first_port({}) < PORTS for _ in range(100))
