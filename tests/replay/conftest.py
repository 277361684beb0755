"""What tests of replays share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replay.scene import Scene, scene_of
from tests.support.broker import Broker
from tests.support.registry import Registry
from tests.support.topics import TopicFactory


@pytest.fixture
def scene(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[Scene]:
    """A shop of its own, on a real Kafka."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster has no compacted topics, and does not tell a group's members")
    with scene_of(tmp_path, broker, registry, topic) as scene:
        yield scene
