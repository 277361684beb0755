"""Replays from an export on a real Kafka: also of what Kafka has deleted, and nothing twice."""

from tests.replay import cases
from tests.replay.scene import Scene


def test_an_export_is_replayed(scene: Scene) -> None:
    """What is still open arrives once, deleted or not; what the dry run told is what happens."""
    scene.bury(300)

    finding = cases.refiled(scene)

    assert not finding.failed, finding
