"""Asks the installed librdkafka for its own list of properties."""

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import cimpl

ROW = re.compile(r"^(?P<name>[a-z0-9_.]+) +\| +(?P<role>[CP*]) +\|(?P<range>[^|]*)\|(?P<default>[^|]*)\|(?P<text>.*)$")


@dataclass(frozen=True, slots=True)
class Property:
    """One row of CONFIGURATION.md, which librdkafka prints itself.

    Attributes:
        role: C for consumer, P for producer, * for both.
        alias: the property that this is another name of; empty where it is none.
        code: whether it can only be set by code.
    """

    name: str
    role: str
    default: str
    alias: str
    code: bool
    deprecated: bool


def properties(folder: Path) -> dict[str, Property]:
    """List what the installed client knows; where a name is listed twice, its first row counts."""
    library = ctypes.CDLL(cimpl.__file__)
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    path = folder / "CONFIGURATION.md"
    file = ctypes.c_void_p(libc.fopen(str(path).encode(), b"w"))
    library.rd_kafka_conf_properties_show(file)
    libc.fclose(file)
    found: dict[str, Property] = {}
    for row in filter(None, map(ROW.match, path.read_text().splitlines())):
        alias = re.search(r"Alias for `([a-z0-9._]+)`", row["text"])
        found.setdefault(
            row["name"],
            Property(
                row["name"],
                row["role"],
                row["default"].strip(),
                alias[1] if alias else "",
                "see dedicated API" in row["text"],
                "DEPRECATED" in row["text"],
            ),
        )
    return found
