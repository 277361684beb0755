"""`clickstream run` as a process that never gets to Kafka: how signals end it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.background import in_background
from tests.support.conversations import listening
from tests.support.server import free_port
from tests.support.service import STOP_TIMEOUT, ServiceProcess, write_config
from tests.support.waiting import eventually_sync

WITHIN = 60.0
"""Seconds for a process to start on a busy machine."""
HELD_UP = """\
import asyncio
from processor.cli.signals import Signals

def hook():
    print("busy", flush=True)
    while True:
        pass

async def main():
    signals.running(lambda: None, 0.5, lambda: "shop: 3 records not settled")
    hook()

with Signals() as signals:
    asyncio.run(main())
"""


async def silent(reader: Any, _: Any) -> None:
    """Take what comes, and say nothing."""
    await reader.read()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody listens there, who never answers."""
    with in_background(listening(silent)) as port:
        yield port


def msk(port: int) -> dict[str, str]:
    """A login that waits for AWS."""
    os_env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{port}", "AWS_REGION": "eu-north-1"}
    return os_env | {"AWS_EC2_METADATA_DISABLED": "false", "AWS_CONFIG_FILE": os.devnull}


def service(folder: Path, kafka: Mapping[str, Any], env: Mapping[str, str], **changes: Any) -> ServiceProcess:
    """The service with the canonical file, and these keys of `kafka`."""
    return ServiceProcess(folder, write_config(folder, {"kafka": kafka, **changes}), env)


@pytest.mark.parametrize("kafka", ["refused", "silent", "no token"])
def test_before_the_first_connection_it_ends_as_ever(tmp_path: Path, silent_port: int, kafka: str) -> None:
    """A Kafka that is away, one that never answers, a login without a token: none keeps the process; exit code 0."""
    port = free_port() if kafka == "refused" else silent_port
    keys, env = {"bootstrap.servers": f"127.0.0.1:{port}"}, {}
    if kafka == "no token":
        keys |= {"security.protocol": "SASL_SSL", "sasl.mechanism": "AWS_MSK_IAM"}
        env = msk(silent_port)

    with service(tmp_path, keys, env) as process:
        eventually_sync(lambda: process.get("/live")[0] == 200, WITHIN)
        assert process.get("/ready")[0] == 503
        code = process.terminate()

    assert code == 0, process.log
    assert '"stopped"' in process.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_while_the_configuration_is_read_it_ends_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """Nothing runs yet, so there is nothing to end: exit code 0, and a line that says so."""
    table = tmp_path / "table.csv"
    os.mkfifo(table)  # reading it takes as long as nobody writes
    kafka = {"bootstrap.servers": "127.0.0.1:9"}

    with ExitStack() as stack:
        process = stack.enter_context(service(tmp_path, kafka, {}, tables={"culture": {"file": str(table)}}))
        stack.callback(os.close, eventually_sync(lambda: writer(table), WITHIN))
        process.process.send_signal(number)
        code = process.process.wait(STOP_TIMEOUT)

    assert code == 0, process.log
    assert process.log == f"clickstream: ended by {number.name} before anything was started\n"


def writer(pipe: Path) -> int | None:
    """Open a pipe for writing, which goes once somebody reads it."""
    with suppress(OSError):
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    return None


def test_an_event_loop_that_is_held_up_is_left_behind() -> None:
    """After `shutdown_timeout` the process ends although nothing turns: exit code 1, and where the time goes."""
    with subprocess.Popen([sys.executable, "-c", HELD_UP], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"busy\n"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=WITHIN)

    words, *stack = said.decode().splitlines()
    assert process.returncode == 1
    assert words.startswith("clickstream: not ended within shutdown_timeout (0.5 s): the event loop is held up, see")
    assert "Given up: shop: 3 records not settled; nothing is lost" in words
    assert any("in hook" in line for line in stack)


def test_a_second_signal_ends_an_event_loop_that_is_held_up() -> None:
    """It needs no turn of the loop either; the exit code is the signal's."""
    with subprocess.Popen([sys.executable, "-c", HELD_UP], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"busy\n"
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WITHIN)

    assert process.returncode in {128 + signal.SIGINT, 128 + signal.SIGTERM}  # they may be handled in either order
    assert b"and given up: shop: 3 records not settled" in said
