"""A file that makes most records fail, on a real Kafka: the pipeline holds, and a restart with a better one goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.path import running_path
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.stream import EVENT, PARTITIONS, Stream, lines, waiting_for
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

EACH = 150
"""Records on each partition."""
ALL = EACH * len(PARTITIONS)
LEAST = 50
MAP = {"sessionExternalId": "session", "timestamp": "time", "productId": "product"}
WRONG = {**MAP, "productId": "session"}
"""A text where the vendor wants an integer: no record can be mapped."""


@pytest.fixture
def stream(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[Stream]:
    """A topic on its way to a vendor."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield Stream(path, registry.url)


def service(stream: Stream, mapped: dict[str, str], **letters: Any) -> ServiceProcess:
    """A replica with this mapping, and these keys of `dead_letter`."""
    changes = stream.path.overlay(batch=None)
    changes["destinations"]["rocket"]["dead_letter"] |= letters
    route = {"event": EVENT, "topics": stream.path.topic, "to": "rocket.view", "map": mapped}
    return stream.path.service({**changes, "routes": {"seen": route}}, "--destination", "rocket")


def held(replica: ServiceProcess) -> str:
    """Wait until it holds; gives its words."""
    replica.ready()
    return eventually_sync(lambda: waiting_for(replica).get("mass_failure"), within=30)


def offsets(stream: Stream) -> set[tuple[str, str]]:
    """Partition and offset of each letter; none is there twice."""
    letters = stream.letters()
    found = {(each["dlq.source.partition"], each["dlq.source.offset"]) for each in letters}
    assert len(found) == len(letters)
    return found


def committed(stream: Stream) -> int:
    """Records below the committed offsets, of all partitions."""
    return sum(max(offset, 0) for offset in stream.committed.values())


@pytest.mark.parametrize(
    ("mapped", "letters", "buried"),
    [(WRONG, {"hold_above": "1"}, ALL), (MAP, {}, LEAST - 1)],
    ids=["hold_above: 1", "repaired"],
)
def test_a_mapping_that_fails_for_all_holds(
    stream: Stream, mapped: dict[str, str], letters: dict[str, str], buried: int
) -> None:
    """One letter less than `min`, the rest stays in Kafka, and the process lives; a restart takes up all of it."""
    stream.send(stream.first, EACH, *PARTITIONS)

    with service(stream, WRONG) as replica:
        words = held(replica)
        eventually_sync(lambda: committed(stream) == LEAST - 1, within=20)
        before = offsets(stream)
        status, metrics = replica.status()["rocket"], replica.get("/metrics")[1]
        assert replica.get("/live")[0] == replica.get("/ready")[0] == 200
        (line,) = lines(replica, "mass_failure")
        assert replica.terminate() == 0
        assert committed(stream) == len(before) == LEAST - 1
    with service(stream, mapped, **letters) as replica:
        stream.settled()
        assert waiting_for(replica) == {}
        replica.terminate()

    cause = "route seen, stage map: productId: text is not an integer"
    assert words.startswith(
        "50 of the last 50 records that a route wanted failed before they could be sent, 50 of them"
    )
    assert cause in words
    assert [hold["reason"] for hold in status["holds"]] == ["mass_failure"]
    assert 'clickstream_hold{method="",pipeline="rocket",reason="mass_failure"} 1.0' in metrics
    assert (line["level"], line["failed"], line["of"], line["times"]) == ("error", 50, 50, 50)
    assert "visitor" not in f"{words} {line}"
    assert len(offsets(stream)) == buried
    assert len(stream.path.accepted("rocket")) == ALL - buried


def test_records_of_which_some_fail_go_through(stream: Stream) -> None:
    """Two of five are undecodable: all of them are letters, and the others are delivered."""
    for _ in range(LEAST):
        stream.send(stream.first, 3, 0)
        stream.send_bytes([b"\xffgarbage"], 2, 0)

    with service(stream, MAP) as replica:
        stream.settled(0)
        assert waiting_for(replica) == {}
        replica.terminate()

    assert len(offsets(stream)) == 2 * LEAST
    assert stream.delivered == stream.sent


def test_who_takes_over_holds_as_well(stream: Stream) -> None:
    """A second replica with the same file finds out by itself; what the first one held is read again."""
    stream.send(stream.first, EACH, *PARTITIONS)

    with service(stream, WRONG) as first, service(stream, WRONG) as second:
        held(first)
        held(second)
        assert LEAST - 1 <= len(offsets(stream)) <= 2 * (LEAST - 1)
        assert first.terminate() == 0
        eventually_sync(lambda: len(second.status()["rocket"]["partitions"]) == len(PARTITIONS), within=30)
        assert second.get("/live")[0] == 200
        assert second.terminate() == 0
    buried = offsets(stream)
    with service(stream, MAP) as repaired:
        stream.settled()
        repaired.terminate()

    assert offsets(stream) == buried
    assert len(buried) <= 2 * (LEAST - 1)
    assert len(stream.path.accepted("rocket")) == ALL - len(buried)
