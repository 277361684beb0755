"""What must hold whenever the scheduler has nothing to send: it may rest, but nothing may be forgotten."""

from typing import TYPE_CHECKING

from tests.send.charges import Charge
from tests.send.gate_model import Mode, Path
from tests.support.convictions import ConvictionError

if TYPE_CHECKING:
    from tests.send.simulation import World

EPSILON = 1e-6


def check_rest(world: "World", now: float, wake: float | None) -> None:
    """A worker is free, and the scheduler said `wake`."""
    if wake is not None and wake <= now:
        raise ConvictionError(Charge.SPIN, f"at {now} it says {wake}")
    referee = world.referee
    free = referee.pace.free(now, wake)
    for path in referee.paths.values():
        if not path.waiting:
            continue
        if free and not referee.key.maybe_held:
            _check_idle(world, path, now)
        if path.flying or path.channel.once or referee.key.maybe_held:
            continue
        if wake is None:
            raise ConvictionError(Charge.ASLEEP, f"{len(path.waiting)} heads wait for {path.channel.path}, {path.mode}")
        _check_silent(world, path.moved_at, now)
    if referee.key.held and any(path.waiting for path in referee.paths.values()):
        _check_silent(world, referee.key.moved_at, now)


def _check_idle(world: "World", path: Path, now: float) -> None:
    """What is due goes out where the path is open, and a newcomer where all others were refused already."""
    wall = world.clock.wall()
    if path.mode is Mode.OPEN:
        head = path.overdue(now - EPSILON)
        if head is not None and (head.expires is None or head.expires >= wall):
            latest = path.waiting[head]
            raise ConvictionError(Charge.IDLE, f"on {path.channel.path}, due {now - latest} s ago")
    if path.mode is not Mode.CLOSED or path.flying or path.channel.once:
        return
    if now <= path.sent_at + world.setup.delays[0] + EPSILON:
        return
    fresh = [head for head in path.waiting if head not in world.referee.cases or not world.referee.cases[head].refused]
    if len(fresh) == 1 and (fresh[0].expires is None or fresh[0].expires >= wall):
        raise ConvictionError(Charge.IDLE, f"a newcomer on {path.channel.path} is not probed")


def _check_silent(world: "World", moved_at: float, now: float) -> None:
    """No path with work is silent for longer than the longest delay, and what the pace adds."""
    setup, pace = world.setup, world.referee.pace
    since = max(moved_at, world.saturated_at, pace.free_at)
    batch_wait = setup.batch.max_wait if setup.batch else 0.0
    longest = setup.longest + batch_wait + 2 * len(world.referee.paths) * pace.longest_gap
    if now - since > longest + EPSILON:
        raise ConvictionError(Charge.SILENT, f"{now - since} s, and {longest} s are allowed")
