"""What the keys do."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import cycle

from processor.demo.options import VENDORS
from processor.demo.run import SHARE, Demo

NEXT = (VENDORS[1:], VENDORS[:1], VENDORS)
"""Whom the troubles go to, one after another."""


class Desk:
    """A person's keys.

    Args:
        quit_demo: ends the demo in order.
        at: the vendors that the troubles go to at first.
        share: of poison, when it is switched on; 0 = the usual one.

    Attributes:
        targets: the vendors that the troubles go to.
    """

    def __init__(self, quit_demo: Callable[[], object], at: Sequence[str], share: float) -> None:
        self._quit = quit_demo
        self._share = share or SHARE
        self._demo: Demo | None = None
        self._restarts: set[asyncio.Task[None]] = set()
        self._order = cycle(NEXT)
        self.targets: Sequence[str] = tuple(at)
        while tuple(next(self._order)) != self.targets:
            pass

    def open(self, demo: Demo) -> None:
        """From now on the keys have something to do."""
        self._demo = demo

    def press(self, key: str) -> None:
        """Do what the key says; others do nothing."""
        if key == "q":
            self._quit()
        elif key == "v":
            self.targets = tuple(next(self._order))
        elif self._demo is not None and self._demo.clicking:
            self._trouble(key, self._demo)

    def _trouble(self, key: str, demo: Demo) -> None:
        match key:
            case "o" if demo.troubles.out:
                demo.end_outage()
            case "o":
                demo.begin_outage(self.targets)
            case "k" if demo.troubles.revoked:
                demo.rotate()
            case "k":
                demo.revoke(self.targets)
            case "p":
                demo.poison(0.0 if demo.traffic.poisoner.share else self._share)
            case "r":
                task = asyncio.create_task(demo.restart())
                self._restarts.add(task)
                task.add_done_callback(self._restarts.discard)
            case _:
                pass
