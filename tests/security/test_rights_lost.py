"""A right that a run loses in its middle, on a real Kafka: it waits, goes on or is resumed, and sends nothing twice."""

import time

from tests.replay.scene import Command
from tests.security.guarded_shop import CLICKS, CONFIGS, KILLED, GuardedShop, replayed
from tests.security.rights import Right, table
from tests.support.waiting import eventually_sync

STILL = 4.0
"""Seconds without a request after which a run is taken to wait."""


def test_the_audit_topic_takes_no_more(shop: GuardedShop) -> None:
    """The run waits, for what it sends could not be written down, and goes on by itself; nothing is sent twice."""
    lost = Right("audit topic", "Write")
    command = begun(shop)
    shop.forbid(lost)
    waits(shop)
    shop.let(lost)

    assert command.end() == 1, command.err
    assert f"is not known; {shop.missed(Right('audit topic', CONFIGS))}" in command.err
    assert command.err.count('"audit_topic_refuses"') == 1
    assert replayed(shop, command)


def test_the_group_is_refused(shop: GuardedShop) -> None:
    """Its commits are refused and its partitions lost; once they are back, nothing that was marked is sent again."""
    lost = Right("groups of runs", "Read")
    command = begun(shop)
    shop.forbid(lost)
    waits(shop)
    shop.let(lost)

    assert command.end() == 1, command.err
    assert "partitions_lost" in command.err
    assert replayed(shop, command)


def test_the_dead_letter_topic_may_not_be_read_any_more(shop: GuardedShop) -> None:
    """What was fetched is delivered and marked; that its offsets cannot be committed is of no matter then."""
    command = begun(shop)
    shop.forbid(Right("dead-letter topic", "Read"))

    assert command.end() == 1, command.err
    assert "commit_failed" in command.err
    assert replayed(shop, command)


def test_a_run_that_lost_a_right_is_resumed(shop: GuardedShop) -> None:
    """It was ended while it waited; the account names the command, which delivers the rest, once."""
    lost = Right("groups of runs", "Read")
    command = begun(shop)
    shop.forbid(lost)
    waits(shop)
    command.interrupt()
    first = command.end()
    run = next(run for run in reversed(shop.scene.history.runs) if run != KILLED.id)
    shop.let(lost)
    resumed = shop.run("replay", "--resume", run)

    assert first == 1
    assert f"--resume {run}" in command.out + command.err
    assert resumed.end() == 1, resumed.err
    assert replayed(shop, resumed)


def begun(shop: GuardedShop) -> Command:
    """A slow run that has delivered something; DescribeConfigs it can do without."""
    shop.let(*(right for right in table()["replay"] if right.operation != CONFIGS))
    shop.bury(2 * CLICKS, bad=0)
    command = shop.run("replay", rate="4/s")
    shop.scene.arrived(6)
    return command


def waits(shop: GuardedShop) -> None:
    """Wait until nothing is sent any more, although there is something."""
    seen: list[tuple[int, float]] = [(-1, 0.0)]

    def still() -> bool:
        count, since = len(shop.scene.books), seen[-1][1]
        if count != seen[-1][0]:
            since = time.monotonic()
            seen.append((count, since))
        return time.monotonic() - since > STILL

    eventually_sync(still, within=30)
    assert len(shop.scene.books) < shop.expected.total(), "the run was too quick"
