"""What may stand between clients and a Kafka: it passes on what they ask, or keeps it, or hangs up on them."""

import asyncio
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.support.background import in_background
from tests.support.broker import Broker, KafkaProcess, Listener
from tests.support.conversations import listening
from tests.support.waiting import eventually

OFFSET_FETCH = 9
GROUP_HEARTBEAT = 68
"""Kinds of requests, as the protocol numbers them; the second one is of KIP-848."""
PATIENCE = 60.0
"""Seconds for which a test keeps a request at most."""


@dataclass
class KafkaRelay:
    """A relay on loopback before one listener of a broker. Tests change what it does at any time, from their thread.

    Attributes:
        listener: of the broker.
        kept: kinds of requests that wait here, with whatever comes behind them on their connection.
        refused: kinds of requests that end their connection, once what was asked before them is answered.
        then: kinds of requests, each with one that is refused from when it has passed.
        ended: how often one of each kind did.
    """

    listener: Listener
    kept: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    then: dict[int, int] = field(default_factory=dict)
    ended: Counter[int] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until one side ends it."""
        back, on = await asyncio.open_connection("127.0.0.1", self.listener.port)
        waiting = set[int]()
        ways = [
            asyncio.create_task(self._questions(reader, on, waiting)),
            asyncio.create_task(_answers(back, writer, waiting)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            on.close()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _questions(self, reader: asyncio.StreamReader, on: asyncio.StreamWriter, waiting: set[int]) -> None:
        while True:
            size, request = await _frame(reader)
            kind, _, number = struct.unpack_from(">hhi", request)
            await eventually(partial(self._lets_go, kind), PATIENCE)
            if kind in self.refused:
                await eventually(lambda: not waiting, PATIENCE)
                self.ended[kind] += 1
                return
            waiting.add(number)
            if kind in self.then:
                self.refused.add(self.then[kind])
            on.write(size + request)
            await on.drain()

    def _lets_go(self, kind: int) -> bool:
        return kind not in self.kept


async def _answers(back: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: set[int]) -> None:
    while True:
        size, answer = await _frame(back)
        writer.write(size + answer)
        await writer.drain()
        waiting.discard(*struct.unpack_from(">i", answer))


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A request or an answer, behind its size."""
    size = await reader.readexactly(4)
    return size, await reader.readexactly(*struct.unpack(">i", size))


@dataclass(frozen=True)
class RelayedKafka:
    """A Kafka of a test's own with a relay before one of its ports.

    Attributes:
        broker: as others reach it.
        relayed: the same broker, as it is reached through the relay.
    """

    broker: Broker
    relayed: Broker
    relay: KafkaRelay


@contextmanager
def running_relayed_kafka(*settings: str) -> Iterator[RelayedKafka]:
    """Start both.

    Args:
        settings: lines of the broker's configuration.

    Raises:
        UnavailableError: Java or Maven is missing.
    """
    relay = KafkaRelay(Listener("relayed", "PLAINTEXT", {}))
    with in_background(listening(relay.serve)) as port:
        relay.listener = Listener("relayed", "PLAINTEXT", {}, relay.listener.port, port)
        kafka = KafkaProcess([relay.listener])
        with kafka._config.open("a") as config:
            config.writelines(f"{line}\n" for line in settings)
        with kafka:
            broker = Broker(kafka.bootstrap, "maven", "a Kafka of the test's own")
            yield RelayedKafka(broker, Broker(relay.listener.bootstrap, "maven", "the same, through a relay"), relay)
