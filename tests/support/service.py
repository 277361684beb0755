"""The service as a process of its own, as a team runs it: a file, a command, a port."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import yaml

from tests.support.server import bound_to_us, free_port
from tests.support.waiting import eventually_sync

ROOT = Path(__file__).parents[2]
CANONICAL = ROOT / "examples" / "canonical.yaml"
STOP_TIMEOUT = 35.0
"""Seconds from SIGTERM to the end: the file's shutdown_timeout and what the interpreter needs."""


class ServiceProcess:
    """`clickstream run` with one configuration file.

    Attributes:
        port: where it answers.
    """

    def __init__(self, folder: Path, file: Path, env: Mapping[str, str], *arguments: str) -> None:
        self.port = free_port()
        self._log = folder / f"service-{self.port}.log"
        ports = ["--ops-port", str(self.port)]
        self._command = [*bound_to_us(), sys.executable, "-m", "processor", "run", "-c", str(file), *ports, *arguments]
        self._env = {**os.environ, **env}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed:  # what is printed stands beside the failure
            print(self.log, *(self.get(path)[1] for path in ("/status", "/metrics")), sep="\n")  # noqa: T201
        self.kill()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Start it; `ready` tells when it has its partitions."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._env, cwd=ROOT)

    def terminate(self) -> int:
        """Ask it to end and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        """All that it wrote."""
        return self._log.read_text()

    def get(self, path: str) -> tuple[int, str]:
        """Ask its port; status 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self, within: float = 30.0) -> None:
        """Wait for its first assignment."""
        try:
            eventually_sync(lambda: self.get("/ready")[0] == 200 or self.process.poll() is not None, within)
        finally:
            assert self.process.poll() is None, self.log

    def status(self) -> dict[str, Any]:
        """What `/status` answers, by pipeline."""
        pipelines: dict[str, Any] = json.loads(self.get("/status")[1])["pipelines"]
        return pipelines


def write_config(folder: Path, changes: Mapping[str, Any]) -> Path:
    """The canonical file with some keys changed, as one file.

    Not as a second file over the first: there null would remove a key, and `batch: null` has a meaning of its own.
    """
    file = folder / f"config-{uuid4().hex[:8]}.yaml"
    file.write_text(yaml.safe_dump(_laid_over(yaml.safe_load(CANONICAL.read_text()), changes)))
    return file


def _laid_over(lower: Any, upper: Any) -> Any:
    if not (isinstance(lower, dict) and isinstance(upper, Mapping)):
        return upper
    return lower | {key: _laid_over(lower.get(key), value) for key, value in upper.items()}
