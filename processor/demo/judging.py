"""What the clicks ask for beside what came of it, compared as it comes, so that a demo can run for long.

Shares nothing with the service: what was asked for comes from the shop, what came from the vendors' own books and from
the dead-letter topics.
"""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from processor.demo.clicks import Click
from processor.demo.expected import Judgement, expected_deliveries
from processor.demo.poison import Poison, WantedLetter, wanted_letters
from processor.demo.rules import Accepted

T = TypeVar("T", bound=Hashable)

REMEMBERED = 100_000
"""What came is remembered at least so long, in things that came later; a repeat that comes later still counts as never
asked for. What a restart repeats was not committed, and that is much less."""


class Matching(Generic[T]):
    """Things that were asked for, and whether they came.

    Attributes:
        asked: how many were asked for.
        first: how many of these came.
        again: how many came once more.
        unasked: how many came that nobody had asked for.
    """

    def __init__(self) -> None:
        self.asked = self.first = self.again = self.unasked = 0
        self._awaited: dict[T, list[int]] = {}
        self._recent: set[T] = set()
        self._older: set[T] = set()

    def ask(self, what: T, click: int) -> None:
        """Somebody wants this, for the click of this number."""
        self.asked += 1
        self._awaited.setdefault(what, []).append(click)

    def come(self, what: T) -> bool:
        """Enter what came; True = for the first time."""
        clicks = self._awaited.get(what)
        if clicks is None:
            known = what in self._recent or what in self._older
            self.again += known
            self.unasked += not known
            return False
        clicks.pop()
        if not clicks:
            del self._awaited[what]
        self.first += 1
        self._remember(what)
        return True

    @property
    def came(self) -> int:
        """All that came, whatever it was."""
        return self.first + self.again + self.unasked

    @property
    def missing(self) -> set[int]:
        """Clicks of which something has not come."""
        return {click for clicks in self._awaited.values() for click in clicks}

    def _remember(self, what: T) -> None:
        if len(self._recent) >= REMEMBERED:
            self._older, self._recent = self._recent, set()
        self._recent.add(what)


class VendorJudge:
    """One vendor's deliveries: all there, none made up, first acceptances in order."""

    def __init__(self) -> None:
        self.deliveries: Matching[Accepted] = Matching()
        self._latest: dict[str, int] = {}
        self._late = 0

    def enter(self, accepted: Iterable[Accepted]) -> None:
        """Enter what the vendor accepted, in the order of arrival."""
        for delivery in accepted:
            if self.deliveries.come(delivery):
                time, latest = delivery.time or 0, self._latest.get(delivery.lane, 0)
                self._late += time < latest
                self._latest[delivery.lane] = max(time, latest)

    @property
    def judgement(self) -> Judgement:
        """How it stands."""
        books = self.deliveries
        return Judgement(
            expected=books.asked,
            accepted=books.came,
            lost=books.asked - books.first,
            unexpected=books.unasked,
            duplicates=books.again,
            out_of_order=self._late,
        )


class Judge:
    """What all clicks ask for.

    Attributes:
        clicks: how many there were.
        poisoned: how many of them nobody takes.
        visitors: who clicked.
        vendors: by destination.
        letters: in the dead-letter topics.
    """

    def __init__(self, destinations: Iterable[str]) -> None:
        self.clicks = 0
        self.poisoned = 0
        self.visitors: set[bytes] = set()
        self.vendors = {name: VendorJudge() for name in destinations}
        self.letters: Matching[WantedLetter] = Matching()

    def clicked(self, click: Click) -> None:
        """A healthy click goes into Kafka."""
        self._count(click)
        for each in expected_deliveries(click):
            self.vendors[each.destination].deliveries.ask(each.delivery, self.clicks)

    def spoiled(self, poison: Poison, value: bytes) -> None:
        """A poisoned click goes into Kafka, with this value."""
        self._count(poison.click)
        self.poisoned += 1
        for each in wanted_letters(poison, value):
            self.letters.ask(each, self.clicks)

    @property
    def unaccounted(self) -> int:
        """Clicks of which something is neither at a vendor nor in a dead-letter topic."""
        return len(self.letters.missing.union(*(each.deliveries.missing for each in self.vendors.values())))

    def _count(self, click: Click) -> None:
        self.clicks += 1
        self.visitors.add(click.key)
