import asyncio
import gc
from concurrent.futures import Future
from typing import Any, cast
from weakref import ref

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from processor.clock import ManualClock, SystemClock
from processor.kafka_admin import LONGEST, STAY, SharedAdmin
from tests.support.broker import admin_client, embedded_broker
from tests.support.conversations import listening
from tests.support.relays import both_ways


class Answering:
    """An admin client that answers what it is told to."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.polls = 0
        self.groups: list[Future[Any]] = []

    def poll(self, _: float) -> int:
        """Write the log."""
        self.polls += 1
        return 0

    def list_offsets(self, asked: list[str]) -> dict[str, Future[Any]]:
        """Answer at once."""
        futures: dict[str, Future[Any]] = {name: Future() for name in asked}
        for future in futures.values():
            if isinstance(self.answer, Exception):
                future.set_exception(self.answer)
            else:
                future.set_result(self.answer)
        return futures

    def describe_consumer_groups(self, groups: list[str], *, request_timeout: float) -> dict[str, Future[Any]]:
        """Leave the answer to the test."""
        assert request_timeout == LONGEST
        self.groups += [Future() for _ in groups]
        return dict(zip(groups, self.groups[-len(groups) :], strict=True))

    def describe_topics(self) -> str:
        """Another question."""
        return "described"


def refusal(code: int) -> KafkaException:
    """What a future fails with."""
    return KafkaException(KafkaError(code))


@pytest.mark.parametrize(
    ("answer", "made"),
    [(17, 1), (refusal(KafkaError._NOENT), 2), (refusal(KafkaError.FENCED_LEADER_EPOCH), 2)],
    ids=["an offset", "no leader of anything", "a leader of old"],
)
def test_a_client_that_has_lost_its_way_is_replaced(answer: object, made: int) -> None:
    """All share one client, until it cannot tell an offset: it would go on like that for ever."""
    clients: list[Answering] = []

    def make() -> AdminClient:
        clients.append(Answering(answer))
        return cast("AdminClient", clients[-1])

    admin = SharedAdmin(make, ManualClock())
    assert not clients
    admin().list_offsets(cast("Any", ["a", "b"]))
    admin()

    assert len(clients) == made
    assert cast("Any", admin()).describe_topics() == "described"


def test_one_that_cannot_tell_a_group_is_replaced() -> None:
    """Its question may not time out while it lives: the client goes, a while after nobody waits for it any more."""
    clients: list[Answering] = []
    clock = ManualClock()

    def make() -> AdminClient:
        clients.append(Answering(17))
        return cast("AdminClient", clients[-1])

    admin = SharedAdmin(make, clock)
    admin().describe_consumer_groups(["answered", "not answered"], request_timeout=5)
    clients[0].groups[0].set_result("described")
    clock.advance(4.9)
    admin()
    assert len(clients) == 1
    clock.advance(0.1)
    admin()
    assert len(clients) == 2
    first = ref(clients.pop(0))
    clock.advance(STAY - 0.1)
    admin()
    assert first() is not None
    clock.advance(0.1)
    admin()
    gc.collect()

    assert first() is None
    assert len(clients) == 1


async def test_a_group_whose_coordinator_is_reached_late() -> None:
    """The question waits for Kafka: had it timed out meanwhile, the process would end when Kafka is there."""
    there = asyncio.Event()
    with embedded_broker() as broker:

        async def late(*here: Any) -> None:
            await there.wait()
            await both_ways(here, await asyncio.open_connection(*broker.bootstrap.split(":")))

        async with listening(late) as port:
            admin = SharedAdmin(lambda: admin_client(f"127.0.0.1:{port}"), SystemClock())
            answer = asyncio.wrap_future(admin().describe_consumer_groups(["g"], request_timeout=0.1)["g"])
            done, _ = await asyncio.wait([answer], timeout=0.5)
            assert not done

            there.set()
            with pytest.raises(KafkaException, match="not supported by broker"):  # the mock cluster's answer
                await asyncio.wait_for(answer, 30)


def test_one_that_cannot_be_made_is_made_later() -> None:
    """Without a login there is no client; the next question tries again."""
    left: list[object] = [refusal(KafkaError._AUTHENTICATION), Answering(17)]

    def make() -> AdminClient:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return cast("AdminClient", found)

    admin = SharedAdmin(make, ManualClock())
    with pytest.raises(KafkaException):
        admin()

    assert admin() is admin()


def test_its_log_is_written_whenever_it_is_handed_out() -> None:
    """It would pile up else: nobody polls an admin client for anything else."""
    client = Answering(17)
    admin = SharedAdmin(lambda: cast("AdminClient", client), ManualClock())
    for _ in range(3):
        admin()

    assert client.polls == 3
