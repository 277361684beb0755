"""Builds everything: the one place that knows how the parts fit together."""

import asyncio
import os
from collections.abc import Callable, Iterable
from functools import cache
from random import Random
from urllib.parse import quote

from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import SchemaRegistryClient
from yarl import URL

from processor import __version__
from processor.clock import Clock
from processor.consume.backpressure import Limits
from processor.consume.bridge import LoopBridge
from processor.consume.kafka_thread import KafkaThread
from processor.consume.lag import EndOffsets
from processor.consume.start import write_start_offsets
from processor.consume.survey import Survey
from processor.decode.decoder import Decoder
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore
from processor.kafka_clients import KafkaClients, OnError, tokens_of
from processor.logs import Logger, logger
from processor.metrics import Metrics
from processor.pipeline import Pipeline
from processor.plan import Plan, Ready
from processor.route.router import Router
from processor.scorekeeper import Scorekeeper
from processor.send.http import HttpSender, Way
from processor.send.pace import Pace
from processor.send.scheduler import BatchLimits, Scheduler
from processor.send.sender import Http, Sender
from processor.send.shadow import ShadowSender
from processor.send.trust import trusting
from processor.service import RunningPipeline, Service
from processor.settings.models import DestinationSettings, Settings
from processor.settle.ledger import Ledger
from processor.settle.letters import Origin
from processor.settle.settler import Settler
from processor.settle.undertaker import Undertaker

NOTHING = Limits(0, 0)
"""What a paused pipeline may hold."""
DRAIN_MARGIN = 2.0
"""Seconds that a drain waits beyond the requests' own time-out."""
REGISTRY_DEFAULTS = {"timeout": 5, "max.retries": 0}
"""The store asks again by itself, and tells why it waits; the client's own retries would only hide that."""


def build_service(ready: Ready, plans: Iterable[Plan], clock: Clock) -> Service:
    """Build the service of these pipelines; nothing connects before it runs.

    Args:
        ready: the whole configuration.
        plans: those of its pipelines that are to run.
        clock: the machine's.
    """
    settings, version, metrics = ready.settings, ready.version, Metrics()
    schemas = schema_store(ready, clock)
    local = LocalTypes(ready.schemas, {topic: each.raw for topic, each in settings.formats.items()})
    return Service(
        build=lambda: [_build_pipeline(settings, plan, version, metrics, schemas, local, clock) for plan in plans],
        watch=lambda: ready.tables.watch(logger()),
        metrics=metrics,
        ops=(settings.ops.host, settings.ops.port),
        shutdown_timeout=settings.shutdown_timeout,
        version=version,
        clock=clock,
    )


def schema_store(ready: Ready, clock: Clock) -> SchemaStore:
    """What knows the schemas of a configuration: those of its files, and the registry's where it has one."""
    registry = ready.settings.registry
    client = SchemaRegistryClient(REGISTRY_DEFAULTS | registry.client_config()) if registry else None
    return SchemaStore(client, ready.schemas, clock, logger())


def _build_pipeline(
    settings: Settings,
    plan: Plan,
    version: str,
    metrics: Metrics,
    schemas: SchemaStore,
    local: LocalTypes,
    clock: Clock,
) -> RunningPipeline:
    log = logger(pipeline=plan.name)
    loop = asyncio.get_running_loop()
    tokens = tokens_of(settings.kafka, os.environ, clock, log)
    clients = KafkaClients(settings.kafka, plan.group, f"clickstream-{plan.name}", tokens, log)
    admin = cache(clients.admin)
    kafka = _kafka_thread(settings, plan, clients, admin, clock, log)
    scheduler = _scheduler(plan.settings, clock)
    http = _http(plan, clock)
    sender = Sender(scheduler, http, plan.settings.concurrency, clock)
    undertaker = Undertaker(plan.dead_letter_topic, clients.producer, clock, log)
    router = Router(plan.routes)
    score = Scorekeeper(metrics, plan.name, clock, log)
    pipeline = Pipeline(
        origin=Origin(plan.name, version, __version__),
        decoder=Decoder(schemas, local, router.wants),
        schemas=schemas,
        router=router,
        mappers=plan.mappers,
        sender=sender,
        settler=Settler(kafka.settled, loop.call_soon),
        undertaker=undertaker,
        score=score,
        clock=clock,
    )
    bridge = LoopBridge(
        loop,
        receive=pipeline.receive,
        drain=pipeline.drain,
        ended=pipeline.forget,
        drain_timeout=plan.settings.timeout + DRAIN_MARGIN,
        log=log,
    )
    return RunningPipeline(
        plan=plan,
        pipeline=pipeline,
        kafka=kafka,
        bridge=bridge,
        scheduler=scheduler,
        sender=sender,
        http=http,
        undertaker=undertaker,
        schemas=schemas,
        score=score,
        ends=EndOffsets(admin),
        clock=clock,
    )


def _kafka_thread(
    settings: Settings,
    plan: Plan,
    clients: KafkaClients,
    admin: Callable[[], AdminClient],
    clock: Clock,
    log: Logger,
) -> KafkaThread:
    def prepare(on_error: OnError, stopping: Callable[[], bool]) -> None:
        write_start_offsets(
            admin,
            lambda callbacks: clients.consumer({"error_cb": on_error, **callbacks}),
            plan.topics,
            settings.start_from,
            stopping,
            log,
        )

    memory = settings.in_memory
    return KafkaThread(
        make_consumer=clients.consumer,
        prepare=prepare,
        topics=plan.topics,
        offsets=Ledger(settings.commit_interval),
        broker=Survey(admin, clock, log),
        limits=NOTHING
        if plan.settings.mode == "paused"
        else Limits(memory.max_records, memory.max_bytes, settings.max_ahead),
        clock=clock,
        log=log,
    )


def _scheduler(destination: DestinationSettings, clock: Clock) -> Scheduler:
    batch = destination.batch
    return Scheduler(
        BatchLimits(batch.max_events, batch.max_bytes, batch.max_wait) if batch else None,
        destination.retry.delays,
        Pace(destination.rate, clock.now()),
        Random(),  # noqa: S311 - spreads retries, protects nothing
    )


def _http(plan: Plan, clock: Clock) -> Http:
    destination = plan.settings
    if destination.mode == "shadow":
        return ShadowSender()
    address = plan.vendor.address(destination)
    proxy = URL(destination.http.proxy) if destination.http.proxy else None
    return HttpSender(
        url=address.url,
        headers=address.headers,
        timeout=destination.timeout,
        concurrency=destination.concurrency,
        mask=mask_of(destination.api_key.get_secret_value(), (proxy and proxy.password) or ""),
        clock=clock,
        way=Way(proxy, trusting(destination.http.ca_file) if destination.http.ca_file else None),
        id_header=destination.idempotency_header,
    )


def mask_of(*secrets: str) -> Callable[[str], str]:
    """A function that takes secrets out of a text, also as a URL writes them; empty ones are none."""
    # As it is, fully quoted, and as yarl writes it into a query, which leaves `/` and `:` alone.
    forms = {
        form
        for secret in filter(None, secrets)
        for form in (secret, quote(secret, safe=""), URL.build(query={"k": secret}).raw_query_string.removeprefix("k="))
    }

    def mask(text: str) -> str:
        for form in forms:
            text = text.replace(form, "****")
        return text

    return mask
