from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from processor.clock import SystemClock
from processor.kafka_clients import KafkaClients, tokens_of
from processor.kafka_tokens import MskTokens
from tests.support.broker import Broker
from tests.support.logs import Lines
from tests.support.server import free_port
from tests.support.waiting import eventually_sync

MSK = {"sasl.mechanism": "AWS_MSK_IAM", "security.protocol": "SASL_SSL"}
NOWHERE = {"bootstrap.servers": f"127.0.0.1:{free_port()}"}
CLIENTS: dict[str, Callable[[KafkaClients], object]] = {
    "consumer": lambda clients: clients.consumer({"error_cb": lambda _: None}),
    "producer": KafkaClients.producer,
    "admin": KafkaClients.admin,
}


def fail(_: str) -> tuple[str, int]:
    """Sign nothing."""
    raise RuntimeError("STS is down")


def clients_of(kafka: dict[str, str], tokens: MskTokens | None) -> KafkaClients:
    """Clients of some pipeline."""
    return KafkaClients(kafka, "group", "client", tokens, Lines().log)


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_a_client_without_a_token_is_not_made(make: Callable[[KafkaClients], object]) -> None:
    """Each client wants a token first; where there is none the reason is raised at once, and not after ten seconds."""
    clients = clients_of(NOWHERE | MSK, MskTokens("eu-north-1", fail, SystemClock(), Lines().log))

    with pytest.raises(KafkaException, match="STS is down"):
        make(clients)


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_every_client_asks_for_tokens(make: Callable[[KafkaClients], object]) -> None:
    """The client calls the callback itself, too: it has a token when it is made."""
    asked: list[str] = []

    def sign(region: str) -> tuple[str, int]:
        asked.append(region)
        return "token", 4_102_444_800_000

    assert make(clients_of(NOWHERE | MSK, MskTokens("eu-north-1", sign, SystemClock(), Lines().log)))
    assert asked == ["eu-north-1"]


def test_a_missing_token_is_named() -> None:
    """The client says that its callback raised; people are told why."""
    tokens = MskTokens("eu-north-1", fail, SystemClock(), Lines().log)
    said: list[KafkaError] = []
    named = clients_of(NOWHERE, tokens)._with_reason(said.append)
    raised = KafkaError(
        KafkaError._AUTHENTICATION, "Failed to acquire SASL OAUTHBEARER token: OAuth callback raised exception"
    )
    other = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")

    with pytest.raises(KafkaException):
        tokens("")
    named(raised)
    named(other)

    assert [error.str() for error in said] == ["no login token: RuntimeError: STS is down", "1/1 brokers are down"]


def test_clients_that_log_in_by_themselves(broker: Broker) -> None:
    """Any other login is the client's own affair: there are no tokens of ours, and it connects."""
    kafka = {"bootstrap.servers": broker.bootstrap}

    assert tokens_of(kafka, {}, SystemClock(), Lines().log) is None
    admin = clients_of(kafka, None).admin()
    assert eventually_sync(lambda: admin.list_topics(timeout=5).brokers)


def test_the_region_comes_from_the_environment() -> None:
    """What gives tokens for MSK is made with the real signer, for the cluster's region."""
    tokens = tokens_of(NOWHERE | MSK, {"AWS_REGION": "eu-west-1"}, SystemClock(), Lines().log)

    assert tokens is not None
    assert tokens._region == "eu-west-1"
