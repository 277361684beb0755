"""A dead-letter topic that is made anew while a run goes on or is interrupted: on a real Kafka."""

from tests.replay.scene import VIEWS, Command, Scene
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync


def begun(scene: Scene) -> Command:
    """A run in the middle."""
    scene.bury(150)
    before = len(scene.books)
    run = scene.replay("--route", VIEWS, rate="5/s", faulty={})
    scene.arrived(before + 5)
    return run


def delete(scene: Scene) -> None:
    """Delete the topic."""
    for deleted in scene.path.admin.delete_topics([scene.letters]).values():
        deleted.result()
    eventually_sync(lambda: scene.letters not in scene.path.admin.list_topics(timeout=5).topics)


def test_while_a_run_goes_on(scene: Scene, topic: TopicFactory) -> None:
    """It ends by itself, and says why; what lies in the new one is not called replayed."""
    run = begun(scene)
    delete(scene)
    topic(name=scene.letters)

    assert run.end(90) == 1, run.err
    assert "made anew" in run.account["why_open"], run.account
    assert run.counts["open"] > 0


def test_before_a_run_is_resumed(scene: Scene, topic: TopicFactory) -> None:
    """It is refused: what it was about is gone, and other letters lie there."""
    run = begun(scene)
    run.interrupt()
    assert run.end() == 1
    delete(scene)
    topic(name=scene.letters)

    again = scene.replay("--resume", run.account["run"], faulty={})

    assert again.end() == 1
    assert "was deleted since" in again.err
