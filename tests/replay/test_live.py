"""Whether a replay goes on somewhere."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, KafkaError, KafkaException

from processor.errors import FatalError
from processor.replay import live
from processor.replay.access import Access
from processor.replay.history import History, Run
from processor.replay.live import group_of, has_group, refuse_beside, unended
from tests.replay.audits import WALL
from tests.support.broker import Broker, admin_client
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

GROUP = uuid4().hex
LONG_AGO = "2026-11-22T09:00:00.000Z"
"""An hour before `WALL`."""


def run(number: int, **changes: Any) -> Run:
    """A replay that began an hour ago, had ends, and did not say how it ended."""
    plain = Run(
        id=f"2026-11-22-{number}",
        kind="replay",
        topic="dlq",
        destination="rocket",
        by="ann",
        host="pod-1",
        started=LONG_AGO,
        ends={"dlq": {0: 5}},
    )
    return plain.model_copy(update=changes)


def history(*runs: Run) -> History:
    """What the audit topic tells of these."""
    told = History("dlq", "")
    for each in runs:
        told._enter(each)
    return told


def access(admin: object) -> Access:
    """The parts that are used."""
    return cast("Access", SimpleNamespace(admin=admin, plan=SimpleNamespace(group=GROUP), bootstrap="kafka:9092"))


@pytest.fixture
def real(broker: Broker) -> Access:
    """The run's broker."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster does not describe groups")
    return access(admin_client(broker.bootstrap))


class Nobody:
    """A client that must not be asked."""


def test_which_runs_have_not_ended() -> None:
    """Replays without an end, oldest first; a discard has no group, and so is never live."""
    told = history(
        run(3, started="2026-11-22T09:30:00.000Z"),
        run(1),
        run(2, ended=LONG_AGO),
        run(4, kind="discard"),
        run(5, kind="source"),
    )

    assert [each.id[-1] for each in unended(told)] == ["1", "5", "3"]


def test_no_run_that_has_not_ended() -> None:
    """Then Kafka is not even asked."""
    refuse_beside(access(Nobody()), history(run(1, ended=LONG_AGO)), WALL)


def test_a_run_that_was_killed(real: Access) -> None:
    """Its group has no members, or never was: another one may begin."""
    refuse_beside(real, history(run(1), run(2, started="somewhen")), WALL)


def test_a_run_that_goes_on(broker: Broker, topic: TopicFactory, real: Access) -> None:
    """Its group has members: it is named, with whose it is, and with what can be done."""
    told, name = history(run(1), run(2)), topic()
    member = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group_of(real.plan, "2026-11-22-2")})
    member.subscribe([name])
    eventually_sync(lambda: member.poll(0.1) or member.assignment(), within=20)

    with pytest.raises(FatalError) as caught:
        refuse_beside(real, told, WALL)
    assert str(caught.value).startswith(f"run 2026-11-22-2 of ann on pod-1 goes on since {LONG_AGO}")
    assert "`clickstream replay --destination rocket --resume 2026-11-22-2`" in str(caught.value)

    member.close()
    eventually_sync(lambda: not refused(real, told), within=20)


def refused(real: Access, told: History) -> bool:
    """Whether a run may not begin."""
    try:
        refuse_beside(real, told, WALL)
    except FatalError:
        return True
    return False


def test_a_run_that_has_just_begun() -> None:
    """It counts as live before its group has members."""
    young = history(run(1, started="2026-11-22T09:59:01.000Z"))

    with pytest.raises(FatalError, match="run 2026-11-22-1 of ann"):
        refuse_beside(access(Nobody()), young, WALL)


def test_a_run_that_puts_letters_back() -> None:
    """Nobody can help it or go on with it: only its own command, which has the file, can."""
    young = history(run(1, started="2026-11-22T09:59:01.000Z", ends={}))

    with pytest.raises(
        FatalError, match=r"only one may at a time: wait for its end or, if it was killed, give its com"
    ):
        refuse_beside(access(Nobody()), young, WALL)


