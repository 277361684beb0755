"""What is read of an audit topic."""

import json
from typing import Any

import pytest

from processor.records import Assignment, Record
from processor.replay.claim import next_run_id
from processor.replay.history import History, Marks, Run, State, marks_of
from processor.replay.spans import Spans
from tests.support.records import record

TOPIC = "shop.dlq"
AUDIT = Assignment("shop.dlq.audit", 0, 0)
DAY = 1_795_305_600.0
"""2026-11-22T00:00:00Z in seconds since 1970."""


def run(number: int = 1, **changes: Any) -> Run:
    """A run of that day."""
    return Run(id=f"2026-11-22-{number}", kind="replay", topic=TOPIC, topic_id="one").model_copy(update=changes)


def marks(number: int = 1, partition: int = 0, topic_id: str = "one", **outcomes: Any) -> Marks:
    """What became of letters in that run."""
    return Marks(run=f"2026-11-22-{number}", topic=TOPIC, topic_id=topic_id, partition=partition, outcomes=outcomes)


def messages(*contents: Run | Marks | bytes | tuple[bytes, bytes | None]) -> list[Record]:
    """An audit topic of one partition."""
    made = []
    for offset, content in enumerate(contents):
        if isinstance(content, tuple):
            key, value = content
        elif isinstance(content, bytes):
            key, value = b"?", content
        else:
            key = content.key if isinstance(content, Run) else f"marks:{offset}".encode()
            value = content.as_json()
        made.append(record(offset, at=AUDIT, key=key, value=value))
    return made


def read(*contents: Run | Marks | bytes | tuple[bytes, bytes | None], topic_id: str = "one") -> History:
    """What an audit topic of one partition tells."""
    history = History(TOPIC, topic_id)
    for message in messages(*contents):
        history.add(message)
    return history


def test_a_topic_without_messages() -> None:
    """Where nothing was replayed yet all letters are open."""
    history = read()

    assert history.state_of(0, 0) is State.OPEN
    assert (history.runs, history.done, history.malformed) == ({}, {}, 0)


def test_the_state_of_letters() -> None:
    """A letter that no mark names is open; discarded is what was discarded, all other outcomes are replays."""
    history = read(
        marks(1, delivered=[(0, 2)], failed=[(2, 3)], filtered=[(3, 4)], too_old=[(4, 5)]),
        marks(2, 1, discarded=[(7, 9)]),
    )

    assert {offset for offset in range(9) if history.state_of(0, offset) is State.REPLAYED} == {0, 1, 2, 3, 4}
    assert {offset for offset in range(12) if history.state_of(1, offset) is State.DISCARDED} == {7, 8}
    assert history.state_of(2, 0) is State.OPEN
    assert history.done == {0: Spans((0, 5)), 1: Spans((7, 9))}
    assert (history.replayed, history.discarded) == ({0: Spans((0, 5))}, {1: Spans((7, 9))})


@pytest.mark.parametrize("first", ["discarded", "delivered"])
def test_a_letter_that_was_discarded_and_replayed(first: str) -> None:
    """It was sent, whatever was decided before, or at the same time: it counts once."""
    second = {"discarded": "delivered", "delivered": "discarded"}[first]
    earlier = marks(1).model_copy(update={"outcomes": {first: ((0, 4),)}})
    later = marks(2).model_copy(update={"outcomes": {second: ((2, 6),)}})
    history = read(earlier, later)

    assert sum(map(len, (history.replayed[0], history.discarded[0]))) == 6
    assert history.state_of(0, 3) is State.REPLAYED
    assert history.done == {0: Spans((0, 6))}


