from concurrent.futures import Future
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from processor.kafka_admin import SharedAdmin


class Answering:
    """An admin client that answers what it is told to."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.polls = 0

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

    admin = SharedAdmin(make)
    assert not clients
    admin().list_offsets(cast("Any", ["a", "b"]))
    admin()

    assert len(clients) == made
    assert cast("Any", admin()).describe_topics() == "described"


def test_one_that_cannot_be_made_is_made_later() -> None:
    """Without a login there is no client; the next question tries again."""
    left: list[object] = [refusal(KafkaError._AUTHENTICATION), Answering(17)]

    def make() -> AdminClient:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return cast("AdminClient", found)

    admin = SharedAdmin(make)
    with pytest.raises(KafkaException):
        admin()

    assert admin() is admin()


def test_its_log_is_written_whenever_it_is_handed_out() -> None:
    """It would pile up else: nobody polls an admin client for anything else."""
    client = Answering(17)
    admin = SharedAdmin(lambda: cast("AdminClient", client))
    for _ in range(3):
        admin()

    assert client.polls == 3
