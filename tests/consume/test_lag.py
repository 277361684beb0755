import time
from typing import cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from processor.consume import lag
from processor.consume.lag import EndOffsets
from tests.consume.clusters import Cluster
from tests.support.broker import PARTITIONS, admin_client
from tests.support.server import free_port
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer for an answer than the service waits."""
    monkeypatch.setattr(lag, "TIMEOUT", 30.0)


class Refusing:
    """A client that cannot even ask."""

    def list_offsets(self, *_: object, **__: object) -> None:
        """Fail at once."""
        raise KafkaException(KafkaError(KafkaError._FATAL))


def refusing() -> AdminClient:
    """Such a client."""
    return cast("AdminClient", Refusing())


async def test_the_lag_is_what_lies_before_the_end(cluster: Cluster) -> None:
    """It counts from what is settled to the partition's end, never below zero, as of the last look."""
    topic = cluster.filled(5)
    key = (topic, 0)
    ends = EndOffsets(lambda: admin_client(cluster.broker.bootstrap))

    await ends.look([(topic, number) for number in range(PARTITIONS)])
    lags = [ends.lag(key, frontier) for frontier in (0, 3, 5, 7)]
    cluster.fill(topic, range(2))
    await ends.look([key])

    assert lags == [5, 2, 0, 0]
    assert ends.lag(key, 5) == 2
    assert ends.lag((topic, 1), 5) == 0


async def test_an_unknown_end_is_no_lag(cluster: Cluster) -> None:
    """Before the first look, for a partition that is not there, and before the first record nothing is claimed."""
    topic = cluster.topics()
    ends = EndOffsets(lambda: admin_client(cluster.broker.bootstrap))
    unlooked = ends.lag((topic, 0), 0)

    async def look() -> bool:
        await ends.look([(topic, 0), (topic, 99)])
        return (topic, 0) in ends.ends

    await eventually(look)  # a fresh topic's leader may not answer yet

    assert unlooked is None
    assert ends.lag((topic, 99), 0) is None
    assert ends.lag((topic, 0), None) is None
    assert ends.lag((topic, 0), 0) == 0


async def test_a_broker_that_is_away_keeps_the_last_known_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be asked keeps its value, and nothing is raised."""
    monkeypatch.setattr(lag, "TIMEOUT", 0.2)
    ends = EndOffsets(lambda: admin_client(f"127.0.0.1:{free_port()}"))
    ends.ends["clicks", 0] = 7

    await ends.look([("clicks", 0)])

    assert ends.lag(("clicks", 0), 3) == 4


async def test_a_question_that_the_client_refuses_keeps_the_last_known_end() -> None:
    """A client that has failed changes nothing, and nothing is raised."""
    ends = EndOffsets(refusing)
    ends.ends["clicks", 0] = 7

    await ends.look([("clicks", 0)])

    assert ends.lag(("clicks", 0), 3) == 4


async def test_partitions_written_lately_are_known_by_timestamps(cluster: Cluster) -> None:
    """Those with a record whose own timestamp is not before the time in question; the mock cluster finds none."""
    topic, wall = cluster.topics(), time.time()
    producer = Producer({"bootstrap.servers": cluster.broker.bootstrap, "log_level": 0})
    for number, age in enumerate((5.0, 500.0)):
        producer.produce(topic, b"x", partition=number, timestamp=int((wall - age) * 1000))
    assert producer.flush(20) == 0
    ends = EndOffsets(lambda: admin_client(cluster.broker.bootstrap))

    written = await ends.written_since([(topic, number) for number in range(PARTITIONS)], wall - 60.0)

    assert written == (set() if cluster.broker.kind == "embedded" else {(topic, 0)})


async def test_nothing_assigned_asks_nothing() -> None:
    """Without partitions no question goes out."""
    assert await EndOffsets(refusing).look([]) == {}