def test_what_a_run_did() -> None:
    """By outcome; and of one letter, all that touched it."""
    history = read(
        marks(1, delivered=[(0, 2), (4, 5)]),
        marks(2, delivered=[(7, 8)]),
        marks(1, 3, delivered=[(0, 1)], failed=[(1, 2)]),
    )

    assert history.of_run("2026-11-22-1") == {
        "delivered": {(TOPIC, 0): Spans((0, 2), (4, 5)), (TOPIC, 3): Spans((0, 1))},
        "failed": {(TOPIC, 3): Spans((1, 2))},
    }
    assert history.of_run("2026-11-22-9") == {}
    assert history.runs_of(0, 7) == [("2026-11-22-2", "delivered")]
    assert history.runs_of(3, 1) == [("2026-11-22-1", "failed")]
    assert history.runs_of(1, 7) == []


def test_marks_of_an_earlier_topic_of_that_name() -> None:
    """They say nothing of this one's letters; where one of the ids is not known, they are taken for this one's."""
    assert read(marks(delivered=[(0, 1)], topic_id="two")).done == {}
    assert read(marks(delivered=[(0, 1)], topic_id="")).done == {0: Spans((0, 1))}
    assert read(marks(delivered=[(0, 1)], topic_id="two"), topic_id="").done == {0: Spans((0, 1))}


def test_the_last_record_of_a_run_counts() -> None:
    """It is written at the start and at the end; runs come in the order in which they started."""
    history = read(
        run(2, started="2026-11-22T10:00:00.000Z"),
        run(1, started="2026-11-22T09:00:00.000Z"),
        run(2, started="2026-11-22T10:00:00.000Z", state="done", counts={"delivered": 7}),
    )

    assert list(history.runs) == ["2026-11-22-1", "2026-11-22-2"]
    assert history.runs["2026-11-22-2"].counts == {"delivered": 7}


def test_who_came_second_does_not_have_the_id() -> None:
    """Of two claims of one id the first counts, and what its owner writes later."""
    history = read(
        run(claim="a", reason="first"), run(claim="b", reason="second"), run(claim="a", reason="first", state="done")
    )

    (only,) = history.runs.values()
    assert (only.claim, only.state) == ("a", "done")
    assert read(run(claim="a"), run(claim="b")).runs["2026-11-22-1"].claim == "a"


def test_messages_without_a_value() -> None:
    """They say nothing, and are nobody's fault."""
    history = read(run(1), (b"run:2026-11-22-1", None), (b"\xff", None))

    assert list(history.runs) == ["2026-11-22-1"]
    assert history.malformed == 0


def test_what_became_of_source_records() -> None:
    """A run over source topics tells of those: no letter is closed by that."""
    history = read(*marks_of(run(kind="source"), ("shop.clicks", 0), {"delivered": Spans((0, 7))}, 10))

    assert history.of_run("2026-11-22-1") == {"delivered": {("shop.clicks", 0): Spans((0, 7))}}
    assert (history.done, history.runs_of(0, 3)) == ({}, [])


def test_a_history_grows() -> None:
    """What is read later is added to what was known, in whatever pieces it comes."""
    history = read(run(1), marks(1, delivered=[(0, 2)]), marks(2, discarded=[(4, 6)]))
    done = history.done
    for message in messages(marks(1, delivered=[(2, 5)]), run(1, state="done")):
        history.add(message)

    assert done == {0: Spans((0, 2), (4, 6))}
    assert history.done == {0: Spans((0, 6))}
    assert (history.replayed, history.discarded) == ({0: Spans((0, 5))}, {0: Spans((5, 6))})
    assert history.runs["2026-11-22-1"].state == "done"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"\xff\x00", "Invalid JSON: expected value at line 1 column 1"),
        (b"", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
        (b"[1]", "Input should be"),
        (b'{"type":"later"}', "does not match any of the expected tags"),
        (b'{"type":"run"}', "run.id: Field required"),
        (
            b'{"type":"marks","run":"1","topic":"shop.dlq","partition":-1,"outcomes":{}}',
            "marks.partition: Input should",
        ),
        (
            b'{"type":"marks","run":"1","topic":"shop.dlq","partition":0,"outcomes":{"delivered":[[3,3]]}}',
            "a span ends before it begins",
        ),
        (
            b'{"type":"marks","run":"1","topic":"shop.dlq","partition":0,"outcomes":{"delivered":[[0,9223372036854775808]]}}',
            "marks.outcomes.delivered.0.1: Input should be less than",
        ),
        (
            b'{"type":"run","id":"1","kind":"replay","topic":"t","ends":{"t":{"x":1}}}',
            "Input should be a valid integer",
        ),
        (b'{"type":"run","id":"' + b"[" * 100_000, "Invalid JSON"),
    ],
)
def test_a_message_of_somebody_else(value: bytes, words: str) -> None:
    """It is counted and named, what it says is not shown, and the others are read."""
    history = read(run(1), value, marks(delivered=[(0, 1)]))

    assert history.malformed == 1
    assert history.named[0].startswith("shop.dlq.audit[0]@1: ")
    assert words in history.named[0]
    assert len(history.named[0]) < 300
    assert history.done == {0: Spans((0, 1))}


