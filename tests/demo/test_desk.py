import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.demo.desk import Desk
from processor.demo.options import VENDORS

ROCKET, VOYADO = VENDORS[1:], VENDORS[:1]


@dataclass
class FakeDemo:
    """Notes what is done to it."""

    done: list[Any] = field(default_factory=list)
    clicking: bool = True
    troubles: Any = field(default_factory=lambda: SimpleNamespace(out=frozenset(), revoked=frozenset()))
    traffic: Any = field(default_factory=lambda: SimpleNamespace(poisoner=SimpleNamespace(share=0.0)))

    def begin_outage(self, names: Any) -> None:
        self.done.append(("outage", tuple(names)))
        self.troubles.out = frozenset(names)

    def end_outage(self) -> None:
        self.done.append("outage over")
        self.troubles.out = frozenset()

    def revoke(self, names: Any) -> None:
        self.done.append(("revoked", tuple(names)))
        self.troubles.revoked = frozenset(names)

    def rotate(self) -> None:
        self.done.append("rotated")
        self.troubles.revoked = frozenset()

    def poison(self, share: float) -> None:
        self.done.append(("poison", share))
        self.traffic.poisoner.share = share

    async def restart(self) -> None:
        self.done.append("restarted")


def desk(demo: FakeDemo, at: Any = ROCKET, share: float = 0.0) -> Desk:
    """A desk whose keys do something."""
    found = Desk(lambda: demo.done.append("quit"), at, share)
    found.open(cast("Any", demo))
    return found


@pytest.mark.parametrize(
    ("key", "done"),
    [
        ("o", [("outage", ROCKET), "outage over", ("outage", ROCKET)]),
        ("k", [("revoked", ROCKET), "rotated", ("revoked", ROCKET)]),
        ("p", [("poison", 0.01), ("poison", 0.0), ("poison", 0.01)]),
        ("q", ["quit", "quit", "quit"]),
        ("x", []),
    ],
)
def test_a_key_switches_on_and_off(key: str, done: list[Any]) -> None:
    """Pressed again it ends what it began; a key without a meaning does nothing."""
    demo = FakeDemo()
    keys = desk(demo)

    for _ in range(3):
        keys.press(key)

    assert demo.done == done


async def test_a_restart_is_begun() -> None:
    """The key waits for nothing."""
    demo = FakeDemo()

    desk(demo).press("r")
    await asyncio.sleep(0)

    assert demo.done == ["restarted"]


@pytest.mark.parametrize("first", [ROCKET, VOYADO, VENDORS])
def test_the_vendors_take_turns(first: Any) -> None:
    """After three presses it is as it was, and each of the three was there."""
    keys = desk(FakeDemo(), first)
    seen = []
    for _ in range(3):
        seen.append(keys.targets)
        keys.press("v")

    assert set(seen) == {ROCKET, VOYADO, VENDORS}
    assert keys.targets == seen[0] == first


def test_troubles_go_to_the_chosen_vendor() -> None:
    """Whoever is chosen when the key is pressed; it ends wherever it began."""
    demo = FakeDemo()
    keys = desk(demo, ROCKET)
    keys.press("v")
    keys.press("o")
    keys.press("v")
    keys.press("o")

    assert demo.done[0] != ("outage", ROCKET)
    assert demo.done[1] == "outage over"


def test_the_share_of_the_command_line_is_that_of_the_key() -> None:
    """Who asked for two percent gets two percent again."""
    demo = FakeDemo()

    desk(demo, share=0.02).press("p")

    assert demo.done == [("poison", 0.02)]


def test_before_and_behind_the_clicking_only_quit_does_something() -> None:
    """No trouble may begin while all settles, or it would never end."""
    demo = FakeDemo(clicking=False)
    early = Desk(lambda: demo.done.append("quit"), ROCKET, 0.0)

    for keys in (early, desk(demo)):
        for key in "okprq":
            keys.press(key)

    assert demo.done == ["quit", "quit"]
