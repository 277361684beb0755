"""The referee's rules for requests that go out: probes, delays, and who goes again with whom."""

from typing import TYPE_CHECKING

from processor.records import Request
from tests.send.case_model import Flight
from tests.send.charges import Charge
from tests.send.gate_model import Path
from tests.support.convictions import ConvictionError

if TYPE_CHECKING:
    from tests.send.referee import Referee

EPSILON = 1e-6


def check_probe(referee: "Referee", path: Path, request: Request, now: float) -> None:
    """A closed gate lets out one head at a time, the least refused first, and in a hold only newcomers."""
    if path.flying or len(request.deliveries) > 1:
        raise ConvictionError(Charge.PROBE, f"{path.flying + 1} at once, of {len(request.deliveries)} deliveries")
    (head,) = request.deliveries
    case = referee.case(head)
    if now < path.hold_until - EPSILON:
        newcomer = not case.refused and now >= path.newcomer_at + referee.setup.delays[0] - EPSILON
        if not newcomer:
            raise ConvictionError(Charge.HOLD, f"{path.hold_until - now} s too early")
        path.newcomer_at = now
    elif path.round_sure and not referee.suspects(path) and len(path.waiting) < 100:
        others = path.waiting.keys() - path.probed - {head}
        least = min((referee.case(other).attempts for other in others), default=case.attempts)
        if case.attempts > least and not path.channel.once:
            raise ConvictionError(Charge.TURN, f"refused {case.attempts} times, another one {least} times")
    if case.suspect and now < case.due - EPSILON:
        raise ConvictionError(Charge.DELAY, f"a suspect as a probe {case.due - now} s too early")


def check_delays(referee: "Referee", request: Request, now: float) -> None:
    """An open gate lets nothing out before its delay."""
    for delivery in request.deliveries:
        case = referee.cases.get(delivery)
        if case and now < case.due - EPSILON:
            raise ConvictionError(Charge.DELAY, f"{case.due - now} s too early")


def check_trials(referee: "Referee", path: Path, flight: Flight) -> None:
    """Heads that were refused go again one by one, twice as many after each that is accepted.

    Together they would pass for an outage. Where nothing was accepted lately, there is nothing to wait for.
    """
    case = referee.cases.get(flight.request.deliveries[0])
    if case is None or not case.attempts or flight.closed:
        return
    lately = flight.sent_at < path.accepted_at + referee.setup.delays[0] - EPSILON
    others, sure = sum(path.trials.values()), flight.fair and case.compared and not case.maybe_suspect
    if lately and sure and others >= path.most_trials:
        raise ConvictionError(Charge.TRIAL, f"{others + 1} at once, {path.most_trials} may be")
    path.trials[flight] = sure


def check_ride(referee: "Referee", request: Request) -> None:
    """A refused batch is never sent whole again."""
    size = len(request.deliveries)
    if size > 1:
        for delivery in request.deliveries:
            case = referee.cases.get(delivery)
            if case and size > case.ride:
                raise ConvictionError(Charge.WHOLE, f"in a batch of {size}, allowed are {case.ride}")
