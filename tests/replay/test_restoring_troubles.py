"""Letters of a file that are put back, and what may happen meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from processor import kafka_clients
from processor.errors import FatalError
from processor.replay import restoring
from processor.replay.history import Run, State
from processor.replay.restorer import Restorer
from processor.replay.run import known_run
from processor.replay.selectors import Selectors
from processor.settle.letters import iso
from tests.replay.exports import ORDER, Desk, KilledError
from tests.support.broker import admin_client


@pytest.mark.parametrize("step", ["produce", "commit_transaction"])
def test_a_process_that_is_killed(desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """What it had not ended is not there; each letter is put back once by the one that comes after it."""

    class Dying(Producer):
        def __getattribute__(self, name: str) -> Any:
            if name == step and len(desk.access.audit.read().runs):
                Producer.flush(self, 10)
                raise KilledError
            return super().__getattribute__(name)

    with monkeypatch.context() as patched:
        patched.setattr(kafka_clients, "Producer", Dying)
        with pytest.raises(KilledError):
            desk.begin()
    assert desk.put_back() == []
    (killed,) = desk.access.audit.read().runs
    with pytest.raises(FatalError, match=r"before all letters of letters\.avro were put back: give its command again"):
        known_run(desk.access, desk.access.audit.read(), killed)

    begun = desk.begin()

    assert begun.survey.selected == len(desk.put_back()) == 4


def test_a_process_that_comes_back(desk: Desk) -> None:
    """One that stood still while another one took over writes nothing more."""
    late, run = Restorer(desk.access, desk.export, "request"), desk.find().run
    desk.begin()

    with pytest.raises(FatalError, match="did not take them"):
        late.put_back(run, next(desk.export.batches()))
    assert len(desk.put_back()) == 4


def test_somebody_wants_an_end(desk: Desk) -> None:
    """It is told how far it came; the audit topic knows, too, and the same command goes on."""
    with pytest.raises(
        FatalError, match=r"^0 letters of .*letters\.avro were put back, then: it was asked to end\. They"
    ):
        desk.begin(stopped=True)
    (run,) = desk.access.audit.read().runs.values()
    assert (run.state, bool(run.ended)) == ("stopped", True)

    assert desk.begin().survey.selected == 4


def test_a_run_that_began_meanwhile(desk: Desk) -> None:
    """While many letters are put back the run has no group, and counts as dead after a minute: it gives way then."""

    def stopped() -> bool:
        other = Run(id="2026-11-22-9", kind="replay", topic=desk.access.topic, by="bob", started=iso(desk.wall + 10.0))
        desk.writer.write_run(other)
        return False

    restoring, desk.step = desk.restoring(), 20.0
    with pytest.raises(FatalError, match="run 2026-11-22-9 of bob"):
        restoring.begin(desk.find(restoring), desk.writer, stopped)

    runs = desk.access.audit.read().runs
    assert [(run.id, run.state) for run in runs.values() if run.ended] == [("2026-11-22-1", "stopped")]
    assert len(desk.put_back()) == 4


def test_a_topic_that_takes_smaller_messages_only(desk: Desk) -> None:
    """None of the batch is there; it is said which limit to raise."""
    admin = admin_client(desk.letters.broker.bootstrap)
    entry = ConfigEntry("max.message.bytes", "300", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, desk.access.topic, incremental_configs=[entry])
    for altered in admin.incremental_alter_configs([resource]).values():
        altered.result()

    with pytest.raises(FatalError, match=r"Message size too large.*raise max.message.bytes"):
        desk.begin()
    assert desk.put_back() == []
    assert desk.access.audit.read().state_of(0, 0) is State.OPEN


def test_a_queue_that_is_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may bound the client's queue, which knows nothing of how many letters are put back at once."""
    full = [True, True]

    class Full(Producer):
        def produce(self, *arguments: Any, **more: Any) -> None:
            if full and full.pop():
                raise BufferError("queue full")
            super().produce(*arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(kafka_clients, "Producer", Full)
        begun = desk.begin()

    assert begun.survey.selected == len(desk.put_back()) == 4
    assert not full


def test_the_times_of_a_request_that_is_broken_off(desk: Desk) -> None:
    """They are told: "2d" means another time when the command is given again, and so another request."""
    since = datetime(2026, 11, 1, 8, tzinfo=UTC)

    with pytest.raises(FatalError, match=r"same command, with --since 2026-11-01T08:00:00\+00:00, goes on"):
        desk.begin(desk.restoring(replace(ORDER, selectors=Selectors(since=since))), stopped=True)


def test_what_is_back_when_kafka_goes_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has all by then: it is told how it goes on, without the file."""

    def away(*_: object) -> Any:
        raise FatalError("Kafka gave no answer")

    found = desk.find()
    monkeypatch.setattr(restoring, "find", away)

    with pytest.raises(FatalError, match=r"no answer; all is put back, and `clickstream .* --resume .*` goes on"):
        desk.restoring().begin(found, desk.writer, lambda: False)
