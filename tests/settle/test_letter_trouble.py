"""What is said of a dead-letter topic, and when: once each, by looks and by refusals, until a letter is taken."""

from confluent_kafka import KafkaError

from processor.clock import ManualClock
from processor.settle.letter_topic import Advice, Finding, Look
from processor.settle.letter_trouble import LOOK_EVERY, TopicHealth, Trouble
from tests.support.logs import Lines

WALL = 1_800_000_000.0
MISSING = Finding("the topic does not exist", "create it")
FEW = Finding("partition 0 with too few replicas", "start brokers")
LATE = KafkaError(KafkaError._MSG_TIMED_OUT)
TOO_FEW = KafkaError(KafkaError.NOT_ENOUGH_REPLICAS)


class Case:
    """A topic of which nothing is known yet."""

    def __init__(self) -> None:
        self.clock = ManualClock(wall=WALL)
        self.lines = Lines()
        self.health = TopicHealth(Advice("shop.dlq", "kafka:9092"), self.clock, self.lines.log)

    def state(self) -> tuple[float | None, Trouble | None]:
        """When it is looked at next, and what is wrong."""
        return self.health.next_look, self.health.trouble


def test_a_topic_is_looked_at_once_where_all_is_well() -> None:
    """At once, and never again; there is nothing to say."""
    case = Case()
    assert case.state() == (0.0, None)

    assert not case.health.looked(Look())

    assert case.state() == (None, None)
    assert case.lines.events == []


def test_a_topic_that_nobody_tells_of_is_looked_at_again() -> None:
    """Kafka may come up after us."""
    case = Case()
    case.health.unanswered()

    assert (case.health.next_look, case.health.trouble, case.lines.events) == (LOOK_EVERY, None, [])


def test_a_missing_topic_is_said_until_it_is_there() -> None:
    """Once, loudly, before any letter; it is looked at again, and its coming is said, too."""
    case = Case()
    case.health.looked(Look(MISSING))
    case.clock.advance(10.0)
    assert not case.health.looked(Look(MISSING))
    assert case.state() == (10.0 + LOOK_EVERY, Trouble(MISSING.words, WALL, MISSING.fix))

    assert case.health.looked(Look())

    assert case.state() == (None, None)
    assert case.lines.events == ["dead_letter_topic_unfit", "dead_letter_topic_back"]
    (said,) = case.lines("dead_letter_topic_unfit")
    assert (said["log_level"], said["reason"], said["fix"]) == ("error", MISSING.words, MISSING.fix)


def test_what_may_go_wrong_is_a_warning() -> None:
    """Said once, no trouble; where letters are then refused without a reason, it is the reason."""
    case = Case()
    case.health.looked(Look(cautions=(FEW,)))
    assert (case.health.trouble, case.health.next_look) == (None, None)
    assert case.lines.events == ["dead_letter_topic_doubtful"]

    case.health.refused(LATE, 1.0)
    case.health.looked(Look(cautions=(FEW,)))

    assert case.health.trouble == Trouble(f"{LATE.str()}; {FEW.words}", WALL, FEW.fix)
    assert case.lines.events == ["dead_letter_topic_doubtful", "dead_letter_refused"]


def test_a_refusal_asks_for_a_look() -> None:
    """A client that gets no answer in time does not know why; the look does, and replaces its words."""
    case = Case()
    case.health.looked(Look())
    case.clock.advance(100.0)
    case.health.refused(LATE, 1.0)
    assert case.health.next_look == 100.0

    case.clock.advance(5.0)
    case.health.looked(Look(MISSING))

    assert case.health.trouble == Trouble(MISSING.words, WALL + 100.0, MISSING.fix)


def test_what_the_broker_says_is_told_with_what_to_do() -> None:
    """Where the error says it itself."""
    fixes = {
        KafkaError.UNKNOWN_TOPIC_OR_PART: "kafka-topics.sh",
        KafkaError._UNKNOWN_TOPIC: "kafka-topics.sh",
        KafkaError.TOPIC_AUTHORIZATION_FAILED: "kafka-acls.sh",
        KafkaError.CLUSTER_AUTHORIZATION_FAILED: "kafka-acls.sh",
        KafkaError.NOT_ENOUGH_REPLICAS: "min.insync.replicas=1",
        KafkaError.MSG_SIZE_TOO_LARGE: "max.message.bytes=1048588",
        KafkaError._MSG_TIMED_OUT: "see that the topic and its brokers are there",
    }
    for code, fix in fixes.items():
        case = Case()
        case.health.refused(KafkaError(code), 5.0)
        assert case.health.trouble is not None
        assert fix in case.health.trouble.fix
        assert case.lines("dead_letter_refused")[0]["next"].startswith("tried again in 5 s and after; offsets with")


def test_trouble_lasts_until_the_last_refused_letter_is_taken() -> None:
    """Others may be taken meanwhile: partitions differ, and so do sizes."""
    case = Case()
    case.health.refused(TOO_FEW, 1.0)
    case.health.acknowledged(refused=1, waiting=3)
    assert case.state()[1] is not None

    case.health.acknowledged(refused=0, waiting=2)

    assert case.state()[1] is None
    assert case.lines("dead_letter_topic_back")[0]["waiting"] == 2


def test_a_letter_that_is_taken_proves_a_look_wrong() -> None:
    """Not every broker tells the truth about who may write."""
    case = Case()
    case.health.looked(Look(MISSING))

    case.health.acknowledged(refused=0, waiting=0)

    assert case.health.trouble is None


def test_what_is_better_is_said_to_be() -> None:
    """Letters that wait are then tried at once: when a fault has gone, or what looked like the reason."""
    case = Case()
    case.health.refused(LATE, 1.0)
    assert not case.health.looked(Look())
    assert not case.health.looked(Look(cautions=(FEW,)))
    assert not case.health.looked(Look(answered=False))

    assert case.health.looked(Look())
    assert case.health.trouble is not None, "no letter was taken yet"
