"""What is said in the audit topic counts when the broker has it, and is said again until it does."""

import threading
from functools import partial
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from processor.clock import ManualClock, SystemClock
from processor.errors import FatalError
from processor.replay import audit_writer as module
from processor.replay.audit_writer import AuditWriter
from processor.replay.history import AUDITED, Marks
from processor.replay.spans import Spans
from tests.replay.audits import audited, desk, producer
from tests.replay.writers import BOOTSTRAP, RUN, Bench, Scripted, refusal
from tests.support.broker import Broker, KafkaProcess, admin_client
from tests.support.logs import Lines
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

ACLS = f"kafka-acls.sh --bootstrap-server {BOOTSTRAP}"


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was refused is tried again at once."""
    monkeypatch.setattr(module, "BACK_OFF", (0.02,))


def test_a_run_is_written_and_read(broker: Broker, topic: TopicFactory) -> None:
    """It is in the topic when the call returns, under its own key; what follows under that key counts."""
    with desk(broker, audited(broker, topic)) as here:
        run = here.run(id="2026-11-22-1", reason="price fixed", selectors={"routes": ["orders"]})
        here.writer.write_run(run)
        assert here.history.runs == {run.id: run}
        ended = run.model_copy(update={"state": "done", "ended": "2026-11-22T10:00:00.000Z"})
        here.writer.write_run(ended)
        assert here.history.runs == {run.id: ended}


def test_marks_of_two_workers_do_not_overwrite_each_other(broker: Broker, topic: TopicFactory) -> None:
    """Each has keys of its own, so that compaction keeps what both say."""
    name = audited(broker, topic)
    keys: list[bytes | None] = []
    with desk(broker, name) as one, desk(broker, name) as other:
        run = one.run(id="2026-11-22-1")
        for desk_, first in ((one, 0), (other, 5), (one, 10)):
            done = threading.Event()
            desk_.writer.mark(run, (name, 2), {"delivered": Spans((first, first + 3))}, done.set)
            assert done.wait(20)
        bounds = one.audit._reader.watermarks(f"{name}.audit") or {}
        for records in one.audit._reader.read(f"{name}.audit", dict.fromkeys(bounds, 0), {0: bounds[0][1]}):
            keys += [record.key for record in records]
        assert one.history.done == {2: Spans((0, 3), (5, 8), (10, 13))}
    assert len(set(keys)) == 3
    assert all(key and key.startswith(b"marks:2026-11-22-1:") for key in keys)


def test_marks_wait_for_a_kafka_that_is_away(own_kafka: KafkaProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller goes on at once; when Kafka is back all is written, however often it was refused before."""
    monkeypatch.setattr(module, "BACK_OFF", (0.1,))
    broker = Broker(own_kafka.bootstrap, "maven", "to be broken")
    factory = TopicFactory(broker)
    name = audited(broker, factory)
    lines, done = Lines(), threading.Event()
    writer = AuditWriter(
        f"{name}.audit",
        lambda: producer(broker.bootstrap, **{"message.timeout.ms": 1000, "log_level": 0}),
        broker.bootstrap,
        SystemClock(),
        lines.log,
    )
    writer.start()
    own_kafka.kill()
    writer.mark(RUN, (name, 0), {"delivered": Spans((0, 5))}, done.set)
    eventually_sync(lambda: writer.trouble, within=20)
    assert not done.is_set()
    own_kafka.start()

    assert done.wait(60)
    assert writer.stop(10) == 0
    assert writer.trouble is None
    assert len(lines("audit_topic_back")) == 1
    with desk(broker, name) as here:
        assert here.history.of_run(RUN.id) == {"delivered": {(name, 0): Spans((0, 5))}}


