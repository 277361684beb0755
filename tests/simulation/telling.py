"""What a simulated consumer tells of itself every few seconds: the part of librdkafka's statistics that is read."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tests.simulation.fetching import Fetched
from tests.simulation.network import Line
from tests.simulation.weather import Ill

if TYPE_CHECKING:
    from tests.simulation.cluster import Cluster

NODE = 1
UNKNOWN = -1001


def statistics(cluster: "Cluster", fetched: Iterable[Fetched], line: Line, now: float) -> str:
    """As `stats_cb` gets it.

    Args:
        cluster: what the client is connected to.
        fetched: its partitions.
        line: its connection to the group's coordinator.
        now: of the machine's clock.
    """
    away = bool(cluster.weather.now(Ill.AWAY))
    homeless = away or bool(cluster.weather.now(Ill.NO_COORDINATOR))
    topics: dict[str, Any] = defaultdict(lambda: {"partitions": {}})
    for each in fetched:
        topics[each.key[0]]["partitions"][str(each.key[1])] = _partition(cluster, each)
    coordinator = {
        "nodeid": NODE,
        "state": "DOWN" if homeless else "UP",
        "rxidle": int((now - line.heard) * 1e6),
        "txidle": int((now - line.asked) * 1e6),
        "tx": line.questions,
        "waitresp_cnt": line.open,
        "disconnects": 0,
    }
    told = {
        "brokers": {
            "kafka:9092/1": {"nodeid": NODE, "state": "DOWN" if away else "UP"},
            "GroupCoordinator": coordinator,
        },
        "cgrp": {"state": "wait-coord" if homeless else "up"},
        "topics": topics,
    }
    return json.dumps(told)


def _partition(cluster: "Cluster", fetched: Fetched) -> dict[str, int]:
    log = cluster.find(fetched.key)
    leader = -1 if cluster.weather.now(Ill.NO_LEADER) else NODE
    ends = (log.stable, log.end) if log else (UNKNOWN, UNKNOWN)
    position = UNKNOWN if fetched.next is None else fetched.next
    return {
        "partition": fetched.key[1],
        "broker": leader,
        "next_offset": position,
        "ls_offset": ends[0],
        "hi_offset": ends[1],
    }
