"""One URL path of a destination: its gate, and the heads that wait before it. Pure.

Heads are
    ready      never refused; they ride in batches of any size
    set apart  refused in a batch, or alone by their own fault; they ride in batches of at most their own limit
    refused    alone, and due: they go one by one, each when nothing is left to be compared with the one before
    cooling    refused alone; each waits for its own time
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from processor.holds import Reason, State
from processor.records import Assignment, Channel, Delivery, Request
from processor.send.blame import History
from processor.send.gate import Gate
from processor.send.lanes import Lanes
from processor.send.replies import Reply
from processor.send.strikes import Comparison
from processor.send.turns import Turns

NEVER = float("inf")
ALL_TRIALS = 1024
"""More than there are requests in flight."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch goes out: at so many events or bytes, or when its oldest delivery has waited so many seconds."""

    max_events: int
    max_bytes: int
    max_wait: float


class Outlet:
    """One path.

    Attributes:
        out: requests in flight.
        trials: those of them that carry a head which was refused alone before, and not by its own fault.
        most_trials: as many may be in flight.
        probe: the request that was sent as a probe last.
        cooling: heads that wait after a refusal, with the time when each is due.
        last_refusal: what was last said to one that was alone, in words.
    """

    def __init__(
        self,
        channel: Channel,
        gate: Gate,
        batch: BatchLimits | None,
        histories: Mapping[Delivery, History],
        patience: float,
    ) -> None:
        self.channel = channel
        self.gate = gate
        self.comparison = Comparison()
        self.cooling: dict[Delivery, float] = {}
        self.out: set[Request] = set()
        self.trials: set[Request] = set()
        self.most_trials = 1
        self.probe: Request | None = None
        self.last_refusal = ""
        self._batch = batch if channel.batched else None
        self._histories = histories
        self._patience = patience
        self._ready = Turns()
        self._refused = Turns()
        self._apart: dict[int, Turns] = {}
        self._turn_of_again = False

    # Coming and going.

    def add(self, head: Delivery, since: float, *, first: bool = False) -> None:
        """A head comes; `first` = before all others of its partition, for it was out already."""
        if head.ride is None:
            turns = self._ready
        elif self._compared(head):
            turns = self._refused
        else:
            turns = self._apart.setdefault(head.ride, Turns())
        turns.add(head, since, first=first)

    def remove(self, head: Delivery) -> None:
        """Take a head that waits here."""
        if self.cooling.pop(head, None) is None:
            next(turns for turns in self._waiting() if turns.holds(head)).remove(head)

    def drop(self, assignments: frozenset[Assignment]) -> list[Delivery]:
        """Forget heads of these assignments; returns them."""
        cooled = [head for head in self.cooling if head.record.assignment in assignments]
        for head in cooled:
            del self.cooling[head]
        return cooled + [head for turns in self._waiting() for head in turns.drop(assignments)]

    def heads(self) -> Iterator[Delivery]:
        """All that wait here."""
        return chain(*self._waiting(), self.cooling)

    def _waiting(self) -> tuple[Turns, ...]:
        return self._ready, self._refused, *self._apart.values()

    @property
    def idle(self) -> bool:
        """Whether nothing is here, neither waiting nor in flight."""
        return not (self.out or self.cooling or any(self._waiting()))

    def close(self, reply: Reply, now: float) -> None:
        """The path refuses others, too."""
        self.gate.closes(reply, now)
        self.comparison.clear()

    def probe_anew(self) -> None:
        """What was known of the path is open again."""
        self.gate.probe()
        self.comparison.clear()

    # What may go out, while the gate accepts.

    def due(self, lanes: Lanes) -> float:
        """When a request can go out; -inf = it waits for nothing."""
        if any(self._apart.values()):
            return -NEVER
        return min(self._refused_due(), self._ready_due(lanes))

    def next(self, lanes: Lanes, now: float) -> tuple[Turns, int]:
        """Where the next request is taken from, and how many may ride in it.

        What was refused and what never was take turns: refused ones that always time out must not keep all slots.
        """
        again = [(turns.oldest(), ride) for ride, turns in self._apart.items() if turns]
        if self._refused_due() <= now:
            again.append((self._refused.oldest(), 0))
        self._turn_of_again = bool(again) and not (self._turn_of_again and self._ready_due(lanes) <= now)
        most = self._batch.max_events if self._batch else 1
        if not self._turn_of_again:
            return self._ready, most
        ride = min(again)[1]
        return (self._apart[ride], min(ride, most)) if ride else (self._refused, 1)

    def sent(self, request: Request, turns: Turns | None = None) -> None:
        """A request goes out; `turns` is where it was taken from, unless it is a probe."""
        self.out.add(request)
        if turns is self._refused:
            self.trials.add(request)

    def answered(self, request: Request, *, accepted: bool) -> None:
        """It is in flight no more."""
        self.out.remove(request)
        if request in self.trials:
            self.trials.remove(request)
            self.most_trials = min(self.most_trials * 2, ALL_TRIALS) if accepted else 1

    def _refused_due(self) -> float:
        """When one that was refused before may go out again.

        At first one by one, each when the one before was compared: poison records that come together would pass for an
        outage, close the gate, and cool and come together again. Each that is accepted lets twice as many go, for that
        is how an outage ends. Where nothing was accepted lately, no comparison is near.
        """
        if not self._refused:
            return NEVER
        if len(self.trials) < self.most_trials and not self.comparison:
            return -NEVER
        return self.gate.accepted_at + self._patience

    def _ready_due(self, lanes: Lanes) -> float:
        if not self._ready:
            return NEVER
        limits = self._batch
        if limits is None or self._ready.size >= limits.max_bytes or self._could_ride(lanes, limits.max_events):
            return -NEVER
        return self._ready.oldest() + limits.max_wait

    def _could_ride(self, lanes: Lanes, wanted: int) -> bool:
        """Whether so many deliveries could go out now: heads, and what may ride behind them.

        Counted anew each time: a standing count would have to follow every change of every lane. What stands behind a
        head may be for another channel; then the batch goes out smaller, and that is all.
        """
        found = len(self._ready)
        for head in self._ready:
            if found >= wanted:
                return True
            found += lanes.behind(head)
        return found >= wanted

    # Whom to probe.

    def hold_if_all_refused(self, now: float, stretch: Callable[[], float]) -> None:
        """Where all that wait were refused in this probing, another try tells no more."""
        if self.gate.state is State.PROBING and not self.idle and self.candidate() is None:
            self.gate.hold(now, stretch())

    def candidate(self) -> Delivery | float | None:
        """The next probe; or when a suspect is due, where nobody else waits; None = all were refused in this round.

        Who was never refused comes first, then who was refused least often; among equals suspects come last, then the
        oldest first. Were suspects last of all, good ones that an outage met could starve behind ten poison records.
        Suspects wait for their delays; others' delays do not count, for the gate's own are longer.
        """
        if self._ready:
            return self._ready.peek()
        suspects = {head for head in self.heads() if self._suspect(head)}
        due = [head for head in self.heads() if head not in suspects or head not in self.cooling]
        if len(suspects) < sum(1 for _ in self.heads()):
            due = [head for head in due if not self._tried(head)]
            return min(due, key=lambda head: _least_refused(head, suspect=head in suspects), default=None)
        if due:
            return min(due, key=lambda head: _least_refused(head, suspect=True))
        return min(self.cooling.values(), default=None)

    def _suspect(self, head: Delivery) -> bool:
        history = self._histories.get(head)
        return history is not None and history.suspect and self.gate.may_blame_suspect

    def _compared(self, head: Delivery) -> bool:
        """Whether its last refusal, alone, waited for a comparison, and its next one would."""
        history = self._histories.get(head)
        return history is not None and history.last is not None and not history.own and not self._suspect(head)

    def _tried(self, head: Delivery) -> bool:
        history = self._histories.get(head)
        return history is not None and history.round == self.gate.round

    def newcomer(self) -> Delivery | None:
        """The one head that was never refused where all others were: worth a probe even in a hold."""
        return self._ready.peek() if len(self._ready) == 1 else None

    @property
    def telling(self) -> bool:
        """Whether something goes out here that can tell how the vendor is; not where only refusals are answered."""
        return not self.idle and (self.accepting or (self.gate.reason is Reason.OUTAGE and not self.channel.once))

    @property
    def accepting(self) -> bool:
        """Whether the gate is open."""
        return self.gate.state is State.ACCEPTING


def _least_refused(head: Delivery, *, suspect: bool) -> tuple[int, bool, float, int]:
    return head.attempts, suspect, head.made, head.record.offset
