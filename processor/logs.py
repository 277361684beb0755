"""Logging: structlog, JSON outside a terminal, one event name per fact.

No payloads and no personal data at info; secrets nowhere.
"""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger

Logger = FilteringBoundLogger


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
    """Passes a Kafka client's own lines on."""

    def __init__(self, log: Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log one line of librdkafka's; its connects and disconnects are for debugging."""
        level = logging.DEBUG if record.levelno <= logging.INFO else record.levelno
        self._log.log(level, "kafka_client", says=record.getMessage())


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
