from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from processor.metrics import CONFIG_INFO, Metrics
from processor.ops.server import Answers, OpsServer
from tests.support.server import listening


@dataclass
class Service:
    """What the server is asked about, and the port where it answers."""

    dead: str | None = None
    unready: str | None = None
    status: dict[str, Any] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    port: int = 0

    def server(self, port: int = 0) -> OpsServer:
        """A server that has not started."""
        answers = Answers(lambda: self.dead, lambda: self.unready, lambda: self.status, self.metrics.render)
        return OpsServer(answers, "127.0.0.1", port)

    async def get(self, path: str) -> tuple[int, str, str]:
        """Status, content type and body."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}{path}") as response,
        ):
            return response.status, response.headers["Content-Type"], await response.text()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service whose server listens."""
    service = Service()
    server = service.server()
    service.port = await server.start()
    yield service
    await server.stop()


@pytest.mark.parametrize(("path", "answer"), [("/live", "dead"), ("/ready", "unready")])
async def test_health_is_200_or_503_with_the_reason(service: Service, path: str, answer: str) -> None:
    """A probe sees a status; a person sees why."""
    well = await service.get(path)
    setattr(service, answer, "voyado: the Kafka thread has not polled for 61 s")
    ill = await service.get(path)
    setattr(service, answer, None)

    assert well == (200, "text/plain; charset=utf-8", "ok\n")
    assert ill == (503, "text/plain; charset=utf-8", "voyado: the Kafka thread has not polled for 61 s\n")
    assert await service.get(path) == well


async def test_not_ready_is_not_dead(service: Service) -> None:
    """The two are asked apart: a service that waits for partitions is not restarted."""
    service.unready = "not assigned any partitions yet: voyado"

    assert (await service.get("/live"))[0] == 200


async def test_the_status_is_json(service: Service) -> None:
    """The whole state as it is told, with numbers and nulls."""
    service.status = {"pipelines": {"voyado": {"lag": None, "unsettled": 3, "topics": ["klick.å"]}}}

    status, content_type, body = await service.get("/status")

    assert (status, content_type) == (200, "application/json")
    assert body == '{"pipelines":{"voyado":{"lag":null,"unsettled":3,"topics":["klick.å"]}}}'


async def test_metrics_are_what_prometheus_reads(service: Service) -> None:
    """The content type is Prometheus' own, and the text parses."""
    service.metrics.cell(CONFIG_INFO, "voyado", "c0ffee").set(1)

    status, content_type, body = await service.get("/metrics")

    assert status == 200
    assert content_type.startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(body)}
    assert families["clickstream_config_info"].samples[0].labels == {"pipeline": "voyado", "version": "c0ffee"}


async def test_other_paths_are_not_there(service: Service) -> None:
    """A wrong path is a 404, not an answer to something else."""
    assert (await service.get("/healthz"))[0] == 404


async def test_a_taken_port_is_an_error(service: Service) -> None:
    """Who cannot listen says so at once."""
    second = service.server(service.port)

    with pytest.raises(OSError, match=str(service.port)):
        await second.start()
    await second.stop()


async def test_a_stopped_server_does_not_listen() -> None:
    """After the stop nobody answers on the port."""
    server = Service().server()
    port = await server.start()
    assert listening(port)

    await server.stop()

    assert not listening(port)