def test_a_topic_that_is_mended() -> None:
    """However often it was refused: what waits is produced again within five seconds."""
    client, clock, done = (
        Scripted(*[refusal(KafkaError.TOPIC_AUTHORIZATION_FAILED)] * 5),
        ManualClock(),
        threading.Event(),
    )
    writer = AuditWriter("dlq.audit", lambda: cast("Producer", client), BOOTSTRAP, clock, Lines().log)

    def refused(left: int) -> bool:
        return len(client.errors) == left and len(writer._queue) == 1

    writer.start()
    writer.mark(RUN, ("dlq", 0), {"delivered": Spans((0, 5))}, done.set)
    for left in (4, 3, 2, 1, 0):
        eventually_sync(partial(refused, left))
        clock.advance(5.0)

    assert done.wait(5)
    assert writer.stop(0) == 0


def test_a_run_that_is_not_taken_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which topic, which run and why; nothing of it is written later."""
    monkeypatch.setattr(module, "BACK_OFF", (0.02,))
    client = Scripted(*[refusal() for _ in range(10_000)])
    bench = Bench(client)

    with pytest.raises(FatalError) as caught:
        bench.writer.write_run(RUN, timeout=0.3)
    client.errors.clear()

    assert str(caught.value).startswith(
        "the audit topic dlq.audit did not take the record of run 2026-11-22-1: refused. "
    )
    assert bench.writer.stop(5) == 0
    assert client.taken == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (KafkaError._UNKNOWN_TOPIC, "the topic does not exist"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, f"lacks Write on the topic dlq.audit; let it: {ACLS} "),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, f"on the topic dlq.audit; let it: {ACLS} .* --topic dlq.audit; "),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, f"older than 2.8, also: {ACLS} .*IdempotentWrite --cluster"),
        (KafkaError.MSG_SIZE_TOO_LARGE, "raise its max.message.bytes"),
    ],
)
def test_a_run_that_nobody_should_wait_for(code: int, words: str) -> None:
    """What a person has to mend is told at once."""
    bench = Bench(Scripted(*[refusal(code)] * 3))

    with pytest.raises(FatalError, match=words):
        bench.writer.write_run(RUN, timeout=600)
    bench.writer.stop(1)


def test_a_missing_topic(broker: Broker, topic: TopicFactory) -> None:
    """It is never created, and the run that cannot be written says so."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster makes every topic that it is asked for")
    name = topic()
    config = {"topic.metadata.propagation.max.ms": 0, "log_level": 0}
    client = partial(producer, broker.bootstrap, **config)
    writer = AuditWriter(f"{name}.audit", client, broker.bootstrap, SystemClock(), Lines().log)
    writer.start()

    with pytest.raises(FatalError, match="the topic does not exist"):
        writer.write_run(RUN)
    writer.stop(1)
    admin = admin_client(broker.bootstrap)
    assert f"{name}.audit" not in admin.list_topics(timeout=10).topics


@pytest.mark.usefixtures("_soon")
def test_no_login() -> None:
    """Where no client can be made the reason is told, and it is tried again."""
    no_token = KafkaException(KafkaError(KafkaError._AUTHENTICATION, "no token"))
    bench = Bench(no_token, no_token, Scripted())
    assert bench.mark(Spans((0, 1))).wait(20)
    assert bench.lines("audit_topic_refuses")[0]["reason"] == "no token"
    bench.writer.stop(1)

    never = Bench(no_token)
    with pytest.raises(FatalError, match="no token"):
        never.writer.write_run(RUN, timeout=0.2)
    never.writer.stop(0)


@pytest.mark.usefixtures("_soon")
def test_what_is_refused_is_said_once_and_written_again() -> None:
    """Each reason is logged once; all marks are there in the end, and each callback comes once."""
    bench = Bench(Scripted(refusal(), refusal(), refusal(KafkaError._UNKNOWN_TOPIC)))
    dones = [bench.mark(Spans((at, at + 1))) for at in range(5)]

    assert all(done.wait(20) for done in dones)
    assert bench.writer.stop(5) == 0
    reasons = [line["reason"] for line in bench.lines("audit_topic_refuses")]
    assert set(reasons) == {"refused", "the topic does not exist"}


