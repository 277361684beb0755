"""What tests of replays share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import dead_letters
from tests.replay.audits import audited
from tests.replay.exports import Desk, desk_of
from tests.replay.feeds import Noted
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


@pytest.fixture
def letters(
    broker: Broker, topic: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> dead_letters.Scene:
    """Three letters of one visitor, and one in another partition."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster does not describe groups, and tells no topic ids")
    made = dead_letters.scene(broker, audited(broker, topic), tmp_path, capsys)
    for failure in (dead_letters.UNMAPPED, dead_letters.INVALID, dead_letters.UNMAPPED):
        made.bury(failure)
    made.bury(dead_letters.INVALID, partition=2, value=bytes(range(256)))
    return made


@pytest.fixture
def desk(letters: dead_letters.Scene, tmp_path: Path) -> Iterator[Desk]:
    """Their export."""
    with desk_of(letters, tmp_path) as made:
        yield made


@pytest.fixture
def noted() -> Noted:
    """A journal that was told nothing."""
    return Noted()
