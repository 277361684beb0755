"""Login tokens for Amazon MSK, which are a URL signed with the AWS credentials of this process."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException

from processor.clock import Clock
from processor.logs import Logger

Token = tuple[str, float]
"""The token and when it expires, in seconds since 1970: what librdkafka's callback returns."""
Sign = Callable[[str], tuple[str, int]]
"""Signs a token for a region: the token and when it expires, in milliseconds since 1970. May ask AWS, so may block."""

SIGN_TIMEOUT = 8.0
"""Seconds for one token: below the 10 that a client's construction waits for its first one."""
SHARED = 5.0
"""Seconds for which an answer serves all who ask: a pipeline's clients start together. Below the 10 s after which
librdkafka asks again for a token that it did not get."""
FIX = (
    "give this process AWS credentials that may connect to the cluster: a service account with an IAM role, a pod "
    "identity, an instance role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)


def load_signer() -> Sign:
    """Import the signer, which is an optional part of the installation and takes a while."""
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - see above

    sign: Sign = MSKAuthTokenProvider.generate_auth_token
    return sign


class MskTokens:
    """Gives tokens to the Kafka clients of one pipeline: an instance is their `oauth_cb`.

    From confluent-kafka 2.13 on it is called on a background thread, never on the one that polls, when 80 % of a
    token's 15 minutes are over, and 10 s after a failure. It raises where there is no token: the client takes that for
    "no token now", goes on with the last one while that is valid, and loses nothing.

    Args:
        region: of the cluster.
        sign: called on a thread of its own, one at a time, so that a call that hangs holds up nobody for longer than
            `SIGN_TIMEOUT`, nor a client that is to be closed.
    """

    def __init__(self, region: str, sign: Sign, clock: Clock, log: Logger) -> None:
        self._region = region
        self._sign = sign
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()
        self._asked: Future[tuple[str, int]] | None = None
        self._asked_at = 0.0
        self.trouble: str | None = None
        """Why there is no token; None while there are."""

    def __call__(self, _config: str) -> Token:
        """Give a token.

        Raises:
            KafkaException: there is none, and why.
        """
        try:
            token, expiry = self._ask().result(SIGN_TIMEOUT)
        except Exception as exception:
            self._failed(_reason(exception))
            raise KafkaException(KafkaError(KafkaError._AUTHENTICATION, self.trouble)) from exception  # noqa: SLF001 - its only name
        self._succeeded()
        return token, expiry / 1000

    def _ask(self) -> Future[tuple[str, int]]:
        with self._lock:
            now = self._clock.now()
            asked = self._asked
            if asked is None or (asked.done() and now - self._asked_at >= SHARED):
                asked = self._asked = Future()
                self._asked_at = now
                threading.Thread(target=self._answer, args=(asked,), name="aws-token", daemon=True).start()
            return asked

    def _answer(self, asked: Future[tuple[str, int]]) -> None:
        try:
            asked.set_result(self._sign(self._region))
        except Exception as exception:  # noqa: BLE001 - whatever it is, it goes to who asked
            asked.set_exception(exception)

    def _failed(self, reason: str) -> None:
        if self.trouble != reason:
            self.trouble = reason
            self._log.error(
                "kafka_token_failed",
                reason=reason,
                next="asked again every 10 s; while there is no token Kafka is not read, nothing is lost",
                fix=FIX,
            )

    def _succeeded(self) -> None:
        if self.trouble:
            self.trouble = None
            self._log.info("kafka_token_back")


def _reason(exception: Exception) -> str:
    if isinstance(exception, TimeoutError):
        return f"AWS gave no credentials within {SIGN_TIMEOUT:g} s"
    if isinstance(exception, AttributeError):  # the signer's way to say that it was given none
        return "no AWS credentials were found"
    return f"{type(exception).__name__}: {exception}"
