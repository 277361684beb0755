from collections.abc import Mapping
from pathlib import Path

import pytest

from processor.errors import Level
from processor.settings import kafka_login
from processor.settings.kafka_login import is_msk_iam, msk_region
from processor.settings.kafka_properties import admin_config, check_kafka, consumer_config, producer_config

BROKERS = {"bootstrap.servers": "127.0.0.1:1"}
MSK_BROKERS = (
    "b-1.shop.x1y2z3.c2.kafka.eu-north-1.amazonaws.com:9098,b-2.shop.x1y2z3.c2.kafka.eu-north-1.amazonaws.com:9098"
)
MSK = {"bootstrap.servers": MSK_BROKERS, "sasl.mechanism": "AWS_MSK_IAM", "security.protocol": "SASL_SSL"}
OIDC = {
    "sasl.mechanism": "OAUTHBEARER",
    "security.protocol": "SASL_SSL",
    "sasl.oauthbearer.method": "oidc",
    "sasl.oauthbearer.token.endpoint.url": "https://identity.test/token",
    "sasl.oauthbearer.client.id": "id",
    "sasl.oauthbearer.client.secret": "secret",
}


@pytest.mark.parametrize("key", ["sasl.mechanism", "sasl.mechanisms"])
@pytest.mark.parametrize("mechanism", ["AWS_MSK_IAM", "aws_msk_iam"])
def test_msk_iam_is_oauthbearer_to_every_client(key: str, mechanism: str) -> None:
    """Under both names of the key, in small letters too, each client gets a mechanism that it knows."""
    kafka = {"bootstrap.servers": MSK_BROKERS, "security.protocol": "sasl_ssl", key: mechanism}

    assert check_kafka(kafka, {}) == []
    assert is_msk_iam(kafka)
    for config in (consumer_config(kafka, "g", "c"), producer_config(kafka, "c"), admin_config(kafka, "c")):
        assert config["sasl.mechanism"] == "OAUTHBEARER"
        assert "sasl.mechanisms" not in config


