"""How far a run is, told while it goes on."""

import sys

from processor.cli.columns import grouped, span
from processor.clock import Clock
from processor.replay.replaying import Progress

BAR = 20
"""Characters of the progress bar."""
TOLD_EVERY = 10.0
"""Seconds between two lines of progress where no terminal shows it."""


class ProgressLine:
    """Tells how far a run is: in one line of a terminal, else in a line now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = self._told = clock.now()
        self._line = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        """Called about once a second."""
        now = self._clock.now()
        if self._line:
            print(f"\r\x1b[K{self._words(progress, now)}", end="", file=sys.stderr, flush=True)
        elif now - self._told >= TOLD_EVERY:
            self._told = now
            print(self._words(progress, now), file=sys.stderr)

    def end(self) -> None:
        """Leave the line."""
        if self._line:
            print(file=sys.stderr)

    def _words(self, progress: Progress, now: float) -> str:
        passed = now - self._began
        pace = progress.done / passed if passed else 0.0
        left = f"   {span((progress.total - progress.done) / pace)} left" if pace else ""
        share = progress.done / progress.total if progress.total else 1.0  # nothing was left of a run that is resumed
        filled = round(BAR * share)
        bar = "█" * filled + "░" * (BAR - filled)
        failed = f"   {grouped(progress.failed)} failed again" if progress.failed else ""
        held = f"   HELD {progress.held}" if progress.held else ""
        return f"{bar} {grouped(progress.done)} of {grouped(progress.total)}   {pace:.1f}/s{left}{failed}{held}"
