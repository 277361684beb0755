"""How long letters stay, in words; all else is in `test_dlq.py`, on a real topic."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from processor.cli.dlq_stats import FOR_EVER, _head, retention
from processor.records import ErrorClass, Failure, Stage
from processor.replay.history import State
from processor.replay.stats import Tally
from tests.replay.letters import WRITTEN, as_letter

DAY = 86_400.0


class Admin:
    """Answers with a topic's configuration, or with an error."""

    def __init__(self, answer: dict[str, str] | KafkaException) -> None:
        self._answer = answer

    def describe_configs(self, resources: list[Any], **_: float) -> dict[Any, Future[Any]]:
        """What was given."""
        future: Future[Any] = Future()
        if isinstance(self._answer, KafkaException):
            future.set_exception(self._answer)
        else:
            future.set_result({name: SimpleNamespace(value=value) for name, value in self._answer.items()})
        return dict.fromkeys(resources, future)


REFUSED = KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ({"cleanup.policy": "delete", "retention.ms": "1000"}, 1000),
        ({"cleanup.policy": "compact,delete", "retention.ms": "1000"}, 1000),
        ({"cleanup.policy": "delete", "retention.ms": "-1"}, FOR_EVER),
        ({"cleanup.policy": "compact", "retention.ms": "1000"}, FOR_EVER),
        (REFUSED, None),
    ],
)
def test_retention(answer: dict[str, str] | KafkaException, kept: int | None) -> None:
    """It holds where the topic deletes at all, and need not be known."""
    admin: Any = Admin(answer)

    assert retention(admin, "dlq") == kept


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (int(3 * DAY * 1000), "oldest 2 d, expires in 1 d"),
        (int(DAY * 1000), "oldest 2 d, expires any moment"),
        (FOR_EVER, "oldest 2 d, never expires"),
        (None, "oldest 2 d, expires at a time that this Kafka user may not know (DescribeConfigs)"),
    ],
)
def test_when_the_oldest_goes(kept: int | None, words: str) -> None:
    """From its age and the topic's retention."""
    tally = Tally()
    tally.add(as_letter(failure=Failure(Stage.MAP, ErrorClass.UNMAPPED, "no")), State.OPEN)

    assert (
        _head("dlq", tally, kept, WRITTEN / 1000 + 2 * DAY) == f"topic dlq  open 1  replayed 0  discarded 0   {words}"
    )


def test_nothing_is_open() -> None:
    """Then nothing is the oldest."""
    tally = Tally()
    tally.add(as_letter(), State.DISCARDED)

    assert _head("dlq", tally, 1000, 0.0) == "topic dlq  open 0  replayed 0  discarded 1"
