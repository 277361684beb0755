"""`clickstream demo` as a process: by its options, and by a person's keys on a pseudo-terminal."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select
from typing import Any

import pytest

from tests.support.command import clickstream, objects
from tests.support.waiting import PATIENCE, eventually_sync

WITHIN = 60.0
"""Seconds for what takes some on a machine that does nothing else."""
CONTROL = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


def facts(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """All of one type, in their order."""
    return [line for line in lines if line["type"] == kind]


def index(lines: list[dict[str, Any]], kind: str) -> int:
    """Where the only one of its type is."""
    [at] = (at for at, line in enumerate(lines) if line["type"] == kind)
    return at


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, which may take its time on a busy machine."""
    command = [sys.executable, "-m", "processor", "demo", *arguments]
    within = WITHIN * PATIENCE * 2
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=within
    )


def test_all_troubles_one_after_another_and_the_account_balances() -> None:
    """An outage and a revoked key hold and heal, a restart goes on, poison is in the dead-letter topics: exactly."""
    troubles = ["--outage", "3", "--revoke", "2", "--poison", "5%", "--restart"]

    done = demo("--events", "900", "--format", "json", *troubles)

    assert done.returncode == 0, done.stdout + done.stderr
    lines = objects(done.stdout)
    for reason, begun, over in (
        ("outage", "outage", "key_revoked"),
        ("key refused (401)", "key_revoked", "restarting"),
    ):
        between = lines[index(lines, begun) : index(lines, over)]
        held = [line["destination"] for line in facts(between, "held") if line["reason"] == reason]
        assert held == ["rocket"], done.stdout
        assert "rocket" in [line["destination"] for line in facts(between, "healed")]
    order = [line["type"] for line in lines if line["type"] not in {"progress", "held", "healed"}]
    assert order == [
        *("starting", "started", "poison", "outage", "outage_over", "key_revoked", "key_replaced"),
        *("restarting", "restarted", "closed", "checked", "account"),
    ]
    [checked] = facts(lines, "checked")
    assert checked["clicks"] == checked["accounted_for"] == 900
    assert checked["lost"] == checked["out_of_order"] == 0
    assert (checked["restarts"], checked["faults"]) == (1, [])
    assert checked["poisoned"] > 15
    check_account(lines[-1], events=900, letters=checked["dead_letters"])


def check_account(last: dict[str, Any], *, events: int, letters: int) -> None:
    """The contract of the last line, and what it must say after all has settled."""
    assert list(last) == ["type", "balanced", "destinations"]
    assert (last["type"], last["balanced"]) == ("account", True)
    for books in last["destinations"].values():
        assert list(books) == ["read", "filtered", "deliveries", "delivered", "dead_lettered", "open"]
        assert books["read"] == events
        assert books["deliveries"] == books["delivered"] + books["dead_lettered"]
        assert books["open"] == 0
    assert sum(books["dead_lettered"] for books in last["destinations"].values()) == letters


def test_an_outage_of_both_is_told_in_plain_lines() -> None:
    """Without a terminal: no control characters, no key read, a sentence per pipeline, and the end in words."""
    done = demo("--events", "700", "--outage", "5", "--at", "both")

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.isprintable() for line in lines)
    assert not done.stderr
    for name in ("voyado", "rocket"):
        assert any(f"{name} HELD 00:0" in line for line in lines), done.stdout
        assert any(f"{name} delivers again" in line for line in lines)
    assert "checked: 700 clicks in, 700 accounted for, order kept for " in lines[-1]
    assert lines[-1].endswith("0 lost, 0 twice")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--poison", "60%"], "must be from 0% to 20%"),
        (["--poison", "much"], "invalid"),
        (["--outage", "0"], "must be more than 0 seconds"),
        (["--revoke", "-1"], "must be more than 0 seconds"),
        (["--events", "0"], "0 is not a number above 0"),
        (["--events", "many"], "many is not a number above 0"),
        (["--at", "nobody"], "invalid choice"),
        (["--seconds", "5", "--outage", "10"], "these troubles take some 20 seconds"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments: list[str], words: str) -> None:
    """A wrong option ends at once with what is right, before anything is started."""
    done = clickstream("demo", *arguments)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


