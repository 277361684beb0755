"""The referee: holds what a scheduler sends, and what it makes of answers, against the rules of sending.

It knows the requests, the answers and the truth about them, and nothing of the scheduler's inside. What it must be sure
of, it takes from `gate_model` and `case_model`.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import count

from processor.records import Channel, Delivery, ErrorClass, Request
from processor.send.judge import Buried, Result
from processor.send.replies import ReplyClass
from tests.send.blame_rules import BlameRules
from tests.send.case_model import Case, Flight
from tests.send.charges import Charge
from tests.send.gate_model import Counts, Mode, Path
from tests.send.key_model import KeyHold
from tests.send.pace_model import PaceModel
from tests.send.sending_rules import check_delays, check_probe, check_ride, check_trials
from tests.send.vendor_model import Vendor, Verdict
from tests.send.worlds import Setup
from tests.support.convictions import ConvictionError

REFUSALS = {ReplyClass.INVALID, ReplyClass.FORBIDDEN, ReplyClass.MISCONFIGURED, ReplyClass.TRANSIENT}


class Referee:
    """Follows one run.

    Attributes:
        paths: by channel.
        cases: of deliveries that are not done with.
        tally: what was blamed, by why; for people.
    """

    def __init__(self, setup: Setup, vendor: Vendor, channels: Sequence[Channel]) -> None:
        self.paths = {channel: Path(channel, setup) for channel in channels}
        self.cases: dict[Delivery, Case] = {}
        self.tally: Counter[str] = Counter()
        self.pace = PaceModel(setup.rate)
        self.key = KeyHold(setup.delays)
        self.setup = setup
        self._vendor = vendor
        self._numbers = count(1)
        self._blame = BlameRules(setup, self.tally)

    # Heads.

    def case(self, delivery: Delivery) -> Case:
        """All that is known of a delivery."""
        case = self.cases.get(delivery)
        if case is None:
            case = self.cases[delivery] = Case(delivery, self._vendor.guilty(delivery) is not None)
        return case

    def waits(self, head: Delivery, now: float, latest: float | None = None) -> None:
        """A head waits; until `latest`, or until its batch must go."""
        if latest is None:
            batch = self.setup.batch if head.channel.batched else None
            latest = now + (batch.max_wait if batch else 0.0)
        case = self.cases.get(head)
        again = case is not None and case.attempts > 0 and not case.own
        self.paths[head.channel].waits(head, latest, now, again=again)

    def comes_back(self, flight: Flight, head: Delivery, now: float) -> None:
        """A head waits again: after its delay where it was refused alone, else at once."""
        if flight.verdict.reply_class not in REFUSALS:
            if head in self.cases:
                self.cases[head].due = now  # as if it had not been sent, and before all others
            self.waits(head, now)
        elif flight.alone:
            self.waits(head, now, self.case(head).latest_due(self.setup))
        else:
            self.waits(head, now, now)

    def done(self, delivery: Delivery) -> None:
        """It met its fate, or its partition left."""
        path = self.paths[delivery.channel]
        if path.waiting.pop(delivery, None) is not None:
            path.round_sure = False  # there may be nobody left to try
        case = self.cases.pop(delivery, None)
        if case and case.refused:
            path.pending.pop(case, None)
            path.mates.pop(delivery, None)
            path.forget(delivery)

    # Requests.

    def sent(self, request: Request, now: float, verdict: Verdict) -> Flight:
        """A request goes out: may it?"""
        path = self.paths[request.channel]
        found = frozenset(request.deliveries)
        if self.key.held:
            self.key.check(request, now)
        elif path.mode is Mode.CLOSED:
            check_probe(self, path, request, now)
        elif path.mode is Mode.OPEN:
            check_delays(self, request, now)
        if request.renew and not self.key.maybe_held:
            raise ConvictionError(Charge.CREDENTIAL, "secrets are read again without need")
        check_ride(self, request)
        fair, closed = path.mode is Mode.OPEN, path.mode is Mode.CLOSED
        lonely = closed and not self.key.maybe_held and self._only_suspects(path, found)
        flight = Flight(
            request, next(self._numbers), found, now, path.era, fair, closed, lonely, self.key.maybe_held, verdict
        )
        self.key.sent(flight)
        check_trials(self, path, flight)
        path.flying += 1
        path.moved_at = path.sent_at = now
        for delivery in found:
            path.waiting.pop(delivery, None)
        return flight

    # Answers.

    def answered(self, flight: Flight, result: Result, now: float) -> None:
        """An answer came, and the scheduler said what became of whom."""
        path, verdict = self.paths[flight.channel], flight.verdict
        path.flying -= 1
        path.moved_at = now
        sure = path.trials.pop(flight, None)
        if sure is not None and (sure or verdict.reply_class is ReplyClass.ACCEPTED):
            path.most_trials = path.most_trials * 2 if verdict.reply_class is ReplyClass.ACCEPTED else 1
        leftover = self.key.held and not flight.in_hold
        if self.key.answered(flight, now):
            for each in self.paths.values():
                each.close(sure=False)
                each.moved_at = now
        match verdict.reply_class:
            case ReplyClass.ACCEPTED:
                self._accepted(path, flight, result, now, opens=not leftover)
            case ReplyClass.CREDENTIAL | ReplyClass.THROTTLED:
                if verdict.reply_class is ReplyClass.THROTTLED:
                    self.pace.throttled(verdict.reply, now)
                path.newcomer_at = float("-inf")  # a probe that told nothing is repeated
                self._check_spared(result)
            case _:
                self._refused(path, flight, result, now)
        self._check_attempts(flight)

    def _check_spared(self, result: Result) -> None:
        if result.buried or result.accepted:
            raise ConvictionError(Charge.GROUNDS, "a throttled or unauthorised answer settles nothing")

    def _check_attempts(self, flight: Flight) -> None:
        if flight.verdict.reply_class in REFUSALS and flight.alone:
            case = self.case(flight.request.deliveries[0])
            if case.delivery.attempts != case.attempts:
                raise ConvictionError(Charge.ATTEMPTS, f"{case.delivery.attempts}, and it was {case.attempts}")
        elif flight.verdict.reply_class is not ReplyClass.ACCEPTED:
            for delivery in flight.request.deliveries:
                known = self.cases.get(delivery)
                if delivery.attempts != (known.attempts if known else 0):
                    raise ConvictionError(Charge.ATTEMPTS, "a throttled or shared answer is nobody's attempt")

    def _accepted(self, path: Path, flight: Flight, result: Result, now: float, *, opens: bool) -> None:
        struck = path.accepted(flight, now, opens=opens)
        buried = {each.delivery for each in result.buried}
        for case, reply_class in struck:
            if case.is_struck(reply_class) and case.delivery not in buried:
                if case.delivery in path.waiting and case.delivery.record.assignment.live:
                    raise ConvictionError(Charge.KEPT, f"{case.certain} after an acceptance of others")
                case.owed = True
        for delivery in flight.found & path.mates.keys():
            mates = path.mates.pop(delivery)
            sure = self.case(delivery).shared_transient
            for case in [self.cases[mate] for mate in mates if mate in self.cases]:
                case.maybe_suspect = True
                case.suspect |= sure and case.shared_transient and path.mates.get(case.delivery) is mates
        for each in result.buried:
            self._bury(path, flight, each, now)

    def _refused(self, path: Path, flight: Flight, result: Result, now: float) -> None:
        if result.accepted:
            raise ConvictionError(Charge.FATE, "accepted what the vendor refused")
        if flight.alone:
            self._refused_alone(path, flight, result, now)
        else:
            self._refused_together(path, flight, result)

    def _refused_together(self, path: Path, flight: Flight, result: Result) -> None:
        if result.buried:
            raise ConvictionError(Charge.GROUNDS, "a batch's refusal blames nobody")
        transient = flight.verdict.reply_class is ReplyClass.TRANSIENT
        for delivery in flight.found:
            case = self.case(delivery)
            case.refused = True
            case.ride = min(case.ride, len(flight.found) // 2)
            case.shared_transient = transient
            if transient:
                path.mates[delivery] = flight.found
        if path.mode is not Mode.CLOSED:
            path.refused(flight, Counts.YES if transient else Counts.NO, None)

    def _refused_alone(self, path: Path, flight: Flight, result: Result, now: float) -> None:
        (delivery,) = flight.request.deliveries
        case, verdict = self.case(delivery), flight.verdict
        case.attempts += 1
        case.ride = 1
        case.refused_alone(verdict, now, self.setup)
        fair = flight.fair and path.mode is Mode.OPEN and flight.era == path.era
        lonely = flight.lonely and flight.era == path.era and self._only_suspects(path, flight.found)
        counts = self._counts(path, case, verdict)
        case.own, case.compared = counts is Counts.NO, counts is Counts.YES
        may, must = case.in_stalemate(verdict.reply, now, self.setup.stalemate)
        same = flight.era == path.era and not flight.in_hold
        must = must and same and path.mode is not Mode.UNSURE and counts is Counts.YES and now >= path.hold_until
        duty = self._blame.refused(path, case, flight, fair=fair, lonely=lonely, may=may, must=must, now=now)
        for each in result.buried:
            if each.delivery is not delivery:
                raise ConvictionError(Charge.GROUNDS, "a refusal of one blames another")
            self._bury(path, flight, each, now)
        if duty and not result.buried and delivery.record.assignment.live:
            raise ConvictionError(duty, f"{case.certain}, {case.counted} as a suspect, {case.invalid} as invalid")
        gone = bool(result.buried or result.stale)
        self._enter(path, flight, case, counts, fair=fair, gone=gone, now=now)

    def _enter(
        self, path: Path, flight: Flight, case: Case, counts: Counts, *, fair: bool, gone: bool, now: float
    ) -> None:
        """What the refusal says about the path."""
        if path.mode is Mode.CLOSED:
            if flight.closed and flight.era == path.era:
                suspects = case.maybe_suspect or self.suspects(path)
                path.probe_refused(flight, now, suspects=suspects, newcomer=case.newcomer, gone=gone)
            else:
                path.round_sure = False  # whether it counts as one of the heads that were refused is open
            return
        reply_class = flight.verdict.reply_class
        if not gone and counts is not Counts.NO:
            refused = path.pending.setdefault(case, {})
            if counts is Counts.YES:
                refused.clear()  # only the latest is pending
            refused[reply_class] = flight.number
        blames = fair and not gone and reply_class is not ReplyClass.INVALID
        path.refused(flight, counts, case if blames else None)

    def _counts(self, path: Path, case: Case, verdict: Verdict) -> Counts:
        """Whether a refusal alone says something about the path, before it is entered."""
        if not case.delivery.record.assignment.live:
            return Counts.MAYBE
        if verdict.reply_class is ReplyClass.INVALID and path.blamed_invalid < self._blame.budget:
            return Counts.NO if path.mode is Mode.OPEN else Counts.MAYBE
        if verdict.reply_class is ReplyClass.TRANSIENT and path.exhausted < self._blame.budget and case.maybe_suspect:
            return Counts.NO if case.suspect else Counts.MAYBE
        return Counts.YES

    def _only_suspects(self, path: Path, found: frozenset[Delivery]) -> bool:
        cases = [self.cases.get(head) for head in path.waiting.keys() | found]
        return path.exhausted < self._blame.budget and all(case and case.suspect for case in cases)

    def suspects(self, path: Path) -> bool:
        """Whether some that wait for a path may be suspects."""
        return any(self.cases[head].maybe_suspect for head in path.waiting if head in self.cases)

    def _bury(self, path: Path, flight: Flight, buried: Buried, now: float) -> None:
        case = self.case(buried.delivery)
        if case.delivery not in flight.found and case.delivery not in path.waiting:
            raise ConvictionError(Charge.FATE, "buried while it was in flight, or behind another, or of another path")
        if flight.channel.once and buried.failure.error_class is ErrorClass.UNKNOWN_OUTCOME:
            self._blame.check_once(flight)
        else:
            self._blame.check(path, case, flight, buried.failure.error_class, now)
