"""What stands for `threading` and for waits on futures while a simulation runs."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from greenlet import GreenletExit

from tests.simulation.machine import Host, Machine


class SimEvent:
    """`threading.Event`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._set = False

    def is_set(self) -> bool:
        """Whether it is."""
        return self._set

    def set(self) -> None:
        """Let all go on that wait."""
        self._set = True

    def clear(self) -> None:
        """Let the next ones wait."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set."""
        return self._machine.wait(self.is_set, timeout)


class SimLock:
    """`threading.Lock`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._held = False

    def acquire(self, blocking: bool = True) -> bool:  # noqa: FBT001, FBT002 - as the real one
        """Take it."""
        if self._held and not blocking:
            return False
        self._machine.wait(lambda: not self._held, None)
        self._held = True
        return True

    def release(self) -> None:
        """Give it back."""
        self._held = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class SimThread:
    """`threading.Thread`, on the host that makes it."""

    def __init__(self, machine: Machine, target: Callable[[], None], name: str) -> None:
        self._machine = machine
        self._host = _host_of(machine)
        self._target = target
        self._name = name
        self._alive = False

    def start(self) -> None:
        """Start it."""
        self._alive = True
        self._machine.thread(self._run, self._host)

    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._alive

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self._machine.wait(lambda: not self._alive, timeout)

    def _run(self) -> None:
        try:
            self._target()
        except GreenletExit:
            raise
        except BaseException as exception:  # noqa: BLE001 - the referee's
            self._machine.complaints.append(f"the thread {self._name} ended: {exception!r}")
        finally:
            self._alive = False


class SimThreading:
    """The module `threading`, as far as the service uses it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def Event(self) -> SimEvent:  # noqa: N802 - as the real one
        """`threading.Event`."""
        return SimEvent(self._machine)

    def Lock(self) -> SimLock:  # noqa: N802 - as the real one
        """`threading.Lock`."""
        return SimLock(self._machine)

    def Thread(self, target: Callable[[], None], name: str, daemon: bool) -> SimThread:  # noqa: FBT001, N802, ARG002
        """`threading.Thread`."""
        return SimThread(self._machine, target, name)


class SimAsyncio:
    """The module `asyncio`, where a thread waits for the event loop."""

    AbstractEventLoop = asyncio.AbstractEventLoop

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def run_coroutine_threadsafe(self, coro: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> "_Awaited":
        """Run it there; `result` blocks the simulated thread."""
        return _Awaited(self._machine, coro, loop)


class _Awaited:
    def __init__(self, machine: Machine, coro: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> None:
        self._machine = machine
        self._future = asyncio.run_coroutine_threadsafe(coro, loop)

    def result(self, timeout: float | None = None) -> Any:
        """The result, or TimeoutError."""
        if not self._machine.wait(self._future.done, timeout):
            raise TimeoutError
        return self._future.result(0)

    def cancel(self) -> bool:
        """Cancel it."""
        return self._future.cancel()


def _host_of(machine: Machine) -> Host:
    if machine.host is None:
        raise RuntimeError("a thread is made on the network")
    return machine.host
