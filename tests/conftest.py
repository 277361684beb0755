"""The real parts of a test run: started when a test first asks for them, once, and named in the summary."""

from collections.abc import Iterator

import pytest
from xdist.workermanage import WorkerController

from tests.support.broker import Broker, KafkaProcess, running_broker
from tests.support.guarded import GuardedKafka
from tests.support.java import QUICK
from tests.support.options import UnavailableError
from tests.support.registry import Registry, RegistryProcess, running_registry
from tests.support.topics import TopicFactory

PARTS = pytest.StashKey[dict[str, set[str]]]()
"""What was there of each part: one description, or one of each process where several share the run."""
NOT_ASKED = "no test asked for one"


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run in which no test has asked for a part yet."""
    parts: dict[str, set[str]] = {"Kafka": set(), "Registry": set()}
    config.stash[PARTS] = parts


def add_part(config: pytest.Config, part: str, description: str) -> None:
    """Name a part that a test asked for."""
    config.stash[PARTS].setdefault(part, set()).add(description)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where this process runs a share of the tests, leave its parts to the one that writes the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["parts"] = session.config.stash[PARTS]


def pytest_testnodedown(node: WorkerController) -> None:
    """Take over a worker's parts; one that crashed left none."""
    for part, descriptions in getattr(node, "workeroutput", {}).get("parts", {}).items():
        node.config.stash[PARTS].setdefault(part, set()).update(descriptions)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say on which broker and registry the tests ran."""
    terminalreporter.section("real parts")
    for part, descriptions in config.stash[PARTS].items():
        for description in sorted(descriptions) or [NOT_ASKED]:
            terminalreporter.line(f"{part}: {description}")


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """The run's Kafka broker; for everything but being broken."""
    with running_broker(QUICK) as broker:
        add_part(request.config, "Kafka", broker.describe)
        yield broker


@pytest.fixture(scope="session")
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    """The run's schema registry; for everything but being broken."""
    with running_registry() as registry:
        add_part(request.config, "Registry", registry.describe)
        yield registry


@pytest.fixture
def topic(broker: Broker) -> Iterator[TopicFactory]:
    """Makes topics on the run's broker: `topic()`, `topic(partitions=1)`."""
    factory = TopicFactory(broker)
    yield factory
    factory.close()


@pytest.fixture(scope="session")
def guarded() -> Iterator[GuardedKafka]:
    """A Kafka that knows who may do what; its user may do nothing but what a test lets him."""
    try:
        kafka = GuardedKafka()
    except UnavailableError as error:
        pytest.skip(f"no Kafka that knows who may do what: {error}")
    with kafka:
        yield kafka


@pytest.fixture
def own_kafka() -> Iterator[KafkaProcess]:
    """A Kafka of the test's own, to be broken; started."""
    try:
        kafka = KafkaProcess()
    except UnavailableError as error:
        pytest.skip(f"no Kafka that may be broken: {error}")
    with kafka:
        yield kafka


@pytest.fixture
def own_registry() -> Iterator[RegistryProcess]:
    """A registry of the test's own, to be broken; started."""
    try:
        registry = RegistryProcess()
    except UnavailableError as error:
        pytest.skip(f"no registry that may be broken: {error}")
    with registry:
        yield registry
