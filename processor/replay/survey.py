"""Which letters a run is about, found out before anything is sent: so the dry run and the run mean the same ones."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from processor.records import Key, Record
from processor.replay.history import History, State
from processor.replay.letter import DeadLetter
from processor.replay.spans import Spans
from processor.replay.walk import Walk

NONE: Mapping[Key, Spans] = {}
NOTHING = Spans()


class Passed(StrEnum):
    """Why a letter is not replayed; of those behind the first four, all were selected."""

    NOT_SELECTED = "not_selected"
    ELSEWHERE = "elsewhere"
    """Of another destination, which shares the topic."""
    NOT_A_LETTER = "not_a_letter"
    """Somebody else's message in the topic."""
    TOMBSTONE = "tombstone"
    """By which compaction erases the letters with its key."""
    CLOSED = "closed"
    """It was replayed or discarded before."""
    OVER_MAX_REPLAYS = "over_max_replays"
    """It stays open; it was replayed so often that somebody should look at it."""
    ROUTE_GONE = "route_gone"
    """It stays open; the file has no route of that name any more."""
    INCOMPLETE = "incomplete"
    """It stays open; the dead-letter topic did not take all of it, so only its source topic has it."""
    BEYOND_MAX = "beyond_max"
    """It stays open; `--max` was reached with older ones."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found.

    Attributes:
        wanted: offsets that the run is about, those that it has done before it was resumed included.
        passed: all others, by reason.
        read: how many messages were looked at.
        since: when the oldest of the wanted letters was written, in milliseconds since 1970; negative where the
            broker knows no times; None without any.
    """

    wanted: Mapping[Key, Spans]
    passed: Counter[Passed]
    read: int
    since: int | None = None

    @property
    def selected(self) -> int:
        """How many letters the run is about."""
        return sum(map(len, self.wanted.values()))


def without(found: Survey, closed: Mapping[Key, Spans]) -> Survey:
    """The same, where these letters were closed since."""
    left = {key: spans.minus(closed[key]) if key in closed else spans for key, spans in found.wanted.items()}
    survey = replace(found, wanted={key: spans for key, spans in left.items() if spans}, passed=found.passed.copy())
    survey.passed[Passed.CLOSED] += found.selected - survey.selected
    return survey


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is to replay, beyond what is selected.

    Attributes:
        discarded: whether discarded letters are wanted, too.
        max_replays: a letter that was replayed so often is left alone.
        most: so many letters, the oldest; None = all.
        routes: those that the file has.
        mine: offsets that this very run has done before; they count as wanted.
    """

    discarded: bool
    max_replays: int
    most: int | None
    routes: frozenset[str]
    mine: Mapping[Key, Spans] = field(default_factory=dict)


def survey(walk: Walk, batches: Iterable[Sequence[Record]], history: History, wish: Wish) -> Survey:
    """Find the letters that a run of `replay` is about.

    Args:
        walk: picks what is selected.
        batches: what is between the run's begins and ends.
        history: what became of letters before.
        wish: which of them are wanted.

    Raises:
        FatalError: Kafka does not answer, or the registry, where it is needed.
    """
    return sort_out(walk, batches, lambda letter: _passed(letter, history, wish), wish.most, wish.mine)


def sort_out(
    walk: Walk,
    batches: Iterable[Sequence[Record]],
    passed_for: Callable[[DeadLetter], Passed | None],
    most: int | None = None,
    mine: Mapping[Key, Spans] = NONE,
) -> Survey:
    """Look at all letters of a topic; values are decoded only where the selection needs them.

    Args:
        walk: picks what is selected; for one use.
        batches: what is between the run's begins and ends.
        passed_for: why a selected letter is not wanted; None where it is.
        most: so many letters, the oldest; None = all.
        mine: those of them that the run has done before it was resumed.

    Raises:
        FatalError: Kafka does not answer, or the registry, where it is needed.
    """
    passed: Counter[Passed] = Counter()
    oldest = Oldest(most, mine)
    for letter in walk.pick(batches):
        reason = passed_for(letter)
        if reason is None:
            oldest.add(letter.record)
        else:
            passed[reason] += 1
    passed[Passed.BEYOND_MAX] = oldest.beyond
    passed[Passed.NOT_SELECTED] = walk.letters - oldest.kept - passed.total()
    passed[Passed.ELSEWHERE] = walk.elsewhere.total()
    passed[Passed.NOT_A_LETTER] = walk.strangers.total()
    passed[Passed.TOMBSTONE] = walk.tombstones
    return Survey(oldest.spans(), passed, walk.read, oldest.since)


def _passed(letter: DeadLetter, history: History, wish: Wish) -> Passed | None:
    """Why a selected letter is not wanted; None where it is."""
    mine = wish.mine.get(letter.record.assignment.key)
    if mine is not None and letter.offset in mine:
        return None
    state = history.state_of(letter.partition, letter.offset)
    if state is State.REPLAYED or (state is State.DISCARDED and not wish.discarded):
        return Passed.CLOSED
    if letter.replays >= wish.max_replays:
        return Passed.OVER_MAX_REPLAYS
    if letter.route and letter.route not in wish.routes:
        return Passed.ROUTE_GONE
    return Passed.INCOMPLETE if letter.omitted else None


class Oldest:
    """Keeps so many records, the oldest; all of them where there is no limit, as spans then.

    Args:
        most: so many; None = no limit.
        mine: those of them that were done before: they are kept, and count also where Kafka has deleted them since, for
            else each resumption would send some more.

    Attributes:
        beyond: how many were not kept.
        since: when the oldest was written, in milliseconds since 1970.
    """

    def __init__(self, most: int | None, mine: Mapping[Key, Spans] = NONE) -> None:
        self._most = None if most is None else max(most - sum(map(len, mine.values())), 0)
        self._mine = mine
        self._heap: list[tuple[int, Key, int]] = []
        self._kept: defaultdict[Key, Spans] = defaultdict(Spans)
        self._seen = 0
        self.beyond = 0
        self.since: int | None = None

    @property
    def kept(self) -> int:
        """How many were."""
        return self._seen - self.beyond

    def add(self, record: Record) -> None:
        """Keep it, and perhaps let go of another one."""
        self._seen += 1
        written, key = record.timestamp, record.assignment.key
        self.since = written if self.since is None else min(self.since, written)
        item = (-written, key, -record.offset)
        if self._most is None or record.offset in self._mine.get(key, NOTHING):
            self._kept[key].add_offset(record.offset)
        elif len(self._heap) < self._most:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)
            self.beyond += 1

    def spans(self) -> dict[Key, Spans]:
        """Those that are kept."""
        for _, key, offset in sorted(self._heap, key=lambda item: -item[2]):
            self._kept[key].add_offset(-offset)
        return dict(self._kept)
