"""The judge's rules about blame: who may be buried as what, and who must be."""

from collections import Counter

from processor.records import ErrorClass
from processor.send.replies import Answered, NotSent, ReplyClass
from tests.send.case_model import STRIKES, Case, Flight
from tests.send.charges import Charge
from tests.send.gate_model import BUDGET, Path
from tests.send.vendor_model import DICE
from tests.send.worlds import Episode, Setup
from tests.support.convictions import ConvictionError

NEVER = float("-inf")


class BlameRules:
    """What the rules say of burials of one destination.

    Attributes:
        budget: for 400s, and for suspects; each since the path's last acceptance.
    """

    budget = BUDGET

    def __init__(self, setup: Setup, tally: Counter[str]) -> None:
        self._setup = setup
        self._tally = tally
        self._letter = NEVER
        self._maybe_letter = NEVER
        self._stale: Case | None = None

    def refused(
        self, path: Path, case: Case, flight: Flight, *, fair: bool, lonely: bool, may: bool, must: bool, now: float
    ) -> Charge | None:
        """Enter a refusal alone; returns what it is not to bury this one now, if that would be wrong."""
        reply_class = flight.verdict.reply_class
        self._stale = case if may else None
        duty = None
        if flight.channel.once and may_have_happened(flight):
            return Charge.ONCE
        if reply_class is ReplyClass.INVALID and path.ever_accepted and path.blamed_invalid < self.budget:
            case.maybe_invalid += 1
            case.invalid += fair
            duty = Charge.KEPT if fair and case.invalid >= STRIKES else None
        if reply_class is ReplyClass.TRANSIENT:
            case.countable += case.maybe_suspect
            counts = (fair or lonely) and case.suspect
            case.counted += counts
            enough = counts and case.counted >= self._setup.max_attempts
            duty = Charge.KEPT if enough and path.exhausted < self.budget else None
        if fair and case.owed:
            duty = Charge.KEPT
        if must and self._setup.stalemate is not None and now - self._maybe_letter >= self._setup.stalemate:
            duty = duty or Charge.DEADLOCK
        return duty

    def check_once(self, flight: Flight) -> None:
        """Only where nobody knows what was done."""
        if not may_have_happened(flight):
            raise ConvictionError(Charge.ONCE, f"{flight.verdict.reply} says that nothing was done")
        self._tally["once"] += 1

    def check(self, path: Path, case: Case, flight: Flight, error_class: ErrorClass, now: float) -> None:
        """Whether this burial is right."""
        match error_class:
            case ErrorClass.INVALID:
                self._check_invalid(path, case)
            case ErrorClass.EXHAUSTED:
                self._check_exhausted(path, case)
            case ErrorClass.REFUSED:
                self._check_refused(case, flight, now)
            case _:
                raise ConvictionError(Charge.GROUNDS, f"buried as {error_class}")

    def _check_invalid(self, path: Path, case: Case) -> None:
        if ReplyClass.INVALID not in case.classes:
            raise ConvictionError(Charge.GROUNDS, f"invalid, and was refused as {case.classes}")
        if not path.ever_accepted or path.blamed_invalid >= self.budget:
            raise ConvictionError(Charge.INVALID_BUDGET, f"{path.blamed_invalid} since the last acceptance")
        if case.maybe_invalid < STRIKES:
            raise ConvictionError(Charge.INVALID_TWICE, f"{case.maybe_invalid} refusals")
        path.blamed_invalid += 1
        self._count(case, "invalid")

    def _check_exhausted(self, path: Path, case: Case) -> None:
        if ReplyClass.TRANSIENT not in case.classes:
            raise ConvictionError(Charge.GROUNDS, f"exhausted, and was refused as {case.classes}")
        if path.exhausted >= self.budget:
            raise ConvictionError(Charge.SUSPECTS_BUDGET, f"{path.exhausted} since the last acceptance")
        if not case.maybe_suspect:
            raise ConvictionError(Charge.EVIDENCE, "exhausted, and never a suspect")
        if case.countable < self._setup.max_attempts:
            raise ConvictionError(Charge.ATTEMPTS_LEFT, f"{case.countable} of {self._setup.max_attempts}")
        path.exhausted += 1
        by_dice = all(cause == DICE for cause in case.causes)
        self._count(case, "exhausted by dice" if by_dice else "exhausted")

    def _check_refused(self, case: Case, flight: Flight, now: float) -> None:
        # What is invalid counts as forbidden once the budget is used up.
        forbidden = case.possible[ReplyClass.FORBIDDEN] + case.possible[ReplyClass.INVALID]
        if max(forbidden, case.possible[ReplyClass.MISCONFIGURED]) >= STRIKES:
            self._maybe_letter = now
            self._count(case, "refused")
        elif self._stale is case and case.delivery in flight.found:
            self._check_stalemate(case, now)
        elif not case.guilty and len({cause for cause in case.causes if isinstance(cause, Episode)}) < STRIKES:
            raise ConvictionError(Charge.INNOCENT, f"refused by {case.causes}")
        elif sum(case.possible.values()) >= STRIKES:
            raise ConvictionError(Charge.ADDED_UP, f"{dict(case.possible)}")
        else:
            raise ConvictionError(Charge.EVIDENCE, f"{dict(case.possible)}, first refused {case.first}, now {now}")

    def _check_stalemate(self, case: Case, now: float) -> None:
        if self._setup.stalemate is None or now - self._letter < self._setup.stalemate:
            raise ConvictionError(Charge.STALEMATE_OFTEN, f"{now - self._letter} s after the last one")
        self._letter = self._maybe_letter = now
        self._count(case, "stalemate")

    def _count(self, case: Case, why: str) -> None:
        self._tally[f"{'poison' if case.guilty else 'valid'} {why}"] += 1


def may_have_happened(flight: Flight) -> bool:
    """Whether the vendor may have done it although it did not accept."""
    reply = flight.verdict.reply
    if isinstance(reply, Answered):
        return reply.status >= 500 and flight.verdict.reply_class is ReplyClass.TRANSIENT
    return not isinstance(reply, NotSent)
