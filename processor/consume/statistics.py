"""What the client tells of itself every few seconds: whom it is connected to, and how far it can read.

The only sign that does not need a record or a commit, and it costs no question to a broker.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from processor.records import Key

UP = "UP"
COORDINATOR = "GroupCoordinator"
"""The client's name for its connection to whoever coordinates its group."""


@dataclass(frozen=True, slots=True)
class Readable:
    """How far a partition can be read, as its leader said with the last answer; each is an offset.

    Attributes:
        position: what is fetched next.
        stable: the first one that belongs to a transaction which is still open; the end where there is none.
        end: what its next record will get.
    """

    position: int
    stable: int
    end: int


@dataclass(frozen=True, slots=True)
class Coordinator:
    """How the client stands with the group's coordinator, which answers in the order of the questions.

    Attributes:
        idle: seconds since it was last heard of.
        asked: seconds since it was last asked something.
        questions: how many it was asked so far.
        answered: how many of them wait for their answers no more.
        lost: how often the connection was; what was asked on it then waits for its answer no more either.
    """

    idle: float
    asked: float
    questions: int
    answered: int
    lost: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """One telling.

    Attributes:
        coordinator: of the group; None while not connected to it.
        in_group: whether the group's coordinator is known and connected.
        logs: of the partitions that are fetched.
        unconnected: partitions whose broker is not connected, or not known.
    """

    coordinator: Coordinator | None
    in_group: bool
    logs: Mapping[Key, Readable]
    unconnected: frozenset[Key]

    def connected(self, keys: Collection[Key]) -> bool:
        """Whether the client is connected to all that it needs for these partitions."""
        return self.in_group and self.unconnected.isdisjoint(keys)


def read(text: str) -> Statistics:
    """Read what a client gives to its `stats_cb`: JSON as in librdkafka's STATISTICS.md."""
    told = json.loads(text)
    coordinator = told["brokers"].get(COORDINATOR, {})
    brokers = [each for name, each in told["brokers"].items() if name != COORDINATOR]
    connected = {each["nodeid"] for each in brokers if each["state"] == UP}
    partitions = dict(_partitions(told))
    return Statistics(
        coordinator=_coordinator(coordinator) if coordinator.get("state") == UP else None,
        in_group=told.get("cgrp", {}).get("state") == "up",
        logs={key: log for key, each in partitions.items() if (log := _readable(each)) is not None},
        unconnected=frozenset(key for key, each in partitions.items() if each["broker"] not in connected),
    )


def _coordinator(told: Mapping[str, Any]) -> Coordinator:
    answered = told["tx"] - told["waitresp_cnt"]
    return Coordinator(told["rxidle"] / 1e6, told["txidle"] / 1e6, told["tx"], answered, told["disconnects"])


def _partitions(told: Mapping[str, Any]) -> Collection[tuple[Key, Mapping[str, Any]]]:
    return [
        ((name, each["partition"]), each)
        for name, topic in told.get("topics", {}).items()
        for each in topic["partitions"].values()
        if each["partition"] >= 0
    ]


def _readable(partition: Mapping[str, Any]) -> Readable | None:
    """None while its leader has said nothing yet."""
    found = Readable(partition["next_offset"], partition["ls_offset"], partition["hi_offset"])
    return found if min(found.position, found.stable, found.end) >= 0 else None
