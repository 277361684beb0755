import time
from collections.abc import Iterator

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Fault
from processor.settings.kafka_properties import admin_config, check_kafka, consumer_config, producer_config
from processor.settings.kafka_rules import RULES
from processor.settings.kafka_table import ANY_CLIENT, CODE_ONLY, CONSUMER_ONLY, PRODUCER_ONLY

BROKERS = {"bootstrap.servers": "127.0.0.1:1"}


def threads_end(before: int) -> Iterator[int]:
    """Give the number of threads until it is down to what it was, for at most 5 s."""
    deadline = time.monotonic() + 5
    while (now := psutil.Process().num_threads()) > before and time.monotonic() < deadline:
        yield now


def test_properties_are_sorted_by_role() -> None:
    """Each client gets what it takes, what all take, and nothing else of the user's."""
    kafka = {**BROKERS, "fetch.min.bytes": "2", "compression.type": "zstd", "sasl.username": "u"}
    everyone = {"bootstrap.servers": "127.0.0.1:1", "sasl.username": "u"}
    consumer = consumer_config(kafka, "group", "client")
    producer = producer_config(kafka, "client")
    assert consumer.items() >= (everyone | {"fetch.min.bytes": "2", "group.id": "group"}).items()
    assert "compression.type" not in consumer
    assert producer.items() >= (everyone | {"compression.type": "zstd"}).items()
    assert "fetch.min.bytes" not in producer
    assert admin_config(kafka, "client") == everyone | {
        "client.id": "client",
        "reconnect.backoff.ms": 1_000,
        "socket.timeout.ms": 10_000,
    }


def test_safe_defaults() -> None:
    """Without a word of the user the clients are set up as the promise needs it."""
    consumer = consumer_config(BROKERS, "group", "client")
    assert consumer == BROKERS | {
        "group.id": "group",
        "client.id": "client",
        "reconnect.backoff.ms": 1_000,
        "socket.timeout.ms": 10_000,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": 10_000,
        "isolation.level": "read_committed",
        "queued.max.messages.kbytes": 16_384,
        "fetch.queue.backoff.ms": 5,
        "fetch.wait.max.ms": 100,
        "statistics.interval.ms": 5_000,
    }
    assert producer_config(BROKERS, "client") == BROKERS | {
        "client.id": "client",
        "reconnect.backoff.ms": 1_000,
        "socket.timeout.ms": 10_000,
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "linger.ms": 5,
        "message.timeout.ms": 30_000,
        "message.max.bytes": 1_048_588,
    }


def test_the_user_wins_over_defaults() -> None:
    """A default gives way to the user's value, also where the user writes the property's other name."""
    kafka = {**BROKERS, "queue.buffering.max.ms": "50", "client.id": "mine", "session.timeout.ms": "6000"}
    producer = producer_config(kafka, "client")
    assert (producer["linger.ms"], producer["client.id"]) == ("50", "mine")
    assert "queue.buffering.max.ms" not in producer
    assert consumer_config(kafka, "group", "client")["session.timeout.ms"] == "6000"


def test_the_new_group_protocol_has_no_classic_defaults() -> None:
    """With KIP-848 the client would refuse them."""
    config = consumer_config({**BROKERS, "group.protocol": "consumer"}, "group", "client")
    assert not {"session.timeout.ms", "partition.assignment.strategy"} & config.keys()


