"""Which settled records a commit may name, so that a crash breaks no lane's order. Pure.

A record is named when no earlier one of its partition that shares a lane with it will come again after a crash: all of
those are settled and named themselves. Were it named before them, they would be accepted again behind it, and the last
acceptance of the lane would not be the newest record's.

A lane goes on behind a record that is not settled in two cases: the record has deliveries in other lanes (or in none),
or its dead letter waits for the broker. Only from then on is the lane remembered here: a record whose deliveries are
all in one lane, and are accepted, costs nothing.
"""


class _Place:
    """A record that has left lanes, and is not named.

    Attributes:
        earlier: how many records are directly before it in these lanes, and not named.
        behind: those that are directly behind it, at most one in each lane.
    """

    __slots__ = ("behind", "earlier", "lanes", "offset", "settled")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.lanes: tuple[str, ...] = ()
        self.earlier = 0
        self.behind: tuple[_Place, ...] = ()
        self.settled = False


class Naming:
    """The records of one assignment that are not to be named yet.

    Attributes:
        freed: offsets that were settled before, and may be named from now on; whoever tells the ledger empties it.
    """

    def __init__(self) -> None:
        self.freed: list[int] = []
        self._places: dict[int, _Place] = {}
        self._last: dict[str, _Place] = {}
        self._strays: dict[int, None] = {}

    @property
    def below(self) -> int | None:
        """From here on nothing may be named: the lowest record of unknown lanes; None where there is none."""
        return next(iter(self._strays), None)

    def stray(self, offset: int) -> None:
        """This one failed before its lanes were known: until it is settled it counts as being in all of them.

        Entered in offset order, before anything behind it is settled.
        """
        self._strays[offset] = None

    def leave(self, offset: int, lane: str) -> None:
        """A lane goes on behind a record that is not settled, or is not to be named."""
        place = self._places.get(offset)
        if place is None:
            place = self._places[offset] = _Place(offset)
        last = self._last.get(lane)
        if last is place:
            return
        self._last[lane] = place
        place.lanes += (lane,)
        if last is not None:
            last.behind += (place,)
            place.earlier += 1

    def settle(self, offset: int, lane: str | None) -> bool:
        """A record is settled; `lane` is where its last delivery was accepted, None where that was in none.

        Returns:
            Whether it may be named at once; else its offset is in `freed` when it may.
        """
        if self._strays:
            self._strays.pop(offset, None)
        if lane is not None and (offset in self._places or lane in self._last):
            self.leave(offset, lane)
        place = self._places.get(offset)
        if place is None:
            return True
        place.settled = True
        if place.earlier:
            return False
        self._free(place)
        return True

    def _free(self, place: _Place) -> None:
        """A record is named, and with it those that only waited for that."""
        self._forget(place)
        waiting = list(place.behind)
        for later in waiting:
            later.earlier -= 1
            if later.settled and not later.earlier:
                self._forget(later)
                self.freed.append(later.offset)
                waiting += later.behind

    def _forget(self, place: _Place) -> None:
        del self._places[place.offset]
        for lane in place.lanes:
            if self._last.get(lane) is place:
                del self._last[lane]
