"""The words for what is held and why; gates, logs, metrics and `/status` share them."""

from dataclasses import dataclass
from enum import StrEnum

MASS_FAILURE_FIX = (
    "that is a wrong file or schema, not wrong records, so nothing more is worked on, dead-lettered or committed; "
    "repair it and restart, or restart with `dead_letter.hold_above: 1` to let such records through to the dead letters"
)
"""What a mass failure means, and what to do."""


class State(StrEnum):
    """May we send?"""

    PROBING = "probing"
    """One request at a time, one delivery each, until one is accepted. Every gate starts so."""
    ACCEPTING = "accepting"
    """As fast as pace and concurrency allow."""
    HOLDING = "holding"
    """Nothing is sent until the delay is over; nothing is blamed, offsets stay."""
    PAUSED = "paused"
    """The vendor asked the whole destination to wait."""


class Reason(StrEnum):
    """Why something is held (label `reason`)."""

    OUTAGE = "outage"
    """No connection, no answer in time, or 5xx."""
    REFUSED = "refused"
    """It is answered that nothing is taken: 3xx or 4xx."""
    CREDENTIAL = "credential"
    """The key is refused: 401. This holds all paths of the destination."""
    MASS_FAILURE = "mass_failure"
    """So many records fail in decode or map that the deployment is at fault; only a restart ends it."""
    REGISTRY = "registry"
    """A schema is not to be had."""
    DEAD_LETTER_TOPIC = "dead_letter_topic"
    """Letters are not acknowledged; offsets with letters wait."""
    OFFSETS = "offsets"
    """A partition's committed offset is not known, or beyond the end of its log; the others go on."""
    PAUSED = "paused"
    """The file says so: `mode: paused`."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state, for logs.

    Attributes:
        method: the path's label; empty for the whole destination.
        words: what the vendor said last.
        seconds: holding: until the next probe; accepting: for how long it did not; paused: how long.
    """

    method: str
    state: State
    reason: Reason | None
    words: str
    seconds: float
