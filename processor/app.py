"""Builds everything: the one place that knows how the parts fit together."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from random import Random
from urllib.parse import quote

from confluent_kafka import Consumer, Producer
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
from processor.decode import logical
from processor.decode.decoder import Decoder
from processor.decode.schemas import SchemaStore
from processor.logs import Logger, client_logger, logger
from processor.metrics import Metrics
from processor.pipeline import Pipeline
from processor.plan import Plan
from processor.route.router import Router
from processor.scorekeeper import Scorekeeper
from processor.send.http import HttpSender
from processor.send.pace import Pace
from processor.send.scheduler import BatchLimits, Scheduler
from processor.send.sender import Sender
from processor.service import RunningPipeline, Service
from processor.settings.kafka_properties import admin_config, consumer_config, producer_config
from processor.settings.models import DestinationSettings, Settings
from processor.settle.ledger import Ledger
from processor.settle.letters import Origin
from processor.settle.settler import Settler
from processor.settle.undertaker import Undertaker

DRAIN_MARGIN = 2.0
"""Seconds that a drain waits beyond the requests' own time-out."""
REGISTRY_DEFAULTS = {"timeout": 5, "max.retries": 0}
"""The store asks again by itself, and tells why it waits; the client's own retries would only hide that."""


def build_service(settings: Settings, plans: Iterable[Plan], version: str, clock: Clock) -> Service:
    """Build the service of these pipelines; nothing connects before it runs.

    Args:
        settings: the whole file.
        plans: the pipelines to run.
        version: the configuration's version, for letters and metrics.
        clock: the machine's.
    """
    logical.install()
    metrics = Metrics()
    registry = (
        SchemaRegistryClient(REGISTRY_DEFAULTS | settings.registry.client_config()) if settings.registry else None
    )
    schemas = SchemaStore(registry, clock, logger())
    return Service(
        build=lambda: [_build_pipeline(settings, plan, version, metrics, schemas, clock) for plan in plans],
        metrics=metrics,
        ops=(settings.ops.host, settings.ops.port),
        shutdown_timeout=settings.shutdown_timeout,
        version=version,
        clock=clock,
    )


def _build_pipeline(
    settings: Settings, plan: Plan, version: str, metrics: Metrics, schemas: SchemaStore, clock: Clock
) -> RunningPipeline:
    log = logger(pipeline=plan.name)
    loop = asyncio.get_running_loop()
    client_log = client_logger(log)
    admin = AdminClient(admin_config(settings.kafka, _client_id(plan)), logger=client_log)
    kafka = _kafka_thread(settings, plan, admin, clock, log, client_log)
    scheduler = _scheduler(plan.settings, clock)
    http = _http(plan, clock)
    sender = Sender(scheduler, http, plan.settings.concurrency, clock)
    undertaker = Undertaker(
        plan.dead_letter_topic,
        lambda: Producer(producer_config(settings.kafka, _client_id(plan)), logger=client_log),
        clock,
        log,
    )
    router = Router(plan.routes)
    score = Scorekeeper(metrics, plan.name, clock, log)
    pipeline = Pipeline(
        origin=Origin(plan.name, version, __version__),
        decoder=Decoder(schemas, router.wants),
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
    settings: Settings, plan: Plan, admin: AdminClient, clock: Clock, log: Logger, client_log: logging.Logger
) -> KafkaThread:
    config = consumer_config(settings.kafka, plan.group, _client_id(plan))

    def make_consumer(callbacks: dict[str, object]) -> Consumer:
        return Consumer({**config, **callbacks}, logger=client_log)

    return KafkaThread(
        make_consumer=make_consumer,
        prepare=lambda: write_start_offsets(admin, make_consumer, plan.topics, settings.start_from, log),
        topics=plan.topics,
        offsets=Ledger(settings.commit_interval),
        limits=Limits(settings.in_memory.max_records, settings.in_memory.max_bytes),
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


def _http(plan: Plan, clock: Clock) -> HttpSender:
    address = plan.vendor.address(plan.settings)
    return HttpSender(
        url=address.url,
        headers=address.headers,
        timeout=plan.settings.timeout,
        concurrency=plan.settings.concurrency,
        mask=mask_of(plan.settings.api_key.get_secret_value()),
        clock=clock,
    )


def mask_of(secret: str) -> Callable[[str], str]:
    """A function that takes a secret out of a text, also as a URL writes it."""
    # As it is, fully quoted, and as yarl writes it into a query, which leaves `/` and `:` alone.
    forms = {secret, quote(secret, safe=""), URL.build(query={"k": secret}).raw_query_string.removeprefix("k=")}

    def mask(text: str) -> str:
        for form in forms:
            text = text.replace(form, "****")
        return text

    return mask


def _client_id(plan: Plan) -> str:
    return f"clickstream-{plan.name}"
