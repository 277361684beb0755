"""What librdkafka does by itself for a member of a group: heartbeats, and what it hears at them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from confluent_kafka import KafkaError, Message

from processor.records import Key
from tests.simulation.cluster_group import (
    FENCED_INSTANCE_ID,
    STALE_MEMBER_EPOCH,
    UNRELEASED_INSTANCE_ID,
    Beat,
    Group,
    Member,
)
from tests.simulation.network import AGAIN, Line, Link, Question, void

CONSUMER_HEARTBEAT = 5.0
"""Seconds between heartbeats under KIP-848, where the broker says it."""
LEFT = frozenset({KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION})
"""Answers to a commit after which a client takes all its partitions for lost, and joins again."""

FATAL = frozenset({FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID})
"""Answers to a heartbeat that end a client: another one has its `group.instance.id`."""


class Application(Protocol):
    """The other side: these are served in order, in `consume()` and `close()`."""

    def assigned(self, keys: frozenset[Key]) -> None: ...
    def revoked(self, keys: frozenset[Key]) -> None: ...
    def lost(self) -> None: ...
    def complain(self, message: Message) -> None: ...
    def idle_since(self) -> float | None: ...
    def unreachable(self) -> None: ...
    def fail(self, why: str) -> None: ...


class Membership:
    """One consumer's part in its group.

    Attributes:
        member_id, epoch: as the coordinator knows them; empty while not a member.
        heard: when the coordinator took a heartbeat last.
        line: the connection to it.
        owned: what the application has been given and has not given back.
    """

    def __init__(self, link: Link, group: Group, config: Mapping[str, Any], application: Application) -> None:
        self._link = link
        self._machine = link.cluster.machine
        self._group = group
        self._application = application
        self._topics: tuple[str, ...] = ()
        told = link.cluster.consumer_session
        self._session = seconds(config, "session.timeout.ms", 45.0) if group.classic else told
        self._pause = seconds(config, "heartbeat.interval.ms", 3.0) if group.classic else CONSUMER_HEARTBEAT
        self._patience = seconds(config, "max.poll.interval.ms", 300.0)
        self._instance: str = config.get("group.instance.id", "")
        self._number = 0
        self._asking = False
        self._serving = False
        self._left = False
        self.heard = 0.0
        self.line = Line()
        self.member_id = ""
        self.epoch = -1
        self.owned: frozenset[Key] = frozenset()

    def subscribe(self, topics: tuple[str, ...]) -> None:
        """Join."""
        self._topics = topics
        self._join()

    def leave(self) -> Callable[[], bool]:
        """Go; gives what says whether the coordinator has heard it."""
        member_id, self.member_id, self._left = self.member_id, "", True
        if not member_id:
            return lambda: True
        question = Question(self._link.cluster, self._link.host, lambda: self._group.leave(member_id), void)
        return lambda: question.over

    def served(self, owned: frozenset[Key], member_id: str) -> None:
        """The application has taken, or given back, what it was told to as this member; it may be none any more."""
        if member_id != self.member_id:
            return
        self.owned, self._serving = owned, False
        if self.member_id:
            self._beat_after(0.0)

    def knows_loss(self) -> None:
        """The application knows that all is gone: join again."""
        self.owned, self._serving = frozenset(), False
        if not self._left:
            self._join()

    def fail(self) -> None:
        """A fatal error: the member takes no more part."""
        self.member_id, self._left = "", True

    def commit_refused(self, code: int) -> None:
        """A commit was refused for who we are."""
        if code in LEFT and self.member_id:
            self._lose()
        elif code == STALE_MEMBER_EPOCH and not self._serving:
            self._beat_after(0.0)

    # Heartbeats.

    def _join(self) -> None:
        random = self._machine.random
        self.member_id = f"{self._link.host.name}-{random.getrandbits(32):08x}"
        self.heard = self._machine.clock.now()
        self._beat_after(random.random() * 0.05)

    def _beat_after(self, seconds: float) -> None:
        """One heartbeat is due at a time; the one that was planned before is forgotten."""
        self._number += 1
        number = self._number
        self._machine.later(seconds, lambda: self._beat(number), self._link.host)

    def _beat(self, number: int) -> None:
        if number != self._number or not self.member_id:
            return
        if self._overslept():
            return
        if self._group.classic and self._machine.clock.now() - self.heard > self._session:
            self._lose()  # the client of the older protocol counts for itself
            return
        if self._asking:
            self._beat_after(AGAIN)
            return
        self._asking = True
        # While the application takes or gives back, a heartbeat says nothing of partitions: what it is about to take
        # would else count as given back.
        member_id, owned, joins = self.member_id, None if self._serving else self.owned, self.epoch < 0
        Question(
            self._link.cluster,
            self._link.host,
            lambda: self._at_coordinator(member_id, owned, joins=joins),
            lambda answer: self._answered(member_id, answer),
            wanted=lambda: self.member_id == member_id,
            on_unreachable=self._application.unreachable,
            line=self.line,
        )
        self._beat_after(self._pause)

    def _at_coordinator(self, member_id: str, owned: frozenset[Key] | None, *, joins: bool) -> Beat | KafkaError:
        if joins and member_id not in self._group.members:
            now = self._machine.clock.now()
            member = Member(member_id, self._link.host, self._topics, self._session, now, self._instance)
            refusal = self._group.join(member)
            if refusal is not None:
                return refusal
        return self._group.heartbeat(member_id, owned)

    def _answered(self, member_id: str, answer: Beat | KafkaError) -> None:
        if member_id != self.member_id:
            return
        self._asking = False
        if isinstance(answer, KafkaError):
            if answer.code() in FATAL:
                self._application.fail(answer.str())
            else:
                self._lose()
            return
        self.heard = self._machine.clock.now()
        news, self.epoch = answer[0] != self.epoch, answer[0]
        if not self._serving:
            self._reconcile(answer[1], news=news)

    def _reconcile(self, assignment: frozenset[Key], *, news: bool) -> None:
        if gone := self.owned - assignment:
            self._serving = True
            self._application.revoked(gone)
        elif (come := assignment - self.owned) or (news and self._group.classic):
            self._serving = True
            self._application.assigned(come)

    def _overslept(self) -> bool:
        """The application has not polled for too long: the client leaves, and is back when it polls again."""
        since = self._application.idle_since()
        if since is None or self._machine.clock.now() - since < self._patience:
            return False
        member_id = self.member_id
        Question(self._link.cluster, self._link.host, lambda: self._group.leave(member_id), void)
        error = KafkaError(KafkaError._MAX_POLL_EXCEEDED)
        self._application.complain(Message(error=error))
        self._lose()
        return True

    def _lose(self) -> None:
        """All is gone; join again when the application knows."""
        self.member_id, self.epoch, self._asking, self._serving = "", -1, False, True
        self._application.lost()


def seconds(config: Mapping[str, Any], name: str, default: float) -> float:
    """A property in milliseconds, in seconds."""
    return float(config.get(name, default * 1000)) / 1000
