import pytest
from confluent_kafka import KafkaError, KafkaException

from processor.consume.troubles import Complaints, Trouble, explain, explain_raised
from tests.support.logs import Lines

SECONDS = " (after 3ms in state AUTH_REQ, 2 identical error(s) suppressed)"
AUTHENTICATION = KafkaError._AUTHENTICATION
TRANSPORT = KafkaError._TRANSPORT

# What librdkafka 2.16 says against Apache Kafka 4.1, word for word.
SAID = {
    "a wrong password": (
        AUTHENTICATION,
        "sasl_ssl://kafka:1/bootstrap: SASL authentication error: Authentication failed: Invalid username or password",
        "correct sasl.username and sasl.password",
    ),
    "a mechanism that is not there": (
        AUTHENTICATION,
        (
            "sasl_ssl://kafka:1/bootstrap: SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Unsupported SASL "
            "mechanism: broker's supported mechanisms: PLAIN,SCRAM-SHA-512"
        ),
        "set sasl.mechanism",
    ),
    "a port without a login": (
        AUTHENTICATION,
        (
            "sasl_ssl://kafka:1/bootstrap: SASL PLAIN mechanism handshake failed: Broker: Request not valid in current "
            "SASL state: broker's supported mechanisms: "
        ),
        "set security.protocol",
    ),
    "a refused token": (
        AUTHENTICATION,
        'sasl_ssl://kafka:1/bootstrap: SASL authentication error: {"status":"invalid_token"}',
        "the broker refuses the token",
    ),
    "an identity provider that refuses us": (
        AUTHENTICATION,
        'Failed to acquire SASL OAUTHBEARER token: {"error": "invalid_client"}',
        "sasl.oauthbearer.client.secret",
    ),
    "an AWS identity that may not connect": (
        AUTHENTICATION,
        "sasl_ssl://kafka:1/bootstrap: SASL authentication error: [0f1e]: Access denied",
        "kafka-cluster:Connect",
    ),
    "an unknown authority": (
        KafkaError._SSL,
        (
            "ssl://kafka:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: "
            "broker certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA "
            "certificates are installed (install ca-certificates package)"
        ),
        "set ssl.ca.location",
    ),
    "a certificate that is refused": (
        TRANSPORT,
        (
            "ssl://kafka:1/bootstrap: Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: SSL "
            "alert number 42"
        ),
        "set ssl.certificate.location and ssl.key.location",
    ),
    "a port without TLS": (
        TRANSPORT,
        (
            "ssl://kafka:1/bootstrap: SSL handshake failed: Disconnected: SSL connection closed by peer: connecting to "
            "a PLAINTEXT broker listener?"
        ),
        "does not speak TLS",
    ),
    "a broker that is down": (KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down", "see that the brokers are up"),
    "a group's permission": (
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        "JoinGroup failed: Broker: Group authorization failed",
        "--operation Read --group",
    ),
    "a topic's permission": (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        "Fetch from broker 1 failed: Broker: Topic authorization failed",
        "--operation Read --topic",
    ),
    "another permission": (KafkaError.CLUSTER_AUTHORIZATION_FAILED, "Cluster authorization failed", "docs/security.md"),
}


@pytest.mark.parametrize(("code", "words", "fix"), SAID.values(), ids=SAID)
def test_the_clients_words_lead_to_the_key_that_mends_it(code: int, words: str, fix: str) -> None:
    """The reason is what the client said, without what changes at each attempt; the fix names keys of the file."""
    trouble = explain(KafkaError(code, words + SECONDS))

    assert trouble.reason == words
    assert fix in trouble.fix
    assert str(trouble) == f"{words}; {trouble.fix}"


def test_words_that_nobody_knows_stay_alone() -> None:
    """Without a fix the client's words are all there is."""
    assert str(explain(KafkaError(KafkaError.INVALID_REQUEST, "Broker: Invalid request"))) == "Broker: Invalid request"


REFUSED = Trouble("b/1: refused", "correct the password")
DOWN = explain(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))


@pytest.mark.parametrize(
    ("new", "old", "replaces"),
    [
        (DOWN, None, True),
        (REFUSED, DOWN, True),
        (DOWN, REFUSED, False),
        (Trouble("b/2: refused", "correct the password"), REFUSED, False),
        (Trouble("b/2: unknown", "set the authority"), REFUSED, True),
        (Trouble("something else"), Trouble("something"), True),
    ],
)
def test_what_says_something_new(new: Trouble, old: Trouble | None, replaces: bool) -> None:  # noqa: FBT001 - a column
    """Neither another attempt nor a mere consequence hides a cause; another cause does."""
    assert new.replaces(old) is replaces


def test_what_a_call_raised_is_explained_like_what_the_client_says() -> None:
    """An exception with the client's error has its words, any other its type and text."""
    error = KafkaError(TRANSPORT, "Failed to get metadata: Local: Broker transport failure")

    assert explain_raised(KafkaException(error)) == explain(error)
    assert not explain(error).cause
    assert explain_raised(ZeroDivisionError("boom")) == Trouble("ZeroDivisionError: boom")


def test_a_complaint_is_over_when_the_client_is_connected() -> None:
    """It is said once, and its end as well; on an idle topic nothing but the connection tells (invariant 10)."""
    lines = Lines()
    complaints = Complaints(lines.log)
    complaints.connected()
    for _ in range(2):
        complaints.heard(KafkaError(KafkaError._ALL_BROKERS_DOWN, "3/3 brokers are down"))
    assert (complaints.words or "").startswith("3/3 brokers are down; see that the brokers are up")

    complaints.connected()

    assert complaints.words is None
    assert lines.events == ["kafka_trouble", "kafka_trouble_over"]


def test_a_refusal_is_not_over_when_the_client_is_connected() -> None:
    """A broker that refuses a topic answers: only what it gives ends that."""
    complaints = Complaints(Lines().log)
    complaints.heard(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    complaints.connected()
    assert "read the topics" in (complaints.words or "")
    complaints.over()
    assert complaints.words is None
