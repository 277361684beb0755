"""The command line as people and scripts meet it: a process, its output, its exit code."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from processor.cli.main import COMMANDS
from tests.support.command import clickstream

MINIMAL = """\
kafka: {bootstrap.servers: "localhost:9"}
topics: [clicks]
start_from: latest
destinations:
  shop: {type: retail_rocket, partner_id: p1, api_key: very-secret, user_agent: Acme/1.0}
routes:
  views:
    event: com.acme.Viewed
    to: shop.view
    map: {sessionExternalId: visitor, timestamp: time, productId: product}
"""


def test_a_faulty_file_shows_all_faults_and_ends_with_2(tmp_path: Path) -> None:
    """Every fault comes at once, with file, line and fix, without a traceback and without the key."""
    file = tmp_path / "clickstream.yaml"
    file.write_text(
        MINIMAL.replace("shop.view", "shop.veiw").replace("start_from", "start_form").replace(": time", ": a..b")
    )

    done = clickstream("run", "-c", str(file))

    assert done.returncode == 2
    assert "start_form" in done.stderr
    assert "start_from" in done.stderr
    assert "did you mean `view`?" in done.stderr
    assert f"{file}:" in done.stderr
    assert "Traceback" not in done.stderr
    assert "very-secret" not in done.stderr


def test_a_bad_expression_is_shown_with_its_line(tmp_path: Path) -> None:
    """A typing error in an expression is found before anything connects."""
    file = tmp_path / "clickstream.yaml"
    file.write_text(MINIMAL.replace("timestamp: time", "timestamp: time["))

    done = clickstream("run", "-c", str(file))

    assert done.returncode == 2
    assert "routes.views.map.timestamp" in done.stderr or "clickstream.yaml:10" in done.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Without a file the message says which one was looked for."""
    done = clickstream("run", cwd=tmp_path)

    assert done.returncode == 2
    assert "clickstream.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_destination_names_those_of_the_file(tmp_path: Path) -> None:
    """`--destination` with a typing error starts nothing."""
    file = tmp_path / "clickstream.yaml"
    file.write_text(MINIMAL)

    done = clickstream("run", "-c", str(file), "--destination", "shpo")

    assert done.returncode == 2
    assert "shpo" in done.stderr
    assert "shop" in done.stderr.replace("shpo", "")


@pytest.mark.parametrize("command", ["init", "preview"])
def test_a_command_that_does_not_exist_is_unknown(command: str) -> None:
    """What is not built is no stub either."""
    done = clickstream(command)

    assert done.returncode == 2
    assert "invalid choice" in done.stderr


def test_a_command_imports_what_it_needs() -> None:
    """The parts of another one would cost most of the time that a small one takes."""
    words = "import sys; from processor.cli.main import main; main(['functions']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.splitlines()[-1].split())
    assert "processor.cli.functions" in loaded
    assert loaded.isdisjoint({"processor.app", "processor.cli.run", "aiohttp", "confluent_kafka"})


def test_the_help_has_all_commands() -> None:
    """In their order; and each has a help of its own."""
    said = clickstream("--help").stdout

    assert tuple(re.findall(r"^    ([a-z]+)\b", said, re.MULTILINE)) == COMMANDS
    for name in COMMANDS:
        assert clickstream(name, "--help").stdout.startswith(f"usage: clickstream {name} ")


def test_a_taken_port_is_said_in_words(tmp_path: Path) -> None:
    """A port that cannot be had ends with 1 and a sentence."""
    file = tmp_path / "clickstream.yaml"
    file.write_text(MINIMAL)

    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = clickstream("run", "-c", str(file), "--ops-port", port)

    assert done.returncode == 1
    assert f"cannot listen on 0.0.0.0:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    """A number beyond all ports is a wrong argument."""
    done = clickstream("run", "--ops-port", "70000", cwd=tmp_path)

    assert done.returncode == 2
    assert "70000 is not a port" in done.stderr


def test_output_that_nobody_reads_ends_quietly() -> None:
    """As in `clickstream functions | head -1`: one sentence, no traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "processor", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == "clickstream: nobody reads the output any more\n"


def account(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The demo's last line."""
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


def test_the_demo_ends_with_an_account_that_balances() -> None:
    """Everything in one process, no broker: all clicks arrive, and scripts can read it."""
    done = clickstream("demo", "--events", "2000", "--format", "json", "--seed", "7")

    assert done.returncode == 0, done.stderr
    last = account(done)
    assert last["type"] == "account"
    assert last["balanced"] is True
    for books in last["destinations"].values():
        assert books["read"] == 2000
        assert books["deliveries"] == books["delivered"] + books["dead_lettered"]
        assert books["open"] == 0


def test_the_demo_stops_clicking_after_its_seconds() -> None:
    """`--seconds` ends the clicking; what was clicked is still delivered."""
    done = clickstream("demo", "--seconds", "1", "--format", "json")

    assert done.returncode == 0, done.stderr
    assert account(done)["destinations"]["rocket"]["read"] > 0
