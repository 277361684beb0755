from pathlib import Path

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from pydantic import ValidationError

from processor.settings.registry import RegistrySettings, check_registry

EVERY_KEY = {
    "url": "http://registry:8081/",
    "ssl.ca.location": "ca.pem",
    "ssl.certificate.location": "cert.pem",
    "ssl.key.location": "key.pem",
    "ssl.key.password": "hunter2",
    "basic.auth.user.info": "user:hunter2",
    "bearer.auth.credentials.source": "OAUTHBEARER",
    "bearer.auth.token": "hunter2",
    "bearer.auth.logical.cluster": "lsrc-1",
    "bearer.auth.identity.pool.id": "pool",
    "bearer.auth.client.id": "id",
    "bearer.auth.client.secret": "hunter2",
    "bearer.auth.scope": "scope",
    "bearer.auth.issuer.endpoint.url": "https://issuer",
    "bearer.auth.issuer.endpoint.query": "a=b",
    "proxy": "http://user:hunter2@proxy:3128",
    "timeout": "2.5",
    "cache.capacity": "100",
    "cache.latest.ttl.sec": "60",
    "max.retries": "5",
    "retries.wait.ms": "10",
    "retries.max.wait.ms": "100",
}


def test_every_key_has_the_clients_type() -> None:
    """Texts become the numbers that the client wants, secrets come in clear, the rest as it was."""
    config = RegistrySettings.model_validate(EVERY_KEY).client_config()
    numbers = {
        "timeout": 2.5,
        "cache.capacity": 100,
        "cache.latest.ttl.sec": 60.0,
        "max.retries": 5,
        "retries.wait.ms": 10,
        "retries.max.wait.ms": 100,
    }
    assert config == EVERY_KEY | numbers | {"url": "http://registry:8081"}


def test_secrets_are_not_shown() -> None:
    """No way of printing the settings shows a password."""
    settings = RegistrySettings.model_validate(EVERY_KEY)
    assert "hunter2" not in f"{settings!r} {settings}"


@pytest.mark.parametrize("name", [name for name in EVERY_KEY if "." not in name or "auth" not in name])
def test_the_client_knows_the_key(name: str) -> None:
    """What the model lets through, the installed client takes; files and pairs apart."""
    config = RegistrySettings.model_validate({"url": "http://a", name: EVERY_KEY[name]}).client_config()
    if "ssl" in name:
        with pytest.raises((OSError, ValueError), match=r"No such file|ssl.certificate.location required"):
            SchemaRegistryClient(config)
    else:
        SchemaRegistryClient(config).close()


@pytest.mark.parametrize(
    "config",
    [
        {"basic.auth.user.info": "user:hunter2"},
        {
            "bearer.auth.credentials.source": "STATIC_TOKEN",
            "bearer.auth.token": "t",
            "bearer.auth.logical.cluster": "c",
            "bearer.auth.identity.pool.id": "p",
        },
        {
            name: EVERY_KEY[name]
            for name in EVERY_KEY
            if name.startswith("bearer") and not name.endswith(("token", "query"))
        },
        {
            "bearer.auth.credentials.source": "OAUTHBEARER_AZURE_IMDS",
            "bearer.auth.issuer.endpoint.query": "a=b",
            "bearer.auth.logical.cluster": "c",
        },
        {"ssl.ca.location": "false"},
    ],
)
def test_keys_that_go_together(config: dict[str, str]) -> None:
    """Each way to prove who we are passes the client's own check."""
    assert check_registry(RegistrySettings.model_validate({"url": "http://a", **config})) == []


def test_no_certificate_check_is_a_boolean() -> None:
    """`ssl.ca.location: false` reaches the client as False."""
    settings = RegistrySettings.model_validate({"url": "http://a", "ssl.ca.location": "false"})
    assert settings.client_config()["ssl.ca.location"] is False


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"ssl.ca.location": "/none/ca.pem"}, "No such file"),
        ({"ssl.key.location": "key.pem"}, "ssl.certificate.location required"),
        ({"bearer.auth.credentials.source": "STATIC_TOKEN"}, "bearer.auth.logical.cluster"),
    ],
)
def test_what_the_client_refuses(config: dict[str, str], message: str) -> None:
    """The client's own words are the message."""
    faults = check_registry(RegistrySettings.model_validate({"url": "http://a", **config}))
    assert [fault.path for fault in faults] == [("registry",)]
    assert message in faults[0].message


def test_a_real_certificate_file(tmp_path: Path) -> None:
    """A file that is no certificate is said before anything connects."""
    ca = tmp_path / "ca.pem"
    ca.write_text("nothing")
    faults = check_registry(RegistrySettings.model_validate({"url": "http://a", "ssl.ca.location": str(ca)}))
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "Field required"),
        ({"url": "registry:8081"}, "is not an http"),
        ({"url": "http://user:pw@a"}, "may not have a user"),
        ({"url": "http://a", "basic.auth.user.info": "user"}, "a colon"),
        ({"url": "http://a", "max.retries": "many"}, "integer"),
        ({"url": "http://a", "bearer.auth.credentials.source": "CUSTOM"}, "OAUTHBEARER"),
        ({"url": "http://a", "max_retries": "1"}, "Extra inputs"),
    ],
)
def test_what_the_model_refuses(config: dict[str, str], message: str) -> None:
    """Missing, unknown and wrong keys are refused, also the attributes' own names."""
    with pytest.raises(ValidationError, match=message):
        RegistrySettings.model_validate(config)
