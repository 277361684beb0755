"""What a run's group has passed is not what Kafka has deleted: on a real Kafka."""

import yaml

from processor.replay.audit import audit_topic
from tests.replay.audits import COMPACT
from tests.replay.scene import VIEWS, Command, Scene
from tests.support.service import write_config
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync


def test_a_route_that_comes_back_before_a_run_is_resumed(scene: Scene) -> None:
    """The run has passed its letters by then: they stay open, and a new run takes them."""
    scene.bury(200)
    before, views = len(scene.books), len(scene.failed(VIEWS))
    first = without(scene, VIEWS, "replay", "--rate", "5/s")
    run = scene.begun().id
    scene.arrived(before + 5)
    first.interrupt()
    assert first.end() == 1, first.err
    assert first.counts["route_gone"] == views

    second = scene.replay("--resume", run, faulty={})

    assert second.end() == 1, second.err
    assert second.counts.keys() == {"read", "selected", "delivered", "open"}
    assert "a new run takes them" in second.account["why_open"]
    assert scene.replay(faulty={}).end() == 0
    assert len(scene.books) == before + len(scene.failed())


def test_an_audit_topic_that_is_made_anew(scene: Scene, topic: TopicFactory) -> None:
    """Ids are counted anew, and the groups of that day are still there: none of their offsets counts."""
    scene.bury(100)
    before, views = len(scene.books), len(scene.failed(VIEWS))
    assert scene.replay("--route", VIEWS, faulty={}).end() == 0
    audit = audit_topic(scene.letters)
    for deleted in scene.path.admin.delete_topics([audit]).values():
        deleted.result()
    eventually_sync(lambda: audit not in scene.path.admin.list_topics(timeout=5).topics)
    topic(1, COMPACT, audit)

    run = scene.replay(faulty={})

    assert run.end() == 0, run.err
    assert run.counts["delivered"] == run.counts["selected"]
    assert len(scene.books) == before + len(scene.failed()) + views


def without(scene: Scene, route: str, *arguments: str) -> Command:
    """A command with a file that has no such route."""
    file = write_config(scene.path.folder, {"group_prefix": scene.path.prefix, **scene.config({})})
    plain = yaml.safe_load(file.read_text())
    del plain["routes"][route]
    file.write_text(yaml.safe_dump(plain))
    return Command([*arguments, "-c", str(file), "--destination", "rocket", "--format", "json"], scene.path.env)
