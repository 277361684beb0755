import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from processor.logs import client_logger, configure, logger
from tests.support.logs import Lines


class Terminal(io.StringIO):
    """Somebody is looking."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Leave no configuration behind."""
    yield
    structlog.reset_defaults()


def configured(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, level: int = logging.INFO) -> io.StringIO:
    """Logging as a process sets it up, with its stderr here."""
    monkeypatch.setattr("sys.stderr", stream)
    configure(level)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was written, parsed."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_outside_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, on stderr, with what was bound, a level and a time in UTC; stdout stays free."""
    stream = configured(monkeypatch, io.StringIO())

    logger(pipeline="voyado").bind(partition=3).warning("refused", reply="status 403")

    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "refused",
        "level": "warning",
        "pipeline": "voyado",
        "partition": 3,
        "reply": "status 403",
    }
    assert capsys.readouterr().out == ""


def test_a_line_is_for_people_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody looks it is text, with the same facts."""
    stream = configured(monkeypatch, Terminal())

    logger().info("started")

    assert "started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["json", "terminal"])
def test_an_exception_is_written_with_its_traceback(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> None:
    """A defect can be found from its line."""
    configured(monkeypatch, stream)

    logger().error("pipeline_failed", exc_info=ZeroDivisionError("boom"))

    assert "ZeroDivisionError: boom" in stream.getvalue()


@pytest.mark.parametrize(("level", "events"), [(logging.INFO, ["shown"]), (logging.DEBUG, ["hidden", "shown"])])
def test_the_level_decides(monkeypatch: pytest.MonkeyPatch, level: int, events: list[str]) -> None:
    """What is below the level is not written."""
    stream = configured(monkeypatch, io.StringIO(), level)

    logger().debug("hidden")
    logger().info("shown")

    assert [line["event"] for line in lines(stream)] == events


@pytest.mark.parametrize(
    ("level", "told"),
    [(logging.DEBUG, "debug"), (logging.INFO, "debug"), (logging.WARNING, "warning"), (logging.CRITICAL, "critical")],
)
def test_a_kafka_client_s_own_lines_are_ours(level: int, told: str) -> None:
    """What librdkafka says keeps its level, but its connects and disconnects are for debugging."""
    captured = Lines()

    client_logger(captured.log).log(level, "%s: broker %d down", "FAIL", 1)

    (line,) = captured("kafka_client")
    assert (line["log_level"], line["says"]) == (told, "FAIL: broker 1 down")


def test_a_client_s_logger_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing goes to the process's other logging, and two clients' lines are told apart."""
    first, second = Lines(), Lines()

    client_logger(first.log).warning("one")
    client_logger(second.log).warning("two")

    assert ([line["says"] for line in first("kafka_client")], second.events) == (["one"], ["kafka_client"])
    assert caplog.records == []


def said(message: str, seconds: float) -> logging.LogRecord:
    """A client's line at a time."""
    record = logging.LogRecord("kafka", logging.ERROR, "", 0, message, (), None)
    record.created = seconds
    return record


def test_a_client_that_repeats_itself_is_heard_once_a_minute() -> None:
    """A refused login is tried every second: lines that differ in numbers only are one; another line is another."""
    captured = Lines()
    client = client_logger(captured.log)
    refused = [said(f"consumer-{second}: refused (after {second}ms)", float(second)) for second in range(70)]

    for line in [*refused[:5], said("another line", 5.0), *refused[5:]]:
        client.handle(line)

    assert [line["says"] for line in captured("kafka_client")] == [
        "consumer-0: refused (after 0ms)",
        "another line",
        "consumer-60: refused (after 60ms)",
    ]
