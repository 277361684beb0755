"""A vendor with weather, dice, and payloads that it will never take; it knows the truth of each of its answers."""

from collections import Counter
from dataclasses import dataclass
from random import Random

from processor.records import Delivery, Request
from processor.send.replies import Answered, NotSent, Reply, ReplyClass, Unknown
from tests.send.worlds import TIMEOUT, Episode, Ill, Setup

CLASSES = {
    Ill.ERROR: ReplyClass.TRANSIENT,
    Ill.BAD_GATEWAY: ReplyClass.TRANSIENT,
    Ill.TIMEOUT: ReplyClass.TRANSIENT,
    Ill.NOT_SENT: ReplyClass.TRANSIENT,
    Ill.KEY: ReplyClass.CREDENTIAL,
    Ill.FORBIDDEN: ReplyClass.FORBIDDEN,
    Ill.MISSING: ReplyClass.MISCONFIGURED,
    Ill.INVALID: ReplyClass.INVALID,
    Ill.BUSY: ReplyClass.THROTTLED,
    Ill.BUSY_UNTIL: ReplyClass.THROTTLED,
    Ill.AWAY_UNTIL: ReplyClass.THROTTLED,
}
"""Written down once more, so that the scheduler is not asked what its answers mean."""

LONGEST = 2.0
"""Times the usual that an answer may take."""
DICE = "dice"
POISON = "poison"
Cause = Episode | str | None
"""Why a request was refused: the weather, the dice, or the payload; None = it was not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the vendor makes of a request.

    Attributes:
        takes: seconds until the answer is there.
    """

    reply: Reply
    reply_class: ReplyClass
    cause: Cause
    takes: float


class Vendor:
    """Answers requests.

    Attributes:
        well: it takes everything from now on; `well_at` = from then on the weather is fine.
        poison: what is wrong with a record's payload for good; by partition and offset.
        hits: requests into an episode, by episode and path; from the time on when nothing from before can be accepted.
    """

    def __init__(self, setup: Setup, random: Random) -> None:
        self._setup = setup
        self._random = random
        self.poison = _poison(setup, random)
        self._weather: dict[str, list[Episode]] = {}
        self.hits: Counter[tuple[Episode, str]] = Counter()
        self.well = False
        self.well_at = max((episode.end for episode in setup.weather), default=0.0)

    def guilty(self, delivery: Delivery) -> Ill | None:
        """What is wrong with this payload for good."""
        if self._setup.banned and delivery.lane == "v0":
            return Ill.FORBIDDEN
        return self.poison.get((delivery.record.assignment.partition, delivery.record.offset))

    def answer(self, request: Request, now: float) -> Verdict:
        """What comes back for a request that arrives now."""
        takes = self._setup.latency * self._random.uniform(0.5, LONGEST)
        if self.well:
            return Verdict(Answered(200, ""), ReplyClass.ACCEPTED, None, takes)
        episode = self._ill(request.channel.path, now)
        if episode is not None:
            self.hits[episode, request.channel.path] += now >= episode.start + LONGEST * self._setup.latency
            return self._refuse(episode.ill, episode, takes)
        if self._setup.dice and self._random.random() < self._setup.dice:
            return self._refuse(Ill.ERROR, DICE, takes)
        for delivery in request.deliveries:
            ill = self.guilty(delivery)
            if ill is not None:
                return self._refuse(ill, POISON, takes)
        return Verdict(Answered(200, ""), ReplyClass.ACCEPTED, None, takes)

    def _ill(self, path: str, now: float) -> Episode | None:
        """The first episode that is on; those that are over are forgotten."""
        weather = self._weather.get(path)
        if weather is None:
            weather = [each for each in self._setup.weather if each.path in {None, path}]
        if weather and any(each.end <= now for each in weather):
            weather = [each for each in weather if each.end > now]
        self._weather[path] = weather
        return next((each for each in weather if each.start <= now), None)

    def _refuse(self, ill: Ill, cause: Cause, takes: float) -> Verdict:
        reply: Reply
        match ill:
            case Ill.TIMEOUT:
                reply, takes = Unknown("no answer in time"), TIMEOUT
            case Ill.NOT_SENT:
                reply = NotSent("connection refused")
            case Ill.BUSY_UNTIL:
                reply = Answered(429, "", retry_after=float(self._random.choice((2, 7, 90))))
            case Ill.AWAY_UNTIL:
                reply = Answered(503, "", retry_after=float(self._random.choice((2, 7, 90))))
            case _:
                reply = Answered(ill.value, "")
        return Verdict(reply, CLASSES[ill], cause, takes)


def _poison(setup: Setup, random: Random) -> dict[tuple[int, int], Ill]:
    """Which records are poison: some by chance, and where the setup says so the first and the last ones."""
    found = {}
    for partition in range(setup.partitions):
        for offset in range(setup.records):
            first = setup.first and offset == 0
            last = offset >= setup.records - setup.tail
            if first or last or random.random() < setup.poison:
                found[partition, offset] = random.choice(setup.poisons)
    return found
