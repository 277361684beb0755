"""Everything that can be wrong, named by its consequence.

    Fault               something is wrong in the configuration: a value, collected, all shown at once
    ClickstreamError
    ├── ConfigError     carries the faults; the process ends with 2 before anything connects
    └── FatalError      the service cannot go on; the process ends with 1

What happens to a record is never an exception: see `records.Failure` and `records.Filtered`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How bad a fault is."""

    ERROR = "error"
    """The file cannot be run."""
    WARNING = "warning"
    """The file can be run; a person should look."""


FaultPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the configuration.

    Attributes:
        path: where in the file, as keys and list positions: `("routes", "views", "map", "time")`.
        message: what is wrong, in words, with the value unless it is a secret.
        fix: what to write instead; empty where the message says it.
        file: the file that set the value; empty where no file did.
        line: 1-based line in `file`; 0 where no file did.
        meant: of a key that does not exist, the one beside it that was probably meant; empty where nobody knows.
    """

    path: FaultPath
    message: str
    fix: str = ""
    level: Level = Level.ERROR
    file: str = ""
    line: int = 0
    meant: str = ""

    @property
    def where(self) -> str:
        """The path as people write it: `routes.views.map.time`."""
        return ".".join(str(part) for part in self.path)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line} " if self.file else ""
        fix = f"\n      fix: {self.fix}" if self.fix else ""
        return f"{self.level.value.upper()} {place}{self.where}   {self.message}{fix}"

    def as_json(self) -> dict[str, Any]:
        """The finding as `--format json` prints it."""
        return {
            "level": self.level.value,
            "file": self.file,
            "line": self.line,
            "path": self.where,
            "message": self.message,
            "fix": self.fix,
        }


class ClickstreamError(Exception):
    """The root of what this package raises on purpose."""


class ConfigError(ClickstreamError):
    """The configuration cannot be run; carries every fault that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class FatalError(ClickstreamError):
    """The service cannot go on and a restart may help; the message says what to do."""
