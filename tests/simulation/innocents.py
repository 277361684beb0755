"""Valid records that are dead letters all the same: for which reasons there may be some, and how many for each."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from processor.records import ErrorClass
from processor.send.blame import INVALID_REFUSALS
from tests.simulation.config import Figures
from tests.simulation.endpoint import Entry
from tests.simulation.machine import Host
from tests.simulation.weather import Ill

NO_ATTEMPTS = frozenset({Ill.KEY, Ill.BUSY, Ill.BUSY_UNTIL, Ill.UNAVAILABLE_UNTIL})
"""Answers that blame nobody."""
UNANSWERED = frozenset({Ill.UNREACHABLE, Ill.RESET, Ill.TIMEOUT, Ill.LOST})
"""What is no answer, and so never leads to a stalemate."""
TRANSIENT = UNANSWERED | {Ill.ERROR}


@dataclass(slots=True)
class Refusals:
    """How the vendor refused one delivery that one process had sent alone.

    Attributes:
        diced: as transient, by chance: at the same time it took others.
        transient, invalid: so often in all.
        since: when it first answered so.
    """

    diced: int = 0
    transient: int = 0
    invalid: int = 0
    since: float = inf


@dataclass(slots=True)
class Innocents:
    """Keeps count of them, each reason apart.

    Attributes:
        diced: the vendor's dice refused them `max_attempts` times.
        stalemates: nothing was taken that they could be compared with for so long; by process, when.
        budgeted: called invalid twice, or failed at `max_attempts` times not by the dice alone; with what they say.
    """

    figures: Figures
    refusals: dict[tuple[Host, str], Refusals] = field(default_factory=lambda: defaultdict(Refusals))
    diced: set[str] = field(default_factory=set)
    stalemates: dict[Host, int] = field(default_factory=lambda: defaultdict(int))
    budgeted: dict[str, str] = field(default_factory=dict)

    def refused(self, entry: Entry) -> None:
        """The vendor refuses a request; a batch's refusal is nobody's."""
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
        elif self._within_a_budget(error, refusals):
            self.budgeted[name] = str(said)
        else:
            return False
        return True

    def _at_a_stalemate(self, now: float, host: Host, refusals: Refusals) -> bool:
        """It was refused for so long; and in that time its process gives up one at most."""
        after = self.figures.stalemate or inf
        first = min(each.since for (of, _), each in self.refusals.items() if of is host)
        return now - refusals.since >= after and now - first >= after * (self.stalemates[host] + 1)

    def _within_a_budget(self, error: str, refusals: Refusals) -> bool:
        if error == ErrorClass.INVALID:
            return refusals.invalid >= INVALID_REFUSALS
        return error == ErrorClass.EXHAUSTED and refusals.transient >= self.figures.max_attempts
