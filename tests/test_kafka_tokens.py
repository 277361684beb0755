import base64
import time
from collections.abc import Callable
from threading import Event

import pytest
from confluent_kafka import KafkaException

from processor import kafka_tokens
from processor.clock import ManualClock
from processor.kafka_tokens import SHARED, MskTokens, Sign, load_signer
from tests.support.logs import Lines

KEY = "AKIAEXAMPLE"
REGION = "eu-north-1"


class World:
    """Tokens from a signer that does what a test says.

    Attributes:
        signs: what the signer does; without an argument, for the region is always the same.
    """

    def __init__(self, signs: Callable[[], tuple[str, int]]) -> None:
        self.signs = signs
        self.calls = 0
        self.clock = ManualClock()
        self.lines = Lines()
        self.tokens = MskTokens(REGION, self._sign, self.clock, self.lines.log)

    def _sign(self, region: str) -> tuple[str, int]:
        assert region == REGION
        self.calls += 1
        return self.signs()


def refuse() -> tuple[str, int]:
    """Fail as AWS does."""
    raise RuntimeError("AccessDenied")


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> Sign:
    """The real signer, which finds nothing of this machine's."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    return load_signer()


def test_the_real_signer_gives_a_token_that_expires(signer: Sign, monkeypatch: pytest.MonkeyPatch) -> None:
    """With credentials in the environment the token is a signed URL of the region, good for a quarter of an hour."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    lines = Lines()

    token, expiry = MskTokens(REGION, signer, ManualClock(), lines.log)("")

    url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    assert url.startswith(f"https://kafka.{REGION}.amazonaws.com/?Action=kafka-cluster%3AConnect")
    assert f"Credential={KEY}%2F" in url
    assert 800 < expiry - time.time() <= 900
    assert lines.events == []


def test_an_account_without_credentials_is_told_what_to_give(signer: Sign) -> None:
    """Where AWS's chain finds nothing that is said in words, with the ways to give credentials."""
    lines = Lines()

    with pytest.raises(KafkaException, match="no AWS credentials were found"):
        MskTokens(REGION, signer, ManualClock(), lines.log)("")

    (line,) = lines("kafka_token_failed")
    assert "AWS_ACCESS_KEY_ID" in line["fix"]
    assert "nothing is lost" in line["next"]


def test_a_failure_is_said_once_and_heals() -> None:
    """The same reason is one line however often it is asked; when AWS gives tokens again that is another."""
    world = World(refuse)
    for _ in range(3):
        with pytest.raises(KafkaException, match="RuntimeError: AccessDenied"):
            world.tokens("")
        world.clock.advance(SHARED)
    trouble = world.tokens.trouble
    world.signs = lambda: ("token", 900_000)

    assert world.tokens("") == ("token", 900.0)
    assert trouble == "RuntimeError: AccessDenied"
    assert world.tokens.trouble is None
    assert world.lines.events == ["kafka_token_failed", "kafka_token_back"]


def test_those_who_ask_together_share_an_answer() -> None:
    """A pipeline's clients start within a moment: AWS is asked once, and again later."""
    world = World(lambda: ("token", 900_000))

    world.tokens("")
    world.tokens("")
    world.clock.advance(SHARED)
    world.tokens("")

    assert world.calls == 2


def test_a_signer_that_hangs_holds_up_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time there is no token, whoever asks; not more than one question hangs, and its answer heals all."""
    monkeypatch.setattr(kafka_tokens, "SIGN_TIMEOUT", 0.05)
    go = Event()

    def slow() -> tuple[str, int]:
        go.wait(10)
        return "token", 900_000

    world = World(slow)
    for _ in range(3):
        with pytest.raises(KafkaException, match="AWS gave no credentials within"):
            world.tokens("")
        world.clock.advance(SHARED)
    hanging = world.calls
    monkeypatch.setattr(kafka_tokens, "SIGN_TIMEOUT", 10.0)
    go.set()

    assert world.tokens("")[0] == "token"
    assert hanging == 1
