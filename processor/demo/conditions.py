"""How each pipeline is at a moment, in a sentence: the same facts as `/status`, as a person would say them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from processor.demo.accounting import DestinationAccount
from processor.demo.wording import grouped
from processor.holds import Reason
from processor.report import TRANSACTION, Hold, holds, waiting_for
from processor.running import RunningPipeline

WINDOW = 2.0
"""Seconds over which the rate is taken."""
REASONS = {
    Reason.OUTAGE: "outage",
    Reason.CREDENTIAL: "key refused (401)",
    Reason.REFUSED: "every call refused",
    Reason.MASS_FAILURE: "most records fail in decode or map: only a restart ends it",
    Reason.REGISTRY: "waits for the schema registry",
    Reason.DEAD_LETTER_TOPIC: "waits for its dead-letter topic",
    Reason.OFFSETS: "an offset is not known, or beyond the end of its partition",
    Reason.PAUSED: "the file says `mode: paused`",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A pipeline stands still on purpose.

    Attributes:
        reason: in words.
        methods: what is held, where that is not all of the pipeline.
        seconds: for how long.
        probe: seconds until the vendor is asked again; None = it is being asked, or nobody knows.
    """

    reason: str
    methods: tuple[str, ...]
    seconds: float
    probe: float | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One pipeline at a moment.

    Attributes:
        delivered: deliveries so far.
        rate: the same a second.
        dead_lettered: letters so far.
        backlog: clicks that are not settled yet.
        cooling: deliveries that were refused and are sent again.
        held: None = it is not.
        waits: what else it waits for, in words; empty = for nothing.
    """

    name: str
    delivered: int
    rate: float
    dead_lettered: int
    backlog: int
    cooling: int
    held: Held | None
    waits: str

    @property
    def sentence(self) -> str:
        """All of it but the name."""
        dead = f"{grouped(self.dead_lettered)} dlq"
        if self.held:
            return f"HELD {self._hold(self.held)}, {dead}, backlog {grouped(self.backlog)}"
        if self.waits:
            return f"{self.waits}, {dead}, backlog {grouped(self.backlog)}"
        again = f"   {grouped(self.cooling)} refused, sent again" if self.cooling else ""
        return f"{grouped(round(self.rate)):>5}/s delivered   {dead}   lag {grouped(self.backlog)}{again}"

    def as_json(self) -> dict[str, Any]:
        """The same for scripts."""
        return {
            "delivered": self.delivered,
            "delivered_per_second": round(self.rate, 1),
            "dead_lettered": self.dead_lettered,
            "backlog": self.backlog,
            "held": self.held.reason if self.held else None,
            "sentence": " ".join(self.sentence.split()),
        }

    def _hold(self, held: Held) -> str:
        probe = "probing now" if not held.probe else f"next probe {ceil(held.probe)} s"
        which = f" ({', '.join(held.methods)})" if held.methods else ""
        still = f", {grouped(round(self.rate))}/s of the others" if held.methods and self.rate else ""
        return f"{int(held.seconds) // 60:02}:{int(held.seconds) % 60:02} {held.reason}{which}, {probe}{still}"


class Observer:
    """Looks at one pipeline again and again, over all runs of the service."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, running: RunningPipeline | None, books: DestinationAccount, backlog: int, now: float) -> Condition:
        """Say how it is.

        Args:
            running: None = the service is being started.
            books: over all runs.
            backlog: clicks that are not settled yet.
            now: seconds on a clock that never jumps.
        """
        rate = self._rate(books.delivered, now)
        held = held_of(running) if running else None
        waits = waits_of(running) if running else "RESTARTS: commits, leaves its group, joins it again"
        cooling = running.scheduler.cooling if running else 0
        return Condition(self._name, books.delivered, rate, books.dead_lettered, backlog, cooling, held, waits)

    def _rate(self, delivered: int, now: float) -> float:
        self._seen.append((now, delivered))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW:  # noqa: PLR2004 - both ends of the window
            self._seen.popleft()
        since, before = self._seen[0]
        return (delivered - before) / (now - since) if now > since else 0.0


def held_of(running: RunningPipeline) -> Held | None:
    """What holds a pipeline, if anything does."""
    found = holds(running)
    return _together(found, running.clock.wall(), len(running.scheduler.outlets)) if found else None


def _together(found: Sequence[Hold], now: float, paths: int) -> Held:
    """Several methods are mostly held for one reason, and asked one after another."""
    methods = tuple(hold.method for hold in found)
    some = all(methods) and len(methods) < paths
    probes = [hold.next_probe - now for hold in found if hold.next_probe is not None]
    return Held(
        reason=" and ".join(dict.fromkeys(REASONS[hold.reason] for hold in found)),
        methods=methods if some else (),
        seconds=max(now - min(hold.since for hold in found), 0.0),
        probe=max(min(probes), 0.0) if probes else None,
    )


def waits_of(running: RunningPipeline) -> str:
    """Who else is waited for, in words."""
    pause = running.scheduler.pace.not_before - running.clock.now()
    if pause > 0:
        return f"WAITS: the vendor asked for a pause (429), next request in {ceil(pause)} s"
    # No hold tells these, and nothing else holds up the whole pipeline.
    others = {who: why for who, why in waiting_for(running).items() if who in {"kafka", TRANSACTION}}
    return "; ".join(f"WAITS for {who}: {why}" for who, why in others.items())
