"""A logger that keeps its lines for the test, whatever the process's own logging is."""

import io
from typing import Any

import structlog
from structlog.testing import LogCapture

from processor.logs import Logger


class Lines:
    """A logger, and what was written with it.

    Attributes:
        log: to be handed to what is tested; any thread may write.
    """

    def __init__(self) -> None:
        self._capture = LogCapture()
        self.log = _logger(self._capture)

    def __call__(self, event: str) -> list[dict[str, Any]]:
        """The lines of one event name, as the values they carry."""
        return [dict(line) for line in list(self._capture.entries) if line["event"] == event]

    @property
    def events(self) -> list[str]:
        """The names of all lines, in order."""
        return [line["event"] for line in list(self._capture.entries)]


def _logger(capture: LogCapture) -> Logger:
    log: Logger = structlog.wrap_logger(
        structlog.PrintLogger(io.StringIO()),
        processors=[capture],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    return log
