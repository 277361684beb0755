"""Shows a demo where nobody sits at a terminal: plain lines with the time, or JSON lines."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from processor.demo.accounting import FinalAccount
from processor.demo.conditions import Condition
from processor.demo.facts import Fact
from processor.demo.run import Demo
from processor.demo.troubles import DELAYS
from processor.demo.wording import grouped

REFRESH = 1.0
"""Seconds between two lines."""


class View(Protocol):
    """Who shows it.

    Attributes:
        refresh: seconds between two looks.
    """

    refresh: float

    def begin(self, demo: Demo) -> None:
        """It runs."""

    def fact(self, fact: Fact) -> None:
        """Something happened."""

    def show(self, demo: Demo, conditions: Sequence[Condition]) -> None:
        """So it is now."""

    def end(self, account: FinalAccount) -> None:
        """It is over."""


class JsonLines:
    """One object per line; the last one is the account, as scripts rely on it."""

    refresh = REFRESH

    def begin(self, demo: Demo) -> None:
        """Say where the parts answer."""
        self._print("started", addresses=demo.addresses)

    def fact(self, fact: Fact) -> None:
        """Say what happened."""
        self._print(fact.kind, words=fact.words, **fact.details)

    def show(self, demo: Demo, conditions: Sequence[Condition]) -> None:
        """Say how it is."""
        destinations = {each.name: each.as_json() for each in conditions}
        self._print("progress", produced=demo.judge.clicks, shop_waits=demo.traffic.waits, destinations=destinations)

    def end(self, account: FinalAccount) -> None:
        """Give the account."""
        checked = account.checked()
        self._print(checked.pop("type"), **checked)
        print(json.dumps(account.as_json()), flush=True)

    def _print(self, kind: str, **details: Any) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        print(json.dumps({"type": kind, "time": now, **details}, ensure_ascii=False), flush=True)


class Lines:
    """A line per second, and one for everything that happens; no control characters."""

    refresh = REFRESH

    def begin(self, demo: Demo) -> None:
        """Say where the parts answer."""
        for line in header(demo):
            print(line, flush=True)

    def fact(self, fact: Fact) -> None:
        """Say what happened."""
        self._print(fact.words)

    def show(self, demo: Demo, conditions: Sequence[Condition]) -> None:
        """Say how it is."""
        waits = "   shop waits" if demo.traffic.waits else ""
        self._print("  " + " | ".join(f"{each.name} {each.sentence}" for each in conditions) + waits)

    def end(self, account: FinalAccount) -> None:
        """Give the account."""
        print(account.text(), flush=True)

    def _print(self, words: str) -> None:
        print(f"{clock()} {words}", flush=True)


def header(demo: Demo) -> list[str]:
    """Where the parts answer, and what is not as in a file of one's own."""
    return ["   ".join(f"{name} {address}" for name, address in demo.addresses.items()), DELAYS]


def shop_line(demo: Demo, names: Sequence[str]) -> str:
    """How the shop is: clicks, visitors, poison; and which vendors the keys are for."""
    share = demo.traffic.poisoner.share
    parts = [f"{grouped(demo.judge.clicks)} clicks of {grouped(len(demo.judge.visitors))} visitors"]
    parts += [f"poison {share * 100:g} %"] if share else []
    parts += ["WAITS: Kafka keeps no more"] if demo.traffic.waits else []
    parts += [f"troubles go to {' and '.join(names)}"]
    return "   ".join(parts)


def clock() -> str:
    """The time of the day."""
    return datetime.now().astimezone().strftime("%H:%M:%S")
