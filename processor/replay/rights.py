"""What a command's Kafka user must be allowed, asked before anything is done: half of a run is worse than none.

The table in docs/security.md is the same, for people.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from processor.errors import FatalError
from processor.kafka_rights import DESCRIBE, NONE, READ, WRITE, Operations, lacking, on_groups, on_topic
from processor.plan import Plan
from processor.replay.access import Access
from processor.replay.audit import audit_topic
from processor.replay.history import Run
from processor.replay.live import group_of, groups_of, state_of
from processor.replay.reading import PATIENCE


@dataclass(frozen=True, slots=True)
class Rights:
    """What is needed.

    Attributes:
        topics: by name.
        groups: on the groups of the destination's runs, where that can be said beforehand.
    """

    topics: Mapping[str, Operations]
    groups: Operations = NONE


Needs = Callable[[Plan], Rights]


def to_look(plan: Plan) -> Rights:
    """To read letters, and to rehearse a run: only where a run has not ended its group is looked at, too."""
    return _rights(plan, READ, READ)


def to_discard(plan: Plan) -> Rights:
    """The same, and what is discarded is written down."""
    return _rights(plan, READ, READ | WRITE)


def to_replay(plan: Plan) -> Rights:
    """What fails again becomes a new letter."""
    return _rights(plan, READ | WRITE, READ | WRITE, READ)


def to_look_at_source(plan: Plan, topics: Collection[str]) -> Rights:
    """Of the dead-letter topic only its id is asked."""
    return _rights(plan, DESCRIBE, READ, sources=topics)


def to_replay_source(plan: Plan, topics: Collection[str]) -> Rights:
    """What fails becomes a letter."""
    return _rights(plan, WRITE, READ | WRITE, READ, topics)


def of_run(plan: Plan, run: Run) -> Rights:
    """To do what is left of a run that has begun."""
    return to_replay_source(plan, run.ends) if run.kind == "source" else to_replay(plan)


def _rights(
    plan: Plan, letters: Operations, audit: Operations, groups: Operations = NONE, sources: Collection[str] = ()
) -> Rights:
    topic = plan.dead_letter_topic
    return Rights({topic: letters, audit_topic(topic): audit, **dict.fromkeys(sources, READ)}, groups)


def refuse_without(access: Access, rights: Rights) -> None:
    """Refuse to begin without what is needed; all of it is told at once.

    Raises:
        FatalError: something is not allowed, or Kafka does not answer.
    """
    access.reader.reach(access.topic)
    if missing := missing_of(access, rights):
        raise FatalError("\n  ".join(missing))


def missing_of(access: Access, rights: Rights) -> list[str]:
    """What is not allowed, in words, with the commands that allow it; what Kafka does not tell is not missing."""
    return [*_topics(access, rights.topics), *_groups(access, rights.groups)]


def _topics(access: Access, topics: Mapping[str, Operations]) -> Iterator[str]:
    asked = access.admin.describe_topics(
        TopicCollection([*topics]), include_authorized_operations=True, request_timeout=PATIENCE
    )
    for topic, wanted in topics.items():
        try:
            missing = lacking(wanted, asked[topic].result().authorized_operations)
        except KafkaException as exception:
            missing = wanted if exception.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else NONE
        if missing:
            yield on_topic(access.bootstrap, topic, missing)


def _groups(access: Access, wanted: Operations) -> Iterator[str]:
    """A group that is not there yet may be asked about as well."""
    if not wanted:
        return
    try:
        described = state_of(access.admin, group_of(access.plan, "next"))
        missing = lacking(wanted, described.authorized_operations) if described else NONE
    except KafkaException as exception:
        missing = wanted if exception.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED else NONE
    if missing:
        yield on_groups(access.bootstrap, groups_of(access.plan), missing)
