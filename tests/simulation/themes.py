"""Worlds by themes: each is drawn from a seed, and shows one kind of trouble; the last theme mixes them all."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from tests.simulation.config import Figures
from tests.simulation.innocents import METHODS
from tests.simulation.traffic import Kind
from tests.simulation.weather import Episode, Ill
from tests.simulation.worlds import Act, Deed, Setup

SEEN = {Kind.SEEN: 1.0}
PLAIN = {Kind.SEEN: 4.0, Kind.BOUGHT: 1.0, Kind.TOMBSTONE: 0.3, Kind.UNWANTED: 0.3}
POISON = {Kind.GARBAGE: 0.2, Kind.UNKNOWN_SCHEMA: 0.2, Kind.UNMAPPED: 0.2, Kind.BAD_LINE: 0.2}
POISONED = PLAIN | POISON
DOOMS = (Ill.INVALID, Ill.FORBIDDEN, Ill.MISSING, Ill.ERROR, Ill.TIMEOUT)
KAFKA = (Ill.AWAY, Ill.SLOW, Ill.NO_COORDINATOR, Ill.NO_LEADER)
LETTERS = (Ill.LETTERS_REFUSED, Ill.LETTERS_STUCK, Ill.LETTERS_LOST, Ill.QUEUE_FULL)
REGISTRY = (Ill.REGISTRY_AWAY, Ill.REGISTRY_SILENT, Ill.REGISTRY_ERROR, Ill.REGISTRY_LOGIN, Ill.REGISTRY_PAGE)
OUTAGES = (Ill.ERROR, Ill.FORBIDDEN, Ill.MISSING, Ill.REDIRECT, Ill.UNREACHABLE, Ill.RESET, Ill.TIMEOUT, Ill.LOST)
THROTTLES = (Ill.BUSY, Ill.BUSY_UNTIL, Ill.UNAVAILABLE_UNTIL)
BUDGET = 50
"""Valid deliveries that may be blamed at most where the vendor answers 400 to everything, by process and method."""
SLOW = 0.5
"""How likely a vendor is so slow that answers outlive assignments."""
SAYS_WHOSE_FAULT = (Ill.FORBIDDEN, Ill.MISSING, Ill.REDIRECT, Ill.INVALID)
"""Whom the vendor answers so while it accepts others is at fault: it says so to all or to nobody."""
WITHIN = 25.0
"""Seconds within which troubles begin."""


def base(random: Random) -> Setup:
    """Small limits and large ones, both protocols, single calls and batches, one replica or three."""
    figures = Figures(
        protocol=random.choice(("classic", "consumer")),
        batched=random.random() < 0.4,
        rate=random.choice((None, None, None, 20.0, 100.0)),
        concurrency=random.choice((1, 4, 16)),
        max_records=random.choice((20_000, 20_000, 40, 10)),
        max_ahead=random.choice((100_000, 100_000, 20)),
        commit_interval=random.choice((0.2, 1.0, 5.0)),
    )
    return Setup(
        figures=figures,
        partitions=random.randint(1, 4),
        records=random.choice((60, 120, 200)),
        spacing=random.choice((0.05, 0.1, 0.2)),
        lanes=random.choice((1, 3, 20)),
        kinds=random.choice((SEEN, PLAIN)),
        replicas=random.choice((1, 1, 2, 3)),
        latency=random.choice((0.01, 0.05, 0.3)),
    )


def episodes(random: Random, *kinds: Ill, most: int = 2, longest: float = 20.0) -> list[Episode]:
    """Some troubles of these kinds."""
    found = []
    for _ in range(random.randint(1, most)):
        start = random.random() * WITHIN
        kind, share = random.choice(kinds), random.choice((1.0, 1.0, 0.5))
        end = start + random.choice((0.3, 3.0, longest))
        found.append(Episode(kind, start, end, 1.0 if kind in SAYS_WHOSE_FAULT else share))
    return found


def deeds(random: Random, *acts: Act, most: int = 2) -> list[Deed]:
    """Some of these are done."""
    return [_deed(random, random.choice(acts)) for _ in range(random.randint(1, most))]


def _deed(random: Random, act: Act) -> Deed:
    seconds = {
        Act.TERM: random.choice((0.1, 3.0, None)),
        Act.KILL: random.choice((0.0, 3.0, 20.0)),
        Act.FREEZE: random.choice((0.5, 8.0, 30.0)),
    }
    return Deed(random.random() * WITHIN, act, seconds.get(act))


def hasty(setup: Setup) -> Setup:
    """Short delays: what nobody will ever take is given up soon. And memory enough to read what it is compared with."""
    figures = replace(setup.figures, timeout=2.0, delays=(0.5, 1.0, 2.0), max_attempts=3, stalemate=10.0)
    figures = replace(figures, max_records=20_000, max_ahead=100_000)
    return replace(setup, figures=figures, patience=600.0)


def healthy(random: Random) -> Setup:
    """Nothing is wrong."""
    return base(random)


def poisoned(random: Random) -> Setup:
    """Records that nobody can read or map."""
    return replace(base(random), kinds=POISONED)


def doomed(random: Random) -> Setup:
    """Records that the vendor refuses for good."""
    return hasty(replace(base(random), kinds=PLAIN | {Kind.DOOMED: 0.2}, poisons=DOOMS))


def crashes(random: Random) -> Setup:
    """Processes are killed."""
    return replace(base(random), kinds=random.choice((SEEN, POISONED)), deeds=deeds(random, Act.KILL, most=3))


def crashes_in_trouble(random: Random) -> Setup:
    """Processes are killed while some records wait for their retries, and others behind them are settled."""
    start = random.uniform(2, 6)
    flaky = Episode(Ill.ERROR, start, start + 20.0, 0.5)
    killed = [Deed(start + random.uniform(1, 18), Act.KILL, random.choice((0.0, 3.0))) for _ in range(2)]
    setup = replace(base(random), kinds=random.choice((SEEN, PLAIN, POISONED)), lanes=random.choice((3, 20)))
    return replace(setup, episodes=[flaky], deeds=killed)


def told_late(random: Random) -> Setup:
    """The same, and Kafka takes its time to tell the next ones what is committed, and what is settled beyond that."""
    setup = crashes_in_trouble(random)
    again = [Deed(random.uniform(8, 35), Act.KILL, 0.0) for _ in range(3)]
    slow = Episode(Ill.SLOW, random.uniform(4, 8), 60.0)
    return replace(setup, partitions=4, episodes=[*setup.episodes, slow], deeds=[*setup.deeds, *again])


def long_outage(random: Random) -> Setup:
    """The vendor is away for so long that memory fills up."""
    setup = base(random)
    figures = replace(setup.figures, max_records=random.choice((10, 40)), stalemate=None)
    away = Episode(random.choice((Ill.ERROR, Ill.FORBIDDEN, Ill.UNREACHABLE)), 3.0, 90.0)
    return replace(setup, figures=figures, records=200, spacing=0.05, episodes=[away])


def restarts(random: Random) -> Setup:
    """Processes are asked to end, and others come."""
    return replace(base(random), deeds=deeds(random, Act.TERM, Act.START, most=4))


def frozen(random: Random) -> Setup:
    """Processes stand still, some for longer than their session."""
    frozen = [Deed(random.uniform(3, 12), Act.FREEZE, random.choice((0.5, 8.0, 30.0, 70.0))) for _ in range(2)]
    busy = replace(base(random), records=200, spacing=0.05, latency=0.3, lanes=random.choice((1, 3)))
    return replace(busy, replicas=random.choice((1, 2, 3)), deeds=frozen, session=random.choice((8.0, 45.0)))


def scaling(random: Random) -> Setup:
    """From one replica to three and back."""
    ups = [Deed(random.uniform(2, 10), Act.START) for _ in range(2)]
    downs = [Deed(random.uniform(12, 25), Act.TERM) for _ in range(2)]
    return replace(base(random), partitions=random.randint(2, 6), replicas=1, deeds=[*ups, *downs])


def brokers(random: Random) -> Setup:
    """Kafka is in trouble."""
    return replace(base(random), episodes=episodes(random, *KAFKA))


def commits_refused(random: Random) -> Setup:
    """The group may not be written to, or takes no metadata."""
    troubles = episodes(random, Ill.COMMITS_REFUSED, Ill.METADATA_REFUSED)
    return replace(base(random), episodes=troubles, deeds=deeds(random, Act.KILL, Act.TERM))


def registry(random: Random) -> Setup:
    """The registry is in trouble."""
    at_start = Episode(random.choice(REGISTRY), 0.0, random.choice((3.0, 15.0)))
    return replace(base(random), kinds=POISONED, episodes=[at_start, *episodes(random, *REGISTRY)])


def vendor(random: Random) -> Setup:
    """The vendor is in trouble."""
    return replace(base(random), episodes=episodes(random, *OUTAGES, most=3))


def all_invalid(random: Random) -> Setup:
    """The vendor answers 400 to everything for a while."""
    setup, troubles = base(random), episodes(random, Ill.INVALID)
    whole = [replace(each, share=1.0) for each in troubles]
    return replace(setup, episodes=whole, spare=BUDGET * METHODS * setup.replicas * len(whole))


def throttled(random: Random) -> Setup:
    """The vendor is busy."""
    return replace(base(random), episodes=episodes(random, *THROTTLES, most=4))


def credential(random: Random) -> Setup:
    """The key is refused for a while."""
    return replace(base(random), episodes=episodes(random, Ill.KEY))


def letters(random: Random) -> Setup:
    """The dead-letter topic is in trouble, and there are letters."""
    kinds = POISONED | {Kind.DOOMED: 0.2, Kind.HUGE: 0.3}
    setup = replace(base(random), kinds=kinds, poisons=(Ill.INVALID,), episodes=episodes(random, *LETTERS))
    return replace(hasty(setup), most_bytes=random.choice((1_000_000, 2000)))


def letters_on_the_move(random: Random) -> Setup:
    """Letters wait while their partitions leave and come back."""
    stuck = Episode(Ill.LETTERS_STUCK, 2.0, 40.0)
    acts = ((5.0, Act.START), (12.0, Act.TERM), (18.0, Act.START), (26.0, Act.TERM))
    moves = [Deed(at + random.random() * 3, act) for at, act in acts]
    return replace(base(random), partitions=4, replicas=1, kinds=POISONED, episodes=[stuck], deeds=moves)


def topics(random: Random) -> Setup:
    """Partitions are added, records expire or are compacted away, transactions leave markers."""
    acts = (Act.ADD_PARTITIONS, Act.EXPIRE, Act.COMPACT, Act.MARKER)
    return replace(base(random), deeds=deeds(random, *acts, most=4))


def recreated(random: Random) -> Setup:
    """The topic is deleted and created anew, under running members or between two processes."""
    anew = Deed(random.uniform(4.0, 12.0), Act.RECREATE)
    return replace(base(random), kinds=SEEN, deeds=[anew, *random.choice(([], deeds(random, Act.KILL, Act.TERM)))])


def mass_failure(random: Random) -> Setup:
    """Most records cannot be mapped, until the file is repaired."""
    setup, repaired = base(random), random.uniform(15.0, 30.0)
    figures = replace(setup.figures, hold_above=0.5, failures=random.choice((3, 10)))
    kinds = {Kind.SEEN: 1.0, Kind.UNMAPPED: random.choice((0.5, 3.0)), Kind.BAD_LINE: 0.5, Kind.TOMBSTONE: 0.3}
    repair = Deed(repaired, Act.REPAIR, 0.5)
    return replace(setup, figures=figures, kinds=kinds, deeds=[repair], repaired=repaired)


def clocks(random: Random) -> Setup:
    """The wall clock jumps."""
    return replace(base(random), deeds=deeds(random, Act.JUMP, most=4), kinds=POISONED)


def broken_clients(random: Random) -> Setup:
    """Clients meet fatal errors."""
    broken = deeds(random, Act.BREAK_CONSUMERS, Act.BREAK_PRODUCERS, most=3)
    setup = replace(base(random), deeds=broken, kinds=POISONED)
    if random.random() < SLOW:
        figures = replace(setup.figures, concurrency=64)
        setup = replace(setup, latency=2.0, lanes=20, figures=figures)
    return setup


def ends(random: Random) -> Setup:
    """Processes are asked to end in whatever phase they are: in a hold, in a rebalance, before they are connected."""
    kinds = (Ill.AWAY, Ill.NO_COORDINATOR, Ill.UNREACHABLE, Ill.KEY, Ill.BUSY_UNTIL, Ill.TIMEOUT, Ill.LOST)
    more = (Ill.REGISTRY_SILENT, Ill.LETTERS_STUCK)
    trouble = Episode(random.choice((*kinds, *more)), random.choice((0.0, 0.0, 4.0)), random.uniform(5.0, 25.0))
    asked = [Deed(random.choice((random.random() * 3, random.uniform(3, 20))), Act.TERM, 2.0) for _ in range(3)]
    setup = replace(base(random), kinds=random.choice((PLAIN, POISONED)))
    return replace(setup, episodes=random.choice(([], [trouble])), deeds=asked)


def everything(random: Random) -> Setup:
    """All troubles together."""
    setup = base(random)
    kinds = random.choice((SEEN, PLAIN, POISONED, POISONED | {Kind.DOOMED: 0.2, Kind.HUGE: 0.1}))
    ills = (*KAFKA, *LETTERS, *REGISTRY, *OUTAGES, *THROTTLES, Ill.KEY, Ill.COMMITS_REFUSED)
    acts = (Act.KILL, Act.TERM, Act.FREEZE, Act.START, Act.JUMP, Act.ADD_PARTITIONS, Act.COMPACT, Act.MARKER)
    return replace(
        hasty(setup) if Kind.DOOMED in kinds else setup,
        kinds=kinds,
        poisons=DOOMS,
        episodes=episodes(random, *ills, most=4),
        deeds=deeds(random, *acts, Act.BREAK_CONSUMERS, Act.BREAK_PRODUCERS, most=4),
    )


THEMES: Mapping[str, Callable[[Random], Setup]] = {
    each.__name__: each
    for each in (
        healthy,
        poisoned,
        doomed,
        crashes,
        crashes_in_trouble,
        told_late,
        long_outage,
        restarts,
        frozen,
        scaling,
        brokers,
        commits_refused,
        registry,
        vendor,
        all_invalid,
        throttled,
        credential,
        letters,
        letters_on_the_move,
        topics,
        recreated,
        mass_failure,
        clocks,
        broken_clients,
        ends,
        everything,
    )
}


def themed(theme: str, seed: int) -> Setup:
    """One world of a theme."""
    return THEMES[theme](Random(f"{theme} {seed}"))  # noqa: S311 - it is to be the same again


def drawn(seed: int) -> tuple[str, Setup]:
    """Some theme's world: each theme has its turn, the mixture has more."""
    names = [*THEMES, *["everything"] * 3]
    theme = names[seed % len(names)]
    return theme, themed(theme, seed)
