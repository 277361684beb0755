"""What the Kafka client complains of, in words, with the keys of `kafka:` that mend it."""

import re
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException

from processor.logs import Logger

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
    (
        r"instance\.?\s?id",
        (
            "give each replica a group.instance.id of its own (its pod's name), or remove it; after a crash the broker "
            "keeps it until the session is over"
        ),
    ),
    (
        r"not authorized to describe",
        (
            "another member of the consumer group reads topics that this service's Kafka user may not see: let it see "
            "them, kafka-acls.sh … --operation Describe --topic TOPIC, or choose a group_prefix that nobody else has"
        ),
    ),
    (
        r"group authoriz",
        "let this service's Kafka user work in its consumer groups: kafka-acls.sh … --operation Read --group GROUP",
    ),
    (
        r"topic authoriz",
        "let this service's Kafka user read the topics: kafka-acls.sh … --operation Read --topic TOPIC",
    ),
    (r"authoriz", "let this service's Kafka user do what docs/security.md names"),
    (r"Failed to resolve", "correct the names in bootstrap.servers"),
)
"""What to do, by the client's words; the first that fits."""
UNREACHABLE = re.compile(r"brokers are down|transport failure|Connection refused|Disconnected|timed out", re.IGNORECASE)
UNREACHABLE_FIX = "see that the brokers are up and reachable, and that bootstrap.servers and security.protocol fit them"
CONNECTION = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001 - so with all that begin like this: they have no other name
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._SSL,  # noqa: SLF001
        KafkaError._AUTHENTICATION,  # noqa: SLF001
    }
)
"""Errors that are over once the client is connected; a broker that refuses something else stays connected."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong.

    Attributes:
        reason: the client's own words.
        fix: what to do; empty where nobody here knows.
        cause: False where it may well follow from another error, which then says more.
        connection: whether it is over once the client is connected.
    """

    reason: str
    fix: str = ""
    cause: bool = True
    connection: bool = False

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
    connection = error.code() in CONNECTION
    if not fix and UNREACHABLE.search(reason):
        return Trouble(reason, UNREACHABLE_FIX, cause=False, connection=connection)
    return Trouble(reason, fix, connection=connection)


def explain_raised(exception: BaseException) -> Trouble:
    """Put what a client's call raised into words."""
    if isinstance(exception, KafkaException) and isinstance(exception.args[0], KafkaError):
        return explain(exception.args[0])
    return Trouble(f"{type(exception).__name__}: {exception}")


class Complaints:
    """What the client complains of now, said once until it is over. Lives on the Kafka thread.

    Attributes:
        trouble: None while there is none.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log
        self.trouble: Trouble | None = None

    @property
    def words(self) -> str | None:
        """What is wrong and what to do, for people; None while nothing is."""
        return str(self.trouble) if self.trouble else None

    def heard(self, error: KafkaError) -> None:
        """The client tells of an error that it recovers from by itself."""
        trouble = explain(error)
        if trouble.replaces(self.trouble):
            self.trouble = trouble
            self._log.warning(
                "kafka_trouble",
                reason=trouble.reason,
                next="the client goes on trying, nothing is lost",
                fix=trouble.fix or None,
            )

    def raised(self, exception: BaseException) -> None:
        """A call has failed; what the client complained of meanwhile is the cause of it."""
        trouble = explain_raised(exception)
        if trouble.replaces(self.trouble):
            self.trouble = trouble

    def connected(self) -> None:
        """The client is connected to all that it needs: on an idle topic nothing else tells."""
        if self.trouble and self.trouble.connection:
            self.over()

    def over(self) -> None:
        """Partitions or records have come."""
        if self.trouble:
            self._log.info("kafka_trouble_over", reason=self.trouble.reason)
            self.trouble = None
