import pytest

from processor.demo.options import STEADY, DemoOptions


def test_without_troubles_there_is_nothing_to_wait_for() -> None:
    """Poison takes no time of its own."""
    assert not DemoOptions(events=10).troubled
    assert not DemoOptions(poison=0.1).troubled


@pytest.mark.parametrize("options", [DemoOptions(outage=2.0), DemoOptions(revoke=2.0), DemoOptions(restart=True)])
def test_a_trouble_takes_its_time(options: DemoOptions) -> None:
    """There is normal flow before and behind it, and time to heal."""
    assert options.troubled
    assert options.length > 2 * STEADY + 2


def test_troubles_come_one_after_another() -> None:
    """All of them take as long as each of them, less the flow that they share."""
    every = DemoOptions(outage=10.0, revoke=5.0, restart=True)
    single = [DemoOptions(outage=10.0), DemoOptions(revoke=5.0), DemoOptions(restart=True)]

    assert every.length == pytest.approx(sum(each.length for each in single) - 2 * STEADY)
