"""`clickstream dlq export` of letters in a real topic."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from processor.replay.export import open_export
from processor.replay.reading import Reader, begins_of, ends_of
from processor.replay.spans import Spans
from tests.cli.dead_letters import INVALID, UNMAPPED, Scene, scene
from tests.replay.audits import audited, desk
from tests.replay.letters import buried
from tests.replay.readers import reader
from tests.support.broker import Broker
from tests.support.command import objects
from tests.support.records import record
from tests.support.topics import TopicFactory


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The command sets up the process's logging; the next test wants it as it was."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def letters(broker: Broker, topic: TopicFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scene:
    """Four letters, one replayed, a stranger, a tombstone, and a letter of another destination."""
    made = scene(broker, audited(broker, topic), tmp_path, capsys)
    for failure in (UNMAPPED, UNMAPPED, INVALID):
        made.bury(failure)
    made.bury(INVALID, partition=2, value=b"\x00\xff" * 10)
    made.put(record(key=b"k", value=b"hello", headers=[]))
    made.put(record(key=b"k", value=None, headers=[]))
    made.put(buried(failure=UNMAPPED, route="carts"))
    with desk(broker, made.topic) as here:
        here.writer.mark(here.run(id="2026-11-21-1"), (made.topic, 0), {"delivered": Spans((1, 2))}, lambda: None)
    return made


def contents(opened: Reader, topic: str) -> dict[tuple[int, int], Any]:
    """All messages of a topic, whole."""
    bounds = opened.watermarks(topic) or {}
    return {
        (each.assignment.partition, each.offset): (each.timestamp, each.key, each.value, each.headers)
        for records in opened.read(topic, begins_of(bounds), ends_of(bounds))
        for each in records
    }


def exported(path: Path) -> dict[tuple[int, int], Any]:
    """All letters of a file, whole, in its order."""
    with open_export(path) as export:
        return {
            (each.assignment.partition, each.offset): (each.timestamp, each.key, each.value, each.headers)
            for records in export.batches()
            for each in records
        }


def test_all_letters_of_a_destination(letters: Scene, tmp_path: Path) -> None:
    """All bytes are as they are in the topic; what is no letter, or another destination's, is not in the file."""
    path = tmp_path / "letters.avro"
    code, out, err = letters.run("export", str(path), "--format", "json")

    assert code == 0
    with reader(letters.broker.bootstrap) as opened:
        there = contents(opened, letters.topic)
    places = [(0, 0), (0, 1), (0, 2), (2, 0)]
    assert exported(path) == {place: there[place] for place in places}
    assert objects(out) == [
        {
            "type": "account",
            "balanced": True,
            "letters": {"read": 7, "not_a_letter": 1, "tombstone": 1, "not_selected": 1, "exported": 4},
            "states": {"open": 3, "replayed": 1, "discarded": 0},
            "file": str(path),
        }
    ]
    assert "not letters, and passed over: 1" in err


def test_some_letters(letters: Scene, tmp_path: Path) -> None:
    """The selectors and the state choose."""
    code, out, _ = letters.run("export", str(tmp_path / "a"), "--class", "unmapped", "--state", "open")

    assert (code, out) == (0, f"1 letter in {tmp_path / 'a'}: 1 open\n")
    assert list(exported(tmp_path / "a")) == [(0, 0)]

    code, out, _ = letters.run("export", str(tmp_path / "b"), "--route", "other")
    assert (code, out) == (0, f"0 letters in {tmp_path / 'b'}\n")


def test_a_file_that_is_there(letters: Scene, tmp_path: Path) -> None:
    """It is replaced only where that is asked for."""
    path = tmp_path / "letters.avro"
    path.write_text("mine")
    code, out, err = letters.run("export", str(path))
    assert (code, out) == (1, "")
    assert f"{path} is there already" in err
    assert path.read_text() == "mine"

    assert letters.run("export", str(path), "--force")[0] == 0
    assert len(exported(path)) == 4
