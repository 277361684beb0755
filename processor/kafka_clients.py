"""Makes the Kafka clients of one pipeline: configured, logged in, and with our log in the place of stderr."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from processor.clock import Clock
from processor.kafka_tokens import MskTokens, load_signer
from processor.logs import Logger, client_logger
from processor.settings.kafka_login import is_msk_iam, msk_region
from processor.settings.kafka_properties import admin_config, consumer_config, producer_config

OnError = Callable[[KafkaError], None]

TRANSACTION = {
    "transaction.timeout.ms": 60_000,  # where we are killed, readers wait so long for what is behind it
    "message.timeout.ms": 30_000,  # may not be longer
}

CALLBACK_RAISED = "OAuth callback raised exception"
"""All that a client says of a token that it did not get."""


class KafkaClients:
    """Makes clients. Where tokens are needed that takes a second or more, and fails where there are none.

    Args:
        kafka: the file's `kafka:`, checked.
        group: the pipeline's consumer group.
        client_id: used where the file sets none.
        tokens: where the login needs tokens that Python gives.
    """

    def __init__(
        self, kafka: Mapping[str, str], group: str, client_id: str, tokens: MskTokens | None, log: Logger
    ) -> None:
        self._kafka = kafka
        self._group = group
        self._client_id = client_id
        self._tokens = tokens
        self._logger = client_logger(log)

    def consumer(self, callbacks: Mapping[str, Any]) -> Consumer:
        """A member of the group, with these callbacks; `error_cb` is one of them.

        Raises:
            KafkaException: it cannot be made: no token, a certificate that is gone.
        """
        config = consumer_config(self._kafka, self._group, self._client_id)
        given = {**callbacks, "error_cb": self._with_reason(callbacks["error_cb"])}
        return Consumer({**config, **given, **self._login()}, logger=self._logger)

    def producer(self) -> Producer:
        """A producer of dead letters.

        Raises:
            KafkaException: as for `consumer`.
        """
        return Producer({**producer_config(self._kafka, self._client_id), **self._login()}, logger=self._logger)

    def transactional(self, name: str) -> Producer:
        """A producer whose messages are there together or not at all; it fences an earlier one of that name.

        Args:
            name: its `transactional.id`.

        Raises:
            KafkaException: as for `consumer`.
        """
        config = {**producer_config(self._kafka, self._client_id), **TRANSACTION, "transactional.id": name}
        return Producer({**config, **self._login()}, logger=self._logger)

    def admin(self) -> AdminClient:
        """A client that asks; `poll(0)` it now and then, which is when it writes its log.

        Raises:
            KafkaException: as for `consumer`.
        """
        return AdminClient({**admin_config(self._kafka, self._client_id), **self._login()}, logger=self._logger)

    def _with_reason(self, on_error: OnError) -> OnError:
        """The client only knows that it got no token."""

        def named(error: KafkaError) -> None:
            reason = self._tokens.trouble if self._tokens and CALLBACK_RAISED in error.str() else None
            on_error(KafkaError(error.code(), f"no login token: {reason}") if reason else error)

        return named

    def _login(self) -> dict[str, Any]:
        if self._tokens is None:
            return {}
        # Asked for one here, too: a client that gets none is 10 s in the making and then does not say why.
        self._tokens("")
        return {"oauth_cb": self._tokens}


def tokens_of(kafka: Mapping[str, str], env: Mapping[str, str], clock: Clock, log: Logger) -> MskTokens | None:
    """What gives the clients their tokens; None where they log in by themselves."""
    if not is_msk_iam(kafka):
        return None
    return MskTokens(msk_region(kafka, env) or "", load_signer(), clock, log)
