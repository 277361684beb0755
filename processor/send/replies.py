"""What came back, as facts; their class; and what is done about it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from processor.records import ErrorClass, Failure, Stage


@dataclass(frozen=True, slots=True)
class Answered:
    """The vendor answered.

    Attributes:
        body: the first KiB, as text.
        retry_after: seconds that the vendor asks to wait; None where it does not.
    """

    status: int
    body: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing reached the vendor: DNS, connect or TLS failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request may have been carried out or not: time-out, reset."""

    reason: str


@dataclass(frozen=True, slots=True)
class Shadowed:
    """All was done but the call (`mode: shadow`)."""


Reply = Answered | NotSent | Unknown | Shadowed


def describe(reply: Reply) -> str:
    """A reply in a few words, without its body."""
    match reply:
        case Answered(status):
            return f"status {status}"
        case Shadowed():
            return "not sent: mode shadow"
        case NotSent(reason) | Unknown(reason):
            return reason


class ReplyClass(StrEnum):
    """What a reply says (label `class`)."""

    ACCEPTED = "accepted"
    """2xx."""
    THROTTLED = "throttled"
    """Too fast: 429, or 503 with Retry-After."""
    INVALID = "invalid"
    """The payload is refused."""
    FORBIDDEN = "forbidden"
    """403."""
    MISCONFIGURED = "misconfigured"
    """Nothing of this kind can be right here: 404, 405, 407 (a proxy's), 415, redirects."""
    TRANSIENT = "transient"
    """The vendor's trouble, or the way's."""
    CREDENTIAL = "credential"
    """401: the key."""
    SHADOWED = "shadowed"
    """Nothing was sent (`mode: shadow`)."""


BY_STATUS: tuple[tuple[range | frozenset[int], ReplyClass], ...] = (
    (range(200, 300), ReplyClass.ACCEPTED),
    (frozenset({429}), ReplyClass.THROTTLED),
    (frozenset({401}), ReplyClass.CREDENTIAL),
    (frozenset({403}), ReplyClass.FORBIDDEN),
    (frozenset({404, 405, 407, 415}), ReplyClass.MISCONFIGURED),
    (range(300, 400), ReplyClass.MISCONFIGURED),
    (frozenset({408, 425}), ReplyClass.TRANSIENT),
    (range(400, 500), ReplyClass.INVALID),
)
"""The first line that holds the status says its class; none = transient. From the vendors' documented meanings."""


def classify(reply: Reply) -> ReplyClass:
    """Put a reply into its class."""
    if isinstance(reply, Shadowed):
        return ReplyClass.SHADOWED
    if not isinstance(reply, Answered):
        return ReplyClass.TRANSIENT
    if reply.status == 503 and reply.retry_after is not None:  # noqa: PLR2004 - with Retry-After it is a 429 (RFC 9110)
        return ReplyClass.THROTTLED
    return next((found for statuses, found in BY_STATUS if reply.status in statuses), ReplyClass.TRANSIENT)


SERVER_ERROR = 500
"""From here on a status says that the vendor failed, not what it did before."""
REFUSALS_FOR_GOOD = frozenset({400, 409, 410, 413, 422})
"""Statuses that say: this payload, not this moment. All others are waited out, 401, 403, 404 and 429 included."""


class Verdict(StrEnum):
    """What becomes of the deliveries of a request."""

    ACCEPTED = "accepted"
    """Done with; in shadow mode, as if it had been accepted."""
    BURY = "bury"
    """Refused alone and for good, or sent once with an unknown outcome."""
    SINGLE = "single"
    """Refused as a batch: each is sent again alone, so that only the culprits are buried."""
    WAIT = "wait"
    """Sent again after a delay."""


def may_have_happened(reply: Reply) -> bool:
    """Whether a request that was not accepted may still have been carried out: no answer, or a 5xx.

    Redirects, 4xx and throttled answers say that nothing was done.
    """
    if isinstance(reply, Answered):
        return reply.status >= SERVER_ERROR and classify(reply) is ReplyClass.TRANSIENT
    return isinstance(reply, Unknown)


def judge(reply: Reply, deliveries: int, *, once: bool = False) -> Verdict:
    """The verdict on a request that carried so many deliveries.

    Args:
        reply: what came back.
        deliveries: how many the request carried.
        once: what may have been carried out is not sent again.
    """
    if classify(reply) in {ReplyClass.ACCEPTED, ReplyClass.SHADOWED}:
        return Verdict.ACCEPTED
    if once and may_have_happened(reply):
        return Verdict.BURY
    if isinstance(reply, Answered) and reply.status in REFUSALS_FOR_GOOD:
        return Verdict.BURY if deliveries == 1 else Verdict.SINGLE
    return Verdict.WAIT


def failure_of(reply: Reply) -> Failure:
    """The failure of a delivery that was refused alone and for good, or sent once with an unknown outcome."""
    if may_have_happened(reply):
        error_class = ErrorClass.UNKNOWN_OUTCOME
        message = f"the vendor may have done it, so it is not sent again: {describe(reply)}"
    else:
        error_class = ErrorClass.INVALID
        message = f"the vendor refused it: {describe(reply)}"
    if isinstance(reply, Answered):
        return Failure(Stage.SEND, error_class, message, status=reply.status, response=reply.body)
    return Failure(Stage.SEND, error_class, message)


MAX_RETRY_AFTER = 3600.0
"""Seconds at most that a Retry-After is believed."""


def parse_retry_after(text: str | None, now: Callable[[], datetime]) -> float | None:
    """Seconds to wait, from either form of Retry-After (RFC 9110, 10.2.3); None for nonsense."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(text) - now()).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
