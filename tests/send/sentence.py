"""What must hold in the end: all is done in time, and an outage was not met with more requests than it need be."""

from typing import TYPE_CHECKING

from tests.send.charges import Charge
from tests.send.gate_model import BUDGET, PROBES
from tests.send.worlds import FAILURES, TIMEOUT, Episode, Ill, Setup
from tests.support.convictions import ConvictionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from processor.records import Channel, Delivery
    from tests.send.gate_model import Path
    from tests.send.simulation import World

REFUSING = (Ill.FORBIDDEN, Ill.MISSING)
PATIENCE = 3600.0
"""Seconds after which what may not be repeated is tried, although other paths cannot tell whether it would go well."""
JITTER = 1.25
BAD_LUCK = 12
"""So often in a row the dice (0.3 at most) may refuse one: less than once in a million."""
GRACE = 4
"""Longest delays that heads are watched for once nothing of them can move."""


class Deadline:
    """When a run must be over."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._from: float | None = None
        self._seconds = 0.0
        self._next_look = 0.0

    @property
    def runs(self) -> bool:
        """Whether all has arrived and the vendor is well: from now on no partition leaves."""
        return self._from is not None

    def over(self, now: float) -> bool:
        """Whether nothing can move any more; raises where something should have been done long ago."""
        world = self._world
        if not world.open or now < world.vendor.well_at or now < world.setup.span or now < self._next_look:
            return False
        if self._from is None:
            self._from = now
            self._seconds = self._allowed()
        self._next_look = now + world.setup.longest
        hopeless = all(self._hopeless(path, heads) for path, heads in self._heads())
        if hopeless and world.lanes and now > self._from + GRACE * world.setup.longest:
            return True
        # A pause may be asked for by an answer that was still under way.
        if now > max(self._from, world.referee.pace.free_at) + self._seconds:
            raise ConvictionError(Charge.LATE, f"{len(world.open)} are open {now - self._from:.0f} s after it is well")
        return False

    def _heads(self) -> "Iterable[tuple[Path, list[Delivery]]]":
        """What stands first in its lane, by path."""
        found: dict[Channel, list[Delivery]] = {}
        for lane in self._world.lanes.values():
            found.setdefault(lane[0].channel, []).append(lane[0])
        return ((self._world.referee.paths[channel], heads) for channel, heads in found.items())

    def _hopeless(self, path: "Path", heads: "Sequence[Delivery]") -> bool:
        """Whether a path's heads are poison that the rules have no means to find.

        Nobody of the path is accepted any more, so that there are no strikes; and no stalemate is allowed, or it never
        counts: for time-outs. Suspects are found, but not while others wait for the same gate.
        """
        world = self._world
        ills = {world.vendor.guilty(head) for head in heads}
        if None in ills or (world.setup.stalemate is not None and ills != {Ill.TIMEOUT}):
            return False
        cases = [world.referee.cases.get(head) for head in heads]
        suspects = ills <= {Ill.ERROR, Ill.TIMEOUT} and all(case and case.suspect for case in cases)
        return path.exhausted >= BUDGET or not suspects

    def _allowed(self) -> float:
        """Seconds until all is done that can be done.

        Each lane's head waits for its gate and for itself; then one delivery after another goes through. Poison costs
        its delays, or a stalemate each; dice cost a delay for each refusal; a limited rate its requests.
        """
        world, setup = self._world, self._world.setup
        records = setup.records * setup.partitions
        unread = sum(setup.records - partition.next for partition in world.traffic.partitions)
        left = len(world.open) + unread
        poison = sum(1 for delivery in world.open if world.vendor.guilty(delivery))
        poison += sum(1 for (at, offset) in world.vendor.poison if offset >= world.traffic.partitions[at].next)
        poison += records if setup.banned else 0
        pause = max(0.0, world.referee.pace.free_at - world.clock.now())
        seconds = 2 * setup.longest + 2 * TIMEOUT + pause
        seconds += left * (2 * setup.latency + 2 * world.referee.pace.longest_gap)
        seconds += poison * (setup.max_attempts * (setup.longest + TIMEOUT) + (setup.stalemate or 0.0))
        risky = sum(1 for delivery in world.open if delivery.channel.once) + (unread if setup.once else 0)
        seconds += 2 * risky * (PATIENCE * JITTER + setup.longest)
        if setup.dice:
            seconds += (left + BAD_LUCK) * setup.longest
        return seconds


def check_outages(world: "World") -> None:
    """Requests into an outage: what was in flight, what it takes to be sure, and one probe for each delay."""
    setup = world.setup
    if setup.drops or setup.lifetime is not None:
        return  # who is read again has no history, and who is too old is no evidence
    for (episode, path), hits in world.vendor.hits.items():
        overlaps = any(
            each.start < episode.end and episode.start < each.end for each in setup.weather if each != episode
        )
        batched = setup.batch is not None and path in {"/a", "/b"}
        # A sister's trouble that ends lets what is risky out at once: bounded only where sisters have none.
        sisters = path == world.risky.path and (setup.dice or setup.banned or world.vendor.poison)
        if overlaps or sisters or (episode.ill in REFUSING and batched):
            continue
        allowed = _allowed_hits(world, episode, path)
        if hits > allowed:
            raise ConvictionError(Charge.OUTAGE, f"{hits} to {path} in {episode}, {allowed} are allowed")


def _allowed_hits(world: "World", episode: Episode, path: str) -> float:
    """Requests into one episode on one path.

    What fills the slots until the first answers are there; the halves of one lane's batch; one delivery alone, which
    has nobody to compare it with, and then the probes: one of each for each delay, ten heads where the vendor answers;
    newcomers; and suspects, whose refusals say nothing.
    """
    setup = world.setup
    lasts = min(episode.end, world.clock.now()) - episode.start
    most = setup.batch.max_events if setup.batch else 1
    holds = _delays_in(lasts, setup)
    newcomers = min(lasts / setup.delays[0] + 1, world.made[path])
    suspects = world.suspects_met[episode, path]
    if episode.ill is Ill.KEY:
        return setup.slots + holds
    if episode.ill in FAILURES:
        sure = setup.slots + 2 + most.bit_length() + holds
        return sure + holds + newcomers + suspects * setup.max_attempts
    if episode.ill in REFUSING:
        sure = setup.slots + 2 + holds
        return sure + PROBES * holds + newcomers
    return float("inf")


def _delays_in(seconds: float, setup: Setup) -> int:
    """How many delays fit, each longer than the one before, and the attempt that begins them."""
    found = 1
    while seconds >= 0:
        seconds -= setup.delays[min(found, len(setup.delays)) - 1]
        found += 1
    return found
