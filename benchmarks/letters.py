"""CPU-µs per dead letter that a command passes over by its headers, or counts, and its memory: few letters, and many.

CPU time is the whole command's (user and system, all its threads), less that of the same command on an empty topic.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from processor.records import Assignment, ErrorClass, Failure, Record, Stage
from processor.settle.letters import Origin, letter
from tests.support.broker import Broker, running_broker
from tests.support.topics import TopicFactory

CAUSES = 40
"""Different messages, as a vendor's bad week gives."""
VALUE = b"\0" + 199 * b"v"
CONFIG = """\
kafka: {{bootstrap.servers: "{bootstrap}"}}
topics: [shop.clicks]
start_from: latest
destinations:
  rocket: {{type: retail_rocket, partner_id: p, api_key: k, user_agent: Shop/1.0, dead_letter: {{topic: {topic}}}}}
routes:
  views: {{event: a.View, to: rocket.view, map: {{sessionExternalId: s, timestamp: t, productId: p}}}}
"""
COMMANDS = {
    "passed over by route": ["list", "--route", "nobody"],
    "passed over by status and time": ["list", "--status", "422", "--since", "365d"],
    "counted by cause": ["stats"],
    "passed over by a condition": ["list", "--where", "letter.status == `422`"],
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: CPU seconds, and the most resident bytes it ever had."""

    cpu: float
    peak: int


def bury(broker: Broker, topic: str, count: int) -> None:
    """Write letters as the service does."""
    producer = Producer(
        {"bootstrap.servers": broker.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 50_000}
    )
    origin, at = Origin("rocket", "77be01aa", "0.1.0"), Assignment("shop.clicks", 5, 1)
    now = int(time.time() * 1000)
    for number in range(count):
        record = Record(at, number, now, b"visitor", VALUE, [("tenant", b"acme")])
        failure = Failure(Stage.SEND, ErrorClass.INVALID, f"refused: {number % CAUSES}", 400, '{"error": "price"}')
        told: Any = letter(origin, record, failure, route="views", index=0, schema_id=7).headers
        while True:
            try:
                producer.produce(topic, VALUE, b"visitor", number % 4, headers=told)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0


def cost(file: Path, arguments: list[str]) -> Cost:
    """Run a command to its end."""
    command = [sys.executable, "-m", "processor", "dlq", *arguments, "-c", str(file), "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def measure(broker: Broker, make_topic: TopicFactory, folder: Path, counts: list[int]) -> None:
    """Print a line for each command and number of letters."""
    files = {}
    for number in [0, *counts]:
        topic = make_topic()
        files[number] = folder / f"{number}.yaml"
        files[number].write_text(CONFIG.format(bootstrap=broker.bootstrap, topic=topic))
        bury(broker, topic, number)
    for name, arguments in COMMANDS.items():
        idle = cost(files[0], arguments)
        for number in counts:
            took = cost(files[number], arguments)
            each = (took.cpu - idle.cpu) / number * 1e6
            print(
                f"{name}: {number:,} letters, {each:.1f} CPU-µs each, {took.peak / 2**20:.0f} MiB at most", flush=True
            )


def main() -> None:
    """Measure on the best broker that is to be had here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=1_000_000)
    options = parser.parse_args()
    with running_broker() as broker, tempfile.TemporaryDirectory() as folder:
        print(broker.describe)
        make_topic = TopicFactory(broker)
        measure(broker, make_topic, Path(folder), [options.letters // 10, options.letters])
        make_topic.close()


if __name__ == "__main__":
    main()
