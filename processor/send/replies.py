"""What came back, as facts; their class; and what is done about it. Pure."""

from collections.abc import Callable, Iterable, Mapping
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
        mentions: texts of the file's rules for this status that occur in the whole of the body, as far as it was read.
    """

    status: int
    body: str
    retry_after: float | None = None
    mentions: frozenset[str] = frozenset()


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
        case NotSent(reason) | Unknown(reason):  # pragma: no branch - exhaustive, as mypy checks
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


DONE = frozenset({ReplyClass.ACCEPTED, ReplyClass.SHADOWED})
"""Nothing more is to be sent."""
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
    """Put a reply into its class, where the file has no rule for it."""
    if isinstance(reply, Shadowed):
        return ReplyClass.SHADOWED
    if not isinstance(reply, Answered):
        return ReplyClass.TRANSIENT
    if reply.status == 503 and reply.retry_after is not None:  # noqa: PLR2004 - with Retry-After it is a 429 (RFC 9110)
        return ReplyClass.THROTTLED
    return next((found for statuses, found in BY_STATUS if reply.status in statuses), ReplyClass.TRANSIENT)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the file says of a reply.

    Attributes:
        body: must occur in the reply's body; None = whatever it says.
    """

    status: int
    body: str | None
    reply_class: ReplyClass


class ReplyTable:
    """Puts replies into classes: by the file's rules, the first that fits; where none does, by the table of all."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[int, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.status, []).append(rule)

    @property
    def texts(self) -> Mapping[int, frozenset[str]]:
        """What to look for in bodies, by the status of the replies that rules are about."""
        return {status: frozenset(rule.body for rule in rules if rule.body) for status, rules in self._rules.items()}

    def classify(self, reply: Reply) -> ReplyClass:
        """Put a reply into its class."""
        if isinstance(reply, Answered):
            for rule in self._rules.get(reply.status, ()):
                if rule.body is None or rule.body in reply.mentions:
                    return rule.reply_class
        return classify(reply)


NOTHING_DONE = range(300, 500)
"""Redirects and 4xx say that the request was not carried out."""


def may_have_happened(reply: Reply, reply_class: ReplyClass) -> bool:
    """Whether a request may have been carried out although it was not accepted: no answer, or a transient one.

    Redirects, 4xx, throttled answers, and those that a rule calls a refusal say that nothing was done.
    """
    if isinstance(reply, Answered):
        return reply_class is ReplyClass.TRANSIENT and reply.status not in NOTHING_DONE
    return isinstance(reply, Unknown)


def failure_of(reply: Reply, error_class: ErrorClass, *, compared: bool = True) -> Failure:
    """The failure of a delivery that sending gave up.

    How often and for how long it was tried is told beside it, in the letter: the words are the same for one cause.

    Args:
        reply: the one that decided it.
        error_class: invalid, refused, exhausted or unknown_outcome.
        compared: whether there was anything to compare it with; else it was given up after `retry.stalemate`.
    """
    message = f"{_verdict(error_class, compared=compared)}: {describe(reply)}"
    if classify(reply) is ReplyClass.ACCEPTED:
        message += ", which the file's `replies` call a refusal"
    if isinstance(reply, Answered):
        return Failure(Stage.SEND, error_class, message, status=reply.status, response=reply.body)
    return Failure(Stage.SEND, error_class, message)


def _verdict(error_class: ErrorClass, *, compared: bool) -> str:
    if error_class is ErrorClass.UNKNOWN_OUTCOME:
        return "the vendor may have done it, so it is not sent again"
    if error_class is ErrorClass.INVALID:
        return "the vendor refused it"
    if not compared:
        return "the vendor refused it for all of retry.stalemate, and accepted nothing to compare it with"
    did = "failed at" if error_class is ErrorClass.EXHAUSTED else "refused"
    return f"the vendor {did} it, and accepted others meanwhile"


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
