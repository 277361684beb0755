"""What is wrong outside, and when: episodes that every simulated part looks at by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from math import inf

from processor.clock import Clock


class Ill(Enum):
    """What may be wrong for a while."""

    AWAY = auto()
    """Kafka: no broker can be reached; what was under way is carried out or not, and its answer does not come."""
    SILENT = auto()
    """Kafka: the brokers take requests, and answer when the episode is over."""
    SLOW = auto()
    """Kafka: every answer takes seconds."""
    NO_COORDINATOR = auto()
    """Kafka: the groups' coordinator is not to be had; reading and writing go on."""
    NO_LEADER = auto()
    """Kafka: partitions have no leader; groups go on."""
    COMMITS_REFUSED = auto()
    """Kafka: the group may not be written to."""
    METADATA_REFUSED = auto()
    """Kafka: commits with metadata are refused."""
    LETTERS_REFUSED = auto()
    """Kafka: the dead-letter topics may not be written to."""
    LETTERS_STUCK = auto()
    """Kafka: too few copies are in sync, so that nothing is written."""
    LETTERS_LOST = auto()
    """Kafka: what is produced is written, and the client never hears of it."""
    QUEUE_FULL = auto()
    """Kafka: the producers' own queues are full."""
    REGISTRY_AWAY = auto()
    """Registry: nobody listens."""
    REGISTRY_SILENT = auto()
    """Registry: no answer in time."""
    REGISTRY_ERROR = auto()
    """Registry: 500."""
    REGISTRY_LOGIN = auto()
    """Registry: 401."""
    REGISTRY_PAGE = auto()
    """Registry: something before it answers 404 to everything."""
    ERROR = auto()
    """Vendor: 500."""
    KEY = auto()
    """Vendor: 401."""
    FORBIDDEN = auto()
    """Vendor: 403."""
    MISSING = auto()
    """Vendor: 404."""
    INVALID = auto()
    """Vendor: 400."""
    REDIRECT = auto()
    """Vendor: 302."""
    BUSY = auto()
    """Vendor: 429."""
    BUSY_UNTIL = auto()
    """Vendor: 429 with Retry-After."""
    UNAVAILABLE_UNTIL = auto()
    """Vendor: 503 with Retry-After."""
    UNREACHABLE = auto()
    """Vendor: connection refused."""
    RESET = auto()
    """Vendor: the connection breaks, before the request is carried out or after."""
    TIMEOUT = auto()
    """Vendor: no answer in time, and nothing is done."""
    LOST = auto()
    """Vendor: all is done, and no answer comes in time."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Something is wrong from `start` until `end`, in the clock's seconds.

    Attributes:
        share: how many of the requests it hits.
    """

    ill: Ill
    start: float
    end: float
    share: float = 1.0


class Weather:
    """The episodes of a run.

    Attributes:
        over: when the last one ends.
    """

    def __init__(self, clock: Clock, episodes: Iterable[Episode] = ()) -> None:
        self._clock = clock
        self._episodes: list[Episode] = []
        self.over = 0.0
        for episode in episodes:
            self.add(episode)

    def add(self, episode: Episode) -> None:
        """There will be, or is, one more."""
        self._episodes.append(episode)
        self.over = max(self.over, episode.end)

    def begin(self, ill: Ill, share: float = 1.0) -> None:
        """Something goes wrong, until `end`."""
        self._episodes.append(Episode(ill, self._clock.now(), inf, share))

    def end(self, ill: Ill) -> None:
        """It is over now, whether it was begun or was to last longer."""
        self._episodes = [each for each in self._episodes if each.ill is not ill or each.start > self._clock.now()]

    def now(self, *kinds: Ill) -> Episode | None:
        """The first episode of these kinds that is on."""
        if not self._episodes:
            return None
        now = self._clock.now()
        if any(each.end <= now for each in self._episodes):
            self._episodes = [each for each in self._episodes if each.end > now]
        return next((each for each in self._episodes if each.start <= now and each.ill in kinds), None)

    def left(self, ill: Ill) -> float:
        """Seconds until an episode is over; 0 where it is not on, inf where nobody knows."""
        episode = self.now(ill)
        return episode.end - self._clock.now() if episode else 0.0
