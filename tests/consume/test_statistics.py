import json
from typing import Any

import pytest
from confluent_kafka import Consumer

from processor.consume.statistics import Coordinator, Readable, Statistics, read
from tests.consume.clusters import Cluster
from tests.support.waiting import eventually_sync

COORDINATOR = {
    "nodeid": -1,
    "state": "UP",
    "rxidle": 2_500_000,
    "txidle": 3_000_000,
    "tx": 9,
    "waitresp_cnt": 1,
    "disconnects": 2,
}
"""As librdkafka 2.16 tells of its group's coordinator."""


def told(brokers: dict[int, str], cgrp: str = "up", **partition: int) -> Statistics:
    """A member that fetches partition 0 of `shop`; brokers' states by number."""
    each = {"partition": 0, "broker": 1, "next_offset": 3, "ls_offset": 3, "hi_offset": 5, **partition}
    text: dict[str, Any] = {
        "brokers": {f"b:9092/{number}": {"nodeid": number, "state": state} for number, state in brokers.items()},
        "topics": {"shop": {"partitions": {"0": each, "-1": {"partition": -1}}}},
        "cgrp": {"state": cgrp},
    }
    text["brokers"]["GroupCoordinator"] = COORDINATOR
    return read(json.dumps(text))


@pytest.mark.parametrize(
    ("statistics", "connected"),
    [
        (told({1: "UP", 2: "UP"}), True),
        (told({1: "UP", 2: "TRY_CONNECT"}), True),
        (told({1: "TRY_CONNECT", 2: "UP"}), False),
        (told({1: "UP"}, broker=-1), False),
        (told({1: "UP"}, cgrp="wait-broker-transport"), False),
    ],
    ids=["all", "all but one that has nothing of ours", "not a leader", "no leader is known", "not the coordinator"],
)
def test_who_is_connected(statistics: Statistics, connected: bool) -> None:  # noqa: FBT001 - a column
    """A client is connected where the coordinator and those who have its partitions are."""
    assert statistics.connected({("shop", 0)}) is connected


def test_what_is_not_fetched_needs_no_connection() -> None:
    """A member without partitions, or whose partitions are paused, needs the coordinator alone."""
    assert told({1: "DOWN"}).connected(set())


def test_how_far_a_partition_can_be_read() -> None:
    """Offsets are known once its leader has answered."""
    assert told({}).logs == {("shop", 0): Readable(position=3, stable=3, end=5)}
    assert told({}, ls_offset=-1001).logs == {}


def test_how_the_client_stands_with_the_coordinator() -> None:
    """In seconds and numbers of questions; nothing is known while it is not connected."""
    assert told({}).coordinator == Coordinator(idle=2.5, asked=3.0, questions=9, answered=8, lost=2)
    assert read('{"brokers": {"GroupCoordinator": {"state": "DOWN", "rxidle": 1}}}').coordinator is None
    assert read('{"brokers": {}}').coordinator is None


@pytest.mark.parametrize("cluster", ["run's broker, classic", "run's broker, consumer"], indirect=True)
def test_what_a_client_tells(cluster: Cluster) -> None:
    """The real client's names are the ones that are read."""
    topic, texts = cluster.filled(3), list[str]()
    config = {**cluster.properties, "group.id": topic, "auto.offset.reset": "earliest", "statistics.interval.ms": "100"}
    with Consumer({**config, "stats_cb": texts.append}) as consumer:
        consumer.subscribe([topic])
        keys = {(topic, number) for number in range(4)}

        def complete() -> bool:
            consumer.consume(100, 0.1)
            statistics = read(texts[-1]) if texts else None
            return statistics is not None and statistics.connected(keys) and len(statistics.logs) == len(keys)

        eventually_sync(complete, within=30)

    logs = read(texts[-1]).logs
    assert logs == dict.fromkeys(keys, Readable(3, 3, 3)) or cluster.broker.kind == "embedded"
    coordinator = read(texts[-1]).coordinator
    assert coordinator is not None
    assert coordinator.answered > 0