@pytest.mark.parametrize(
    "kafka",
    [
        {},
        {"group.protocol": "consumer"},
        {"queue.buffering.max.ms": "7"},
        {"delivery.report.only.error": "false", "enable.auto.commit": "false", "request.required.acks": "all"},
        {"enable.idempotence": "1", "partition.assignment.strategy": "cooperative-sticky", "log.queue": "f"},
    ],
)
def test_the_clients_accept_it(kafka: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """Real clients start with our configuration and complain of nothing."""
    quiet = {"log_level": 4}  # without brokers each client says so, as a notice
    Consumer(quiet | consumer_config(kafka, "group", "client")).close()
    Producer(quiet | producer_config(kafka, "client"))
    AdminClient(quiet | admin_config(kafka, "client"))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("kafka", "where", "message", "fix"),
    [
        ({"lingr.ms": "5"}, "kafka.lingr.ms", "is not a property of the Kafka client", "did you mean `linger.ms`?"),
        ({"qqqqqqqqqqqq": "5"}, "kafka.qqqqqqqqqqqq", "is not a property", "see librdkafka's CONFIGURATION.md"),
        ({"linger.ms": "soon"}, "kafka.linger.ms", "refuses `soon`: Invalid value", ""),
        ({"linger.ms": "5ms"}, "kafka.linger.ms", "`5ms` is not a number", "milliseconds"),
        ({"message.timeout.ms": "30s"}, "kafka.message.timeout.ms", "`30s` is not a number", "milliseconds"),
        ({"message.timeout.ms": "4294967297"}, "kafka.message.timeout.ms", "as a whole", "digits only"),
        ({"queued.min.messages": "0100"}, "kafka.queued.min.messages", "as a whole", "digits only"),
        ({"queued.min.messages": "1_000"}, "kafka.queued.min.messages", "as a whole", "digits only"),
        ({"fetch.min.bytes": "-5"}, "kafka.fetch.min.bytes", "outside allowed range", ""),
        ({"security.protocol": "tls"}, "kafka.security.protocol", 'Invalid value "tls"', ""),
        ({"ssl.truststore.location": "a"}, "kafka.ssl.truststore.location", "Java TrustStores", "use ssl.ca.location"),
        ({"ssl.truststore.password": "a"}, "kafka.ssl.truststore.password", "is not a", "use ssl.ca.location"),
        ({"sasl.jaas.config": "hunter2"}, "kafka.sasl.jaas.config", "refuses this: Java JAAS", "sasl.username"),
        ({"retries": "0"}, "kafka.retries", "`retries` must be set >= 1", ""),
        ({"max.in.flight": "6"}, "kafka.max.in.flight", "must be set <= 5", ""),
        (
            {"security.protocol": "ssl", "ssl.ca.location": "/none"},
            "kafka.ssl.ca.location",
            "there is no file",
            "mount",
        ),
        ({"security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN"}, "kafka", "must be set", ""),
        ({"session.timeout.ms": "600000"}, "kafka.session.timeout.ms", "must be >= `session.timeout.ms`", ""),
        ({"error_cb": "x"}, "kafka.error_cb", "in a program", "remove it"),
        ({"acks": "1"}, "kafka.acks", "`1` would count", "remove it"),
    ],
)
def test_faults(kafka: dict[str, str], where: str, message: str, fix: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What the client or the promise does not allow is one fault, and nothing is printed or shown of a secret."""
    faults = check_kafka({**BROKERS, **kafka})
    assert [fault.where for fault in faults] == [where]
    assert message in faults[0].message
    assert fix in faults[0].fix
    assert "hunter2" not in str(faults[0])
    assert capfd.readouterr().err == ""


def test_all_faults_at_once() -> None:
    """One wrong property hides no other."""
    faults = check_kafka({"acks": "1", "linger.ms": "x", "nonsense.name": "1", "stats_cb": "x"})
    assert {fault.where for fault in faults} == {
        "kafka.acks",
        "kafka.linger.ms",
        "kafka.nonsense.name",
        "kafka.stats_cb",
        "kafka.bootstrap.servers",
    }


@pytest.mark.parametrize(
    "kafka",
    [
        {},
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": "u",
            "sasl.password": "p",
        },
        {"group.protocol": "consumer", "group.remote.assignor": "uniform"},
        {"group.instance.id": "pod-1", "debug": "all", "statistics.interval.ms": "1000"},
        {"acks": "all", "linger.ms": "0.5", "fetch.min.bytes": "0x10", "fetch.wait.max.ms": "+5"},
        {"compression.type": "zstd", "fetch.max.bytes": "10000000", "client.rack": "a"},
    ],
)
def test_right_properties(kafka: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """What teams set in production is no fault, and the check is silent."""
    assert check_kafka({**BROKERS, **kafka}) == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, rule in RULES.items() for value in sorted(rule.allowed)]
)
def test_the_safe_value_may_be_written(name: str, value: str) -> None:
    """What a rule allows is no fault, and the clients start with it."""
    kafka = {**BROKERS, name: value}
    assert check_kafka(kafka) == []
    Producer({"log_level": 0} | producer_config({name: value}, "client"))
    Consumer({"log_level": 0} | consumer_config({name: value}, "group", "client")).close()


def test_tokens_are_not_fetched() -> None:
    """With OIDC a client asks for a token as soon as it exists; the check connects to nobody and is done at once."""
    oidc = {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "id",
        "sasl.oauthbearer.client.secret": "hunter2",
    }
    endpoint = {"sasl.oauthbearer.token.endpoint.url": "http://192.0.2.1/token"}
    start = time.monotonic()
    assert check_kafka({**BROKERS, **oidc, **endpoint}) == []
    assert time.monotonic() - start < 10
    assert "token.endpoint.url` is mandatory" in check_kafka({**BROKERS, **oidc})[0].message


def test_no_thread_is_left() -> None:
    """The clients that were asked are gone afterwards."""
    before = psutil.Process().num_threads()
    check_kafka(BROKERS)
    list(threads_end(before))
    assert psutil.Process().num_threads() <= before


NAMES = sorted(ANY_CLIENT | CONSUMER_ONLY | PRODUCER_ONLY | CODE_ONLY - {"plugin.library.paths"})


@given(
    st.dictionaries(
        st.sampled_from(NAMES) | st.text(max_size=9),
        st.sampled_from(["1", "0", "true", "false", "all", "x", "-1", "é"]) | st.text(max_size=3),
        max_size=4,
    )
)
def test_any_properties_are_faults_or_work(kafka: dict[str, str]) -> None:
    """Whatever a user writes, the answer is a list of faults with a place."""
    for fault in check_kafka(kafka):
        assert isinstance(fault, Fault)
        assert fault.path[0] == "kafka"
        assert fault.message
