from typing import Any

from processor.clock import ManualClock
from processor.expressions.language import Language
from processor.records import Assignment, Record
from processor.replay.letter import DeadLetter
from processor.replay.selectors import Selection, Selectors
from processor.replay.walk import Walk
from processor.settle.letters import Origin
from tests.replay.letters import buried, changed
from tests.support.records import record

LANGUAGE = Language({}, ManualClock().wall)


class Events:
    """Decodes letters, and knows which it was asked for."""

    def __init__(self, *values: dict[str, Any] | None) -> None:
        self.asked: list[str] = []
        self._values = iter(values)

    def __call__(self, letter: DeadLetter) -> dict[str, Any] | None:
        """The next value."""
        self.asked.append(letter.place)
        return next(self._values)


def walk(events: Events | None = None, **selectors: Any) -> Walk:
    """A pass for letters of rocket."""
    return Walk(Selection(Selectors(**selectors), "rocket", LANGUAGE), events or Events())


def picked(passing: Walk, *batches: list[Record]) -> list[str]:
    """Where the letters lie that are meant."""
    return [letter.place for letter in passing.pick(batches)]


def test_what_is_meant() -> None:
    """The letters that are selected, in the order of the records; all of the destination are counted."""
    passing = walk(routes=("orders",))

    assert picked(passing, [buried(1), buried(2, route="views")], [buried(3)]) == ["3:1", "3:3"]
    assert passing.letters == 3


def test_what_is_passed_over() -> None:
    """Each kind of message that is none of our letters is counted by itself."""
    passing = walk()
    at = Assignment("dlq", 7, 1)
    batch = [
        record(4, at=at),
        changed(buried(5), stage=None),
        record(6, at=at),
        record(7, at=at, value=None),
        buried(8, origin=Origin("voyado", "1", "1")),
    ]

    assert picked(passing, batch) == []
    assert passing.strangers == {"has no headers of a dead letter": 2, "has no dlq.stage": 1}
    assert passing.stranger == "7:4"
    assert (passing.tombstones, passing.elsewhere, passing.letters) == (1, {"voyado": 1}, 0)


def test_values_are_decoded_only_where_they_are_needed() -> None:
    """Headers come first; what they rule out is never decoded."""
    events = Events({"price": 5}, None, {"price": 12})
    passing = walk(events, routes=("orders",), where="event.price > `10`")

    batch = [buried(1), buried(2, route="views"), buried(3), buried(4)]

    assert picked(passing, batch) == ["3:4"]
    assert events.asked == ["3:1", "3:3", "3:4"]
