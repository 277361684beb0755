"""`clickstream dlq discard` on letters in a real topic."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from processor.records import ErrorClass, Failure, Stage
from processor.replay import reading
from processor.replay.audit import Audit, Finding
from processor.replay.history import History
from processor.replay.spans import Spans
from processor.settle.letters import iso
from tests.cli.dead_letters import INVALID, UNMAPPED, Scene, scene
from tests.replay.audits import audited, desk
from tests.replay.letters import buried
from tests.support.broker import Broker
from tests.support.command import objects
from tests.support.records import record
from tests.support.server import free_port
from tests.support.topics import TopicFactory

WHY = ("--reason", "test data", "--by", "ann")


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The command sets up the process's logging; the next test wants it as it was."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def letters(broker: Broker, topic: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scene:
    """Five letters of two causes in two partitions, one replayed, a stranger and a tombstone."""
    made = scene(broker, audited(broker, topic), tmp_path, capsys)
    for number in range(3):
        made.bury(UNMAPPED, partition=number % 2)
    made.bury(INVALID)
    made.bury(INVALID)
    made.put(record(key=b"k", value=b"hello", headers=[]))
    made.put(record(key=b"k", value=None, headers=[]))
    with desk(broker, made.topic) as here:
        here.writer.mark(here.run(id="2026-11-21-1"), (made.topic, 0), {"delivered": Spans((2, 3))}, lambda: None)
    return made


def history(letters: Scene) -> History:
    """What the audit topic tells."""
    with desk(letters.broker, letters.topic) as here:
        return here.history


def account(out: str) -> dict[str, Any]:
    """The last line of JSON."""
    return objects(out)[-1]


@pytest.mark.parametrize("options", [("--dry-run",), ()])
def test_one_look_at_the_audit_topic(letters: Scene, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]) -> None:
    """Whether it can be relied on is asked once, and said once."""
    looks, look = [], Audit.look

    def counted(audit: Audit) -> Finding | None:
        looks.append(look(audit))
        return looks[-1]

    monkeypatch.setattr(Audit, "look", counted)

    assert letters.run("discard", *WHY, "--all", *options)[0] == 0
    assert looks == [None]


def test_letters_of_one_class(letters: Scene) -> None:
    """They are open no longer, the others are; who, why and what is in the audit topic."""
    code, out, err = letters.run("discard", *WHY, "--class", "unmapped", "--format", "json")

    told, after = account(out), history(letters)
    assert code == 0
    assert told == {
        "type": "account",
        "balanced": True,
        "letters": {
            "read": 7,
            "not_a_letter": 1,
            "tombstone": 1,
            "not_selected": 2,
            "closed": 0,
            "selected": 3,
            "discarded": 3,
            "open": 0,
        },
        "run": told["run"],
        "dry_run": False,
    }
    assert after.discarded == {0: Spans((0, 2)), 1: Spans((0, 1))}
    run = after.runs[told["run"]]
    assert (run.kind, run.by, run.host, run.reason) == ("discard", "ann", socket.gethostname(), "test data")
    assert (run.topic, run.destination, run.selectors) == (letters.topic, "voyado", {"classes": ["unmapped"]})
    assert (run.state, run.counts) == ("done", told["letters"])
    assert run.ends == {letters.topic: {0: 6, 1: 1, 2: 0, 3: 0}}
    assert run.ended is not None
    assert run.started <= run.ended
    assert '"letters_discarded"' in err


def test_twice(letters: Scene) -> None:
    """The second time there is nothing left to do: no run is written, and that is told."""
    letters.run("discard", *WHY, "--all")
    before = history(letters).runs
    code, out, _ = letters.run("discard", *WHY, "--all", "--format", "json")

    assert code == 0
    assert account(out)["letters"]["closed"] == 5
    assert account(out)["run"] is None
    assert history(letters).runs == before
    assert letters.run("discard", *WHY, "--all")[1].splitlines()[-1] == "no open letter is meant; nothing was written"


def test_a_replayed_letter_is_not_discarded(letters: Scene) -> None:
    """Only open letters are; the replayed one stays what it is, and is counted apart."""
    code, out, _ = letters.run("discard", *WHY, "--all", "--format", "json")

    assert code == 0
    assert account(out)["letters"] | {"selected": 4, "discarded": 4, "closed": 1} == account(out)["letters"]
    after = history(letters)
    assert after.replayed == {0: Spans((2, 3))}
    assert sum(map(len, after.discarded.values())) == 4


def test_a_dry_run(letters: Scene) -> None:
    """It tells by cause what would be discarded; its numbers are those of the real run; nothing is written."""
    before = history(letters).runs
    code, out, err = letters.run("discard", *WHY, "--all", "--dry-run")

    assert (code, history(letters).runs) == (0, before)
    assert out.splitlines()[:3] == [
        "open  route  stage  class     status  message",
        "   3  views  map    unmapped       –  itemId: is required",
        "   1  views  send   invalid      400  the vendor refused it: 400",
    ]
    assert out.splitlines()[3:] == [
        "7 read",
        "1   no letters",
        "1   tombstones",
        "1   replayed or discarded before",
        "4   still open",
        "would discard 4; run without --dry-run",
    ]
    assert "not letters, and passed over: 1" in err

    dry = account(letters.run("discard", *WHY, "--all", "--dry-run", "--format", "json")[1])
    real = account(letters.run("discard", *WHY, "--all", "--format", "json")[1])
    assert dry["dry_run"]
    assert dry["letters"] == real["letters"] | {"discarded": 0, "open": real["letters"]["discarded"]}


def test_for_people(letters: Scene) -> None:
    """The causes, the account, and what was written."""
    code, out, _ = letters.run("discard", *WHY, "--grep", "itemId")

    assert code == 0
    (run,) = [run for run in history(letters).runs.values() if run.kind == "discard"]
    assert out.splitlines()[-2:] == [
        "3   discarded",
        f"discarded 3 as run {run.id} by ann: test data",
    ]


def test_letters_of_another_destination(letters: Scene) -> None:
    """Where two share a topic, those of the other one are not touched."""
    letters.put(buried(failure=UNMAPPED, route="carts"))
    code, out, err = letters.run("discard", *WHY, "--all", "--format", "json")

    assert code == 0
    assert account(out)["letters"]["not_selected"] == 1
    assert "letters of rocket in the same topic, and passed over: 1" in err


def test_the_log_names_no_person(letters: Scene) -> None:
    """A key may well be a person's: the audit topic has it, the log does not."""
    code, out, err = letters.run("discard", *WHY, "--key", "visitor-7", "--format", "json")

    assert code == 0
    assert history(letters).runs[account(out)["run"]].selectors == {"key": "visitor-7"}
    assert '"selectors": {"key": "****"}' in err
    assert "visitor-7" not in err


