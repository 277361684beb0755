"""Over a pseudo-terminal, as a person has one."""

import asyncio
import os
import pty
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from processor.demo.terminal import Keys, can_draw, has_colour
from tests.support.waiting import eventually


@contextmanager
def person() -> Iterator[int]:
    """Where a person types; standard input and output are the other end. No fixture: pytest's own come later."""
    typed, terminal = pty.openpty()
    with (
        os.fdopen(terminal, "rb", buffering=0) as stdin,
        os.fdopen(os.dup(terminal), "w") as stdout,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "stdin", stdin)
        patch.setattr(sys, "stdout", stdout)
        yield typed
    with suppress(OSError):
        os.close(typed)


def settings() -> list[Any]:
    """How the terminal is set."""
    return termios.tcgetattr(sys.stdin.fileno())


def echoes() -> bool:
    """Whether what is typed is shown."""
    return bool(settings()[3] & termios.ECHO)


async def test_keys_are_read_one_by_one() -> None:
    """Without a line's end, in small letters, and nothing is echoed meanwhile."""
    pressed: list[str] = []
    with person() as typing:
        before = settings()
        with Keys(pressed.append) as keys:
            assert keys.active
            assert not echoes()
            os.write(typing, b"oK")
            await eventually(lambda: len(pressed) == 2)

        assert pressed == ["o", "k"]
        assert settings() == before
        assert echoes()


async def test_the_terminal_is_set_back_where_something_fails() -> None:
    """Nobody must type `stty sane` because of us."""
    with person():
        before = settings()

        with pytest.raises(RuntimeError, match="in the middle"), Keys(lambda _: None):
            raise RuntimeError("in the middle" if not echoes() else "it was never set")

        assert settings() == before


async def test_a_signal_may_set_it_back_first() -> None:
    """Twice is as good as once."""
    with person():
        before = settings()
        with Keys(lambda _: None) as keys:
            assert keys.active
            keys.restore()
            assert settings() == before

        assert settings() == before


async def test_a_terminal_that_goes_away_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its window was closed: no key comes any more, and the loop does not spin."""
    pressed: list[str] = []
    reads: list[int] = []
    real = os.read

    def counted(descriptor: int, size: int) -> bytes:
        if descriptor == sys.stdin.fileno():
            reads.append(size)
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", counted)
    with person() as typing, Keys(pressed.append):
        os.close(typing)
        await eventually(lambda: reads)
        for _ in range(20):
            await asyncio.sleep(0)

    assert len(reads) == 1
    assert pressed == []


async def test_without_a_terminal_no_key_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A pipe's bytes are not a person's keys."""
    file = tmp_path / "keys"
    file.write_text("q")
    with file.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with Keys(pytest.fail) as keys:
            assert not keys.active
            await asyncio.sleep(0)
        assert stdin.read() == "q"


def test_a_terminal_is_drawn_on_unless_it_is_dumb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot move the cursor gets plain lines."""
    for kind, drawn in (("xterm", True), ("dumb", False), ("", False)):
        monkeypatch.setenv("TERM", kind)
        with person():
            assert can_draw() is drawn
        assert not can_draw()


def test_colours_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By no-color.org: the variable counts where it is not empty."""
    for value, colour in (("1", False), ("", True)):
        monkeypatch.setenv("NO_COLOR", value)
        assert has_colour() is colour
