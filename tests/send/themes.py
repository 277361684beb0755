"""Worlds in which a rule matters, and which world belongs to a seed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from processor.send.outlet import BatchLimits
from tests.send.worlds import FAILURES, PRODUCTION, SHORT, Episode, Ill, Setup, any_world

Theme = Callable[[Setup, Random], Setup]


def quiet(setup: Setup, random: Random) -> Setup:
    """Few events, one after another, and poison among them: nothing ever overlaps."""
    poison = (random.choice((Ill.FORBIDDEN, Ill.MISSING, Ill.ERROR)),)
    calm = replace(setup, spacing=20.0, records=15, latency=0.05, rate=None, lanes=400, batch=None, lifetime=None)
    calm = replace(calm, stalemate=None, memory=100_000)
    return replace(calm, poison=0.15, poisons=poison, dice=0.0, drops=0.0, weather=(), delays=SHORT)


def all_invalid(setup: Setup, random: Random) -> Setup:
    """A vendor that takes everything, and then answers 400 to everything."""
    busy = replace(setup, spacing=0.02, records=120, keyless=0.5, lanes=400, batch=None, rate=None, memory=100_000)
    start = random.uniform(0.2, 1.0)
    return replace(
        busy, slots=16, poison=0.0, dice=0.0, lifetime=None, weather=[Episode(Ill.INVALID, start, start + 120.0)]
    )


def lone_suspects(setup: Setup, random: Random) -> Setup:
    """A blip meets large batches, a part of them is accepted, and then an outage meets the others alone."""
    blip, again = random.uniform(0.1, 0.5), random.uniform(0.05, 0.3)
    outage = blip + again + random.uniform(0.05, 0.4)
    weather = [Episode(Ill.ERROR, blip, blip + again), Episode(Ill.ERROR, outage, outage + 90.0)]
    many = replace(setup, batch=BatchLimits(500, 1_000_000, 0.2), records=700, partitions=1, spacing=0.0005, once=0.0)
    return replace(
        many,
        slots=random.choice((1, 2)),
        latency=0.03,
        delays=SHORT,
        max_attempts=random.choice((2, 3)),
        poison=0.0,
        keyless=1.0,
        first=False,
        tail=0,
        dice=0.0,
        lifetime=None,
        drops=0.0,
        banned=False,
        weather=weather,
        stalemate=None,
        memory=100_000,
        rate=None,
    )


def poison_in_traffic(setup: Setup, random: Random) -> Setup:
    """Healthy traffic with some poison that fails, so that there are many suspects."""
    busy = replace(setup, spacing=0.01, records=100, partitions=3, keyless=1.0, batch=None, rate=None, memory=100_000)
    return replace(
        busy,
        slots=random.choice((16, 64)),
        latency=0.05,
        delays=SHORT,
        max_attempts=random.choice((3, 8)),
        poison=0.05,
        first=False,
        poisons=(Ill.ERROR,),
        tail=3,
        dice=0.0,
        lifetime=None,
        drops=0.0,
        once=0.0,
        banned=False,
        weather=(),
    )


def batches(setup: Setup, random: Random) -> Setup:
    """Large batches with some poison."""
    limits = BatchLimits(random.choice((100, 500)), 1_000_000, 0.2)
    many = replace(
        setup, drops=0.0, batch=limits, records=250, spacing=0.001, keyless=random.choice((0.2, 1.0)), lanes=400
    )
    return replace(many, poison=random.choice((0.0, 0.01)), dice=0.0, tail=0, lifetime=None, memory=100_000, rate=None)


def poison_alone(setup: Setup, random: Random) -> Setup:
    """A tail of poison, after which nothing arrives."""
    kinds = (random.choice((Ill.FORBIDDEN, Ill.MISSING, Ill.ERROR, Ill.INVALID)),)
    return replace(
        setup,
        tail=random.choice((3, 8)),
        poisons=kinds,
        stalemate=30.0,
        delays=SHORT,
        lifetime=None,
        records=20,
        drops=0.0,
    )


def one_lane(setup: Setup, random: Random) -> Setup:
    """Everything in order after everything else."""
    return replace(setup, lanes=random.choice((1, 2)), keyless=0.0, records=30, slots=8)


def calm_lane(setup: Setup, random: Random) -> Setup:
    """The same, and the vendor is well."""
    calm = replace(one_lane(setup, random), weather=(), poison=0.0, dice=0.0, first=False, tail=0, banned=False)
    return replace(calm, lifetime=None, spacing=0.005, rate=None, partitions=1, batch=None)


def key_refused(setup: Setup, random: Random) -> Setup:
    """The key is wrong for a while."""
    start = random.uniform(0.1, 0.8) * setup.span
    return replace(setup, weather=[Episode(Ill.KEY, start, start + random.choice((5.0, 60.0)))], keyless=0.5)


def told_to_wait(setup: Setup, random: Random) -> Setup:
    """The vendor names a time."""
    kind = random.choice((Ill.BUSY_UNTIL, Ill.AWAY_UNTIL))
    start = random.uniform(0.1, 0.8) * setup.span
    return replace(setup, weather=[Episode(kind, start, start + 10.0)], keyless=0.5, lifetime=None)


def many_dice(setup: Setup, random: Random) -> Setup:
    """Poison that is refused as forbidden, at a vendor that fails by chance."""
    return replace(
        setup,
        dice=random.choice((0.1, 0.3)),
        poison=random.choice((0.05, 0.2)),
        poisons=(Ill.FORBIDDEN,),
        records=60,
        spacing=0.05,
        keyless=1.0,
        batch=None,
        rate=None,
        weather=(),
        lifetime=None,
        drops=0.0,
        slots=8,
        stalemate=None,
        memory=100_000,
        delays=SHORT,
    )


def limited(setup: Setup, random: Random) -> Setup:
    """An account with a rate, and more to send than that."""
    return replace(setup, rate=random.choice((10.0, 200.0)), spacing=0.0005, batch=None, weather=(), keyless=1.0)


def risky_calls(setup: Setup, random: Random) -> Setup:
    """Many calls that may not be repeated, at a vendor that fails by chance."""
    return replace(setup, once=0.5, dice=random.choice((0.02, 0.3)), records=40, weather=())


def dumb_sisters(setup: Setup, random: Random) -> Setup:
    """Calls that may not be repeated wait for what other paths accept, and these have little but poison."""
    few = replace(setup, once=0.5, poison=random.uniform(0.4, 0.8), poisons=(Ill.TIMEOUT,), records=6, partitions=1)
    calm = replace(few, keyless=1.0, dice=0.0, delays=SHORT, stalemate=None, spacing=0.05, batch=None, rate=None)
    weather = [Episode(Ill.NOT_SENT, 0.0, 30.0)]
    return replace(calm, weather=weather, lifetime=None, drops=0.0, first=False, tail=0, banned=False, slots=8)


def mortals(setup: Setup, random: Random) -> Setup:
    """Many are too old soon, and the vendor is slow."""
    return replace(setup, lifetime=random.choice((0.1, 3.0)), slots=2, latency=0.5, spacing=0.05, records=40)


def long_outage(setup: Setup, random: Random) -> Setup:
    """Hours without the vendor, with production delays."""
    ill = random.choice((*FAILURES, Ill.FORBIDDEN, Ill.KEY))
    start = random.random() * 2.0
    weather = [Episode(ill, start, start + random.uniform(600.0, 7200.0))]
    many = replace(setup, records=60, spacing=0.05, lifetime=None, drops=0.0, memory=100_000)
    return replace(many, delays=PRODUCTION, weather=weather, poison=0.0, dice=0.0, tail=0, first=False)


THEMES: Mapping[str, Theme] = {
    theme.__name__: theme
    for theme in (
        quiet,
        all_invalid,
        lone_suspects,
        poison_in_traffic,
        batches,
        poison_alone,
        one_lane,
        calm_lane,
        key_refused,
        told_to_wait,
        many_dice,
        limited,
        risky_calls,
        dumb_sisters,
        mortals,
        long_outage,
    )
}


def drawn(seed: int) -> tuple[Setup, Random]:
    """The world of a seed, and the dice that go on with it."""
    random = Random(seed)  # noqa: S311 - a seed must repeat
    setup = any_world(random)
    setup = random.choice(tuple(THEMES.values()))(setup, random) if random.random() < 0.5 else setup
    return setup, random


def themed(theme: str, seed: int) -> tuple[Setup, Random]:
    """A world in which a rule matters."""
    random = Random(seed)  # noqa: S311 - a seed must repeat
    return THEMES[theme](any_world(random), random), random
