"""Valid records that are dead letters all the same: for which reasons there may be some, and how many for each."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from processor.records import ErrorClass
from processor.send.blame import INVALID_REFUSALS
from processor.send.gate import SUSPECTS_BUDGET
from tests.simulation.config import Figures
from tests.simulation.endpoint import Entry
from tests.simulation.machine import Host
from tests.simulation.weather import Ill

NO_ATTEMPTS = frozenset({Ill.KEY, Ill.BUSY, Ill.BUSY_UNTIL, Ill.UNAVAILABLE_UNTIL})
"""Answers that blame nobody."""
UNANSWERED = frozenset({Ill.UNREACHABLE, Ill.RESET, Ill.TIMEOUT, Ill.LOST})
"""What is no answer, and so never leads to a stalemate."""
TRANSIENT = UNANSWERED | {Ill.ERROR}
METHODS = 2
"""Paths with a budget of their own."""


@dataclass(slots=True)
class Refusals:
    """How the vendor refused one delivery that one process had sent alone.

    Attributes:
        diced: as transient, by chance: at the same time it took others.
        transient, invalid: so often in all.
        since: when it first answered so.
        failed: when it first failed at it, in whatever company.
    """

    diced: int = 0
    transient: int = 0
    invalid: int = 0
    since: float = inf
    failed: float = inf


@dataclass(slots=True)
class Innocents:
    """Keeps count of them, each reason apart.

    Attributes:
        diced: the vendor's dice refused them `max_attempts` times.
        stalemates: nothing was taken that they could be compared with for so long; by process, when.
        suspected: failed at `max_attempts` times not by the dice alone, after one for which others were taken.
        budgeted: called invalid twice, with what they say.
        taken: by process, when something of it was taken last; `since_taken`, how many were suspected since.
    """

    figures: Figures
    refusals: dict[tuple[Host, str], Refusals] = field(default_factory=lambda: defaultdict(Refusals))
    diced: set[str] = field(default_factory=set)
    stalemates: dict[Host, int] = field(default_factory=lambda: defaultdict(int))
    suspected: set[str] = field(default_factory=set)
    budgeted: dict[str, str] = field(default_factory=dict)
    taken: dict[Host, float] = field(default_factory=lambda: defaultdict(lambda: -inf))
    since_taken: Counter[Host] = field(default_factory=Counter)

    def accepted(self, entry: Entry) -> None:
        """The vendor takes a request, and says so."""
        if entry.arrived is not None:
            self.taken[entry.host] = entry.arrived
            self.since_taken[entry.host] = 0

    def refused(self, entry: Entry) -> None:
        """The vendor refuses a request; a batch's refusal is nobody's."""
        if entry.ill in TRANSIENT and entry.arrived is not None:
            for name in entry.ids:
                of = self.refusals[entry.host, name]
                of.failed = min(of.failed, entry.arrived)
        if len(entry.ids) > 1 or entry.ill in NO_ATTEMPTS or entry.arrived is None:
            return
        of = self.refusals[entry.host, entry.ids[0]]
        of.transient += entry.ill in TRANSIENT
        of.diced += entry.ill in TRANSIENT and entry.diced
        of.invalid += entry.ill is Ill.INVALID
        if entry.ill not in UNANSWERED | {Ill.REDIRECT}:
            of.since = min(of.since, entry.arrived)

    def buried(self, now: float, host: Host, said: Mapping[str, str]) -> bool:
        """A valid delivery is a dead letter, with these headers; says whether there may be such."""
        name, error = said["dlq.delivery.id"], said["dlq.error.class"]
        refusals = self.refusals[host, name]
        if error == ErrorClass.EXHAUSTED and refusals.diced >= self.figures.max_attempts:
            self.diced.add(name)
        elif error == ErrorClass.REFUSED and self._at_a_stalemate(now, host, refusals):
            self.stalemates[host] += 1
        elif error == ErrorClass.EXHAUSTED and self._suspected(host, refusals):
            self.suspected.add(name)
            self.since_taken[host] += 1
        elif error == ErrorClass.INVALID and refusals.invalid >= INVALID_REFUSALS:
            self.budgeted[name] = str(said)
        else:
            return False
        return True

    def _at_a_stalemate(self, now: float, host: Host, refusals: Refusals) -> bool:
        """It was refused for so long; and in that time its process gives up one at most."""
        after = self.figures.stalemate or inf
        first = min(each.since for (of, _), each in self.refusals.items() if of is host)
        return now - refusals.since >= after and now - first >= after * (self.stalemates[host] + 1)

    def _suspected(self, host: Host, refusals: Refusals) -> bool:
        """The vendor failed at it, took others, and failed at it on and on; within the budget since it took any."""
        compared = refusals.failed < self.taken[host] and refusals.transient >= self.figures.max_attempts
        return compared and self.since_taken[host] < SUSPECTS_BUDGET * METHODS
