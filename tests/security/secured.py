"""A Kafka that asks for logins: one port for each way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from tests.security.samples import sample
from tests.support.broker import REQUEST_TIMEOUT, Broker, KafkaProcess, Listener, admin_client
from tests.support.certificates import PASSWORD, Authority, Identity
from tests.support.identities import AUDIENCE, ISSUER, SECRET, IdentityProvider, Tokens
from tests.support.java import QUICK

USER = "clickstream"
RIGHT = "right-password"
FIXED_TOKEN = "fixed-token"  # noqa: S105 - of a server on loopback
SECRETS = (RIGHT, FIXED_TOKEN, SECRET, PASSWORD)
"""What must never be seen."""
SECURITY = "org.apache.kafka.common.security"
SESSION = 4.0
"""Seconds after which the broker wants a valid token again."""


@dataclass(frozen=True)
class SecuredKafka:
    """A broker with a plain port, where tests look, and one port for each way to log in.

    Attributes:
        authority: signed the broker's certificate, and is whom the broker trusts.
        stranger: an authority that nobody trusts.
        server: the broker's certificate; serves for other servers as well.
        client: a certificate that the broker trusts.
        outsider: one that the stranger signed.
        secrets: a client's files, as in docs/security.md.
        tokens: the broker knows their key.
    """

    process: KafkaProcess
    authority: Authority
    stranger: Authority
    server: Identity
    client: Identity
    outsider: Identity
    secrets: Path
    tokens: Tokens
    certificates: Listener
    passwords: Listener
    bearers: Listener

    @property
    def broker(self) -> Broker:
        """Its plain port."""
        return Broker(self.process.bootstrap, "maven", "a Kafka that asks for logins")

    def set_password(self, password: str) -> None:
        """Set the user's password for SCRAM-SHA-512."""
        mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = admin_client(self.process.bootstrap)
        change = UserScramCredentialUpsertion(USER, mechanism, password.encode())
        admin.alter_user_scram_credentials([change])[USER].result(REQUEST_TIMEOUT)

    def by_certificate(self) -> dict[str, str]:
        """Keys of `kafka:` for mTLS, with an encrypted key."""
        return self._sample("Certificate (mTLS)", self.certificates)

    def by_password(self, mechanism: str) -> dict[str, str]:
        """Keys of `kafka:` for SASL with a password."""
        return self._sample("Password", self.passwords) | {"sasl.mechanism": mechanism}

    def by_oidc(self, provider: IdentityProvider) -> dict[str, str]:
        """Keys of `kafka:` for tokens that the client fetches from an identity provider."""
        return self._sample("Identity provider (OAUTHBEARER, OIDC)", self.bearers, TOKEN_URL=provider.url)

    def by_msk_iam(self) -> dict[str, str]:
        """Keys of `kafka:` for tokens that are signed here; the broker's certificate is no public one."""
        keys = self._sample("Amazon MSK with IAM", self.bearers)
        return keys | {"ssl.ca.location": str(self.authority.certificate)}

    def _sample(self, name: str, listener: Listener, **values: str) -> dict[str, str]:
        return sample(name, self.secrets, {"KAFKA_BOOTSTRAP": listener.bootstrap, **values})


@contextmanager
def running_secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    """Start it; certificates and keys go to `folder`.

    Raises:
        UnavailableError: Java or Maven is missing.
    """
    authority, stranger, tokens = Authority(folder, "acme"), Authority(folder, "stranger"), Tokens()
    server, keys = authority.issue("broker"), folder / "keys.json"
    tokens.write_keys(keys)
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(server.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.certificate),
    }
    listeners = (
        Listener("certificates", "SSL", {**tls, "ssl.client.auth": "required"}),
        Listener("passwords", "SASL_SSL", {**tls, **_passwords()}),
        Listener("bearers", "SASL_SSL", {**tls, **_bearers(keys.as_uri())}),
    )
    options = [*QUICK, f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys.as_uri()}"]
    with KafkaProcess(listeners, options) as process:
        client, outsider = authority.issue("client"), stranger.issue("outsider")
        secrets = _write_secrets(folder / "secrets", authority, client)
        kafka = SecuredKafka(process, authority, stranger, server, client, outsider, secrets, tokens, *listeners)
        kafka.set_password(RIGHT)
        yield kafka


def _write_secrets(folder: Path, authority: Authority, client: Identity) -> Path:
    own = {
        "ca.crt": authority.certificate.read_text(),
        "tls.crt": client.certificate.read_text(),
        "tls.key": client.encrypted_key.read_text(),
        "key-password": PASSWORD,
        "client-secret": SECRET,
        "password": RIGHT,
        "user-info": f"{USER}:{RIGHT}",
        "token": FIXED_TOKEN,
    }
    for server in ("kafka", "registry"):
        (folder / server).mkdir(parents=True)
        for name, text in own.items():
            (folder / server / name).write_text(text)
    return folder


def _passwords() -> Mapping[str, str]:
    return {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "plain.sasl.jaas.config": f'{SECURITY}.plain.PlainLoginModule required user_{USER}="{RIGHT}";',
        "scram-sha-512.sasl.jaas.config": f"{SECURITY}.scram.ScramLoginModule required;",
    }


def _bearers(keys: str) -> Mapping[str, str]:
    handler = f"{SECURITY}.oauthbearer.OAuthBearerValidatorCallbackHandler"
    return {
        "sasl.enabled.mechanisms": "OAUTHBEARER",
        "oauthbearer.sasl.jaas.config": f"{SECURITY}.oauthbearer.OAuthBearerLoginModule required;",
        "oauthbearer.sasl.server.callback.handler.class": handler,
        "oauthbearer.connections.max.reauth.ms": str(round(SESSION * 1000)),
        # Kafka 4.1 verifies no signature by default.
        "sasl.oauthbearer.jwt.validator.class": f"{SECURITY}.oauthbearer.BrokerJwtValidator",
        "sasl.oauthbearer.jwks.endpoint.url": keys,
        "sasl.oauthbearer.expected.audience": AUDIENCE,
        "sasl.oauthbearer.expected.issuer": ISSUER,
    }
