"""Replays on a real Kafka: what a faulty run has buried is delivered after the repair, each delivery once."""

from tests.replay import cases
from tests.replay.scene import BASKETS, VIEWS, Scene


def test_mixed_causes(scene: Scene) -> None:
    """Exactly what is selected arrives, as the dry run has told; all else stays as it is."""
    scene.bury(500)

    finding = cases.mixed(scene)

    assert not finding.failed, finding


def test_what_never_works(scene: Scene) -> None:
    """A letter is replayed three times in all; a vendor that refuses all that is sent ends the run, the rest open."""
    scene.bury(150)

    findings = [
        cases.never_mended(scene),
        cases.refused(scene, VIEWS, 404),
        cases.refused(scene, BASKETS, 400),  # these are few
    ]

    assert [finding for finding in findings if finding.failed] == []


def test_beside_a_live_service(scene: Scene) -> None:
    """Both together keep to 1.1 times the account's rate."""
    scene.bury(160)

    finding = cases.beside(scene, 80, rate=100)

    assert not finding.failed, finding
