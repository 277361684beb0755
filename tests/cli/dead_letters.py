"""A dead-letter topic with letters in it, and a file whose pipeline it belongs to."""

import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer

from processor.cli.main import main
from processor.records import Assignment, ErrorClass, Failure, Record, Stage
from processor.settle.letters import Origin
from tests.replay.letters import buried
from tests.support.broker import Broker
from tests.support.records import record

CONTACT = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"
SCHEMA = {
    "type": "record",
    "name": "View",
    "namespace": "a",
    "fields": [
        {"name": "sku", "type": ["string", "null"]},
        {"name": "contact", "type": "string"},
        {"name": "price", "type": "double"},
    ],
}
CONFIG = """\
kafka: {{bootstrap.servers: "{bootstrap}"}}
topics: [shop.clicks]
start_from: latest
schemas: [view.avsc]
formats: {{shop.clicks: {{raw: a.View}}}}
destinations:
  voyado:
    type: voyado
    base_url: https://acme.voyado.com
    api_key: "${{file:/nowhere/voyado-key}}"
    user_agent: Shop/1.0
    dead_letter: {{topic: {topic}}}
routes:
  views: {{event: a.View, to: voyado.product_view, when: sku != 'hidden', map: {{itemId: sku, contactId: contact}}}}
"""
SECOND = """\
  rocket:
    type: retail_rocket
    partner_id: 5ba1feda97a5252320437f20
    api_key: hunter3
    user_agent: Shop/1.0
routes:
  carts: {event: a.View, to: rocket.category_view, map: {sessionExternalId: contact, timestamp: sku, categoryId: sku}}
"""
UNMAPPED = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: is required")
INVALID = Failure(
    Stage.SEND, ErrorClass.INVALID, "the vendor refused it: 400", 400, '{"error": "sku 10233 is unknown"}'
)
VOYADO = Origin("voyado", "77be01aa", "0.1.0")

Output = tuple[int, str, str]


def viewed(sku: str | None = "10233", price: float = 9.5) -> bytes:
    """A view as raw Avro."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, SCHEMA, {"sku": sku, "contact": CONTACT, "price": price})
    return body.getvalue()


@dataclass
class Scene:
    """One dead-letter topic.

    Attributes:
        run: runs `clickstream dlq` with the scene's file: exit code, stdout, stderr.
        began: milliseconds since 1970; each letter is written a millisecond after the one before.
    """

    broker: Broker
    topic: str
    run: Callable[..., Output]
    written: int = 0
    began: int = field(default_factory=lambda: int(time.time() * 1000))
    _producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        self._producer = Producer({"bootstrap.servers": self.broker.bootstrap})

    def bury(self, failure: Failure = UNMAPPED, *, partition: int = 0, **parts: Any) -> None:
        """Write a letter; its record is the next one of `shop.clicks[5]`."""
        source = record(
            self.written,
            at=Assignment("shop.clicks", 5, 1),
            key=b"visitor-7",
            value=parts.pop("value", viewed()),
            headers=[("tenant", b"acme")],
        )
        given = {"source": source, "route": "views", "index": 0, "origin": VOYADO, **parts}
        self.put(buried(failure=failure, **given), partition)

    def put(self, message: Record, partition: int = 0) -> None:
        """Write any message."""
        self.written += 1
        headers: Any = message.headers
        moment = self.began + self.written
        self._producer.produce(self.topic, message.value, message.key, partition, timestamp=moment, headers=headers)
        assert self._producer.flush(20) == 0


def scene(broker: Broker, topic: str, folder: Path, capsys: pytest.CaptureFixture[str], config: str = CONFIG) -> Scene:
    """Write the file; the topic is there already."""
    (folder / "view.avsc").write_text(json.dumps(SCHEMA))
    file = folder / "clickstream.yaml"
    file.write_text(config.format(bootstrap=broker.bootstrap, topic=topic))

    def run(*arguments: str) -> Output:
        code = main(["dlq", *arguments, "-c", str(file)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return Scene(broker, topic, run)
