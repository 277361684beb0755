import pytest

from processor.errors import Level
from processor.settings.kafka_rules import MINIMA, RULES, combination_faults, is_kip848, rule_fault
from processor.settings.kafka_table import ALIASES, ANY_CLIENT, CONSUMER_ONLY, PRODUCER_ONLY


@pytest.mark.parametrize(
    ("name", "value", "words", "fix"),
    [
        ("group.id", "x", "group_prefix", "use group_prefix"),
        ("enable.auto.commit", "true", "not delivered yet", "commit_interval"),
        ("auto.commit.enable", "true", "not delivered yet", "commit_interval"),
        ("auto.commit.interval.ms", "1000", "offsets follow the deliveries", "use commit_interval"),
        ("enable.auto.offset.store", "TRUE", "when they are read", "remove it"),
        ("auto.offset.reset", "latest", "skipped", "use start_from"),
        ("offset.store.method", "file", "outside of the consumer group", "remove it"),
        ("partition.assignment.strategy", "range", "every partition away", "group.protocol: consumer"),
        ("partition.assignment.strategy", "cooperative-sticky,range", "every partition away", "cooperative-sticky"),
        ("acks", "1", "a broker can still lose it", "all is set"),
        ("request.required.acks", "0", "a broker can still lose it", "all is set"),
        ("enable.idempotence", "false", "twice or out of order", "true is set"),
        ("enable.gapless.guarantee", "true", "end the producer", "remove it"),
        ("transactional.id", "x", "a commit that never comes", "remove it"),
        ("delivery.report.only.error", "true", "wait for ever", "remove it"),
        ("enabled_events", "1", "take away the reports", "remove it"),
        ("log.queue", "true", "hide the client's log", "remove it"),
        ("enable.partition.eof", "1", "no records", "remove it"),
        ("allow.auto.create.topics", "true", "misspelt name", "create topics"),
        ("internal.termination.signal", "15", "end the process", "remove it"),
        ("message.timeout.ms", "0", "never gives up", "at least 1"),
        ("delivery.timeout.ms", "0", "never gives up", "at least 1"),
        ("max.poll.interval.ms", "0x10", "waits for requests in flight", "at least 60000"),
        ("error_cb", "x", "in a program", "remove it"),
        ("some_new_cb", "x", "in a program", "remove it"),
        ("logger", "x", "in a program", "remove it"),
        ("test.mock.num.brokers", "3", "pretend broker", "remove it"),
        ("topic.acks", "1", "a prefix", "write `acks`"),
        ("bootstrap.servers", "a:9092, b:port", "`b:port` is not the address of a broker", "broker-1:9092"),
        ("metadata.broker.list", "", "is not the address of a broker", "broker-1:9092"),
    ],
)
def test_what_breaks_the_promise(name: str, value: str, words: str, fix: str) -> None:
    """Each is refused with the reason and with what to do instead."""
    fault = rule_fault(name, value)
    assert fault is not None
    assert (fault.path, fault.level) == (("kafka", name), Level.ERROR)
    assert words in fault.message
    assert fix in fault.fix


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enable.auto.commit", "False"),
        ("enable.auto.offset.store", "0"),
        ("acks", "-1"),
        ("acks", "ALL"),
        ("enable.idempotence", "true"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("message.timeout.ms", "60000"),
        ("message.timeout.ms", "soon"),
        ("group.instance.id", "pod-1"),
        ("isolation.level", "read_committed"),
        ("topic.metadata.refresh.interval.ms", "1000"),
        ("topic.blacklist", "^x"),
        ("bootstrap.servers", "a, SSL://b.c:9093,[::1]:1,10.0.0.1"),
    ],
)
def test_what_keeps_it(name: str, value: str) -> None:
    """The safe value of a ruled property is no fault, nor is what no rule is about."""
    assert rule_fault(name, value) is None


def test_reading_what_may_be_aborted_is_a_warning() -> None:
    """Read-uncommitted is the user's choice, but it is said."""
    fault = rule_fault("isolation.level", "read_uncommitted")
    assert fault is not None
    assert fault.level is Level.WARNING


def test_rules_are_about_real_properties() -> None:
    """Every ruled name is one that the client knows, by the name that aliases lead to."""
    ruled = RULES.keys() | MINIMA.keys()
    assert ruled <= ANY_CLIENT | CONSUMER_ONLY | PRODUCER_ONLY
    assert not ruled & ALIASES.keys()


def test_two_names_of_one_property() -> None:
    """Of two names for one property neither can win."""
    faults = combination_faults({"bootstrap.servers": "a", "linger.ms": "1", "queue.buffering.max.ms": "2"})
    assert [(fault.where, fault.message) for fault in faults] == [
        ("kafka.queue.buffering.max.ms", "is another name of `linger.ms`, which is set too")
    ]


def test_brokers_are_required() -> None:
    """Without an address there is nothing to connect to; its old name will do."""
    assert [fault.where for fault in combination_faults({})] == ["kafka.bootstrap.servers"]
    assert combination_faults({"metadata.broker.list": "a"}) == []


def test_the_new_group_protocol() -> None:
    """What the broker decides under KIP-848 is refused, in any case of the protocol's name."""
    kafka = {"bootstrap.servers": "a", "group.protocol": "Consumer", "session.timeout.ms": "6000"}
    assert [fault.where for fault in combination_faults(kafka)] == ["kafka.session.timeout.ms"]
    assert is_kip848(kafka)
    assert not is_kip848({"group.protocol": "classic"})
    assert not is_kip848({})
