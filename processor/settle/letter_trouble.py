"""Why letters wait, or would: from what letters were refused with, and from looks at their topic. Said once each."""

from dataclasses import dataclass

from confluent_kafka import KafkaError

from processor.clock import Clock
from processor.logs import Logger
from processor.settle.letter_topic import Advice, Finding, Look

LOOK_EVERY = 10.0
"""Seconds between two looks, while something is wrong or nobody answered."""
WAITING = "offsets with letters wait, nothing is lost"

MISSING = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})  # noqa: SLF001 - librdkafka's own
FORBIDDEN = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
TOO_FEW = frozenset({KafkaError.NOT_ENOUGH_REPLICAS, KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why letters wait, or would.

    Attributes:
        since: seconds since 1970.
        fix: what to do.
    """

    words: str
    since: float
    fix: str = ""


class TopicHealth:
    """What is known of one dead-letter topic; used by one thread.

    Attributes:
        trouble: None while nothing is known to be wrong.
        next_look: when to look at the topic, on the clock that never jumps; None = there is no need.
    """

    def __init__(self, advice: Advice, clock: Clock, log: Logger) -> None:
        self._advice = advice
        self._clock = clock
        self._log = log
        self._fault: Finding | None = None
        self._cautions: tuple[Finding, ...] = ()
        self._refusal: Finding | None = None
        self._said: frozenset[str] = frozenset()
        self.trouble: Trouble | None = None
        self.next_look: float | None = clock.now()

    def looked(self, look: Look) -> bool:
        """Enter what was found; says whether what stood in the way before does not any more."""
        before, now = (self._fault, *self._cautions), self._clock.now()
        self.next_look = now + LOOK_EVERY
        if not look.answered:
            return False
        self._fault, self._cautions = look.fault, look.cautions
        self._caution()
        self._tell("dead_letter_topic_unfit", f"looked at again every {LOOK_EVERY:g} s; {WAITING}")
        if self.trouble is None:
            self.next_look = None
        return any(before) and not any((look.fault, *look.cautions))

    def unanswered(self) -> None:
        """There was nobody to ask."""
        self.looked(Look(answered=False))

    def refused(self, error: KafkaError, delay: float) -> None:
        """A letter was refused, and is tried again after so many seconds."""
        self._refusal = Finding(error.str(), self._fix(error))
        if self.next_look is None:
            self.next_look = self._clock.now()
        self._tell("dead_letter_refused", f"tried again in {delay:g} s and after; {WAITING}")

    def no_producer(self, error: KafkaError, delay: float) -> None:
        """There is no client to write with, or none that can; one is made again after so many seconds."""
        fix = self._fix(error) or "the log says what is wrong with the login to Kafka"
        self._refusal = Finding(error.str(), fix)
        self._tell("dead_letter_producer_failed", f"tried again in {delay:g} s and after; {WAITING}")

    def acknowledged(self, *, refused: int, waiting: int) -> None:
        """A letter was taken.

        Args:
            refused: letters that were refused and still wait.
            waiting: all that wait.
        """
        self._fault = None
        if not refused:
            self._refusal = None
        self._tell("", "", waiting)

    def producer_made(self) -> None:
        """There is a client again; whether it can write is to be seen."""
        self._refusal = None
        if self._fault is None:
            self.trouble = None

    def _caution(self) -> None:
        """Say at the first look what may become a fault."""
        for finding in self._cautions:
            if finding.words not in self._said:
                self._log.warning("dead_letter_topic_doubtful", reason=finding.words, fix=finding.fix)
        self._said = frozenset(finding.words for finding in self._cautions)

    def _tell(self, event: str, then: str, waiting: int = 0) -> None:
        """Put what is known together; say it where that changed."""
        before, found = self.trouble, self._found()
        if found is None:
            self.trouble = None
            if before:
                self._log.info("dead_letter_topic_back", waiting=waiting)
        elif before is None or before.words != found.words:
            self.trouble = Trouble(found.words, before.since if before else self._clock.wall(), found.fix)
            if event:
                self._log.error(event, reason=found.words, next=then, fix=found.fix)

    def _found(self) -> Finding | None:
        """A look says more than a refusal: a client that gets no answer in time does not know why."""
        if self._fault or self._refusal is None:
            return self._fault
        if self._cautions and not self._refusal.fix:
            words = "; ".join([self._refusal.words, *(finding.words for finding in self._cautions)])
            return Finding(words, self._cautions[0].fix)
        return Finding(self._refusal.words, self._refusal.fix or "see that the topic and its brokers are there")

    def _fix(self, error: KafkaError) -> str:
        """What to do; empty where the error may have many reasons."""
        code, advice = error.code(), self._advice
        if code in MISSING:
            return advice.create()
        if code in FORBIDDEN:
            return advice.allow()
        if code in TOO_FEW:
            return advice.in_sync()
        return advice.limit() if code == KafkaError.MSG_SIZE_TOO_LARGE else ""
