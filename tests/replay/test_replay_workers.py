"""Workers of a replay that are killed, stopped, or come to help: nothing is lost, and hardly anything comes twice."""

from tests.replay import cases
from tests.replay.scene import Scene


def test_stopped_and_resumed(scene: Scene) -> None:
    """A run that was killed repeats only what no mark tells of; one that was interrupted repeats nothing."""
    scene.bury(500)

    finding = cases.stopped(scene, rate=60)

    assert not finding.failed, finding


def test_three_workers_one_is_killed(scene: Scene) -> None:
    """The others do its part, and end by themselves with the account of the whole run."""
    scene.bury(500)

    finding = cases.rebalanced(scene, rate=9)

    assert not finding.failed, finding
