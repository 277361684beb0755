from collections.abc import Iterator

import pytest

from tests.contract.ground import Ground
from tests.contract.members import Joined, Member
from tests.contract.real import RealGround
from tests.contract.simulated import SimulatedGround
from tests.support.topics import TopicFactory


@pytest.fixture(params=["simulated, classic", "simulated, consumer", "real, classic"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A Kafka, simulated and real; what differs between the protocols asks for `real, consumer` too (`BOTH`)."""
    where, protocol = request.param.split(", ")
    if where == "simulated":
        yield SimulatedGround(protocol)
        return
    broker = request.getfixturevalue("broker")
    if broker.kind == "embedded":
        pytest.skip("librdkafka's mock cluster is no real Kafka")
    topics = TopicFactory(broker)
    yield RealGround(broker, topics, protocol)
    topics.close()


@pytest.fixture
def join(ground: Ground) -> Iterator[Joined]:
    """Start members of a group: `join(topic, group, **config)`; they are closed at the end."""
    members: list[Member] = []

    def start(topic: str, group: str, *, begins: int | None = 0, **config: object) -> Member:
        members.append(Member(ground, topic, group, begins=begins, **config))
        return members[-1]

    yield start
    for member in members:
        member.close()
