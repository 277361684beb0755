"""The shortest and the longest example, run as they are but for the addresses, which a second file lays over them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.demo.clicks import Click
from processor.demo.vendors import VendorOptions
from tests.support.broker import Broker
from tests.support.path import WholePath, running_path
from tests.support.registry import Registry
from tests.support.service import ServiceProcess
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

EXAMPLES = Path(__file__).parent.parent / "examples"
CLICKS = 600


@pytest.fixture
def path(tmp_path: Path, broker: Broker, registry: Registry, topic: TopicFactory) -> Iterator[WholePath]:
    """A topic with clicks, and stub vendors that answer at once."""
    with running_path(tmp_path, broker, registry, topic, VendorOptions(latency=0.0)) as path:
        yield path


def running(path: WholePath, example: str, overlay: dict[str, Any]) -> ServiceProcess:
    """The service on an example with another file over it."""
    over = path.folder / "addresses.yaml"
    over.write_text(yaml.safe_dump({"group_prefix": path.prefix, "start_from": "earliest", **overlay}))
    env = {"KAFKA_BOOTSTRAP": path.broker.bootstrap, "SCHEMA_REGISTRY_URL": path.registry.url}
    return ServiceProcess(path.folder, EXAMPLES / example, env, "-c", str(over))


def lines(clicks: list[Click], name: str) -> list[dict[str, Any]]:
    """The clicks of one type."""
    return [dict(click.value) for click in clicks if click.record_name.endswith(f".{name}")]


def test_the_minimal_example_delivers(path: WholePath) -> None:
    """Ten lines send every view to Retail Rocket."""
    clicks = path.click(CLICKS)
    rocket = {"base_url": path.vendors.rocket_url, "rate": "none", "dead_letter": {"topic": path.letters["rocket"]}}
    with running(path, "minimal.yaml", {"topics": [path.topic], "destinations": {"rocket": rocket}}) as service:
        eventually_sync(lambda: path.committed("rocket") == path.ends(), 60)
        assert service.terminate() == 0

    account = path.vendors.account.rocket
    assert account.deliveries == {"view": len(lines(clicks, "ProductViewed"))}
    assert not account.refused


def test_the_full_example_delivers(path: WholePath) -> None:
    """Every key at work at once, and each route lets through what it says."""
    clicks = path.click(CLICKS)
    over = {
        "registry": {"proxy": None, "ssl.ca.location": None},
        "topics": [path.topic],
        "routes": {"views-to-voyado": {"topics": [path.topic]}},
        "destinations": {
            "voyado": {
                "base_url": path.vendors.voyado_url,
                "api_key": "demo-voyado-key",
                "http": {"proxy": None},
                "rate": "none",
                "dead_letter": {"topic": path.letters["voyado"]},
            },
            "rocket": {
                "base_url": path.vendors.rocket_url,
                "api_key": "demo-rocket-key",
                "dead_letter": {"topic": path.letters["rocket"]},
            },
        },
    }
    with running(path, "full.yaml", over) as service:
        path.settled(60)
        assert service.terminate() == 0

    orders = lines(clicks, "OrderPlaced")
    carts = [order for order in orders if order["contactId"] and not order["orderNumber"].startswith("TEST")]
    views = [view for view in lines(clicks, "ProductViewed") if view["contactId"]]
    sold = [line for order in orders if order["market"] == "SE" for line in order["lines"]]
    assert path.vendors.account.voyado.deliveries == Counter(product_view=len(views), cart=len(carts))
    assert path.vendors.account.rocket.deliveries == Counter(order=len(sold))
    assert not path.vendors.account.voyado.refused
    assert not path.vendors.account.rocket.refused
