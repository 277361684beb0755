"""What a command's Kafka user lacks, as a broker tells it; on a real one: tests/security/test_replay_rights.py."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AclOperation

from processor.errors import FatalError
from processor.kafka_rights import DESCRIBE, NONE, READ, WRITE
from processor.replay.access import Access
from processor.replay.history import Run
from processor.replay.rights import (
    Rights,
    missing_of,
    of_run,
    refuse_without,
    to_discard,
    to_look,
    to_look_at_source,
    to_replay,
    to_replay_source,
)

PLAN: Any = SimpleNamespace(dead_letter_topic="dlq", group="c.voyado")
ALL = [AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE]
Answer = list[AclOperation] | int | None
"""What the user may do, or the error's code."""


class Answering:
    """An answer, of a topic or a group."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def result(self, _: float = 0.0) -> Any:
        """It, or the error."""
        if isinstance(self._answer, int):
            raise KafkaException(KafkaError(self._answer, "no"))
        return SimpleNamespace(authorized_operations=self._answer, members=[])


def access(topics: Mapping[str, Answer], group: Answer = None) -> Access:
    """A Kafka that tells this."""
    admin = SimpleNamespace(
        describe_topics=lambda *_, **__: {name: Answering(topics.get(name)) for name in ("dlq", "dlq.audit", "clicks")},
        describe_consumer_groups=lambda groups, **_: {groups[0]: Answering(group)},
    )
    reader = SimpleNamespace(reach=lambda _: None)
    return cast("Access", SimpleNamespace(admin=admin, plan=PLAN, bootstrap="kafka:9092", reader=reader, topic="dlq"))


def test_what_is_needed() -> None:
    """As the table in docs/security.md has it."""
    both = READ | WRITE
    assert to_look(PLAN) == Rights({"dlq": READ, "dlq.audit": READ})
    assert to_discard(PLAN) == Rights({"dlq": READ, "dlq.audit": both})
    assert to_replay(PLAN) == Rights({"dlq": both, "dlq.audit": both}, READ)
    assert to_look_at_source(PLAN, ["clicks"]) == Rights({"dlq": DESCRIBE, "dlq.audit": READ, "clicks": READ})
    assert to_replay_source(PLAN, ["clicks"]) == Rights({"dlq": WRITE, "dlq.audit": both, "clicks": READ}, READ)


@pytest.mark.parametrize(
    ("kind", "needs"), [("replay", to_replay(PLAN)), ("source", to_replay_source(PLAN, ["clicks"]))]
)
def test_what_a_run_needs_that_goes_on(kind: Any, needs: Rights) -> None:
    """By what it is about."""
    topic = "dlq" if kind == "replay" else "clicks"
    assert of_run(PLAN, Run(id="1", kind=kind, topic="dlq", ends={topic: {0: 1}})) == needs


def test_all_that_is_lacking() -> None:
    """In one message, a line for each resource; a topic that may not even be seen lacks all."""
    told = access(
        {"dlq": [AclOperation.READ], "dlq.audit": KafkaError.TOPIC_AUTHORIZATION_FAILED}, [AclOperation.DESCRIBE]
    )

    with pytest.raises(FatalError) as caught:
        refuse_without(told, to_replay(PLAN))

    lines = str(caught.value).splitlines()
    assert [line.strip().partition(";")[0] for line in lines] == [
        "this Kafka user lacks Write on the topic dlq",
        "this Kafka user lacks Read and Write on the topic dlq.audit",
        "this Kafka user lacks Read on the groups c.voyado.replay.*",
    ]


@pytest.mark.parametrize("group", [None, [], ALL, KafkaError.GROUP_ID_NOT_FOUND, KafkaError.INVALID_GROUP_ID])
@pytest.mark.parametrize(
    "topic", [None, [], ALL, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.INVALID_REPLICATION_FACTOR]
)
def test_nothing_is_known_to_be_lacking(topic: Answer, group: Answer) -> None:
    """What Kafka does not tell is tried: a missing topic is told of elsewhere."""
    refuse_without(access({"dlq": topic, "dlq.audit": ALL}, group), to_replay(PLAN))


def test_a_group_that_may_not_be_seen() -> None:
    """Then it may not be used either."""
    told = access({}, KafkaError.GROUP_AUTHORIZATION_FAILED)

    assert "lacks Read on the groups" in missing_of(told, Rights({}, READ))[0]
    assert missing_of(told, Rights({}, NONE)) == []


def test_kafka_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told by the reader, in its words, before anything is asked."""

    def silent(_: str) -> None:
        raise FatalError("Kafka gave no answer")

    told = access({})
    monkeypatch.setattr(told.reader, "reach", silent)
    with pytest.raises(FatalError, match="Kafka gave no answer"):
        refuse_without(told, to_look(PLAN))
