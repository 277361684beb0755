"""One pass over a dead-letter topic: which of its messages are letters, and which of these are meant. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from processor.records import Record
from processor.replay.letter import DeadLetter, NotALetter, dead_letter
from processor.replay.selectors import Selection

EventOf = Callable[[DeadLetter], dict[str, Any] | None]
"""The decoded fields of a letter's record; None where they cannot be decoded."""


class Walk:
    """Picks the letters that are meant, and counts what is passed over.

    Args:
        selection: which are meant.
        event_of: asked only where the selection needs it.

    Attributes:
        read: messages that were looked at.
        letters: how many of this destination there were, meant or not.
        elsewhere: letters of other destinations, which share the topic, by destination.
        strangers: messages that are no letters, by the reason.
        stranger: where the first of them lies.
        tombstones: of a user's own, by which letters are erased.
    """

    def __init__(self, selection: Selection, event_of: EventOf) -> None:
        self.selection = selection
        self.read = 0
        self.letters = 0
        self.elsewhere: Counter[str] = Counter()
        self.strangers: Counter[str] = Counter()
        self.stranger: str | None = None
        self.tombstones = 0
        self._event_of = event_of
        self._destination = selection.destination.encode()

    def pick(self, batches: Iterable[Iterable[Record]]) -> Iterator[DeadLetter]:
        """The letters that are meant, in the order of the records."""
        for records in batches:
            for record in records:
                self.read += 1
                letter = dead_letter(record)
                if isinstance(letter, NotALetter):
                    self._pass_over(record, letter)
                elif letter.said["dlq.destination"] != self._destination:
                    self.elsewhere[letter.destination] += 1
                else:
                    self.letters += 1
                    if self._wants(letter):
                        yield letter

    def _wants(self, letter: DeadLetter) -> bool:
        if not self.selection.wants(letter):
            return False
        return not self.selection.needs_event or self.selection.wants_event(letter, self._event_of(letter))

    def _pass_over(self, record: Record, message: NotALetter) -> None:
        if message.tombstone:
            self.tombstones += 1
            return
        self.strangers[message.why] += 1
        if self.stranger is None:
            self.stranger = f"{record.assignment.partition}:{record.offset}"
