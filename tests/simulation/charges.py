"""What the service can be convicted of; each charge is brought by one rule, and by at least one mutant."""

from enum import Enum


class Charge(Enum):
    """A rule that was broken; the number is the invariant's in the design."""

    LOST = "1: an offset was committed beyond a record that is not settled"
    NAMED = "1: a commit names a record that is not settled"
    UNENTERED = "2: a record was handed over before it was in the ledger"
    WENT_BACK = "3: a commit went back"
    NOT_OURS = "3: a commit for a partition that the member does not own"
    TWO_COMMITS = "3: two commits of a partition in flight"
    TWO_IN_LANE = "4: two requests of one lane in flight"
    FIRST_ATTEMPTS = "4: first attempts of a lane are not in offset order"
    LATE = "5: a result counted after its assignment had ended"
    MEMORY = "6: more unsettled than in_memory and one poll batch"
    NOT_POLLING = "6: polling stopped"
    RECORDS = "7: records read are not settled, unsettled and abandoned ones"
    DELIVERIES = "7: deliveries made are not the sum of their states"
    LETTER = "8: a dead letter counts that the broker does not have"
    INNOCENT = "9: a valid record is a dead letter"
    ENDED = "10: an exception ended a thread, a task or the process"
    SECRET = "11: a secret was told"  # noqa: S105
    ORDER = "first acceptances of a lane are not in offset order"
    NEWEST = "the last acceptance of a lane is not its newest record's"
    REPEATED = "sent again although the group knew it to be settled"
    MUCH_REPEATED = "a crash leaves more to be repeated than what was in flight and one commit interval"
    STALE_MEMBER = "a member sends what another one owns"
    STUCK = "not done long after all troubles are over"
    UNREADY = "not ready long after all troubles are over"
    SILENT = "a partition stands still and no reason is said"
    EXIT = "the end was not as specified"
    UNCOMMITTED = "ended well, and what was settled is not committed"
