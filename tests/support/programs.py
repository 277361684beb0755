"""Programs in other languages for tests: Java with jars of Maven Central, JavaScript with packages of npm."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.java import fetch
from tests.support.options import UnavailableError

COMPILE_TIMEOUT = 300
"""Seconds for javac, and for npm to fetch its packages."""
RUN_TIMEOUT = 300
"""Seconds for a program to do its work."""


def run_java(folder: Path, main: str, arguments: Sequence[str], also: Sequence[Path] = ()) -> None:
    """Compile and run a Java program.

    Args:
        folder: its sources, and the `pom.xml` that fetches its jars.
        main: the class to be run.
        arguments: what it is given.
        also: folders with more sources.

    Raises:
        UnavailableError: there is no Java compiler here, or its jars are not to be had.
        RuntimeError: it does not compile or failed; with what it said.
    """
    compiler = shutil.which("javac")
    if not compiler:
        raise UnavailableError("Java: no compiler (javac) on the path")
    jars = fetch(folder / "pom.xml")
    runtime = Path(compiler).resolve().with_name("java")
    with tempfile.TemporaryDirectory(prefix="java-") as classes:
        sources = [str(source) for each in (folder, *also) for source in sorted(each.glob("*.java"))]
        _run([compiler, "-encoding", "UTF-8", "-d", classes, "-cp", f"{jars}/*", *sources], COMPILE_TIMEOUT)
        _run([str(runtime), "-cp", f"{classes}:{jars}/*", main, *arguments], RUN_TIMEOUT)


def run_javascript(folder: Path, script: str, arguments: Sequence[str]) -> None:
    """Run a program for Node with the packages that it names, in a copy of its folder.

    Args:
        folder: its modules and its `package.json`.
        script: the module to be run.
        arguments: what it is given.

    Raises:
        UnavailableError: there is no Node or npm here, or the packages are not to be had.
        RuntimeError: it failed; with what it said.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise UnavailableError("JavaScript: no node or no npm on the path")
    with tempfile.TemporaryDirectory(prefix="javascript-") as name:
        copy = Path(shutil.copytree(folder, name, dirs_exist_ok=True))
        try:
            _run(
                [npm, "install", "--ignore-scripts", "--no-audit", "--prefer-offline", "--prefix", name],
                COMPILE_TIMEOUT,
            )
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            raise UnavailableError(
                f"JavaScript: npm could not install the packages of {folder.name}: {error}"
            ) from None
        _run([node, str(copy / script), *arguments], RUN_TIMEOUT)


def _run(command: Sequence[str], timeout: float) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
