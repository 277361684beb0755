"""A few lines at the bottom of a terminal that are always of now; what happens scrolls above them."""

import asyncio
import io
import shutil
import sys
from collections.abc import Callable, Sequence

from processor.demo.accounting import FinalAccount
from processor.demo.conditions import Condition
from processor.demo.facts import Fact
from processor.demo.run import Demo
from processor.demo.views import clock, header, shop_line

REFRESH = 0.25
"""Seconds between two looks."""
UP_AND_CLEAR = "\x1b[{}F\x1b[J"
"""To the beginning of the line so many lines above, and everything from there on is cleared."""
RED, YELLOW, GREEN, DIM, PLAIN = "\x1b[1;31m", "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[0m"


class Screen:
    """Draws with nothing but cursor-up, clear and colours.

    Args:
        colour: whether colours are wanted.
        targets: gives the vendors that the keys are for.
        keys: whether keys are read.
    """

    refresh = REFRESH

    def __init__(self, *, colour: bool, targets: Callable[[], Sequence[str]], keys: bool) -> None:
        self._colour = colour
        self._targets = targets
        self._keys = keys
        self._drawn: list[str] = []

    def begin(self, demo: Demo) -> None:
        """Say where the parts answer."""
        for line in header(demo):
            for part in line.split("   ") if self._width < len(line) else [line]:
                self._above(part, DIM)

    def fact(self, fact: Fact) -> None:
        """Say what happened, above what is drawn."""
        self.above(f"{clock()} {fact.words}")

    def above(self, line: str) -> None:
        """Write a line above what is drawn."""
        drawn = self._drawn
        self._clear()
        self._above(line)
        self._draw(drawn)

    def show(self, demo: Demo, conditions: Sequence[Condition]) -> None:
        """Draw how it is."""
        lines = [self._line(f"  {each.name:8}{each.sentence}", _colour_of(each)) for each in conditions]
        lines.append(self._line(f"  shop    {shop_line(demo, self._targets())}", YELLOW if demo.traffic.waits else ""))
        if self._keys:
            keys = "keys: [o]utage [k]ey revoked [p]oison [r]estart [v]endor [q]uit"
            lines.append(self._line(keys, DIM))
        self._clear()
        self._draw(lines)

    def end(self, account: FinalAccount) -> None:
        """Give the account in place of what was drawn."""
        self._clear()
        print(account.text(), flush=True)

    @property
    def _width(self) -> int:
        return shutil.get_terminal_size().columns

    def _above(self, line: str, colour: str = "") -> None:
        """A line that stays; the terminal may break it."""
        print(f"{colour}{line}{PLAIN}" if colour and self._colour else line)

    def _line(self, text: str, colour: str) -> str:
        """A line that is drawn again must fit, or there would be more lines than are cleared."""
        short = text if len(text) < self._width else f"{text[: max(self._width - 2, 0)]}…"
        return f"{colour}{short}{PLAIN}" if colour and self._colour else short

    def _draw(self, lines: list[str]) -> None:
        self._drawn = lines
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()

    def _clear(self) -> None:
        if self._drawn:
            sys.stdout.write(UP_AND_CLEAR.format(len(self._drawn)))
        self._drawn = []


def _colour_of(condition: Condition) -> str:
    if condition.held:
        return RED
    return YELLOW if condition.waits else GREEN


class LogAbove(io.TextIOBase):
    """Stands in for standard error while a screen is drawn: its lines come above that, from any thread."""

    def __init__(self, screen: Screen, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._screen = screen
        self._loop = loop
        self._begun = ""

    def write(self, text: str) -> int:
        """Write whole lines only."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._loop.call_soon_threadsafe(self._screen.above, line)
        return len(text)
