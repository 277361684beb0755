"""The Docker engine of this machine, asked through its command line, and the project's image on it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.image.tools import ROOT
from tests.support.options import UnavailableError

NAME = "clickstream-processor:tests"
CONTAINED = ("--read-only", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges")
"""How every container of these tests runs: it can write nothing and reach nobody."""
COMMAND_TIMEOUT = 300
"""Seconds for a command that fetches and builds nothing; one or two are usual, five for the demo."""
PULL_TIMEOUT = 300
BUILD_TIMEOUT = 900
"""Seconds; 40 to 90 are usual with an empty cache."""


@dataclass(frozen=True)
class Image:
    """The project's image.

    Attributes:
        name: as `docker run` takes it.
        describe: one line for people: how large it is, and on what base it was built.
    """

    name: str
    describe: str


def docker(*arguments: str, timeout: float = COMMAND_TIMEOUT) -> subprocess.CompletedProcess[str]:
    """Run a command of Docker, whatever comes of it."""
    env = {**os.environ, "DOCKER_BUILDKIT": "1"}
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=timeout, env=env)


def asked(*arguments: str, timeout: float = COMMAND_TIMEOUT) -> str:
    """Run a command of Docker, and return what it printed.

    Raises:
        RuntimeError: it failed; with its last words.
    """
    done = docker(*arguments, timeout=timeout)
    if done.returncode:
        raise RuntimeError(f"docker {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def build_image() -> Image:
    """Build the project's image as anybody would.

    Raises:
        UnavailableError: no engine answers, the base image is not to be had, or the client cannot build.
        RuntimeError: it does not build.
    """
    _need_engine()
    base = base_image()
    origin = _need_base(base)
    done = docker("build", f"--tag={NAME}", str(ROOT), timeout=BUILD_TIMEOUT)
    if "buildx component is missing" in done.stderr:
        raise UnavailableError("Docker: its client has no buildx, without which it cannot build")
    if done.returncode:
        raise RuntimeError(f"docker build ended with {done.returncode}: {done.stderr.strip()[-3000:]}")
    size, below = (int(asked("image", "inspect", "--format={{.Size}}", name)) for name in (NAME, base))
    return Image(NAME, f"{size / 1e6:.0f} MB, {(size - below) / 1e6:.0f} of them on top of {base}, {origin}")


def base_image() -> str:
    """The base image that the Dockerfile names."""
    [found] = re.findall(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return str(found)


@contextmanager
def running(image: Image, options: Sequence[str], command: Sequence[str]) -> Iterator[str]:
    """Run a container for as long as the block runs, and yield its id."""
    container = asked("run", "--detach", *CONTAINED, *options, image.name, *command)
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container)


def _need_engine() -> None:
    if not shutil.which("docker"):
        raise UnavailableError("Docker: no docker on the path")
    try:
        answer = docker("info", timeout=10)
    except subprocess.TimeoutExpired:
        raise UnavailableError("Docker: the engine does not answer") from None
    if answer.returncode:
        raise UnavailableError("Docker: no engine answers")


def _need_base(base: str) -> str:
    """Have the base image; returns in words where it came from: what was ever pulled has a digest."""
    here = docker("image", "inspect", "--format={{len .RepoDigests}}", base)
    if not here.returncode:
        return "which was here" if int(here.stdout) else "which was made on this machine, not pulled"
    try:
        pulled = docker("pull", "--quiet", base, timeout=PULL_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"Docker: {base} is not here, and not pulled after {PULL_TIMEOUT} s") from None
    if pulled.returncode:
        raise UnavailableError(f"Docker: {base} is not here and cannot be pulled: {pulled.stderr.strip()[-200:]}")
    return "pulled"
