"""The way between a simulated Kafka client and the cluster: questions that take time, get lost, and are asked again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from confluent_kafka import KafkaError, KafkaException

from tests.simulation.machine import Host
from tests.simulation.weather import Ill

if TYPE_CHECKING:
    from tests.simulation.cluster import Cluster

T = TypeVar("T")

AGAIN = 0.3
"""Seconds until a client asks again."""
REPEATED = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)
"""Answers after which a client asks again by itself."""


@dataclass(slots=True)
class Line:
    """A client's connection to a broker, as the client's statistics tell of it.

    Attributes:
        asked, heard: when something was last asked, and answered.
        questions: how many there were; of these `open` are not answered yet.
    """

    asked: float = 0.0
    heard: float = 0.0
    questions: int = 0
    open: int = 0


class Question(Generic[T]):
    """One request, asked again until it is answered or its time is over.

    Args:
        work: what the broker does; may be done twice, where an answer was lost.
        done: told of the answer, in the client's process, once.
        within: seconds after which the client gives up with the error `late`; None = never.
        needs: what keeps the broker from answering, beside being away.
        wanted: whether it is still to be asked; what is at the broker by then is carried out.
        line: the connection, where somebody wants to know of it.

    Attributes:
        over: whether `done` was told; `answer` is what.
    """

    def __init__(  # noqa: PLR0913 - all that a question may need, by name
        self,
        cluster: "Cluster",
        host: Host,
        work: Callable[[], T | KafkaError],
        done: Callable[[T | KafkaError], None],
        *,
        within: float | None = None,
        late: int = KafkaError._TIMED_OUT,
        needs: Ill | None = Ill.NO_COORDINATOR,
        wanted: Callable[[], bool] = lambda: True,
        on_unreachable: Callable[[], None] = lambda: None,
        line: Line | None = None,
    ) -> None:
        self._cluster = cluster
        self._machine = cluster.machine
        self._host = host
        self._work = work
        self._done = done
        self._until = None if within is None else self._machine.clock.now() + within
        self._late = late
        self._needs = needs
        self._wanted = wanted
        self._on_unreachable = on_unreachable
        self._line = line or Line()
        self.over = False
        self.answer: T | KafkaError | None = None
        self._ask()

    def _ask(self) -> None:
        if not self._give_up():
            self._line.asked = self._machine.clock.now()
            self._line.questions += 1
            self._line.open += 1
            self._machine.later(self._cluster.latency(), self._arrive)

    def _arrive(self) -> None:
        """At the broker; what was sent before its client died is carried out."""
        weather = self._cluster.weather
        if weather.now(Ill.AWAY):
            self._machine.later(self._cluster.latency(), self._unreachable, self._host)
            return
        if silence := weather.left(Ill.SILENT):
            self._machine.later(silence + self._cluster.latency(), self._arrive)
            return
        if self._needs is not None and weather.now(self._needs):
            found: T | KafkaError = KafkaError(_unavailable(self._needs))
        else:
            found = self._work()
        self._machine.later(self._cluster.delay(), lambda: self._back(found))

    def _back(self, found: T | KafkaError) -> None:
        if self._cluster.weather.now(Ill.AWAY):
            self._machine.later(0.0, self._unreachable, self._host)
        else:
            self._machine.later(0.0, lambda: self._hear(found), self._host)

    def _hear(self, found: T | KafkaError) -> None:
        self._line.heard = self._machine.clock.now()
        self._line.open -= 1
        if isinstance(found, KafkaError) and found.code() in REPEATED:
            self._again()
        elif not self._give_up():
            self._tell(found)

    def _unreachable(self) -> None:
        self._line.open -= 1
        self._on_unreachable()
        self._again()

    def _again(self) -> None:
        if self._wanted() and not self._give_up():
            self._machine.later(AGAIN, self._ask, self._host)

    def _give_up(self) -> bool:
        """Whether nothing more is to be done; gives up where the time is over."""
        if not self.over and self._until is not None and self._machine.clock.now() >= self._until:
            self._tell(KafkaError(self._late))
        return self.over

    def _tell(self, answer: T | KafkaError) -> None:
        self.over, self.answer = True, answer
        self._done(answer)

    def limit(self) -> "Question[T]":
        """Give up on time even if no answer comes at all: the client has an alarm for it."""
        if self._until is not None:
            self._machine.later(self._until - self._machine.clock.now(), lambda: void(self._give_up()), self._host)
        return self


def void(_: object) -> None:
    """For a callback whose result nobody wants."""


def _unavailable(needs: Ill) -> int:
    if needs is Ill.NO_COORDINATOR:
        return KafkaError.NOT_COORDINATOR
    return KafkaError.NOT_LEADER_FOR_PARTITION


class Link:
    """A client's connection to the cluster."""

    def __init__(self, cluster: "Cluster", host: Host) -> None:
        self.cluster = cluster
        self.host = host

    def call(
        self,
        work: Callable[[], T | KafkaError],
        timeout: float,
        *,
        needs: Ill | None = Ill.NO_COORDINATOR,
        late: int = KafkaError._TIMED_OUT,
        on_unreachable: Callable[[], None] = lambda: None,
        line: Line | None = None,
    ) -> T:
        """Ask and wait, on a simulated thread.

        Raises:
            KafkaException: there was no answer in time, or it is an error.
        """
        question = Question(self.cluster, self.host, work, void, needs=needs, on_unreachable=on_unreachable, line=line)
        if not self.cluster.machine.wait(lambda: question.over, timeout):
            question.over = True
            raise KafkaException(KafkaError(late))
        if isinstance(question.answer, KafkaError):
            raise KafkaException(question.answer)
        return cast("T", question.answer)
