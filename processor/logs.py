"""Logging: structlog, JSON outside a terminal, one event name per fact.

No payloads and no personal data at info; secrets nowhere.
"""

import logging
import re
import sys
from math import inf

import structlog
from structlog.typing import FilteringBoundLogger

Logger = FilteringBoundLogger

NUMBERS = re.compile(r"\d+")
"""What differs between one failed attempt to connect and the next: its duration, the number of the client."""
REPEAT = 60.0
"""Seconds until a client's line is logged again that differs from an earlier one in numbers only. A client that is
refused tries again every second."""


def configure(level: int = logging.INFO) -> None:
    """Set up structlog for this process: to stderr, so that stdout is free for what a command prints."""
    terminal = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class _ClientHandler(logging.Handler):
    """Passes a Kafka client's own lines on; one that comes again and again once a minute."""

    def __init__(self, log: Logger) -> None:
        super().__init__()
        self._log = log
        self._said: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log one line of librdkafka's; its connects and disconnects are for debugging."""
        says = record.getMessage()
        if self._is_repeated(NUMBERS.sub("", says), record.created):
            return
        level = logging.DEBUG if record.levelno <= logging.INFO else record.levelno
        self._log.log(level, "kafka_client", says=says)

    def _is_repeated(self, line: str, now: float) -> bool:
        if now - self._said.get(line, -inf) < REPEAT:
            return True
        self._said = {said: at for said, at in self._said.items() if now - at < REPEAT} | {line: now}
        return False


def client_logger(log: Logger) -> logging.Logger:
    """A standard logger for a Kafka client (its `logger` argument), which would write to stderr by itself.

    It is made by hand, not by `getLogger`, so that no other configuration of the process can change it.
    """
    standard = logging.Logger("kafka")  # noqa: LOG001 - on purpose, see above
    standard.addHandler(_ClientHandler(log))
    return standard


def logger(**bound: object) -> Logger:
    """A logger with these values in every line."""
    log: Logger = structlog.get_logger(**bound)
    return log
