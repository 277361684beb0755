"""What a scheduler can be convicted of, each under a name of its own."""

from enum import StrEnum


class Charge(StrEnum):
    """One rule of sending that was broken."""

    ORDER = "a lane is out of order"
    LANE = "two requests of one lane in flight"
    BODY = "the body is not the deliveries'"
    LIMITS = "a batch beyond its limits"
    WHOLE = "a refused batch was sent whole again"
    AGE = "sent when too old, or given up when not too old"
    RATE = "faster than the account's rate"
    RETRY_AFTER = "sent before the time that the vendor named"
    DELAY = "sent again before its delay was over"
    TRIAL = "what was refused before goes out together again"
    PROBE = "a closed gate let out more than one probe"
    TURN = "a head was probed although another was refused less often"
    HOLD = "a hold ended before its delay"
    CREDENTIAL = "sent in spite of a refused key"
    SPIN = "told to ask again at a time that is over"
    ASLEEP = "something could move by itself, and nobody will ask again"
    IDLE = "something could go out at once, and did not"
    SILENT = "a path with work was silent for longer than the longest delay"
    ATTEMPTS = "attempts are counted wrongly"
    COUNTERS = "the scheduler's figures are not the truth"
    FATE = "not exactly one fate, or the wrong one"
    MEMORY = "something is kept in memory at the end"
    GROUNDS = "blamed for something that it was not refused for"
    EVIDENCE = "blamed without strikes enough"
    ADDED_UP = "strikes of different classes were added up"
    INVALID_TWICE = "called invalid before its second refusal alone"
    INVALID_BUDGET = "more payloads blamed than the budget has"
    ATTEMPTS_LEFT = "exhausted before max_attempts"
    SUSPECTS_BUDGET = "more suspects blamed than the budget has"
    STALEMATE_OFTEN = "more than one stalemate letter in its time"
    ONCE = "what may have been done once was sent again, or buried without cause"
    INNOCENT = "a valid delivery was blamed outside the budgets"
    KEPT = "guilty by the rules, and not buried"
    DEADLOCK = "a stalemate was not ended"
    OUTAGE = "more requests into an outage than the delays allow"
    LATE = "not done long after the vendor has recovered"


class ConvictionError(AssertionError):
    """The scheduler broke a rule.

    Attributes:
        charge: which one.
    """

    def __init__(self, charge: Charge, what: str) -> None:
        super().__init__(f"{charge.name}: {charge.value}: {what}")
        self.charge = charge
