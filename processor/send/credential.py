"""A refused key holds every path of the destination at once, and one probe asks for all. Pure."""

from collections.abc import Sequence

from processor.holds import Change, Reason, State
from processor.records import Request
from processor.send.replies import Reply, describe


class CredentialHold:
    """Whether the key is refused.

    A 401 begins the hold; after each delay one request goes out, with secrets read again, and any answer but another
    401 or a throttled one ends it. Answers to what was in flight when it began say nothing about the key of now, and
    neither does a 401 to what was sent before a probe that was answered otherwise.

    Attributes:
        until: when the next probe may go out; None = no hold.
        since: when it began.
        probe: the one that is in flight.
        last_refusal: the last 401.
    """

    def __init__(self, delays: Sequence[float], journal: list[Change]) -> None:
        self._delays = delays
        self._journal = journal
        self._holds = 0
        self._believed = 0
        self.until: float | None = None
        self.since = float("-inf")
        self.probe: Request | None = None
        self.last_refusal: Reply | None = None

    def refused(self, request: Request, reply: Reply, now: float, stretch: float) -> bool:
        """A 401 came; True = this began the hold, or was its probe. `stretch` is the jitter, ≥ 1."""
        if request.number < self._believed or (self.until is not None and request is not self.probe):
            return False
        if self.until is None:
            self.since = now
            self._holds = 0
        self._believed = 0
        self.until = now + self._delays[min(self._holds, len(self._delays) - 1)] * stretch
        self._holds += 1
        self.probe = None
        self.last_refusal = reply
        self._journal.append(Change("", State.HOLDING, Reason.CREDENTIAL, describe(reply), self.until - now))
        return True

    @property
    def words(self) -> str:
        """What was said last, for people."""
        return f"the key is refused: {describe(self.last_refusal)}" if self.last_refusal else ""

    def throttled(self, request: Request) -> None:
        """The probe, if it is that, was too fast; it is repeated."""
        if request is self.probe:
            self.probe = None

    def answered(self, request: Request, now: float) -> bool:
        """Anything else came; True = this was the probe, and the hold is over."""
        if request is not self.probe:
            return False
        self.probe = self.until = None
        self._believed = request.number
        held = now - self.since
        self._journal.append(Change("", State.ACCEPTING, Reason.CREDENTIAL, "the key is accepted again", held))
        return True
