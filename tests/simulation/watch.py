"""Where the referee listens inside the service: at its ledger, hand-over, consumers and requests."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from confluent_kafka import KafkaError, TopicPartition

from processor.consume.bridge import LoopBridge
from processor.offsets import Start
from processor.records import Assignment, Key, Record, Request, Span
from processor.send.replies import Reply
from processor.send.sender import Http
from processor.settle.ledger import Ledger
from tests.simulation.cluster import Cluster
from tests.simulation.consumer import SimConsumer
from tests.simulation.machine import Host, Machine
from tests.simulation.referee import Referee


@contextmanager
def watched(machine: Machine, referee: Referee) -> Iterator[None]:
    """While this is entered, the referee hears of all ledgers and hand-overs."""

    def host() -> Host:
        assert machine.host is not None
        return machine.host

    listeners = [*_at_ledgers(host, referee), *_at_hand_overs(referee)]
    with ExitStack() as stack:
        for target, name, value in listeners:
            stack.enter_context(patch.object(target, name, value))
        yield


Listener = tuple[type, str, Callable[..., Any]]
"""A class, the method that is replaced, and by what."""


def _at_ledgers(host: Callable[[], Host], referee: Referee) -> list[Listener]:
    begin, end, receive, settle = Ledger.begin, Ledger.end, Ledger.receive, Ledger.settle

    def begins(self: Ledger, assignment: Assignment, start: Start) -> None:
        before = self.live(assignment.key)
        if before is not None:
            referee.ends(host(), before)
        begin(self, assignment, start)
        referee.begins(host(), assignment)

    def ends(self: Ledger, key: Key) -> Assignment | None:
        ended = end(self, key)
        if ended is not None:
            referee.ends(host(), ended)
        return ended

    def receives(self: Ledger, key: Key, records: Sequence[Record]) -> Sequence[Record]:
        unsettled = receive(self, key, records)
        assignment = self.live(key)
        assert assignment is not None
        referee.enters(host(), assignment, records, unsettled)
        return unsettled

    def settles(self: Ledger, spans: Iterable[Span]) -> None:
        for span in spans:
            if self.live(span.assignment.key) is span.assignment:
                referee.settles(span)
                settle(self, [span])
            else:
                before = self.view()
                settle(self, [span])
                if self.view() != before:
                    referee.late(span)

    return [
        (Ledger, "begin", begins),
        (Ledger, "end", ends),
        (Ledger, "receive", receives),
        (Ledger, "settle", settles),
    ]


def _at_hand_overs(referee: Referee) -> list[Listener]:
    hand_over = LoopBridge.receive

    def hands_over(self: LoopBridge, records: list[Record]) -> None:
        referee.handed(records)
        hand_over(self, records)

    return [(LoopBridge, "receive", hands_over)]


@dataclass(slots=True)
class Commits:
    """One consumer's.

    Attributes:
        flying: how many of each partition wait for their answers.
        member: whether it takes part in the group: one that does not may write offsets to begin from.
        leaving: whether partitions are being given back.
    """

    flying: Counter[Key] = field(default_factory=Counter)
    member: bool = False
    leaving: bool = False


def watch_consumer(host: Host, config: Mapping[str, Any], cluster: Cluster, referee: Referee) -> SimConsumer:
    """A consumer whose commits the referee hears of."""
    state = Commits()

    def answered(error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        state.flying -= Counter((at.topic, at.partition) for at in partitions)
        config["on_commit"](error, partitions)

    consumer = cluster.consumer(host, {**config, "on_commit": answered} if "on_commit" in config else config)
    commit, subscribe, consume, close = consumer.commit, consumer.subscribe, consumer.consume, consumer.close

    def commits(*, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        keys = {(at.topic, at.partition) for at in offsets}
        if state.member:
            referee.commits(host, offsets, alone=state.leaving or not keys & state.flying.keys())
        state.flying += Counter(keys)
        commit(offsets=offsets, asynchronous=asynchronous)

    def subscribes(topics: Sequence[str], *, on_assign: Any, on_revoke: Any, on_lost: Any) -> None:
        def revokes(*args: Any) -> None:
            state.leaving = True
            on_revoke(*args)
            state.leaving = False

        def loses(consumer: Any, partitions: list[TopicPartition]) -> None:
            _lose(referee, host, partitions)
            on_lost(consumer, partitions)

        state.member = True
        subscribe(topics, on_assign=on_assign, on_revoke=revokes, on_lost=loses)

    def consumes(*args: Any) -> Any:
        if state.member:
            referee.polled[host] = referee.now
        return consume(*args)

    def closes() -> None:
        referee.polled.pop(host, None)
        close()

    consumer.commit, consumer.subscribe = commits, subscribes  # type: ignore[method-assign]
    consumer.consume, consumer.close = consumes, closes  # type: ignore[method-assign, assignment]
    return consumer


def _lose(referee: Referee, host: Host, partitions: Iterable[TopicPartition]) -> None:
    """A process's client tells that these are gone already."""
    for at in partitions:
        if (stay := referee.live.get((host, (at.topic, at.partition)))) is not None:
            stay.lost = True


class WatchedHttp:
    """Tells the referee of requests and replies."""

    def __init__(self, http: Http, host: Host, referee: Referee) -> None:
        self._http = http
        self._host = host
        self._referee = referee

    async def send(self, request: Request) -> Reply:
        """Send it."""
        self._referee.sent(self._host, request)
        reply = await self._http.send(request)
        self._referee.answered(self._host, request, reply)
        return reply

    async def renew(self) -> None:
        """Read the secrets again."""
        await self._http.renew()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
