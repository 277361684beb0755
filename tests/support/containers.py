"""Containers for tests, where a Docker engine answers and has, or can pull, the image."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient, get_docker_host

from tests.support.options import UnavailableError

LOCAL = "unix://"
DEFAULT_HOST = "unix:///var/run/docker.sock"
ENGINE_TIMEOUT = 3
"""Seconds for the engine to say that it is there."""
PULL_TIMEOUT = 30
"""Seconds without any progress; a pull that goes on may take longer."""


@contextmanager
def running_container(image: str, ports: Mapping[int, int], env: Mapping[str, str]) -> Iterator[None]:
    """Run a container; it ends with the block.

    Args:
        image: name and tag.
        ports: the container's port → ours on loopback.
        env: its environment.

    Raises:
        UnavailableError: no engine answers, an image is not to be had, or the container does not start.
    """
    _need_images(image)
    container = DockerContainer(image, env=dict(env))
    # Docker takes an address beside the port; the declared type forgets it.
    loopback: dict[str, Any] = {str(inner): ("127.0.0.1", outer) for inner, outer in ports.items()}
    container.ports.update(loopback)
    try:
        container.start()
    except OSError as error:
        container.stop()
        raise UnavailableError(f"Docker could not start {image}: {_reason(error)}") from error
    try:
        yield
    finally:
        container.stop()


def _need_images(image: str) -> None:
    _need_engine()
    needed = [image] if testcontainers_config.ryuk_disabled else [image, testcontainers_config.ryuk_image]
    with closing(DockerClient(timeout=ENGINE_TIMEOUT).client) as engine:
        missing = [name for name in needed if not engine.images.list(name)]
    for name in missing:
        _pull(name)


def _need_engine() -> None:
    """Look for an engine on this machine: the ports of another one's containers are not on our loopback."""
    host = get_docker_host() or DEFAULT_HOST
    if not host.startswith(LOCAL):
        raise UnavailableError(f"Docker: the engine at {host} is not on this machine")
    # Not left to the client, which forgets to close the socket of an engine that does not answer.
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ENGINE_TIMEOUT)
        if probe.connect_ex(host.removeprefix(LOCAL)):
            raise UnavailableError("Docker: no engine answers")


def _pull(image: str) -> None:
    with closing(DockerClient(timeout=PULL_TIMEOUT).client) as engine:
        try:
            engine.images.pull(image)
        except OSError as error:
            raise UnavailableError(f"Docker: {image} cannot be pulled: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    """The engine's own words where it has some; a lost or stalled connection has none."""
    return getattr(error, "explanation", None) or str(error)
