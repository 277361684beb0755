"""Writes letters of a file to their topic again: each once, however often that is begun, or broken off."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException

from processor.consume.troubles import explain
from processor.errors import FatalError
from processor.kafka_rights import WRITE, on_transactions
from processor.records import Headers, Key, Record
from processor.replay.access import Access
from processor.replay.audit_writer import SPANS
from processor.replay.export import Export
from processor.replay.history import RESTORED as OUTCOME
from processor.replay.history import Run, marks_key, marks_of
from processor.replay.letter import RESTORED
from processor.replay.spans import Spans

BY_KEY = -1
"""For librdkafka: the partition that the key gives."""
POLL = 0.1
"""Seconds until a full queue is looked at again."""
ABORT = 5.0
"""Seconds for taking back what a transaction has written; where that fails, the broker does it a minute later."""
CONSEQUENCES = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})  # noqa: SLF001 - librdkafka's own codes
"""What is said of messages that were not sent because another one was refused."""


class Restorer:
    """Writes letters to their topic, and to the audit topic that their old places are closed: in one transaction.

    Args:
        access: to both topics.
        export: the file.
        request: the name of what is asked for.

    Attributes:
        ends: behind the last letter that was put back, by partition.
        number: how many were.

    Raises:
        FatalError: this Kafka user may not, or Kafka does not answer.
    """

    def __init__(self, access: Access, export: Export, request: str) -> None:
        self.ends: dict[int, int] = {}
        self.number = 0
        self._topic, self._audit = access.topic, access.audit.name
        self._bootstrap = access.bootstrap
        self._topic_id = export.topic_id
        self._header = RESTORED, request.encode()
        self._partitions = frozenset(access.reader.watermarks(access.topic) or ())
        self._name = f"{access.plan.group}.restore"
        self._worker, self._marks = uuid4().hex[:8], 0
        self._refused: KafkaError | None = None
        try:
            self._producer = access.clients.transactional(self._name)
            self._producer.init_transactions()  # ends what a killed one began, before anybody looks at what it did
        except KafkaException as exception:
            raise self._failure(exception) from None

    def put_back(self, run: Run, records: Sequence[Record]) -> None:
        """Write some letters on behalf of a run, all or none of them.

        Raises:
            FatalError: Kafka does not take them.
        """
        try:
            self._producer.begin_transaction()
            for record in records:
                self._put(record)
            for key, spans in _places(records).items():
                self._mark(run, key, spans)
            self._producer.commit_transaction()
        except KafkaException as exception:
            with suppress(KafkaException):
                self._producer.abort_transaction(ABORT)
            raise self._failure(exception) from None
        self.number += len(records)

    def _put(self, record: Record) -> None:
        partition = record.assignment.partition
        headers = [header for header in record.headers or () if header[0] != RESTORED]
        to = partition if partition in self._partitions else BY_KEY
        self._produce(self._topic, record.value, record.key, to, [*headers, self._header])

    def _mark(self, run: Run, key: Key, spans: Spans) -> None:
        of_then = run.model_copy(update={"topic_id": self._topic_id})  # it may be another topic by now
        for marks in marks_of(of_then, key, {OUTCOME: spans}, SPANS):
            self._marks += 1
            name = marks_key(run.id, self._worker, self._marks)
            self._produce(self._audit, marks.as_json(), name)

    def _produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        to: int = BY_KEY,
        headers: Headers | None = None,
    ) -> None:
        """Hand a message to the client, once its queue has room: a file may set `queue.buffering.max.messages`."""
        while True:
            try:
                self._producer.produce(topic, value, key, to, headers=headers or [], on_delivery=self._answered)
            except BufferError:
                self._producer.poll(POLL)
            else:
                return

    def _answered(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            if error.code() not in CONSEQUENCES:
                self._refused = self._refused or error
        elif message.topic() == self._topic:
            partition: int = message.partition()
            self.ends[partition] = max(self.ends.get(partition, 0), message.offset() + 1)

    def _failure(self, exception: KafkaException) -> FatalError:
        error = self._refused or exception.args[0]
        words = f"Kafka at {self._bootstrap} did not take them: {explain(error)}"
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            words += f"; raise max.message.bytes of {self._topic} by 100: each letter has one header more"
        if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            words = on_transactions(self._bootstrap, self._name, WRITE)
        return FatalError(words)


def _places(records: Iterable[Record]) -> dict[Key, Spans]:
    places: dict[Key, Spans] = {}
    for record in records:
        places.setdefault(record.assignment.key, Spans()).add_offset(record.offset)
    return places
