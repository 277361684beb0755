"""Every way to log in to the registry, through the file; what is refused is named and heals.

The registry is real and asks for no login; a gateway in front of it does.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from tests.security.samples import sample
from tests.security.secured import FIXED_TOKEN, RIGHT, SECRETS, USER, SecuredKafka
from tests.support.background import in_background
from tests.support.gateway import running_gateway
from tests.support.identities import running_provider, server_context
from tests.support.path import WholePath
from tests.support.service import ServiceProcess
from tests.support.waiting import eventually_sync

HUNG_UP = "look at registry.url"
"""Python's own TLS server hangs up without a word where others send an alert."""


@dataclass(frozen=True)
class Login:
    """One way to log in, refused at first.

    Attributes:
        keys: of `registry:`, the address among them.
        says: what `/status` says while it is refused.
        mend: makes the server let us in.
    """

    keys: Mapping[str, str]
    says: str
    mend: Callable[[], None]


def basic(user: str, password: str) -> str:
    """The header of basic authentication."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@contextmanager
def by_password(registry: str, kafka: SecuredKafka) -> Iterator[Login]:
    """Basic authentication; the server learns our password later."""
    let_in = {basic(USER, "another")}
    with in_background(running_gateway(registry, let_in.__contains__)) as gateway:
        keys = sample("Basic authentication", kafka.secrets, {"SCHEMA_REGISTRY_URL": gateway.url})
        yield Login(keys, "it answers 401", lambda: let_in.add(basic(USER, RIGHT)))


@contextmanager
def by_fixed_token(registry: str, kafka: SecuredKafka) -> Iterator[Login]:
    """A token that is written in the file; the server learns it later."""
    let_in: set[str] = set()
    with in_background(running_gateway(registry, let_in.__contains__)) as gateway:
        keys = sample("Fixed token", kafka.secrets, {"SCHEMA_REGISTRY_URL": gateway.url})
        yield Login(keys, "it answers 401", lambda: let_in.add(f"Bearer {FIXED_TOKEN}"))


@contextmanager
def by_fetched_token(registry: str, kafka: SecuredKafka) -> Iterator[Login]:
    """Tokens of an identity provider, which does not know us at first."""
    with in_background(running_provider(kafka.tokens, None)) as provider:
        provider.refusing = True

        def let_in(header: str) -> bool:
            return header.removeprefix("Bearer ") in provider.given

        with in_background(running_gateway(registry, let_in)) as gateway:
            values = {"SCHEMA_REGISTRY_URL": gateway.url, "TOKEN_URL": provider.url}
            keys = sample("Tokens of an identity provider", kafka.secrets, values)
            yield Login(keys, "unknown client", lambda: setattr(provider, "refusing", False))


@contextmanager
def by_certificate(registry: str, kafka: SecuredKafka) -> Iterator[Login]:
    """A client certificate with an encrypted key; the server trusts its authority later."""
    tls = server_context(kafka.server, kafka.stranger.certificate)
    with in_background(running_gateway(registry, lambda _: True, tls)) as gateway:
        keys = sample("Client certificate", kafka.secrets, {"SCHEMA_REGISTRY_URL": gateway.url})
        yield Login(keys, HUNG_UP, lambda: tls.load_verify_locations(kafka.authority.certificate))


def waits(service: ServiceProcess, says: str) -> bool:
    """Whether `/status` says this of the registry."""
    why: str | None = service.status()["rocket"]["waiting_for"].get("registry")
    return why is not None and says in why


Way = Callable[[str, SecuredKafka], AbstractContextManager[Login]]
LOGINS: dict[str, tuple[Way, Callable[[SecuredKafka], Mapping[str, str]]]] = {
    "basic authentication, and a password for Kafka": (by_password, lambda kafka: kafka.by_password("PLAIN")),
    "a fixed token, and none for Kafka": (by_fixed_token, lambda kafka: {"bootstrap.servers": kafka.process.bootstrap}),
    "fetched tokens, and none for Kafka": (
        by_fetched_token,
        lambda kafka: {"bootstrap.servers": kafka.process.bootstrap},
    ),
    "a certificate, for Kafka too": (by_certificate, SecuredKafka.by_certificate),
}


@pytest.mark.parametrize(("login", "keys"), LOGINS.values(), ids=LOGINS)
def test_a_login_that_is_refused_heals(
    path: WholePath, kafka: SecuredKafka, login: Way, keys: Callable[[SecuredKafka], Mapping[str, str]]
) -> None:
    """While the registry refuses us records wait, without a letter, and no secret is told (invariants 9 and 11)."""
    path.click(20)
    with login(path.registry.url, kafka) as way:
        changes = {**path.overlay(batch=None), "kafka": dict(keys(kafka)), "registry": dict(way.keys)}
        with path.service(changes, "--destination", "rocket") as service:
            service.ready()
            eventually_sync(lambda: waits(service, way.says))
            assert "registry_unavailable" in service.log, service.log
            way.mend()
            eventually_sync(lambda: path.committed("rocket") == path.ends(), within=30)
            metrics = service.get("/metrics")[1]
            service.terminate()

    assert path.judgements()["rocket"].clean
    assert 'outcome="dead_lettered"' not in metrics
    assert not [secret for secret in SECRETS if secret in service.log + metrics]
