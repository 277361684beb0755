from typing import Any, cast

import pytest

from processor.demo import script
from processor.demo.options import DemoOptions
from processor.demo.script import play


class FakeDemo:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def poison(self, share: float) -> None:
        self.done.append(f"poison {share:g}")

    def begin_outage(self, names: Any, seconds: float) -> None:
        self.done.append(f"outage of {' '.join(names)} for {seconds:g}")

    def end_outage(self) -> None:
        self.done.append("outage over")

    def revoke(self, names: Any, seconds: float) -> None:
        self.done.append(f"key of {' '.join(names)} for {seconds:g}")

    def rotate(self) -> None:
        self.done.append("rotated")

    async def restart(self) -> None:
        self.done.append("restarted")

    async def healed(self) -> None:
        self.done.append("healed")


@pytest.mark.parametrize(
    ("options", "done"),
    [
        (DemoOptions(), []),
        (DemoOptions(poison=0.01), ["poison 0.01"]),
        (DemoOptions(outage=0.01, at=("voyado",)), ["outage of voyado for 0.01", "outage over", "healed"]),
        (DemoOptions(revoke=0.02), ["key of rocket for 0.02", "rotated", "healed"]),
        (DemoOptions(restart=True), ["restarted", "healed"]),
        (
            DemoOptions(outage=0.01, revoke=0.02, restart=True),
            [
                *("outage of rocket for 0.01", "outage over", "healed"),
                *("key of rocket for 0.02", "rotated", "healed"),
                *("restarted", "healed"),
            ],
        ),
    ],
)
async def test_each_trouble_has_healed_before_the_next(
    options: DemoOptions, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, each with its end, for the vendors that were named."""
    monkeypatch.setattr(script, "STEADY", 0.0)
    demo = FakeDemo()

    await play(cast("Any", demo), options)

    assert demo.done == done
