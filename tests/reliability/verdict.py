"""What was seen, and whether what must hold held."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.reliability.scene import Scene
from tests.reliability.vendor import Call, Sent

Taken = tuple[Call, Sent]
"""A delivery that was accepted, and its request."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold.

    Attributes:
        words: what; as a fact.
        timed: whether seconds decide it; a machine that others use, too, may fail it without anybody's fault.
    """

    words: str
    held: bool
    timed: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one case showed.

    Attributes:
        counted: figures, for people.
        own: what must hold in this case.
        books: what must hold in every case.
    """

    counted: Sequence[str]
    own: Sequence[Check]
    books: Sequence[Check]

    @property
    def failed(self) -> list[str]:
        """What did not hold."""
        return [check.words for check in (*self.own, *self.books) if not check.held]

    @property
    def broken(self) -> list[str]:
        """What did not hold, and would have to on any machine: judged by order, counts and causes only."""
        return [check.words for check in (*self.own, *self.books) if not (check.held or check.timed)]


def balance(scene: Scene, letters: Mapping[int, str]) -> list[Check]:
    """Hold the vendor's books, the dead-letter topic and the group's offsets against what was produced.

    Args:
        scene: once everything has settled.
        letters: the events that must be dead letters, by their numbers, each with its class.
    """
    produced = {sent.number for sent in scene.produced.values()}
    accepted = _known(scene.accepted())
    buried = {number: headers["dlq.error.class"] for number, headers in scene.letters().items()}
    delivered = scene.delivered
    classes = ", ".join(f"{count} {name}" for name, count in Counter(letters.values()).items())
    return [
        Check("nothing lost", delivered | buried.keys() == produced),
        Check(
            "nothing delivered twice whose answer was read, nothing both delivered and buried", _once(accepted, buried)
        ),
        Check("in order per visitor", in_order(accepted)),
        Check("never two of a visitor in flight, every payload valid", not scene.vendor.broken.total()),
        Check(
            f"exactly these dead letters: {classes or 'none'}", buried == dict(letters) and scene.buried == len(letters)
        ),
        Check("all offsets committed", scene.path.committed("voyado") == scene.path.ends()),
    ]


def _known(accepted: Sequence[Taken]) -> list[Taken]:
    """All but what was accepted while the client had gone away: it cannot know, and sends it again."""
    return [(call, sent) for call, sent in accepted if call.answered is not None]


def _once(accepted: Sequence[Taken], buried: Mapping[int, str]) -> bool:
    numbers = [sent.number for _, sent in accepted]
    return len(numbers) == len(set(numbers)) and not buried.keys() & set(numbers)


def in_order(accepted: Sequence[Taken]) -> bool:
    """Whether each visitor's events were taken in the order in which they were produced, over both methods."""
    last: dict[str, int] = {}
    for _, sent in accepted:
        if sent.number <= last.get(sent.visitor, 0):
            return False
        last[sent.visitor] = sent.number
    return True


def waits(accepted: Sequence[Taken]) -> list[float]:
    """Seconds from producing to the vendor, for each delivery."""
    return [call.wall - sent.made for call, sent in accepted]


def within(seconds: float, found: Sequence[float]) -> bool:
    """Whether 99 % took no longer: on a machine that others use, too, some always do."""
    return sum(each <= seconds for each in found) >= 0.99 * len(found)


def people(seconds: float) -> str:
    """A time for people."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
