from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from processor.demo.vendors import VendorOptions
from tests.replay.scene import KAFKA, scene_of
from tests.security.guarded_shop import GuardedShop
from tests.security.rights import table
from tests.security.secured import SecuredKafka, running_secured_kafka
from tests.support.background import in_background
from tests.support.guarded import GuardedKafka
from tests.support.identities import AUDIENCE, LIFETIME, IdentityProvider, running_provider
from tests.support.options import UnavailableError
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.topics import TopicFactory


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """A Kafka that asks for logins."""
    with ExitStack() as stack:
        try:
            kafka = stack.enter_context(running_secured_kafka(tmp_path_factory.mktemp("security")))
        except UnavailableError as error:
            pytest.skip(f"no Kafka that can ask for logins: {error}")
        yield kafka


@pytest.fixture
def provider(kafka: SecuredKafka) -> Iterator[IdentityProvider]:
    """An identity provider whose certificate the authority signed."""
    with in_background(running_provider(kafka.tokens, kafka.server)) as provider:
        yield provider
    kafka.tokens.audience, kafka.tokens.lifetime = AUDIENCE, LIFETIME


@pytest.fixture
def path(tmp_path: Path, kafka: SecuredKafka, registry: Registry) -> Iterator[WholePath]:
    """A topic on that Kafka, on its way to both vendors."""
    topic = TopicFactory(kafka.broker)
    with running_path(tmp_path, kafka.broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield path


@pytest.fixture
def shop(tmp_path: Path, guarded: GuardedKafka, registry: Registry) -> Iterator[GuardedShop]:
    """A shop with letters and a run that was killed long ago; its user may do nothing yet."""
    with scene_of(tmp_path, guarded.broker, registry, TopicFactory(guarded.broker)) as scene:
        scene.kafka = {**KAFKA, **guarded.login}
        shop = GuardedShop(scene, guarded)
        shop.bury()
        shop.put_killed()
        yield shop
        shop.forbid(*{right for rights in table().values() for right in rights})