@pytest.mark.usefixtures("_soon")
def test_what_the_client_refuses_at_once() -> None:
    """A full queue and an unknown topic cost a delay and nothing else."""
    client = Scripted()
    client.raised = [BufferError(), KafkaException(refusal()), BufferError()]
    bench = Bench(client)

    assert bench.mark(Spans((0, 1))).wait(20)
    assert bench.writer.stop(5) == 0
    assert len(client.taken) == 1


@pytest.mark.usefixtures("_soon")
@pytest.mark.parametrize("how", ["answered", "raised"])
def test_a_client_that_breaks_is_replaced(how: str) -> None:
    """What a client held that can do no more goes to the next one; its late answers change nothing (invariant 10)."""
    first, second = Scripted(), Scripted()
    if how == "answered":
        first.errors = [refusal(KafkaError._FATAL, fatal=True)]
    else:
        first.broken = KafkaException(refusal(KafkaError._FATAL, fatal=True))
    bench = Bench(first, second)
    dones = [bench.mark(Spans((at, at + 1))) for at in range(2)]

    assert all(done.wait(20) for done in dones)
    for _, _, answer in first.held:
        answer(refusal(), None)
    assert bench.writer.stop(5) == 0
    assert first.purged
    assert len({key for key, _ in [*first.taken, *second.taken]}) == 2


def test_a_client_that_breaks_says_why() -> None:
    """What it held comes back as purged, which is not why: nobody waits where a person has to allow something."""
    refused = refusal(KafkaError.CLUSTER_AUTHORIZATION_FAILED, fatal=True)
    client = Scripted()
    client.broken, client.purge_answers = KafkaException(refused), KafkaError(KafkaError._PURGE_QUEUE)
    bench = Bench(client)

    with pytest.raises(FatalError, match=r"lacks Write on the topic dlq\.audit"):
        bench.writer.write_run(RUN, timeout=600)
    bench.writer.stop(1)


def test_a_callback_that_raises() -> None:
    """It takes nobody else's mark along: as when the loop that it would tell is closed."""
    client = Scripted()
    bench = Bench(client)

    def raises() -> None:
        raise RuntimeError("the loop is closed")

    bench.writer.mark(RUN, ("dlq", 0), {"delivered": Spans((0, 1))}, raises)
    assert bench.mark(Spans((1, 2))).wait(20)
    assert bench.writer.stop(5) == 0
    assert len(bench.lines("audit_callback_failed")) == 1


def test_many_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are several messages, which the topic takes; the caller hears once, when the last is there."""
    monkeypatch.setattr(module, "SPANS", 3)
    client, calls = Scripted(), []
    bench = Bench(client)
    spans = Spans(*((at, at + 1) for at in range(0, 20, 2)))
    bench.writer.mark(RUN, ("dlq", 1), {"delivered": spans}, lambda: calls.append(len(client.taken)))
    assert bench.writer.stop(5) == 0

    said: list[Any] = [AUDITED.validate_json(value) for _, value in client.taken]
    assert len(said) == 4
    assert calls == [4]
    assert len({key for key, _ in client.taken}) == 4
    assert all(isinstance(one, Marks) and one.partition == 1 for one in said)
    assert Spans(*(pair for one in said for pair in one.outcomes["delivered"])) == spans


def test_nothing_to_say() -> None:
    """The caller is told at once, and nothing is written."""
    client = Scripted()
    bench = Bench(client)
    assert bench.mark(Spans()).is_set()
    bench.writer.stop(1)

    assert client.taken == []


def test_an_end_that_does_not_wait_for_ever() -> None:
    """What was not acknowledged in time is counted."""
    bench = Bench(Scripted(*[refusal() for _ in range(1000)]))
    bench.mark(Spans((0, 1)))

    assert bench.writer.stop(0.2) == 1
