"""The records of a run, and the truth about each: what must be delivered, and what must end as a dead letter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from random import Random

from processor.records import Delivery, Key
from tests.decode.registries import framed, record_type
from tests.simulation.config import TOPIC
from tests.simulation.weather import Ill

TIME = "2026-11-22T10:31:07Z"
LINE = record_type("Line", session="string", product="string")
SEEN, BOUGHT, OTHER, UNKNOWN = 1, 2, 3, 99
"""Ids of schemas; the registry knows all but the last one."""
SCHEMAS = {
    SEEN: record_type("Seen", session="string", product="string", time="string"),
    BOUGHT: record_type("Bought", time="string", lines={"type": "array", "items": LINE}),
    OTHER: record_type("Other", time="string"),
}
MOST_LINES = 3
HUGE = 3000
"""Bytes of a value that is larger than what a small dead-letter topic takes."""


class Kind(Enum):
    """What a record is."""

    SEEN = auto()
    BOUGHT = auto()
    """Several deliveries, mostly of different lanes."""
    TOMBSTONE = auto()
    UNWANTED = auto()
    GARBAGE = auto()
    """No frame at all."""
    HUGE = auto()
    """The same, with a value that a dead-letter topic may not take."""
    UNKNOWN_SCHEMA = auto()
    UNMAPPED = auto()
    BAD_LINE = auto()
    """Several deliveries, of which the first cannot be mapped."""
    DOOMED = auto()
    """The vendor refuses it for good."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What must become of one record, by delivery id.

    Attributes:
        lanes: of deliveries that get as far as the vendor.
        doomed: how the vendor refuses some of them, for ever.
        letters: what fails before it is sent.
    """

    key: Key
    offset: int
    kind: Kind
    lanes: Mapping[str, str] = field(default_factory=dict)
    doomed: Mapping[str, Ill] = field(default_factory=dict)
    letters: frozenset[str] = frozenset()

    @property
    def undecoded(self) -> str:
        """The id of the letter that it ends with where it cannot be decoded."""
        return f"{self.key[0]}:{self.key[1]}:{self.offset}::0"

    @property
    def ids(self) -> frozenset[str]:
        """All that must end somewhere."""
        return self.letters | self.lanes.keys()


Append = Callable[[Key, bytes | None, bytes | None], int]
"""Writes a record; gives its offset."""


@dataclass(slots=True)
class Traffic:
    """Writes records, and knows the truth about them.

    Attributes:
        lanes: visitors per partition.
        poisons: how the vendor refuses doomed ones.
        truths: by partition and offset, of the topic as it is now.
        generation: how often the topic was created; part of the lanes' names.
    """

    random: Random
    append: Append
    lanes: int
    kinds: Mapping[Kind, float]
    poisons: Sequence[Ill]
    truths: dict[Key, dict[int, Truth]] = field(default_factory=dict)
    generation: int = 0
    _products: "count[int]" = field(default_factory=lambda: count(1))

    def write(self, partition: int) -> None:
        """One more record."""
        (kind,) = self.random.choices(list(self.kinds), weights=list(self.kinds.values()))
        key = (TOPIC, partition)
        lines = [self._lane(partition) for _ in range(self._lines_of(kind))]
        offset = self.append(key, str(self.random.randrange(self.lanes)).encode(), self._value(kind, lines))
        self.truths.setdefault(key, {})[offset] = self._truth(key, offset, kind, lines)

    def write_good(self, partition: int) -> None:
        """One that the vendor takes, in a lane of its own: poison is only found where others are accepted."""
        key, lane = (TOPIC, partition), f"g{self.generation}p{partition}others"
        offset = self.append(key, b"other", self._value(Kind.SEEN, [lane]))
        self.truths.setdefault(key, {})[offset] = self._truth(key, offset, Kind.SEEN, [lane])

    def truth(self, key: Key, offset: int) -> Truth | None:
        """The truth about one record; None = a marker, or nothing at all."""
        return self.truths.get(key, {}).get(offset)

    def ill(self, delivery: Delivery) -> Ill | None:
        """How the vendor refuses a delivery for good; None = it does not."""
        truth = self.truth(delivery.record.assignment.key, delivery.record.offset)
        return truth.doomed.get(delivery.id) if truth else None

    def begin_anew(self) -> None:
        """The topic is another one now."""
        self.truths.clear()
        self.generation += 1

    def _lane(self, partition: int) -> str:
        return f"g{self.generation}p{partition}v{self.random.randrange(self.lanes)}"

    def _lines_of(self, kind: Kind) -> int:
        return self.random.randint(2, MOST_LINES) if kind in {Kind.BOUGHT, Kind.BAD_LINE} else 1

    def _truth(self, key: Key, offset: int, kind: Kind, lines: Sequence[str]) -> Truth:
        at = f"{key[0]}:{key[1]}:{offset}"
        match kind:
            case Kind.SEEN | Kind.DOOMED:
                name = f"{at}:seen:0"
                doomed = {name: self.random.choice(self.poisons)} if kind is Kind.DOOMED else {}
                return Truth(key, offset, kind, {name: lines[0]}, doomed)
            case Kind.BOUGHT | Kind.BAD_LINE:
                bad = 1 if kind is Kind.BAD_LINE else 0
                names = [f"{at}:bought:{index}" for index in range(len(lines))]
                lanes = dict(zip(names[bad:], lines[bad:], strict=True))
                return Truth(key, offset, kind, lanes, letters=frozenset(names[:bad]))
            case Kind.UNMAPPED:
                return Truth(key, offset, kind, letters=frozenset({f"{at}:seen:0"}))
            case Kind.GARBAGE | Kind.HUGE | Kind.UNKNOWN_SCHEMA:
                return Truth(key, offset, kind, letters=frozenset({f"{at}::0"}))
            case _:
                return Truth(key, offset, kind)

    def _value(self, kind: Kind, lines: Sequence[str]) -> bytes | None:
        product = str(next(self._products))
        match kind:
            case Kind.TOMBSTONE:
                return None
            case Kind.GARBAGE:
                return b"garbage"
            case Kind.HUGE:
                return b"g" * HUGE
            case Kind.UNWANTED:
                return framed(OTHER, _encoded(time=TIME))
            case Kind.BOUGHT | Kind.BAD_LINE:
                items = [{"session": lane, "product": product} for lane in lines]
                if kind is Kind.BAD_LINE:
                    items[0]["product"] = "no number"
                return framed(BOUGHT, _encoded(time=TIME, lines=items))
            case _:
                product = "no number" if kind is Kind.UNMAPPED else product
        schema_id = UNKNOWN if kind is Kind.UNKNOWN_SCHEMA else SEEN
        return framed(schema_id, _encoded(session=lines[0], product=product, time=TIME))


def _encoded(**value: object) -> bytes:
    """Avro's binary encoding of values that are texts and arrays of records of texts."""
    return b"".join(_plain(part) for part in value.values())


def _plain(value: object) -> bytes:
    match value:
        case str():
            text = value.encode()
            return _number(len(text)) + text
        case dict():
            return b"".join(_plain(part) for part in value.values())
        case list():
            return _number(len(value)) + b"".join(_plain(part) for part in value) + _number(0)
        case _:
            raise TypeError(value)


def _number(value: int) -> bytes:
    """A count that is not negative, as Avro's zigzag in base 128."""
    left, found = value * 2, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])
