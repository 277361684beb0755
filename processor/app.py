"""Builds everything: the one place that knows how the parts fit together."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from random import Random

from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import SchemaRegistryClient
from pydantic import SecretStr
from yarl import URL

from processor import __version__
from processor.clock import Clock
from processor.consume.backpressure import Limits
from processor.consume.bridge import LoopBridge
from processor.consume.kafka_thread import KafkaThread
from processor.consume.lag import EndOffsets
from processor.consume.lease import Lease
from processor.consume.roll import Roll
from processor.consume.share import ShareWatch
from processor.consume.start import write_start_offsets
from processor.consume.survey import Survey
from processor.decode.decoder import Decoder
from processor.decode.local import LocalTypes
from processor.decode.schemas import SchemaStore
from processor.feed import Feed
from processor.kafka_admin import SharedAdmin
from processor.kafka_clients import KafkaClients, OnError, tokens_of
from processor.logs import Logger, logger
from processor.mass_failure import FailureWindow
from processor.metrics import Metrics
from processor.pipeline import Pipeline
from processor.plan import Plan, Ready
from processor.records import Assignment
from processor.route.router import Router
from processor.running import RunningPipeline
from processor.send.account import Account
from processor.send.blame import RetryPolicy
from processor.send.http import HttpSender, Way
from processor.send.outlet import BatchLimits
from processor.send.pace import Pace
from processor.send.replies import Reply, ReplyClass, ReplyTable, Rule
from processor.send.scheduler import Scheduler
from processor.send.sender import Http, Sender
from processor.send.shadow import ShadowSender
from processor.send.trust import trusting
from processor.service import Service
from processor.settings.kafka_properties import session_timeout
from processor.settings.kafka_rules import is_kip848
from processor.settings.models import DestinationSettings, Settings
from processor.settle.ledger import Ledger
from processor.settle.letter_topic import TopicLook
from processor.settle.letters import Origin
from processor.settle.settler import Settler
from processor.settle.undertaker import Undertaker

SERVICE = Feed()
NOTHING = Limits(0, 0)
"""What a paused pipeline may hold."""
DRAIN_MARGIN = 2.0
"""Seconds that a drain waits beyond the requests' own time-out."""
REGISTRY_DEFAULTS = {"timeout": 5, "max.retries": 0}
"""The store asks again by itself, and tells why it waits; the client's own retries would only hide that."""


def build_service(ready: Ready, plans: Iterable[Plan], clock: Clock, feed: Feed = SERVICE) -> Service:
    """Build the service of these pipelines; nothing connects before it runs.

    Args:
        ready: the whole configuration.
        plans: those of its pipelines that are to run.
        clock: the machine's.
        feed: how records get in, and who is told when they have left.
    """
    settings, metrics = ready.settings, Metrics()
    schemas, local = schema_store(ready, clock), local_types(ready)
    return Service(
        build=lambda: [_build_pipeline(ready, plan, metrics, schemas, local, clock, feed) for plan in plans],
        watch=lambda: ready.tables.watch(logger()),
        metrics=metrics,
        ops=(settings.ops.host, settings.ops.port),
        shutdown_timeout=settings.shutdown_timeout,
        version=ready.version,
        clock=clock,
    )


def schema_store(ready: Ready, clock: Clock) -> SchemaStore:
    """What knows the schemas of a configuration: those of its files, and the registry's where it has one.

    Who makes it closes it.
    """
    registry = ready.settings.registry
    client = SchemaRegistryClient(REGISTRY_DEFAULTS | registry.client_config()) if registry else None
    return SchemaStore(client, ready.schemas, clock, logger())


def local_types(ready: Ready) -> LocalTypes:
    """The schemas of a configuration's files, by their fingerprints and by topic."""
    return LocalTypes(ready.schemas, {topic: each.raw for topic, each in ready.settings.formats.items()})