def test_of_two_that_begin_at_once_one_goes_on() -> None:
    """Exactly one, whichever looks first."""
    now = "2026-11-22T10:00:00.000Z"
    first, second = run(1, started=now), run(2, started=now)
    told = history(first, second)

    refuse_beside(access(Nobody()), told, WALL, first)
    with pytest.raises(FatalError, match="run 2026-11-22-1"):
        refuse_beside(access(Nobody()), told, WALL, second)


class Answering:
    """A client that answers one thing about every group."""

    def __init__(self, code: int) -> None:
        self._error = KafkaError(code, "no")

    def describe_consumer_groups(self, groups: list[str], **_: object) -> dict[str, "Answering"]:
        """Ask."""
        return dict.fromkeys(groups, self)

    def result(self, _: float) -> None:
        """The answer."""
        raise KafkaException(self._error)


def test_what_cannot_be_told() -> None:
    """A group that Kafka does not know has no members; where it tells nothing, nobody guesses."""
    refuse_beside(access(Answering(KafkaError.GROUP_ID_NOT_FOUND)), history(run(1)), WALL)
    with pytest.raises(FatalError, match="whether run 2026-11-22-1 goes on cannot be told: no"):
        refuse_beside(access(Answering(KafkaError.INVALID_GROUP_ID)), history(run(1)), WALL)


@pytest.mark.parametrize(("state", "there"), [(ConsumerGroupState.DEAD, False), (ConsumerGroupState.EMPTY, True)])
def test_a_group_of_an_earlier_run(state: ConsumerGroupState, *, there: bool) -> None:
    """Its offsets would be taken for the new run's; older brokers tell of a group that is not there, too."""
    told = SimpleNamespace(result=lambda _: SimpleNamespace(state=state))
    admin = SimpleNamespace(describe_consumer_groups=lambda groups, **_: {groups[0]: told})

    assert has_group(access(admin), "2026-11-22-1") is there
    assert not has_group(access(Answering(KafkaError.GROUP_ID_NOT_FOUND)), "2026-11-22-1")


def test_a_run_that_says_that_it_goes_on() -> None:
    """It has no group yet, and began long ago."""
    told = history(run(1, alive="2026-11-22T09:59:30.000Z", ends={}))

    with pytest.raises(FatalError, match="run 2026-11-22-1 of ann"):
        refuse_beside(access(Nobody()), told, WALL)


def test_a_discard_has_no_group() -> None:
    """One that was killed is not asked for."""
    refuse_beside(access(Nobody()), history(run(1, kind="discard")), WALL)


def test_a_group_that_may_not_be_seen() -> None:
    """The command allows it for all runs of the destination."""
    with pytest.raises(FatalError, match="whether run 2026-11-22-1 goes on cannot be told") as caught:
        refuse_beside(access(Answering(KafkaError.GROUP_AUTHORIZATION_FAILED)), history(run(1)), WALL)

    assert str(caught.value).endswith(
        "kafka-acls.sh --bootstrap-server kafka:9092 --add --allow-principal User:NAME --operation Describe "
        f"--group {GROUP}.replay. --resource-pattern-type prefixed"
    )


def test_a_coordinator_that_is_coming_up_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Kafka that has just started has none for the first seconds; after the patience nobody guesses."""
    monkeypatch.setattr(live, "sleep", lambda _: None)
    codes = [KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR, KafkaError.GROUP_ID_NOT_FOUND]
    admin = SimpleNamespace(describe_consumer_groups=lambda groups, **_: {groups[0]: Answering(codes.pop(0))})

    refuse_beside(access(admin), history(run(1)), WALL)

    assert not codes
    with pytest.raises(FatalError, match="cannot be told"):
        refuse_beside(access(Answering(KafkaError.COORDINATOR_NOT_AVAILABLE)), history(run(1)), WALL)
