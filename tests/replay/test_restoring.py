"""Letters of a file that are put back into their topic: which, where, and that each is put back once."""

from dataclasses import replace
from pathlib import Path

import pytest

from processor.errors import FatalError
from processor.records import Assignment
from processor.replay.audit import Audit
from processor.replay.export import open_export, write_export
from processor.replay.history import State
from processor.replay.letter import RESTORED
from processor.replay.run import Terms, find, known_run
from processor.replay.selectors import Selectors
from processor.replay.spans import Spans
from tests.cli.dead_letters import UNMAPPED, VOYADO
from tests.replay.exports import ORDER, Desk, forget, plain, settle, walk
from tests.replay.letters import buried
from tests.support.broker import admin_client
from tests.support.records import record
from tests.support.topics import TopicFactory
from tests.support.waiting import eventually_sync

# What is found.


def test_what_is_to_be_put_back(desk: Desk) -> None:
    """Letters of the file that nobody has closed; nothing is written for looking."""
    settle(desk, "delivered", (0, 0))
    settle(desk, "discarded", (2, 0))

    found = desk.find()

    assert found.filed is not None
    assert {key[1]: spans for key, spans in found.filed.wanted.items()} == {0: Spans((1, 3))}
    assert {reason.value: number for reason, number in found.filed.passed.items() if number} == {"closed": 2}
    assert (found.to_put_back, found.to_do, found.run.id) == (2, True, "")
    assert (len(desk.there()), desk.access.audit.read().runs) == (4, {})
    assert desk.find(desk.restoring(replace(ORDER, discarded=True))).to_put_back == 3
    assert desk.find(desk.restoring(replace(ORDER, selectors=Selectors(classes=("invalid",))))).to_put_back == 1
    assert desk.find(desk.restoring(most=1)).to_put_back == 1


def test_letters_of_another_topic(desk: Desk, tmp_path: Path) -> None:
    """The destination is probably another one; nothing of it is put into this topic."""
    write_export(tmp_path / "other.avro", [buried()], "id-1")
    with open_export(tmp_path / "other.avro") as export, pytest.raises(FatalError) as caught:
        desk.restoring(export=export)

    assert f"has letters of dlq, and those of voyado are in {desk.access.topic}: name the destination" in str(
        caught.value
    )


def test_an_empty_file(desk: Desk, tmp_path: Path) -> None:
    """There is nothing to do."""
    write_export(tmp_path / "empty.avro", [], "")
    with open_export(tmp_path / "empty.avro") as export:
        found = desk.find(desk.restoring(export=export))

    assert (found.to_put_back, found.to_do, found.survey.selected) == (0, False, 0)


# What is put back.


def test_what_kafka_has_deleted(desk: Desk) -> None:
    """It is there again, byte for byte, in its partition and order; the run is about it and nothing else."""
    before = desk.there()
    forget(desk)
    assert desk.there() == []
    desk.letters.bury(UNMAPPED)  # by the service, meanwhile

    begun = desk.begin()

    there = desk.put_back()
    assert [plain(each) for each in there] == [plain(each) for each in before]
    assert [each.assignment.partition for each in there] == [each.assignment.partition for each in before]
    assert begun.run.id == next(iter(desk.access.audit.read().runs))
    assert begun.to_put_back == begun.survey.selected == 4
    assert {key[1]: [*spans] for key, spans in begun.left.items()} == {
        0: [(there[0].offset, there[0].offset + 3)],
        2: [(there[3].offset, there[3].offset + 1)],
    }
    history = desk.access.audit.read()
    assert history.state_of(0, 1) is State.REPLAYED
    assert history.runs_of(0, 1) == [(begun.run.id, "restored")]
    assert history.state_of(0, there[0].offset) is State.OPEN


def test_the_same_command_once_more(desk: Desk) -> None:
    """What is back is not put back again, but is replayed as long as it is open; another request is not about it."""
    desk.begin()

    found = desk.find()

    assert (found.to_put_back, found.survey.selected, found.to_do) == (0, 4, True)
    assert desk.find(desk.restoring(most=3)).survey.selected == 3
    other = desk.find(desk.restoring(replace(ORDER, selectors=Selectors(classes=("invalid",)))))
    assert (other.to_put_back, other.survey.selected, other.to_do) == (0, 0, False)
    settle(desk, "delivered", *((each.assignment.partition, each.offset) for each in desk.put_back()))
    assert not desk.find().to_do
    assert len(desk.put_back()) == 4


def test_so_many_letters(desk: Desk) -> None:
    """The next command takes the next ones; what an earlier one left in the topic counts."""
    desk.begin(desk.restoring(most=1))
    assert desk.find(desk.restoring(most=3)).to_put_back == 2

    begun = desk.begin(desk.restoring(most=3))

    assert (begun.survey.selected, len(desk.put_back())) == (3, 3)


def test_a_run_goes_on_without_the_file(desk: Desk) -> None:
    """What it is about is in the topic."""
    begun = desk.begin()

    run = known_run(desk.access, desk.access.audit.read(), begun.run.id)

    assert (run.ends, run.selectors["file"]) == (begun.run.ends, "letters.avro")
    resumed = find(desk.access, ORDER, Terms(None, 5.0), run, desk.access.audit.read(), walk, desk.wall)
    assert resumed.left == begun.left


def test_letters_of_a_topic_that_was_made_anew(desk: Desk, topic: TopicFactory) -> None:
    """None of them is there, whatever lies at their offsets; closed is what was closed then. Once."""
    settle(desk, "delivered", (0, 0))
    admin = admin_client(desk.letters.broker.bootstrap)
    for deleted in admin.delete_topics([desk.access.topic]).values():
        deleted.result()
    eventually_sync(lambda: desk.access.reader.watermarks(desk.access.topic) is None)
    topic(name=desk.access.topic)
    desk.letters.bury(UNMAPPED)
    desk.letters.bury(UNMAPPED)
    desk.access = replace(desk.access, audit=Audit(desk.access.topic, desk.access.reader, admin, ""))

    begun = desk.begin()

    assert begun.to_put_back == len(desk.put_back()) == begun.survey.selected == 3
    assert desk.access.audit.read().state_of(0, 1) is State.OPEN  # it is another letter
    assert desk.find().to_put_back == 0


def test_a_partition_that_is_gone(desk: Desk, tmp_path: Path) -> None:
    """The letter goes where its key goes."""
    at = Assignment(desk.access.topic, 40, 1)
    message = buried(7, at=at, origin=VOYADO, route="views", source=record(key=b"visitor-7"))
    write_export(tmp_path / "more.avro", [message], desk.export.topic_id)
    with open_export(tmp_path / "more.avro") as export:
        begun = desk.begin(desk.restoring(export=export))

    assert [plain(each) for each in desk.put_back()] == [plain(message)]
    assert begun.survey.selected == 1


def test_an_export_of_what_was_put_back(desk: Desk, tmp_path: Path) -> None:
    """It can be put back again, and then says only of that."""
    desk.begin()
    assert desk.letters.run("export", str(tmp_path / "second.avro"), "--state", "open")[0] == 0
    with open_export(tmp_path / "second.avro") as export:
        begun = desk.begin(desk.restoring(export=export))

    assert begun.to_put_back == begun.survey.selected == 4
    newest = [each for each in desk.put_back() if each.offset in begun.left.get(each.assignment.key, ())]
    assert [[name for name, _ in each.headers or ()].count(RESTORED) for each in newest] == [1] * 4
