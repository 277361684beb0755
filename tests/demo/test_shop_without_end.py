"""The shop of a compose file: it clicks in real time until it is told to stop."""

import asyncio
import signal
import subprocess
import sys

import pytest

from processor.demo.clicks import Shop
from processor.demo.registry import running_registry
from processor.demo.shop import RATE
from tests.demo.test_shop import START, read_all
from tests.support.broker import embedded_broker
from tests.support.topics import TopicFactory


def test_live_clicks_happen_now() -> None:
    """At any rate the events' time is that of the clock, and a visitor's clicks stay apart and in order."""
    times = [START + 500 * number for number in range(200)]
    clock = iter(times)

    live = Shop(1, START).live(lambda: next(clock))
    clicks = [click for _, click in zip(times, live, strict=False)]

    found = [click.value["occurredAt"] for click in clicks]
    assert all(-50 <= when - now < 60_000 for when, now in zip(found, times, strict=True))
    last: dict[bytes, int] = {}
    for click, when in zip(clicks, found, strict=True):
        assert when >= last.get(click.key, 0) + 1000 or click.key not in last
        last[click.key] = when


def test_a_clock_that_stands_does_not_stop_the_shop() -> None:
    """Its own time goes on then."""
    live = Shop(1, START).live(lambda: START)

    times = [click.value["occurredAt"] for _, click in zip(range(50), live, strict=False)]

    assert times[-1] > START + 50


class Process:
    """The shop as a process of its own, without an end."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-u", "-m", "processor.demo.shop", "--topic", "clicks", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def line(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Tell it to stop; its exit code, and what it says then."""
        self._process.send_signal(number)
        said, _ = self._process.communicate(timeout=60)
        return self._process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_shop_without_an_end_clicks_until_it_is_told(number: signal.Signals) -> None:
    """What it says at its end is what is in the topic; exit code 0."""
    with embedded_broker() as broker:
        topic = TopicFactory(broker)()
        async with running_registry() as stub:
            process = Process("--bootstrap", broker.bootstrap, "--registry", stub.url, "--topic", topic)
            said = await asyncio.to_thread(process.line)
            assert said == f"schemas registered at {stub.url}; {RATE:g} clicks a second to {topic}\n"
            await asyncio.to_thread(read_all, broker, topic, 20)
            code, said = await asyncio.to_thread(process.end, number)
        count = int(said.partition(" ")[0])
        await asyncio.to_thread(read_all, broker, topic, count)

    assert code == 0
    assert said == f"{count} events in {topic}\n"
    assert count >= 20


def test_a_registry_that_is_away_is_waited_for() -> None:
    """It is named, and a signal still ends the process."""
    process = Process("--bootstrap", "127.0.0.1:9", "--registry", "http://127.0.0.1:9")

    said = process.line()
    code, _ = process.end(signal.SIGTERM)

    assert said.startswith("cannot register the schemas at http://127.0.0.1:9: ")
    assert said.endswith("; tried again in 2 s\n")
    assert code == 0
