import asyncio
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.demo.facts import Fact
from processor.demo.screen import LogAbove, Screen
from processor.demo.wording import grouped
from tests.demo.test_conditions import HELD, condition
from tests.support.waiting import eventually

PIECES = re.compile(r"(\x1b\[\d+F|\x1b\[J|\x1b\[[\d;]*m|\n)")
CONTROL = re.compile(r"\x1b\[[\d;]*m")


def seen(written: str) -> list[str]:
    """What a terminal shows in the end that knows cursor-up, clear and colours."""
    lines = [""]
    for piece in PIECES.split(written):
        if up := re.fullmatch(r"\x1b\[(\d+)F", piece):
            lines = [*lines[: len(lines) - 1 - int(up[1])], ""]
        elif piece == "\n":
            lines.append("")
        elif not piece.startswith("\x1b"):
            lines[-1] += piece
    return lines


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the terminal's width."""
    return lambda width: monkeypatch.setenv("COLUMNS", str(width))


def demo(clicks: int = 48_210, *, share: float = 0.0, waits: bool = False) -> Any:
    """A demo as far as it is drawn."""
    return SimpleNamespace(
        addresses={"Kafka (embedded)": "127.0.0.1:1", "status": "http://localhost:8080/status"},
        judge=SimpleNamespace(clicks=clicks, visitors=range(1_900)),
        traffic=SimpleNamespace(poisoner=SimpleNamespace(share=share), waits=waits),
    )


def screen(*, colour: bool = False, keys: bool = True) -> Screen:
    """A screen whose troubles go to Retail Rocket."""
    return Screen(colour=colour, targets=lambda: ("rocket",), keys=keys)


def test_what_is_drawn_is_always_of_now(columns: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """However often it is drawn there is one block, and what happened stands above it, once."""
    columns(100)
    drawn = screen()
    drawn.begin(demo())
    for number in range(5):
        drawn.show(demo(number), [condition(name="voyado"), condition(held=HELD)])
        drawn.fact(Fact("x", f"fact {number}"))

    lines = seen(capsys.readouterr().out)
    assert lines[0].endswith("status http://localhost:8080/status")
    assert [line[9:] for line in lines[2:7]] == [f"fact {number}" for number in range(5)]
    assert lines[7:10] == [
        "  voyado  1 204/s delivered   0 dlq   lag 12",
        "  rocket  HELD 00:14 outage, next probe 3 s, 0 dlq, backlog 12",
        "  shop    4 clicks of 1 900 visitors   troubles go to rocket",
    ]
    assert lines[10].startswith("keys: [o]utage [k]ey revoked [p]oison [r]estart")
    assert lines[11:] == [""]


def test_the_account_takes_the_place_of_what_was_drawn(columns: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The end is not a screen but a text that stays."""
    columns(100)
    drawn = screen()
    drawn.show(demo(), [condition()])
    drawn.end(cast("Any", SimpleNamespace(text=lambda: "the account")))

    assert seen(capsys.readouterr().out) == ["the account", ""]


@pytest.mark.parametrize("width", [20, 40, 59])
def test_a_narrow_terminal_breaks_no_line(width: int, columns: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that the terminal broke would be two, and the block would wander."""
    columns(width)
    drawn = screen()
    drawn.show(demo(share=0.01, waits=True), [condition(held=HELD)])

    assert all(len(line) < width for line in seen(capsys.readouterr().out))


def test_colours_come_only_where_they_are_wanted(columns: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """NO_COLOR is respected by whoever makes the screen."""
    columns(100)
    for colour in (False, True):
        drawn = screen(colour=colour)
        drawn.begin(demo())
        drawn.show(demo(waits=True), [condition(), condition(held=HELD), condition(waits="WAITS")])
        written = capsys.readouterr().out
        assert bool(CONTROL.search(written)) is colour
        assert len(CONTROL.findall(written)) % 2 == 0


def test_keys_are_told_only_where_they_are_read(columns: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a keyboard there is nothing to press."""
    columns(100)
    screen(keys=False).show(demo(), [condition()])

    assert "keys:" not in capsys.readouterr().out


def test_the_shop_says_why_it_slows(columns: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A long outage is longer than the embedded Kafka keeps."""
    columns(120)
    screen().show(demo(share=0.01, waits=True), [condition()])

    shown = capsys.readouterr().out
    assert "poison 1 %   WAITS: Kafka keeps no more" in shown
    assert grouped(48_210) in shown


async def test_log_lines_come_above_what_is_drawn(columns: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole lines, from any thread, and the block stays one."""
    columns(100)
    drawn = screen()
    drawn.show(demo(), [condition()])
    log = LogAbove(drawn, asyncio.get_running_loop())

    def write() -> None:
        log.write("half a ")
        log.write("line\nanother\n")

    await asyncio.to_thread(write)
    written: list[str] = []

    def shown() -> list[str]:
        written.append(capsys.readouterr().out)
        return seen("".join(written))

    await eventually(lambda: shown()[:2] == ["half a line", "another"])
    assert sum(line.startswith("  rocket") for line in shown()) == 1
