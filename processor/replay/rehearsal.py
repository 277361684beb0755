"""A dry run: what would become of letters today, each as the run would account for it. Nothing is sent."""

import shlex
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from processor.plan import Plan
from processor.records import Failure, Filtered, FilterReason, Payload, Record
from processor.replay.opening import Opener
from processor.replay.outcomes import Outcome, worse
from processor.send.account import mask_of
from processor.transform import Fate

REASONS = 10
"""Most of the reasons why letters would fail again are one and the same."""


@dataclass(slots=True)
class Rehearsal:
    """What would become of letters.

    Attributes:
        outcomes: letters, by what would become of them; those that the vendor refuses are not foreseen.
        requests: deliveries that would be made.
        reasons: why letters would fail again, or not be sent, with how many.
        samples: a payload for each route.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    requests: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    samples: dict[str, Payload] = field(default_factory=dict)

    def add(self, record: Record, opener: Opener) -> None:
        """Try one letter, or one source record."""
        outcome: Outcome | None = None
        for route, _, fate in opener.fates(record):
            outcome = worse(outcome, _outcome(fate))
            self._note(route, fate)
        # Routes that read its event are there, but none wants this one.
        self.outcomes[outcome or Outcome.FILTERED] += 1

    def _note(self, route: str, fate: Fate) -> None:
        match fate:
            case Payload():
                self.requests += 1
                self.samples.setdefault(route, fate)
            case Failure():
                self.reasons[f"{route or 'decode'}: {fate.message}"] += 1
            case Filtered(reason):
                self.reasons[f"{fate.route or route or 'no route'}: filtered ({reason.value})"] += 1


def _outcome(fate: Fate) -> Outcome:
    match fate:
        case Payload():
            return Outcome.DELIVERED
        case Failure():
            return Outcome.FAILED
        case Filtered(reason):
            return Outcome.TOO_OLD if reason is FilterReason.TOO_OLD else Outcome.FILTERED


def as_curl(plan: Plan, payload: Payload, hidden: Callable[[object], object]) -> str:
    """The request of one payload as a command line, its key masked; as a single call, also where it rides in a batch.

    Args:
        plan: the destination's.
        payload: what is sent.
        hidden: what is shown of the body.
    """
    settings = plan.settings
    mask = mask_of(settings.api_key.get_secret_value())
    address = plan.vendor.address(settings)
    body = orjson.dumps(hidden(orjson.loads(payload.body))).decode()
    body = f"[{body}]" if payload.channel.batched else body
    headers = {**address.headers, "Content-Type": "application/json"}
    given = [part for name, value in headers.items() for part in ("-H", mask(f"{name}: {value}"))]
    return shlex.join(["curl", "-X", "POST", mask(str(address.url(payload.channel.path))), *given, "-d", body])
