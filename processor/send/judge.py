"""What an answer means for the request's deliveries, for the others of its path, and for the destination. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processor.holds import Change, State
from processor.records import Delivery, ErrorClass, Failure, Request
from processor.send.blame import RetryPolicy, Ruling, Stalemates, effective, rule
from processor.send.credential import CredentialHold
from processor.send.outlet import Outlet
from processor.send.pace import Pace
from processor.send.replies import DONE, Answered, Reply, ReplyClass, describe, failure_of, may_have_happened
from processor.send.strikes import Refusal
from processor.send.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Buried:
    """A delivery that is given up, and why."""

    delivery: Delivery
    failure: Failure


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request.

    Attributes:
        accepted: deliveries that are done with.
        buried: likewise; an acceptance may show that another delivery was at fault, which is then among them.
        stale: deliveries that would be sent again, but their partition left meanwhile.
        delay: seconds until what came back is due again; 0 where nothing cools.
    """

    accepted: Sequence[Delivery] = ()
    buried: Sequence[Buried] = ()
    stale: Sequence[Delivery] = ()
    delay: float = 0.0


class Judge:
    """Enters answers.

    Args:
        waiting: where deliveries come back to.
        credential: told of refused keys.
        pace: told of throttling.
        retry: the file's.
        stretch: jitter, a factor of 1 or a little more.
        journal: where pauses are noted.
    """

    def __init__(
        self,
        waiting: Waiting,
        credential: CredentialHold,
        pace: Pace,
        retry: RetryPolicy,
        stretch: Callable[[], float],
        journal: list[Change],
    ) -> None:
        self._journal = journal
        self._waiting = waiting
        self._credential = credential
        self._pace = pace
        self._retry = retry
        self._stretch = stretch
        self._stalemates = Stalemates(retry.stalemate)

    def answered(self, request: Request, reply_class: ReplyClass, reply: Reply, now: float) -> Result:
        """Say what became of the request's deliveries."""
        outlet = self._waiting.outlet(request.channel)
        outlet.answered(request, accepted=reply_class in DONE)
        result = self._entered(outlet, request, reply_class, reply, now)
        if outlet.probe is request:
            outlet.probe = None
            outlet.hold_if_all_refused(now, self._stretch)
        return result

    def _entered(self, outlet: Outlet, request: Request, reply_class: ReplyClass, reply: Reply, now: float) -> Result:
        if reply_class is ReplyClass.CREDENTIAL:
            return self._refused_key(outlet, request, reply, now)
        if reply_class is ReplyClass.THROTTLED:
            return self._throttled(outlet, request, reply, now)
        if self._credential.answered(request, now):
            self._probe_all(besides=outlet)
        if reply_class in DONE:
            return self._accepted(outlet, request, now)
        if len(request.deliveries) > 1:
            return self._refused_together(outlet, request, reply_class, reply, now)
        return self._refused_alone(outlet, request, reply_class, reply, now)

    def _accepted(self, outlet: Outlet, request: Request, now: float) -> Result:
        """The path works: what it refused before was the fault of what it refused."""
        self._pace.accepted()
        strikes = outlet.comparison.accepted(request)
        outlet.gate.accepted(now)
        self._waiting.suspect_mates(request.deliveries)
        self._waiting.leave(request.deliveries)
        buried = [self._strike(outlet, strike, now) for strike in strikes]
        return Result(accepted=request.deliveries, buried=[one for one in buried if one])

    def _strike(self, outlet: Outlet, strike: Refusal, now: float) -> Buried | None:
        """A refusal was the delivery's own fault. Where it is under way again, that answer is waited for."""
        delivery = strike.blames
        assert delivery is not None  # noqa: S101 - strikes always blame somebody
        history = self._waiting.history(delivery)
        ruling = history.strike(strike.reply_class, strike.reply, self._retry)
        if any(delivery in request.deliveries for request in outlet.out):
            history.condemned = ruling if ruling.bury else None
            return None
        if ruling.bury is None:
            if delivery in outlet.cooling:
                self._waiting.set_due(delivery, now + ruling.delay * self._stretch())
            return None
        self._waiting.take_out(delivery)
        self._waiting.leave([delivery])
        return Buried(delivery, failure_of(ruling.reply, ruling.bury, compared=ruling.compared))

    def _refused_together(
        self, outlet: Outlet, request: Request, reply_class: ReplyClass, reply: Reply, now: float
    ) -> Result:
        """Nobody's fault yet: its deliveries go again at once, in batches of half the size at most."""
        live, stale = self._part(request.deliveries)
        self._waiting.set_apart(live, together=len(request.deliveries), suspects=reply_class is ReplyClass.TRANSIENT)
        self._waiting.come_back(live, now)
        if reply_class is ReplyClass.TRANSIENT:
            self._compare(outlet, Refusal(request, None, reply_class, reply), now)
        return Result(stale=stale)

    def _refused_alone(
        self, outlet: Outlet, request: Request, reply_class: ReplyClass, reply: Reply, now: float
    ) -> Result:
        """Whose fault is it?"""
        (delivery,) = request.deliveries
        history = self._waiting.history(delivery)
        history.last, outlet.last_refusal = reply, describe(reply)
        if request is outlet.probe:
            history.round = outlet.gate.round
        reply_class = effective(reply_class, outlet.gate)
        ruling = self._rule(outlet, request, reply_class, reply, now)
        history.own = ruling.own
        result = self._follow(delivery, ruling, now)
        if not ruling.own:
            # A suspect beyond the budget is evidence about the path, but blamed no more.
            suspected = history.suspect and reply_class is ReplyClass.TRANSIENT
            blames = None if ruling.bury or result.stale or suspected else delivery
            self._compare(outlet, Refusal(request, blames, reply_class, reply), now)
        elif request is outlet.probe and reply_class is ReplyClass.INVALID:
            self._probe_refused(outlet, reply, now)
        return result

    def _rule(self, outlet: Outlet, request: Request, reply_class: ReplyClass, reply: Reply, now: float) -> Ruling:
        (delivery,) = request.deliveries
        history, gate = self._waiting.history(delivery), outlet.gate
        stalemate = self._stalemates.reached(history, reply, now)
        if request.channel.once and may_have_happened(reply, reply_class):
            return Ruling(reply, ErrorClass.UNKNOWN_OUTCOME)
        if history.condemned is not None:
            return history.condemned
        fair = gate.fair(request.era)
        ruling = rule(history, delivery.attempts, reply_class, reply, gate, self._retry, fair=fair)
        if stalemate and not ruling.own and self._stalemates.give_up(now):
            return Ruling(reply, ErrorClass.REFUSED, compared=False)
        return ruling

    def _follow(self, delivery: Delivery, ruling: Ruling, now: float) -> Result:
        """Do as was ruled."""
        if ruling.bury is not None:
            self._waiting.leave([delivery])
            return Result(buried=[Buried(delivery, failure_of(ruling.reply, ruling.bury, compared=ruling.compared))])
        if not delivery.record.assignment.live:
            self._waiting.leave([delivery])
            return Result(stale=[delivery])
        delivery.ride = 1
        delay = ruling.delay * self._stretch()
        self._waiting.cool(delivery, now + delay)
        return Result(delay=delay)

    def _compare(self, outlet: Outlet, refusal: Refusal, now: float) -> None:
        """What a refusal says about the path."""
        gate, request = outlet.gate, refusal.request
        if request is outlet.probe:
            self._probe_refused(outlet, refusal.reply, now)
        elif gate.state is State.ACCEPTING and request.era == gate.era and outlet.comparison.refused(refusal):
            outlet.close(refusal.reply, now)

    def _probe_refused(self, outlet: Outlet, reply: Reply, now: float) -> None:
        """A newcomer that is refused in a hold changes nothing of the hold."""
        gate = outlet.gate
        gate.trouble(reply, now)
        if gate.state is State.PROBING and gate.probe_refused(reply):
            gate.hold(now, self._stretch())

    def _throttled(self, outlet: Outlet, request: Request, reply: Reply, now: float) -> Result:
        """Too fast: nobody's fault, and no attempt."""
        before = self._pace.not_before
        self._pace.throttled(now, reply.retry_after if isinstance(reply, Answered) else None)
        if self._pace.not_before > before:
            limit = "" if self._pace.limit is None else f"; at most {self._pace.limit:.3g} requests a second after it"
            words, pause = f"{describe(reply)}{limit}", self._pace.not_before - now
            self._journal.append(Change(request.channel.label, State.PAUSED, None, words, pause))
        self._credential.throttled(request)
        return self._returned(outlet, request, now)

    def _refused_key(self, outlet: Outlet, request: Request, reply: Reply, now: float) -> Result:
        """The key is refused: all paths hold, nobody is to blame."""
        if self._credential.refused(request, reply, now, self._stretch()):
            self._probe_all()
        return self._returned(outlet, request, now)

    def _probe_all(self, besides: Outlet | None = None) -> None:
        for outlet in self._waiting.outlets:
            if outlet is not besides:
                outlet.probe_anew()

    def _returned(self, outlet: Outlet, request: Request, now: float) -> Result:
        """Its deliveries wait again, before all others, as if they had not been sent."""
        if request is outlet.probe:
            # It told nothing, so another newcomer may ask at once.
            outlet.gate.newcomer_at = float("-inf")
        live, stale = self._part(request.deliveries)
        self._waiting.come_back(live, now, first=True)
        return Result(stale=stale)

    def _part(self, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], list[Delivery]]:
        """Tell those that may be sent again from those whose partition left; the latter leave their lanes."""
        live = [delivery for delivery in deliveries if delivery.record.assignment.live]
        stale = [delivery for delivery in deliveries if not delivery.record.assignment.live]
        self._waiting.leave(stale)
        return live, stale
