"""The command line as people and scripts meet it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT = 120
"""Seconds for a command, on a busy machine."""


def clickstream(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a process."""
    command = [sys.executable, "-m", "processor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT, cwd=cwd, env=env)


def objects(text: str) -> list[dict[str, Any]]:
    """What `--format json` printed: one object in each line."""
    found = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(each, dict) for each in found)
    return found
