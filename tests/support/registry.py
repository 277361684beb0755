"""A schema registry for tests: a given one, else Apicurio by Maven, else by Docker, else the demo's stub."""

import http.client
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from processor.demo import registry as demo
from tests.support.background import in_background
from tests.support.containers import running_container
from tests.support.java import QUICK, fetch, find_java, part_version
from tests.support.options import UnavailableError, enter_first
from tests.support.server import START_TIMEOUT, Server, free_port
from tests.support.waiting import eventually_sync

POM = Path(__file__).parent / "registry" / "pom.xml"
JAVA_VERSION = 21
"""The oldest Java that Apicurio Registry 3.3 runs on."""
HEAP = "-Xmx512m"
API = "/apis/ccompat/v7"
"""Where Apicurio speaks as Confluent's registry does."""
REQUEST_TIMEOUT = 10.0
"""Seconds for one question to a registry that should be there."""


@dataclass(frozen=True)
class Registry:
    """A schema registry that runs.

    Attributes:
        url: base address of the Confluent-compatible API.
        kind: how it was come by; `stub` is the only one that is no real registry.
        describe: one line for people, with the reason why it is none of the better ones.
    """

    url: str
    kind: Literal["given", "maven", "docker", "stub"]
    describe: str


class RegistryProcess(Server):
    """An Apicurio Registry, for tests that break it: see `Server`. Schemas and ids survive a restart.

    Attributes:
        url: base address of the Confluent-compatible API; stays the same over restarts.
        java: the Java version that runs it.

    Raises:
        UnavailableError: Java or Maven is missing, or it cannot be downloaded.
    """

    name: ClassVar[str] = "Apicurio Registry"

    def __init__(self) -> None:
        java = find_java(JAVA_VERSION)
        self._app = fetch(POM) / "quarkus-run.jar"
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}{API}"
        self.java = java.version
        self._java = java.path
        self._management_port = free_port()

    def command(self) -> Sequence[str]:
        """The ready-built application, with its data in a file."""
        settings = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": self.port,
            "quarkus.management.host": "127.0.0.1",
            "quarkus.management.port": self._management_port,
            "quarkus.http.access-log.enabled": "false",
            "apicurio.datasource.url": f"jdbc:h2:file:{self.folder}/registry",
        }
        options = (f"-D{name}={value}" for name, value in settings.items())
        return (self._java, HEAP, *QUICK, *options, "-jar", str(self._app))

    def ready(self) -> bool:
        """Whether the API answers."""
        return answers(self.url, 1.0)


def answers(url: str, timeout: float) -> bool:
    """Whether a registry lists its subjects at `url` within `timeout` seconds."""
    at = urlsplit(url)
    kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
    connection = kind(at.netloc, timeout=timeout)
    try:
        connection.request("GET", f"{at.path.rstrip('/')}/subjects")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def running_registry() -> Iterator[Registry]:
    """Give the best registry that is to be had here; it ends with the block (a given one stays)."""
    with ExitStack() as stack:
        registry, reasons = enter_first(stack, _options())
        yield replace(registry, describe="; ".join((registry.describe, *reasons)))


def _options() -> Sequence[Callable[[], AbstractContextManager[Registry]]]:
    if "SCHEMA_REGISTRY_URL" in os.environ:
        return (given_registry,)
    return (docker_registry, maven_registry, stub_registry)


@contextmanager
def given_registry() -> Iterator[Registry]:
    """The registry that the environment names.

    Raises:
        RuntimeError: it does not answer.
    """
    url = os.environ["SCHEMA_REGISTRY_URL"]
    if not answers(url, REQUEST_TIMEOUT):
        raise RuntimeError(f"no registry at SCHEMA_REGISTRY_URL={url}: start it, or unset the variable")
    yield Registry(url, "given", f"the registry at SCHEMA_REGISTRY_URL={url}")


@contextmanager
def docker_registry() -> Iterator[Registry]:
    """Apicurio's own image, which keeps its data in memory.

    Raises:
        UnavailableError: no engine answers, the image is not to be had, or it does not start.
    """
    image, port = f"apicurio/apicurio-registry:{part_version(POM)}", free_port()
    url = f"http://127.0.0.1:{port}{API}"
    with running_container(image, {8080: port}, {}):
        try:
            eventually_sync(lambda: answers(url, 1.0), within=START_TIMEOUT)
        except AssertionError:
            raise UnavailableError(f"Docker: {image} does not answer after {START_TIMEOUT} s") from None
        yield Registry(url, "docker", f"Apicurio Registry {part_version(POM)} (Docker) at {url}")


@contextmanager
def maven_registry() -> Iterator[Registry]:
    """Apicurio from Maven Central.

    Raises:
        UnavailableError: Java or Maven is missing, or it cannot be downloaded.
    """
    with RegistryProcess() as registry:
        version = f"Apicurio Registry {part_version(POM)} (Maven, Java {registry.java})"
        yield Registry(registry.url, "maven", f"{version} at {registry.url}")


@contextmanager
def stub_registry() -> Iterator[Registry]:
    """The registry of the demo, in this process."""
    with in_background(demo.running_registry()) as stub:
        yield Registry(stub.url, "stub", f"the demo's stub at {stub.url}, not a real registry")