class Person:
    """Somebody at a terminal in which the demo runs.

    Attributes:
        settings: of the terminal before it.
    """

    def __init__(self, columns: int, *arguments: str, **env: str) -> None:
        self._mine, self.terminal = pty.openpty()
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.settings = termios.tcgetattr(self.terminal)
        end = self.terminal
        command = ["setsid", "--ctty", sys.executable, "-m", "processor", "demo", *arguments]
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            command, stdin=end, stdout=end, stderr=end, env={**os.environ, "TERM": "xterm", **env}
        )
        self.seen = b""

    def sees(self, words: str) -> None:
        """Wait until this was written."""
        eventually_sync(lambda: words in self.read(), WITHIN)

    def read(self) -> str:
        """All that was written, as it came but for control characters."""
        while select([self._mine], [], [], 0)[0]:
            self.seen += os.read(self._mine, 65_536)
        return CONTROL.sub(b"", self.seen).decode(errors="replace")

    def types(self, keys: str) -> None:
        """Press these."""
        os.write(self._mine, keys.encode())

    def waits(self) -> int:
        """For the end; gives the exit code."""

        def ended() -> bool:
            self.read()  # or the process would wait for room
            return self.process.poll() is not None

        eventually_sync(ended, WITHIN)
        return self.process.returncode

    def leave(self) -> None:
        """Close the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for end in (self._mine, self.terminal):
            with suppress(OSError):
                os.close(end)


@contextmanager
def person(columns: int, *arguments: str, **env: str) -> Iterator[Person]:
    """Somebody who closes the terminal afterwards."""
    somebody = Person(columns, *arguments, **env)
    try:
        yield somebody
    finally:
        somebody.leave()


def test_keys_make_trouble_and_the_account_balances() -> None:
    """Outage, revoked key, poison and restart by keys, each healed by keys or by itself; `q` ends with the account."""
    with person(120) as somebody:
        somebody.sees("[o]utage [k]ey revoked [p]oison [r]estart [v]endor [q]uit")
        somebody.types("o")
        somebody.sees("rocket HOLDS: outage")
        somebody.sees("HELD 00:0")
        somebody.types("o")
        somebody.sees("rocket delivers again")
        somebody.types("vk")
        somebody.sees("voyado HOLDS: key refused (401)")
        somebody.types("k")
        somebody.sees("voyado delivers again")
        somebody.types("p")
        somebody.sees("poison 1 %")
        eventually_sync(lambda: re.search(r"[1-9]\d* dlq", somebody.read()), WITHIN)
        somebody.types("r")
        somebody.sees("RESTARTS: commits, leaves its group, joins it again")
        somebody.sees("the service runs again")
        somebody.types("q")
        code = somebody.waits()

        assert code == 0, somebody.read()
        assert "clicks in, " in somebody.read()
        assert "0 lost" in somebody.read()
        assert re.search(r"[1-9][\d ]* dead letters, exactly those of [1-9][\d ]* poisoned clicks", somebody.read())
        assert termios.tcgetattr(somebody.terminal) == somebody.settings


def test_ctrl_c_ends_with_the_account_also_in_the_middle_of_an_outage() -> None:
    """What is wrong is put right first, so that all can settle; a narrow terminal without colours has no wide lines."""
    with person(50, NO_COLOR="1") as somebody:
        somebody.sees("shop ")
        somebody.types("o")
        somebody.sees("rocket HOLDS")
        somebody.types("\x03")
        code = somebody.waits()

        assert code == 0, somebody.read()
        assert "the outage is over" in somebody.read()
        assert "0 lost, 0 twice" in somebody.read()
        assert not re.search(rb"\x1b\[[0-9;]*m", somebody.seen)
        assert termios.tcgetattr(somebody.terminal) == somebody.settings


def test_a_second_ctrl_c_ends_at_once() -> None:
    """While a hold keeps the end from coming: no account, the signal's exit code, and a terminal as it was."""
    with person(100) as somebody:
        somebody.sees("shop ")
        somebody.types("o")
        somebody.sees("next probe 4 s")
        somebody.types("\x03")
        somebody.sees("the shop has closed")
        somebody.types("\x03")
        code = somebody.waits()

        assert code == 128 + signal.SIGINT
        assert "ended at once by SIGINT, without an account" in somebody.read()
        assert termios.tcgetattr(somebody.terminal) == somebody.settings


def test_ctrl_backslash_ends_at_once() -> None:
    """It asks for no order, and leaves the terminal as it was all the same."""
    with person(100) as somebody:
        somebody.sees("shop ")
        somebody.types("\x1c")
        code = somebody.waits()

        assert code == 128 + signal.SIGQUIT
        assert termios.tcgetattr(somebody.terminal) == somebody.settings


def test_a_taken_address_is_said_and_the_terminal_is_as_it_was() -> None:
    """Where the service cannot start there is a sentence, no traceback, and keys echo again."""
    with person(100, "--host", "192.0.2.1") as somebody:
        code = somebody.waits()

        assert code == 1
        assert "clickstream: cannot listen on 192.0.2.1:" in somebody.read()
        assert "Traceback" not in somebody.read()
        assert termios.tcgetattr(somebody.terminal) == somebody.settings
