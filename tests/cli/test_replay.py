"""How `clickstream replay` ends where its run did not."""

import argparse
from collections import Counter
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from processor.cli import replay
from processor.cli.signals import Signals
from processor.errors import FatalError
from processor.replay.account import Account
from processor.replay.history import Run
from processor.replay.outcomes import Outcome
from processor.replay.rehearsal import Rehearsal
from processor.replay.survey import Survey

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
        topic="dlq",
        ready=ready,
        audit=SimpleNamespace(name="dlq.audit"),
        clients=SimpleNamespace(producer=None),
        bootstrap="kafka:9092",
    )
    task: Any = SimpleNamespace(letters=SimpleNamespace(access=access, clock=None), begin=begin)
    options: Any = SimpleNamespace(from_file=None, config=["a b.yaml"])
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
        "Kafka gave no answer; `clickstream replay --destination voyado --resume 2026-11-22-1 -c 'a b.yaml'` goes on "
        "with the others"
    )


LETTERS: Any = SimpleNamespace(access=SimpleNamespace(ready=SimpleNamespace(version="77be01"), plan=None))


def test_a_run_over_source_records_names_their_topics() -> None:
    """Not the dead-letter topic, where what fails would land."""
    run = RUN.model_copy(update={"kind": "source", "selectors": {"topics": ["clicks", "orders"]}})
    found: Any = SimpleNamespace(run=run)

    (line,) = replay._opening(LETTERS, found)

    assert line.startswith("clicks, orders → voyado   run 2026-11-22-1")


def test_a_dry_run_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is told to run it."""
    found = SimpleNamespace(run=RUN, survey=Survey({}, Counter(), 0), filed=None, to_put_back=0, rate=5.0)
    task: Any = SimpleNamespace(letters=LETTERS, found=found, rehearse=Rehearsal)
    options: Any = SimpleNamespace(reveal=False, format="text")

    assert replay._rehearse(task, options) == 0

    assert capsys.readouterr().out.endswith("balanced\nnothing is selected: a run would send nothing\n")


def test_what_failed_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the reason stands is told, only then, and not to a script."""
    found: Any = SimpleNamespace(run=RUN, filed=None, rate=None)
    texts, lines = (argparse.Namespace(format=form, config=[]) for form in ("text", "json"))
    words = "what failed again is a new letter: `clickstream dlq stats --destination voyado` says why\n"

    replay._print(LETTERS, found, Account(2, {}, 2, {Outcome.FAILED: 1, Outcome.DELIVERED: 1}, 0), "", texts)
    assert capsys.readouterr().out.endswith(f"balanced\n{words}")
    replay._print(LETTERS, found, Account(2, {}, 2, {Outcome.DELIVERED: 2}, 0), "", texts)
    replay._print(LETTERS, found, Account(2, {}, 2, {Outcome.FAILED: 2}, 0), "", lines)
    assert words not in capsys.readouterr().out
