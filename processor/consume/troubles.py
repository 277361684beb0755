"""What the Kafka client complains of, in words, with the keys of `kafka:` that mend it."""

import re
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException

CIRCUMSTANCES = re.compile(r" \(after \d+ms in state \w+(, \d+ identical error\(s\) suppressed)?\)")
"""What differs from one failed attempt to the next."""
FIXES = (
    (r"no login token", "the log line kafka_token_failed has the fix"),
    (
        r"Failed to acquire SASL OAUTHBEARER token",
        (
            "look at sasl.oauthbearer.token.endpoint.url, sasl.oauthbearer.client.id, sasl.oauthbearer.client.secret "
            "and, where its certificate is not trusted, https.ca.location"
        ),
    ),
    (
        r"authentication error: {\"status\"",
        "the broker refuses the token: look at sasl.oauthbearer.scope, and at the issuer and audience it expects",
    ),
    (r"supported mechanisms: \S", "set sasl.mechanism to one that the broker supports"),
    (
        r"not valid in current SASL state",
        "where the broker's port asks for no login, set security.protocol to SSL or PLAINTEXT",
    ),
    (
        r"authentication error.*access denied",
        "let the AWS identity of this process connect to the cluster (kafka-cluster:Connect)",
    ),
    (r"SASL authentication error", "correct sasl.username and sasl.password, or the user at the broker"),
    (r"PLAINTEXT broker listener", "the broker's port does not speak TLS: look at security.protocol and the port"),
    (r"SSL broker listener", "the broker's port speaks TLS: look at security.protocol and the port"),
    (
        r"certificate verify failed|broker certificate could not be verified",
        (
            "set ssl.ca.location to the authority that signed the broker's certificate, and bootstrap.servers to the "
            "name in that certificate"
        ),
    ),
    (
        r"alert (bad|unsupported|certificate|handshake)|certificate required|unknown ca",
        "the broker refuses our certificate: set ssl.certificate.location and ssl.key.location to one that it trusts",
    ),
    (r"authoriz", "let this service's Kafka user read the topics and its consumer groups"),
    (r"Failed to resolve", "correct the names in bootstrap.servers"),
)
"""What to do, by the client's words; the first that fits."""
UNREACHABLE = re.compile(r"brokers are down|transport failure|Connection refused|Disconnected|timed out", re.IGNORECASE)
UNREACHABLE_FIX = "see that the brokers are up and reachable, and that bootstrap.servers and security.protocol fit them"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong.

    Attributes:
        reason: the client's own words.
        fix: what to do; empty where nobody here knows.
        cause: False where it may well follow from another error, which then says more.
    """

    reason: str
    fix: str = ""
    cause: bool = True

    def __str__(self) -> str:
        return f"{self.reason}; {self.fix}" if self.fix else self.reason

    def replaces(self, other: "Trouble | None") -> bool:
        """Whether it says something new: another attempt, another broker or a mere consequence does not."""
        if other is None:
            return True
        return (self.cause or not other.cause) and (self.fix or self.reason) != (other.fix or other.reason)


def explain(error: KafkaError) -> Trouble:
    """Put an error of the client into words."""
    reason = CIRCUMSTANCES.sub("", error.str())
    fix = next((fix for words, fix in FIXES if re.search(words, reason, re.IGNORECASE)), "")
    if not fix and UNREACHABLE.search(reason):
        return Trouble(reason, UNREACHABLE_FIX, cause=False)
    return Trouble(reason, fix)


def explain_raised(exception: BaseException) -> Trouble:
    """Put what a client's call raised into words."""
    if isinstance(exception, KafkaException) and isinstance(exception.args[0], KafkaError):
        return explain(exception.args[0])
    return Trouble(f"{type(exception).__name__}: {exception}")
