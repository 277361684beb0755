"""What a real broker's refusals are called: the client's words change between versions, and people are told by them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from confluent_kafka import KafkaError, KafkaException

from processor.consume.troubles import Trouble, explain
from processor.kafka_clients import KafkaClients
from processor.settings.kafka_properties import check_kafka
from tests.security.secured import SecuredKafka
from tests.support.identities import IdentityProvider
from tests.support.logs import Lines
from tests.support.waiting import eventually_sync


@dataclass
class World:
    """The real parts."""

    kafka: SecuredKafka
    provider: IdentityProvider

    def oidc(self) -> dict[str, str]:
        """Keys for tokens."""
        return self.kafka.by_oidc(self.provider)


Keys = Mapping[str, str]
REFUSALS: dict[str, tuple[Callable[[World], Keys], str]] = {
    "no certificate": (
        lambda world: {
            name: value
            for name, value in world.kafka.by_certificate().items()
            if not name.startswith(("ssl.certificate", "ssl.key"))
        },
        "the broker refuses our certificate: set ssl.certificate.location",
    ),
    "a stranger's certificate": (
        lambda world: (
            world.kafka.by_certificate()
            | {
                "ssl.certificate.location": str(world.kafka.outsider.certificate),
                "ssl.key.location": str(world.kafka.outsider.key),
            }
        ),
        "the broker refuses our certificate: set ssl.certificate.location",
    ),
    "an authority that is not trusted": (
        lambda world: world.kafka.by_certificate() | {"ssl.ca.location": str(world.kafka.stranger.certificate)},
        "set ssl.ca.location",
    ),
    "another name than in the certificate": (
        lambda world: (
            world.kafka.by_certificate()
            | {"bootstrap.servers": world.kafka.certificates.bootstrap.replace("127.0.0.1", "localhost")}
        ),
        "the name in that certificate",
    ),
    "a wrong password, PLAIN": (
        lambda world: world.kafka.by_password("PLAIN") | {"sasl.password": "wrong"},
        "correct sasl.username and sasl.password",
    ),
    "a wrong password, SCRAM": (
        lambda world: world.kafka.by_password("SCRAM-SHA-512") | {"sasl.password": "wrong"},
        "correct sasl.username and sasl.password",
    ),
    "a mechanism that is off": (
        lambda world: world.kafka.by_password("SCRAM-SHA-256"),
        "set sasl.mechanism to one that the broker supports",
    ),
    "a port without a login": (
        lambda world: (
            world.kafka.by_password("PLAIN") | world.kafka.by_certificate() | {"security.protocol": "SASL_SSL"}
        ),
        "where the broker's port asks for no login, set security.protocol",
    ),
    "a port without TLS": (
        lambda world: world.kafka.by_certificate() | {"bootstrap.servers": world.kafka.process.bootstrap},
        "the broker's port does not speak TLS",
    ),
    "a port with TLS": (
        lambda world: {"bootstrap.servers": world.kafka.certificates.bootstrap},
        "bootstrap.servers and security.protocol fit them",
    ),
    "a secret that the provider refuses": (
        lambda world: world.oidc() | {"sasl.oauthbearer.client.secret": "wrong"},
        "sasl.oauthbearer.client.secret",
    ),
    "a provider that is not there": (
        lambda world: world.oidc() | {"sasl.oauthbearer.token.endpoint.url": "https://127.0.0.1:9/token"},
        "look at sasl.oauthbearer.token.endpoint.url",
    ),
    "a provider that is not trusted": (
        lambda world: world.oidc() | {"https.ca.location": "probe"},
        "where its certificate is not trusted, https.ca.location",
    ),
}


@pytest.mark.parametrize(("keys", "fix"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_names_the_key_that_mends_it(
    kafka: SecuredKafka, provider: IdentityProvider, keys: Callable[[World], Keys], fix: str
) -> None:
    """Nothing is wrong with the file by itself; the broker or the provider refuses, and the fix names the keys."""
    properties = keys(World(kafka, provider))

    assert check_kafka(properties) == []
    assert fix in complaint(properties, fix).fix


def complaint(keys: Keys, fix: str) -> Trouble:
    """What the client says of it; that it was disconnected, and no more, may come before the cause."""
    troubles: list[Trouble] = []

    def on_error(error: KafkaError) -> None:
        trouble = explain(error)
        if trouble.replaces(troubles[-1] if troubles else None):
            troubles.append(trouble)

    consumer = KafkaClients(keys, "group", "client", None, Lines().log).consumer({"error_cb": on_error})

    def complained() -> Trouble | None:
        with pytest.raises(KafkaException):
            consumer.list_topics(timeout=0.5)
        consumer.poll(0)
        return next((trouble for trouble in troubles if trouble.cause or fix in trouble.fix), None)

    try:
        return eventually_sync(complained)
    finally:
        consumer.close()
