"""Replays from the source topic on a real Kafka: a range of time, one route, each delivery once more."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.replay.scene import VIEWS, Scene, scene_of
from tests.support.broker import Broker
from tests.support.registry import Registry
from tests.support.topics import TopicFactory

WRONG = {VIEWS: {"map": {"productId": "`7`"}}}
"""What the vendor accepts although it is wrong."""


@pytest.fixture
def scene(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[Scene]:
    """A shop."""
    with scene_of(tmp_path, broker, registry, topic) as scene:
        yield scene


def deliver(scene: Scene, seed: int) -> None:
    """Some clicks, delivered with the wrong file."""
    scene.click(300, seed)
    with scene.path.service(scene.config(WRONG), "--destination", "rocket") as service:
        service.ready(60)
        scene.path.settled_of("rocket", within=60)
        assert service.terminate() == 0, service.log


def test_what_was_accepted_although_it_was_wrong_is_delivered_again(scene: Scene) -> None:
    """Only the named route's deliveries, only those of the range; the dry run says the same; a resume adds nothing."""
    deliver(scene, seed=1)
    begin = datetime.now(UTC).isoformat()
    before = len(scene.books)
    before_views = sum(one.route == VIEWS for one in scene.asked)
    deliver(scene, seed=2)
    between = len(scene.books)
    views = sum(one.route == VIEWS for one in scene.asked) - before_views
    asked = ["--source", "--route", VIEWS, "--from", begin]

    dry = scene.replay(*asked, "--dry-run", faulty={})
    run = scene.replay(*asked, faulty={})
    codes = dry.end(), run.end()

    assert codes == (0, 0), dry.err + run.err
    again = scene.books[between:]
    assert views > 0
    assert before < between
    assert [each.method for each in again] == ["view"] * views
    assert {each.item for each in again} != {"7"}
    letters = run.account["letters"]
    assert run.account["balanced"]
    assert (letters["delivered"], letters["failed"], letters["open"]) == (views, 0, 0)
    assert {**dry.account["letters"]} == letters
    resumed = scene.replay("--resume", run.account["run"], faulty={})
    assert resumed.end() == 0, resumed.err
    assert resumed.account["letters"] == letters
    assert len(scene.books) == between + views
