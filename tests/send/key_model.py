"""What the rules say while the key is refused: one such answer holds every path, and one probe asks for all."""

from collections.abc import Sequence

from processor.records import Request
from processor.send.replies import ReplyClass
from tests.send.case_model import Flight
from tests.send.charges import Charge
from tests.support.convictions import ConvictionError

EPSILON = 1e-6


class KeyHold:
    """The hold of a whole destination.

    Attributes:
        held: nothing but a probe goes out, for sure.
        maybe_held: a throttled probe leaves open whether the hold goes on.
        moved_at: when it began, or its last probe went or was answered.
    """

    def __init__(self, delays: Sequence[float]) -> None:
        self.held = False
        self.maybe_held = False
        self.moved_at = float("-inf")
        self._delays = delays
        self._until = float("-inf")
        self._holds = 0
        self._probe: Flight | None = None

    def check(self, request: Request, now: float) -> None:
        """Something goes out during the hold."""
        if self._probe:
            raise ConvictionError(Charge.CREDENTIAL, "a second probe")
        if now < self._until - EPSILON:
            raise ConvictionError(Charge.CREDENTIAL, f"{self._until - now} s too early")
        if len(request.deliveries) > 1 or not request.renew:
            raise ConvictionError(Charge.CREDENTIAL, "the probe is a batch, or sent without reading the secrets again")

    def sent(self, flight: Flight) -> None:
        """Something goes out."""
        if self.held:
            self._probe = flight
            self.moved_at = flight.sent_at

    def answered(self, flight: Flight, now: float) -> bool:
        """An answer came; True = all paths start anew: a hold begins or ends."""
        refused = flight.verdict.reply_class is ReplyClass.CREDENTIAL
        if self.held:
            return self._answered_in_hold(flight, now, refused=refused)
        if self.maybe_held and not flight.in_hold:
            return False  # it was in flight when the hold began
        if refused:
            self.held = self.maybe_held = True
            self._holds = 0
            self._hold(now)
            return True
        self.maybe_held = self.maybe_held and flight.verdict.reply_class is ReplyClass.THROTTLED
        return False

    def _answered_in_hold(self, flight: Flight, now: float, *, refused: bool) -> bool:
        if flight is not self._probe:
            return False
        self._probe = None
        if refused:
            self._holds += 1
            self._hold(now)
            return False
        self.held = False
        self.maybe_held = flight.verdict.reply_class is ReplyClass.THROTTLED
        return True

    def _hold(self, now: float) -> None:
        self._until = now + self._delays[min(self._holds, len(self._delays) - 1)]
        self.moved_at = now