def test_many_messages_of_somebody_else() -> None:
    """All are counted, some are named."""
    history = read(*[b"?"] * 1000)

    assert history.malformed == 1000
    assert len(history.named) == 10


def test_what_a_later_version_adds() -> None:
    """Keys that we do not know do not hide those that we do."""
    later = {**json.loads(run(1).as_json()), "colour": "red"}

    assert read((b"run:2026-11-22-1", json.dumps(later).encode())).runs == {"2026-11-22-1": run(1)}


def test_run_ids_are_counted_by_day() -> None:
    """The next number of the day in UTC, however many digits it has; gaps and names of other kinds do no harm."""
    runs = [run(number) for number in (1, 2, 9, 10)]
    other = run(1, id="2026-11-22-by-hand"), run(1, id="2026-11-21-77")

    assert next_run_id(read(), DAY) == "2026-11-22-1"
    assert next_run_id(read(*runs, *other), DAY) == "2026-11-22-11"
    assert next_run_id(read(*runs), DAY - 1) == "2026-11-21-1"
    assert next_run_id(read(*runs), DAY + 86_399) == "2026-11-22-11"


def test_ids_that_are_not_given_again() -> None:
    """One whose record cannot be read, but its marks can; and one that something else has: its group's offsets."""
    (marks,) = marks_of(run(4), (TOPIC, 0), {"delivered": Spans((0, 1))}, 10)

    assert next_run_id(read((b"run:2026-11-22-4", b"{"), marks), DAY) == "2026-11-22-5"
    assert next_run_id(read(run(1)), DAY, {"2026-11-22-2", "2026-11-22-3"}.__contains__) == "2026-11-22-4"


def test_a_run_as_others_read_it() -> None:
    """The keys of its JSON are what scripts know; partitions are text there, and numbers again when it is read."""
    written = run(1, ends={TOPIC: {0: 7, 11: 8}}, overlay={"fix.yaml": "routes: {}"}, selectors={"routes": ["views"]})
    said = json.loads(written.as_json())

    assert said["type"] == "run"
    assert said["ends"] == {TOPIC: {"0": 7, "11": 8}}
    assert read(written).runs["2026-11-22-1"] == written


def test_marks_of_many_spans_are_several_messages() -> None:
    """No message has more spans than it should, and together they say all."""
    outcomes = {"delivered": Spans((0, 1), (2, 3), (4, 5)), "failed": Spans((1, 2), (3, 4))}

    made = list(marks_of(run(), (TOPIC, 4), outcomes, 2))

    assert [sum(map(len, each.outcomes.values())) for each in made] == [2, 2, 1]
    assert read(*made).of_run("2026-11-22-1") == {name: {(TOPIC, 4): spans} for name, spans in outcomes.items()}
    assert not list(marks_of(run(), (TOPIC, 4), {}, 2))
