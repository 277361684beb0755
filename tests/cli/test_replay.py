"""How `clickstream replay` ends where its run did not."""

from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from processor.cli import replay
from processor.cli.signals import Signals
from processor.errors import FatalError
from processor.replay.history import Run

RUN = Run(id="2026-11-22-1", kind="replay", topic="dlq", destination="voyado", ends={"dlq": {0: 5}})


class LeftError(Exception):
    """In the place of the process's end."""


def ended(monkeypatch: pytest.MonkeyPatch, begin: Any, work: Any) -> str:
    """What is said at the end of a run that begins and works like this; its exit code is 1."""

    def leave(code: int, words: str = "") -> NoReturn:
        assert code == 1
        raise LeftError(words)

    writer = SimpleNamespace(start=lambda: None)
    monkeypatch.setattr(replay, "leave", leave)
    monkeypatch.setattr(replay, "AuditWriter", lambda *_: writer)
    monkeypatch.setattr(replay, "_work", work)
    ready = SimpleNamespace(version="77be01", settings=SimpleNamespace(shutdown_timeout=1.0))
    access = SimpleNamespace(
        topic="dlq", ready=ready, audit=SimpleNamespace(name="dlq.audit"), clients=SimpleNamespace(producer=None)
    )
    task: Any = SimpleNamespace(letters=SimpleNamespace(access=access, clock=None), begin=begin)
    options: Any = SimpleNamespace(from_file=None)
    with Signals(early=1) as signals, pytest.raises(LeftError) as caught:
        replay._replay(task, options, signals)
    return str(caught.value)


def test_a_run_that_cannot_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to go on with."""

    def begin(*_: object) -> NoReturn:
        raise FatalError("another one goes on")

    assert ended(monkeypatch, begin, None) == "another one goes on"


def test_a_run_that_ends_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is woken by that is told the command that goes on with it."""

    async def work(*_: object) -> NoReturn:
        raise FatalError("Kafka gave no answer")

    said = ended(monkeypatch, lambda *_: SimpleNamespace(run=RUN, filed=None), work)

    assert said == (
        "Kafka gave no answer; `clickstream replay --destination voyado --resume 2026-11-22-1` goes on with the others"
    )