def test_by_what_the_event_says(letters: Scene) -> None:
    """A selector that needs the decoded event is served."""
    code, out, _ = letters.run("discard", *WHY, "--where", "event.price > `9`", "--format", "json")

    assert (code, account(out)["letters"]["discarded"]) == (0, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*WHY,), "--all   or a selector is needed"),
        ((*WHY, "--all", "--route", "views"), "--all   goes with no selector"),
        (("--all",), "the following arguments are required: --reason"),
        (("--all", "--reason", "  "), "argument --reason: it says nothing"),
    ],
)
def test_arguments_that_are_refused(
    letters: Scene, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """Nobody discards everything by mistake, or without a reason."""
    try:
        code, _, err = letters.run("discard", *arguments)
    except SystemExit as end:  # argparse's own
        code, err = int(end.code or 0), capsys.readouterr().err

    assert code == 2
    assert words in err
    assert history(letters).discarded == {}


def test_without_an_audit_topic(
    broker: Broker, topic: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused with the command that creates it; a dry run tells it, too, and goes on."""
    if broker.kind == "embedded":
        pytest.skip("the mock cluster makes every topic that it is asked for")
    here = scene(broker, topic(), tmp_path, capsys)
    here.bury()
    code, out, err = here.run("discard", *WHY, "--all")

    assert (code, out) == (1, "")
    assert err.startswith(f"clickstream: nothing can be discarded: the audit topic {here.topic}.audit does not exist")
    assert f"--create --topic {here.topic}.audit --partitions 1 --config cleanup.policy=compact" in err

    code, out, err = here.run("discard", *WHY, "--all", "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, "would discard 1; run without --dry-run")
    assert "does not exist" in err


def test_while_a_replay_goes_on(letters: Scene) -> None:
    """What it is about to send must not be called discarded."""
    with desk(letters.broker, letters.topic) as here:
        started = iso(time.time())
        here.writer.write_run(here.run(id="2026-11-22-1", by="ben", host="pod-1", started=started))
    code, out, err = letters.run("discard", *WHY, "--all")

    assert (code, out) == (1, "")
    assert "run 2026-11-22-1 of ben on pod-1 goes on" in err
    assert letters.run("discard", *WHY, "--all", "--dry-run")[0] == 0


def test_many_causes(letters: Scene) -> None:
    """Some are shown, the others summed, for people and scripts."""
    for number in range(60):
        letters.bury(Failure(Stage.MAP, ErrorClass.UNMAPPED, f"cause {number}"), partition=3)
    _, out, _ = letters.run("discard", *WHY, "--all", "--dry-run")
    assert "12 other causes: 12 letters" in out.splitlines()

    _, out, _ = letters.run("discard", *WHY, "--all", "--dry-run", "--format", "json")
    assert [each["type"] for each in objects(out)] == ["cause"] * 50 + ["others", "account"]


def test_an_account_that_does_not_balance(letters: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never hidden."""
    monkeypatch.setattr("processor.replay.discard.DISCARDED", "lost")
    monkeypatch.setattr("processor.replay.discard.Account.balanced", False)
    code, out, err = letters.run("discard", *WHY, "--all", "--format", "json")

    assert code == 1
    assert not account(out)["balanced"]
    assert "does not balance" in err


def test_no_broker(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The address and what to do, within the patience."""
    monkeypatch.setattr(reading, "PATIENCE", 0.2)
    monkeypatch.setattr("processor.replay.audit.PATIENCE", 0.2)
    address = f"127.0.0.1:{free_port()}"
    here = scene(Broker(address, "given", ""), "shop.dlq", tmp_path, capsys)
    code, out, err = here.run("discard", *WHY, "--all")

    assert (code, out) == (1, "")
    assert address in err
