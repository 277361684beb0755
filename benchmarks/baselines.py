"""What the libraries alone cost on this machine, in this run: what remains is ours.

Machines differ by a factor of two; a figure beside its baseline can be compared, a figure alone cannot.
"""

import asyncio
import io
import time
from collections.abc import Callable, Sequence

import aiohttp
import fastavro
import uvloop

from processor.decode.binary import compile_reader
from processor.demo.schemas import NAMESPACE, load_schemas
from processor.demo.shop import FRAME

REQUESTS = 10_000
CONNECTIONS = 64
BODY = b'{"itemId":"10233-BLK","contactId":"2e40c1f0-7d6e-4a0b-9f6e-0a3f5c7de22f","time":"2026-11-22T09:31:07.120Z"}'
HEADERS = {"apikey": "demo-voyado-key", "User-Agent": "Bench/1.0", "Content-Type": "application/json"}


def fastavro_cpu(values: Sequence[bytes]) -> float:
    """CPU-µs that fastavro alone takes for one product view, with its own logical types."""
    schema = load_schemas()[f"{NAMESPACE}.ProductViewed"].parsed

    def read(value: bytes) -> None:
        fastavro.schemaless_reader(io.BytesIO(value[FRAME.size :]), schema, None)

    return _cpu(read, values)


def decode_cpu(values: Sequence[bytes]) -> float:
    """CPU-µs that this service's reader takes for the same."""
    reader = compile_reader(load_schemas()[f"{NAMESPACE}.ProductViewed"].parsed)
    return _cpu(lambda value: reader(value, FRAME.size), values)


def _cpu(read: Callable[[bytes], object], values: Sequence[bytes]) -> float:
    begun = time.process_time()
    for value in values:
        read(value)
    return (time.process_time() - begun) / len(values) * 1e6


def request_cpu(vendor: str) -> float:
    """CPU-µs that aiohttp alone takes for one call."""
    return uvloop.run(_post(f"{vendor}/api/v2/tracking/productview")) / REQUESTS * 1e6


async def _post(url: str) -> float:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as session:

        async def post(count: int) -> None:
            for _ in range(count):
                async with session.post(url, data=BODY) as response:
                    await response.read()

        begun = time.process_time()
        await asyncio.gather(*(post(REQUESTS // CONNECTIONS) for _ in range(CONNECTIONS)))
        return time.process_time() - begun
