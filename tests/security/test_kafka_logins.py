"""Logins to Kafka that are refused at first, through the file, on a real broker; they heal.

Certificates and PLAIN go together with the logins to the registry, in `test_registry_logins.py`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.security.secured import RIGHT, SECRETS, SecuredKafka
from tests.support.identities import AUDIENCE, IdentityProvider
from tests.support.path import WholePath
from tests.support.service import ServiceProcess
from tests.support.waiting import eventually_sync

SIGNER = '''
"""Stands for AWS's signer: gives the token in a file, for five seconds; without the file it fails."""
import os, time
from pathlib import Path

class MSKAuthTokenProvider:
    @staticmethod
    def generate_auth_token(region):
        assert region == "eu-north-1"
        return Path(os.environ["STUB_TOKEN"]).read_text(), round(1000 * (time.time() + 5))
'''


@contextmanager
def running(path: WholePath, kafka: Mapping[str, str]) -> Iterator[ServiceProcess]:
    """The service with these keys of `kafka:`; no secret may be in its log, and no record among the dead letters."""
    changes = {**path.overlay(batch=None), "kafka": dict(kafka)}
    with path.service(changes, "--destination", "rocket") as service:
        yield service
        assert service.get("/live")[0] == 200
        metrics = service.get("/metrics")[1]
        service.terminate()
    assert 'outcome="dead_lettered"' not in metrics
    assert not [secret for secret in SECRETS if secret in service.log + metrics]


def delivered(path: WholePath) -> None:
    """Wait until everything is delivered and committed."""
    eventually_sync(lambda: path.committed("rocket") == path.ends(), within=40)
    assert path.judgements()["rocket"].clean


def waits(service: ServiceProcess, *words: str) -> None:
    """Wait until `/status` and the log say of Kafka what is wrong and what to do."""

    def waiting() -> str:
        why: str = service.status()["rocket"]["waiting_for"].get("kafka", "") if service.get("/status")[0] else ""
        return why

    eventually_sync(lambda: all(word in waiting() for word in words), within=20)
    logged = [line for line in lines(service) if line["event"] in {"kafka_trouble", "consumer_failed"}]
    assert any(all(word in str(line) for word in words) for line in logged), logged


def lines(service: ServiceProcess) -> list[dict[str, Any]]:
    """What the service wrote."""
    return [json.loads(line) for line in service.log.splitlines()]


def test_a_refused_password_heals(path: WholePath, kafka: SecuredKafka) -> None:
    """A refused password (SCRAM) is named once; once the broker takes it all is delivered by itself (invariant 9)."""
    path.click(20)
    kafka.set_password("another")

    with running(path, kafka.by_password("SCRAM-SHA-512")) as service:
        waits(service, "SASL authentication error", "correct sasl.username and sasl.password")
        kafka.set_password(RIGHT)
        delivered(path)
        eventually_sync(lambda: "kafka" not in service.status()["rocket"]["waiting_for"])

    assert [line["event"] for line in lines(service)].count("kafka_trouble") == 1


def test_a_refused_token_heals(path: WholePath, kafka: SecuredKafka, provider: IdentityProvider) -> None:
    """Tokens of an identity provider (OIDC) are fetched and renewed; refused ones are named until there are others."""
    path.click(20)
    kafka.tokens.audience, kafka.tokens.lifetime = "somebody else", 4.0

    with running(path, kafka.by_oidc(provider)) as service:
        waits(service, "invalid_token", "the broker refuses the token: look at sasl.oauthbearer.scope")
        kafka.tokens.audience = AUDIENCE
        delivered(path)
        given = len(provider.given)
        eventually_sync(lambda: len(provider.given) > given, within=20)
        path.click(20, seed=2)
        delivered(path)


def test_msk_iam(path: WholePath, kafka: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_MSK_IAM logs in with the signer's tokens, renews them, and survives a time without any, losing nothing.

    The signer is a stand-in and the broker is no MSK: it checks tokens as any Kafka does.
    """
    token, signer = tmp_path / "token", tmp_path / "aws_msk_iam_sasl_signer.py"
    signer.write_text(SIGNER)
    for name, value in (("PYTHONPATH", tmp_path), ("STUB_TOKEN", token), ("AWS_REGION", "eu-north-1")):
        monkeypatch.setenv(name, str(value))
    path.click(20)

    with running(path, kafka.by_msk_iam()) as service:
        waits(service, "FileNotFoundError")
        token.write_text(kafka.tokens.sign())
        delivered(path)
        token.unlink()
        waits(service, "no login token: FileNotFoundError", "the log line kafka_token_failed has the fix")
        path.click(20, seed=2)
        token.write_text(kafka.tokens.sign())
        eventually_sync(lambda: service.log.count("kafka_token_back") == 2, within=20)
        delivered(path)

    assert [line["event"] for line in lines(service)].count("kafka_token_failed") == 2
