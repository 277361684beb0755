"""SIGTERM and SIGINT: the first one ends the service in order, the second one at once.

Real handlers, not the event loop's: they are called before there is a loop and while it is held up, too. What they do
must be safe between any two instructions of the main thread: no lock is taken, no buffered stream is written to.
"""

import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn, Self

from processor.service import REPEATED

HANDLED = (signal.SIGTERM, signal.SIGINT)
GRACE = 2.0
"""Seconds after the end's own deadline until an event loop that does not turn is left behind."""
KILLED = 128
"""What shells add to a signal's number where it ended a process."""
STDERR = 2
"""Its descriptor, without the buffer and the lock of `sys.stderr`."""


class Signals:
    """Handles the signals while the block runs.

    nothing runs ──signal──▶ exit 0, or `early`
    running ──signal──▶ ending ──the next one──▶ exit 128 + its number
                               ──shutdown_timeout is over, and the event loop held up──▶ exit 1

    Args:
        early: the exit code where nothing runs yet; 0 where there is no work that would be missed.
    """

    def __init__(self, early: int = 0) -> None:
        self._early = early
        self._stop: Callable[[], object] | None = None
        self._timeout = 0.0
        self._unsettled: Callable[[], str] = str
        self._ending = False
        self._before = {number: signal.getsignal(number) for number in (*HANDLED, signal.SIGALRM)}

    def __enter__(self) -> Self:
        for number in HANDLED:
            signal.signal(number, self._handle)
        signal.signal(signal.SIGALRM, self._held_up)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def running(self, stop: Callable[[], object], timeout: float, unsettled: Callable[[], str]) -> None:
        """From now on something runs that must end in order.

        Args:
            stop: begins that; called once, from a signal handler.
            timeout: seconds that it takes at most.
            unsettled: what an end at once would give up, in words; called from a signal handler.
        """
        self._timeout, self._unsettled, self._stop = timeout, unsettled, stop

    def _handle(self, number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self._stop is None:
            leave(self._early, f"ended by {name} before anything was started")
        if self._ending:
            leave(KILLED + number, f"ended at once by a second {name}, and given up: {self._unsettled()}; {REPEATED}")
        self._ending = True
        signal.setitimer(signal.ITIMER_REAL, self._timeout + GRACE)
        self._stop()

    def _held_up(self, _: int, frame: FrameType | None) -> None:
        stack = "".join(traceback.format_stack(frame))
        words = f"not ended within shutdown_timeout ({self._timeout:g} s): the event loop is held up, see below"
        leave(1, f"{words}. Given up: {self._unsettled()}; {REPEATED}\n{stack}")


def leave(code: int, words: str = "") -> NoReturn:
    """End the process now, whatever its threads wait for; what stands in buffers is lost."""
    with suppress(OSError):  # nobody reads it any more
        os.write(STDERR, f"clickstream: {words}\n".encode() if words else b"")
    os._exit(code)