@pytest.mark.parametrize(
    ("servers", "env", "region"),
    [
        (MSK_BROKERS, {"AWS_REGION": "us-east-1"}, "eu-north-1"),
        ("boot-x1y2z3.c2.kafka-serverless.eu-west-1.amazonaws.com:9098", {}, "eu-west-1"),
        ("b-1-public.shop.x1y2z3.c2.kafka.us-east-2.amazonaws.com:9198", {}, "us-east-2"),
        ("b-1.shop.x1y2z3.c2.kafka.cn-north-1.amazonaws.com.cn:9098", {}, "cn-north-1"),
        ("kafka.acme.internal:9098", {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "us-east-1"),
        ("kafka.acme.internal:9098", {"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ("kafka.acme.internal:9098", {"AWS_REGION": ""}, None),
    ],
)
def test_the_region_is_in_the_brokers_names(servers: str, env: Mapping[str, str], region: str | None) -> None:
    """It is the cluster's, so its own name counts first, then AWS's variables."""
    assert msk_region({"bootstrap.servers": servers}, env) == region
    assert msk_region({"metadata.broker.list": servers}, env) == region


@pytest.mark.parametrize(
    ("kafka", "where", "message", "fix"),
    [
        ({"bootstrap.servers": "kafka:9098"}, "kafka.bootstrap.servers", "names no AWS region", "set AWS_REGION"),
        ({"security.protocol": "SASL_PLAINTEXT"}, "kafka.security.protocol", "must be SASL_SSL", "SASL_SSL"),
        ({"sasl.username": "u"}, "kafka.sasl.username", "of no use where sasl.mechanism is AWS_MSK_IAM", "remove it"),
        ({"sasl.password": "hunter2"}, "kafka.sasl.password", "AWS credentials", "remove it"),
        ({"sasl.oauthbearer.method": "oidc"}, "kafka.sasl.oauthbearer.method", "of no use", "remove it"),
        ({"sasl.jaas.config": "hunter2"}, "kafka.sasl.jaas.config", "of no use", "remove it"),
        (
            {"sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler"},
            "kafka.sasl.client.callback.handler.class",
            "of no use",
            "remove it",
        ),
    ],
)
def test_what_contradicts_msk_iam(kafka: dict[str, str], where: str, message: str, fix: str) -> None:
    """Each key that belongs to another login is a fault of its own, with the fix and without its value."""
    (fault,) = check_kafka({**MSK, **kafka}, {})

    assert fault.where == where
    assert fault.level is Level.ERROR
    assert message in fault.message
    assert fix in fault.fix
    assert "hunter2" not in str(fault)


def test_a_missing_protocol_is_named() -> None:
    """Without security.protocol a client would not log in at all."""
    (fault,) = check_kafka({name: value for name, value in MSK.items() if name != "security.protocol"}, {})

    assert fault.where == "kafka.security.protocol"


def test_a_missing_signer_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signer is an optional part of the installation; the fix is the command that adds it."""
    monkeypatch.setattr(kafka_login, "SIGNER", "a_package_that_is_not_there")

    (fault,) = check_kafka(MSK, {})

    assert fault.where == "kafka.sasl.mechanism"
    assert fault.fix == "pip install 'clickstream-processor[msk]'"


@pytest.mark.parametrize(
    ("kafka", "where", "message", "fix"),
    [
        ({"security.protocol": "SASL_SSL"}, "kafka.sasl.mechanism", "is required", "SCRAM-SHA-512"),
        (
            {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"},
            "kafka.sasl.mechanism",
            "nowhere to get its tokens from",
            "sasl.oauthbearer.method: oidc",
        ),
        (
            {**OIDC, "sasl.oauthbearer.metadata.authentication.type": "aws_iam"},
            "kafka.sasl.oauthbearer.metadata.authentication.type",
            "not supported here",
            "sasl.mechanism: AWS_MSK_IAM",
        ),
        (
            {"security.protocol": "SSL", "ssl.key.location": "/none/key.pem", "ssl.certificate.pem": "x"},
            "kafka.ssl.key.location",
            "there is no file `/none/key.pem`",
            "mount it",
        ),
        (
            {"security.protocol": "SSL", "ssl.certificate.location": __file__},
            "kafka.ssl.key.location",
            "is required where ssl.certificate.location is set",
            "the PEM key",
        ),
        (
            {"security.protocol": "SSL", "ssl.ca.location": __file__},
            "kafka.ssl.ca.location",
            "refuses this",
            "a PEM file",
        ),
        (
            {"sasl.client.callback.handler.class": "x"},
            "kafka.sasl.client.callback.handler.class",
            "is not a property",
            "remove it",
        ),
    ],
)
def test_logins_that_cannot_work(kafka: dict[str, str], where: str, message: str, fix: str) -> None:
    """What the client would take in silence, or refuse in words of its own, is a fault with the fix."""
    (fault,) = check_kafka({**BROKERS, **kafka}, {})

    assert fault.where == where
    assert message in fault.message
    assert fix in fault.fix


@pytest.mark.parametrize(
    ("kafka", "where", "fix"),
    [
        (
            {"sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "p"},
            "kafka.sasl.mechanism",
            "security.protocol: SASL_SSL",
        ),
        ({"ssl.ca.location": "probe"}, "kafka.ssl.ca.location", "security.protocol: SSL"),
        (
            {
                "security.protocol": "sasl_plaintext",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "u",
                "sasl.password": "p",
                "ssl.ca.location": "probe",
            },
            "kafka.ssl.ca.location",
            "security.protocol: SASL_SSL",
        ),
    ],
)
def test_what_does_nothing_is_a_warning(kafka: dict[str, str], where: str, fix: str) -> None:
    """Whoever sets it believes that it protects something; the service starts all the same."""
    (fault,) = check_kafka({**BROKERS, **kafka}, {})

    assert fault.where == where
    assert fault.level is Level.WARNING
    assert fix in fault.fix


@pytest.mark.parametrize(
    ("kafka", "expected"),
    [
        (OIDC, "system"),
        ({**OIDC, "https.ca.location": "probe"}, "system"),
        ({**OIDC, "https.ca.location": "/mine"}, "/mine"),
        ({**OIDC, "https.ca.pem": "x"}, None),
        ({}, None),
    ],
)
def test_the_systems_authorities_vouch_for_the_identity_provider(
    kafka: dict[str, str], expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file names no authority, the first place that a system keeps them in is taken."""
    system = tmp_path / "ca-certificates.crt"
    system.touch()
    monkeypatch.setattr(kafka_login, "BUNDLES", (str(tmp_path / "nowhere"), str(system)))
    wanted = str(system) if expected == "system" else expected

    assert producer_config({**BROKERS, **kafka}, "c").get("https.ca.location") == wanted


def test_a_system_without_authorities_is_left_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made up."""
    monkeypatch.setattr(kafka_login, "BUNDLES", ())

    assert "https.ca.location" not in producer_config({**BROKERS, **OIDC}, "c")


def test_an_unsecured_token_may_be_used_for_tests() -> None:
    """The client makes such tokens by itself."""
    kafka = {"security.protocol": "sasl_plaintext", "sasl.mechanism": "OAUTHBEARER"}

    assert check_kafka({**BROKERS, **kafka, "enable.sasl.oauthbearer.unsecure.jwt": "true"}, {}) == []