def _build_pipeline(
    ready: Ready, plan: Plan, metrics: Metrics, schemas: SchemaStore, local: LocalTypes, clock: Clock, feed: Feed
) -> RunningPipeline:
    settings, log = ready.settings, logger(pipeline=plan.name)
    loop = asyncio.get_running_loop()
    tokens = tokens_of(settings.kafka, os.environ, clock, log)
    clients = KafkaClients(settings.kafka, plan.group, f"clickstream-{plan.name}", tokens, log)
    admin = SharedAdmin(clients.admin, clock)
    kafka = _kafka_thread(settings, plan, clients, admin, clock, log)
    replies = reply_table(plan.settings)
    scheduler = _scheduler(plan.settings, replies.classify, clock)
    http = http_of(plan, replies, clock, log, lambda: kafka.lease.holds(clock.now()))
    sender = Sender(scheduler, http, plan.settings.concurrency, clock, kafka.lease.holds)
    look = TopicLook(plan.dead_letter_topic, plan.topics, admin, settings.kafka.get("bootstrap.servers", "…"))
    undertaker = Undertaker(plan.dead_letter_topic, clients.producer, look, clock, log)
    router = Router(plan.routes)
    score = feed.scorekeeper(metrics, plan.name, clock, log)
    ends = EndOffsets(admin)
    letters = plan.settings.dead_letter
    pipeline = Pipeline(
        origin=Origin(plan.name, ready.version, __version__),
        transform=feed.transform(plan, router, Decoder(schemas, local, router.wants), score),
        schemas=schemas,
        sender=sender,
        settler=Settler(feed.settled(kafka.settled), loop.call_soon),
        undertaker=undertaker,
        failures=FailureWindow(letters.hold_above, letters.window, letters.min),
        score=score,
        clock=clock,
    )
    return RunningPipeline(
        plan=plan,
        pipeline=pipeline,
        kafka=kafka,
        bridge=_bridge(loop, pipeline, kafka.lease, feed, plan.settings.timeout + DRAIN_MARGIN, log),
        scheduler=scheduler,
        sender=sender,
        http=http,
        undertaker=undertaker,
        schemas=schemas,
        score=score,
        ends=ends,
        share=_share(plan, clients, kafka, ends, scheduler, clock, log) if plan.settings.rate else None,
        clock=clock,
        started=clock.wall(),
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
            plan.group,
            plan.topics,
            settings.start_from,
            stopping,
            log,
        )

    memory, kip848 = settings.in_memory, is_kip848(settings.kafka)
    return KafkaThread(
        make_consumer=clients.consumer,
        prepare=prepare,
        topics=plan.topics,
        offsets=Ledger(settings.commit_interval),
        broker=Survey(admin, clock, log),
        session=session_timeout(settings.kafka),
        tells_loss=not kip848,
        roll=Roll(admin, plan.group, clock) if kip848 else None,
        limits=NOTHING
        if plan.settings.mode == "paused"
        else Limits(memory.max_records, memory.max_bytes, settings.max_ahead),
        clock=clock,
        log=log,
    )


def _bridge(
    loop: asyncio.AbstractEventLoop, pipeline: Pipeline, lease: Lease, feed: Feed, drain_timeout: float, log: Logger
) -> LoopBridge:
    async def drain(assignments: Sequence[Assignment]) -> None:
        await pipeline.drain(assignments)
        await feed.drained(assignments)

    def forget(assignments: Sequence[Assignment]) -> None:
        pipeline.forget(assignments)
        lease.known()

    return LoopBridge(
        loop,
        receive=lambda records: pipeline.receive(feed.taken(records)),
        drain=drain,
        ended=forget,
        drain_timeout=drain_timeout,
        alive=lease.renew,
        log=log,
    )


def _share(
    plan: Plan,
    clients: KafkaClients,
    kafka: KafkaThread,
    ends: EndOffsets,
    scheduler: Scheduler,
    clock: Clock,
    log: Logger,
) -> ShareWatch:
    return ShareWatch(
        plan.topics,
        clients.consumer,
        ends,
        assigned=lambda: kafka.snapshot.partitions,
        use=lambda share: scheduler.pace.take_share(share, clock.now()),
        clock=clock,
        log=log,
    )


def _scheduler(destination: DestinationSettings, classify: Callable[[Reply], ReplyClass], clock: Clock) -> Scheduler:
    batch = destination.batch
    return Scheduler(
        BatchLimits(batch.max_events, batch.max_bytes, batch.max_wait) if batch else None,
        RetryPolicy(destination.retry.delays, destination.retry.max_attempts, destination.retry.stalemate),
        Pace(destination.rate, clock.now(), share=0.0),
        classify,
        Random(),  # noqa: S311 - spreads retries, protects nothing
    )


def reply_table(destination: DestinationSettings) -> ReplyTable:
    """What replies mean to a destination."""
    return ReplyTable(Rule(rule.status, rule.body, ReplyClass(rule.reply_class)) for rule in destination.replies)


def http_of(plan: Plan, replies: ReplyTable, clock: Clock, log: Logger, may_send: Callable[[], bool]) -> Http:
    """What sends a pipeline's requests; nothing connects before the first one.

    Args:
        plan: the pipeline's.
        replies: what its replies mean.
        clock: the machine's.
        log: of the pipeline.
        may_send: whether what was taken is still ours to send.
    """
    destination = plan.settings
    if destination.mode == "shadow":
        return ShadowSender()
    proxy = URL(destination.http.proxy) if destination.http.proxy else None
    account = Account(
        destination.api_key.get_secret_value(),
        lambda key: plan.vendor.address(destination.model_copy(update={"api_key": SecretStr(key)})),
        source=plan.key,
        others=[proxy.password] if proxy and proxy.password else [],
        log=log,
    )
    return HttpSender(
        account,
        timeout=destination.timeout,
        concurrency=destination.concurrency,
        texts=replies.texts,
        clock=clock,
        way=Way(proxy, trusting(destination.http.ca_file) if destination.http.ca_file else None),
        id_header=destination.idempotency_header,
        may_send=may_send,
    )
