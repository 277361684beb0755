"""What a run is made of: the service's figures, records, replicas, and all that goes wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.simulation.config import Figures
from tests.simulation.traffic import Kind
from tests.simulation.weather import Episode, Ill


class Act(Enum):
    """What is done to processes and to Kafka."""

    START = auto()
    """One more replica."""
    TERM = auto()
    """SIGTERM to one of them; with `seconds` another one starts so long after its end."""
    REPAIR = auto()
    """SIGTERM to all of them, with a repaired file; others start so long after."""
    KILL = auto()
    """SIGKILL; another one starts so many seconds later."""
    FREEZE = auto()
    """SIGSTOP, and SIGCONT so many seconds later."""
    RECREATE = auto()
    """The topic is deleted and created anew."""
    EXPIRE = auto()
    """The older half of each partition is deleted."""
    ADD_PARTITIONS = auto()
    JUMP = auto()
    """The wall clock is set, forth or back."""
    BREAK_CONSUMERS = auto()
    BREAK_PRODUCERS = auto()
    """A fatal error of one process's clients."""
    COMPACT = auto()
    """Some records of each partition are gone; their offsets stay."""
    MARKER = auto()
    """Transactions end: each partition gets markers."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something is done at a time."""

    at: float
    act: Act
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """One world.

    Attributes:
        records: of all partitions together.
        spacing: seconds between two of them.
        lanes: visitors per partition.
        kinds: what records are, with weights.
        poisons: how the vendor refuses doomed ones.
        replicas: processes at the start.
        latency: seconds that the vendor needs, about.
        most_bytes: of a message that the dead-letter topic takes.
        session: seconds until the brokers take a silent member of the newer protocol for gone.
        repaired: from when on processes start with a file that holds at no mass failure.
        patience: seconds after the last trouble until all must be done.
        spare: how many valid records may be dead letters, by the budgets of sending.
    """

    figures: Figures
    partitions: int = 2
    records: int = 150
    spacing: float = 0.1
    lanes: int = 5
    kinds: Mapping[Kind, float] = field(default_factory=lambda: {Kind.SEEN: 1.0})
    poisons: Sequence[Ill] = (Ill.INVALID,)
    replicas: int = 1
    latency: float = 0.05
    episodes: Sequence[Episode] = ()
    deeds: Sequence[Deed] = ()
    most_bytes: int = 1_000_000
    session: float = 45.0
    repaired: float = 0.0
    patience: float = 240.0
    spare: int = 0

    @property
    def calm(self) -> float:
        """From when on nothing is wrong any more, and nothing new is written."""
        ends = [each.end for each in self.episodes] + [deed.at + (deed.seconds or 0.0) for deed in self.deeds]
        return max([self.records * self.spacing, *ends])
