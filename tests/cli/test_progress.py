"""How far a run is, on a terminal and in a log."""

import sys

import pytest

from processor.cli.progress import ProgressLine
from processor.clock import ManualClock
from processor.replay.replaying import Progress

HALF = Progress(2_000, 4_000, 0)
BAR = "██████████░░░░░░░░░░"


class Shown:
    """A line of progress, and what it printed; time passes when it is told."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.clock = ManualClock(start=100.0)
        self.line = ProgressLine(self.clock)
        self._capsys = capsys

    def after(self, seconds: float, progress: Progress = HALF) -> str:
        """What it says then."""
        self.clock.advance(seconds)
        self.line.show(progress)
        return self.said

    @property
    def said(self) -> str:
        """What was printed since the last look; nothing of it is for scripts."""
        said = self._capsys.readouterr()
        assert not said.out
        return said.err


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Shown:
    """Of a process without a terminal."""
    return Shown(capsys)


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Of a person."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    return Shown(capsys)


def test_words(terminal: Shown) -> None:
    """How much of all, how fast since the beginning, and how long it takes at that pace."""
    assert terminal.after(10).endswith(f"{BAR} 2 000 of 4 000   200.0/s   10 s left")


def test_what_goes_wrong(terminal: Shown) -> None:
    """What failed again, and why nothing is sent, stand at the end."""
    said = terminal.after(10, Progress(1_000, 4_000, 1_250, "outage: 503"))

    assert said.endswith("100.0/s   30 s left   1 250 failed again   HELD outage: 503")


def test_before_anything_is_done(terminal: Shown) -> None:
    """Nobody knows how long it will take."""
    assert terminal.after(5, Progress(0, 7, 0)).endswith("░" * 20 + " 0 of 7   0.0/s")
    assert "left" not in terminal.after(0, Progress(0, 7, 0))


def test_at_the_end(terminal: Shown) -> None:
    """The bar is full."""
    assert terminal.after(2, Progress(7, 7, 0)).endswith("█" * 20 + " 7 of 7   3.5/s   0 s left")


def test_at_once(terminal: Shown) -> None:
    """No time has passed yet, so there is no pace."""
    assert terminal.after(0).endswith(" 2 000 of 4 000   0.0/s")


def test_nothing_was_left(terminal: Shown) -> None:
    """A run that is resumed may have done all before: that is full, and no defect."""
    assert terminal.after(1, Progress(0, 0, 3)).endswith("█" * 20 + " 0 of 0   0.0/s   3 failed again")


def test_one_line_of_a_terminal(terminal: Shown) -> None:
    """Written over each time, and left at the end."""
    for _ in range(3):
        assert terminal.after(1).startswith("\r\x1b[K")
    assert "\n" not in terminal.after(1)

    terminal.line.end()

    assert terminal.said == "\n"


def test_lines_of_a_log(log: Shown) -> None:
    """One in ten seconds, without a terminal's commands; nothing at the end."""
    assert [bool(log.after(1)) for _ in range(25)] == [second in {10, 20} for second in range(1, 26)]
    assert log.after(10) == f"{BAR} 2 000 of 4 000   57.1/s   35 s left\n"

    log.line.end()

    assert log.said == ""
