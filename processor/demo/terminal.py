"""A person at a terminal: keys one by one, and its settings as they were in every way out."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

DUMB = {"dumb", ""}
"""Terminals (`TERM`) that cannot move their cursor."""


def can_draw() -> bool:
    """Whether standard output is a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in DUMB


def has_colour() -> bool:
    """Whether it may be coloured (no-color.org)."""
    return not os.environ.get("NO_COLOR")


class Keys:
    """Reads keys while the block runs, where standard input is a terminal; echoes nothing.

    Args:
        pressed: is called on the event loop for each key, as small letters.

    Attributes:
        active: whether keys are read.
    """

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._descriptor = sys.stdin.fileno() if sys.stdin.isatty() and sys.stdout.isatty() else None
        self._before: list[Any] | None = None

    @property
    def active(self) -> bool:
        """Whether keys are read."""
        return self._before is not None

    def __enter__(self) -> Self:
        if self._descriptor is not None:
            self._before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor)  # ctrl-C and ctrl-Z stay what they are
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self.restore()

    def restore(self) -> None:
        """Set the terminal as it was; may be called from a signal handler, and twice."""
        if self._descriptor is not None and self._before is not None:
            with suppress(termios.error):  # it is gone
                # Now: to wait until all is written could take for ever.
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)

    def _read(self) -> None:
        assert self._descriptor is not None  # noqa: S101 - only then there is a reader
        try:
            typed = os.read(self._descriptor, 64)
        except OSError:
            typed = b""
        if not typed:  # it is gone
            asyncio.get_running_loop().remove_reader(self._descriptor)
        for key in typed.decode(errors="replace").lower():
            self._pressed(key)
