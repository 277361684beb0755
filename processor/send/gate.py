"""The gate of one URL path: may we send? Pure.

                          a refusal, then one of others
            accepted      sent later, none accepted between
    PROBING ────────▶ ACCEPTING ────────────────────────────▶ PROBING
       │ ▲
       │ └──────── retry.delays[n] are over ────────┐
       └─ the probes were refused ─▶ HOLDING (n) ───┘      an acceptance opens it from any state

Who is sent as a probe is the outlet's choice; what a refusal means for a delivery is told in `blame.py`.
"""

from collections.abc import Sequence

from processor.delays import delay_after
from processor.holds import Change, Reason, State
from processor.send.replies import Answered, Reply, describe

PROBES = 10
"""Heads at most that are probed before the gate holds: a few poison records must not pass for an outage."""
INVALID_BUDGET = 50
"""So many may be blamed as `invalid` since the path last accepted something: a vendor that answers 400 to everything
looks just like so many bad payloads, and costs no more letters than these."""
SUSPECTS_BUDGET = 50
"""So many suspects may be blamed since then: an outage may meet suspects alone."""
SERVER_ERROR = 500


class Gate:
    """The state of one path.

    Args:
        label: the path's, for people.
        delays: seconds of the first hold, the second, …; the last one repeats.
        journal: where changes are noted.

    Attributes:
        era: grows whenever the gate opens or closes; a refusal that was sent in another era blames nobody.
        holds: holds since the last acceptance; the next one lasts `delays[holds]`.
        until: while holding, when it probes again.
        held_at: when the last hold began.
        since: when the trouble began; None while there is none.
        last_refusal: what was said then, as a reply.
        accepted_at: when something was accepted last; -inf = nothing since the process started.
        recovered_at: when an acceptance last ended a trouble.
        round: number of this probing; tells who was probed in it already.
        newcomer_at: when a newcomer was last probed in a hold.
        fruitless: probings since the last acceptance in each of which ten different heads, or all that there were, were
            answered with a refusal.
    """

    def __init__(self, label: str, delays: Sequence[float], journal: list[Change]) -> None:
        self._label = label
        self._delays = delays
        self._journal = journal
        self.state = State.PROBING
        self.era = 0
        self.holds = 0
        self.until = float("-inf")
        self.held_at = float("-inf")
        self.since: float | None = None
        self.last_refusal: Reply | None = None
        self.accepted_at = float("-inf")
        self.recovered_at = float("-inf")
        self.round = 0
        self.newcomer_at = float("-inf")
        self.fruitless = 0
        self._probed = 0
        self._invalid_blamed = 0
        self._suspects_blamed = 0

    def __repr__(self) -> str:
        return f"<Gate {self.state} era {self.era} holds {self.holds}>"

    # What happened.

    def accepted(self, now: float) -> None:
        """The path accepted something: the gate opens."""
        self._invalid_blamed = self._suspects_blamed = 0
        self.accepted_at = now
        self.fruitless = 0
        if self.state is State.ACCEPTING:
            return
        if self.since is not None:
            self.recovered_at = now
            self._note(State.ACCEPTING, now - self.since)
        self.state = State.ACCEPTING
        self.era += 1
        self.holds = 0
        self.since = self.last_refusal = None

    def probe(self) -> None:
        """Find out, one by one, whether the path accepts anything."""
        if self.state is State.ACCEPTING:
            self.era += 1
        self.state = State.PROBING
        self.round += 1
        self._probed = 0

    def trouble(self, reply: Reply, now: float) -> None:
        """Remember what was said last, and since when it goes so."""
        self.last_refusal = reply
        if self.since is None:
            self.since = now

    def closes(self, reply: Reply, now: float) -> None:
        """The path refuses others, too."""
        self.trouble(reply, now)
        self.probe()
        self._note(State.PROBING, 0.0)

    def probe_refused(self, reply: Reply) -> bool:
        """A probe was refused; True = hold, for no other head would change that.

        An answered 4xx may be this head's own fault, so that another one is worth a try; a 5xx, no answer or no
        connection is not.
        """
        self._probed += 1
        return not refused_by_answer(reply) or self._probed >= PROBES

    def hold(self, now: float, stretch: float) -> None:
        """Wait; each hold since the last acceptance is longer than the one before. `stretch` is the jitter, ≥ 1."""
        self.fruitless += self._probed > 0 and refused_by_answer(self.last_refusal)  # unanswered, it holds at once
        self.state = State.HOLDING
        self.held_at = now
        self.until = now + delay_after(self.holds + 1, self._delays) * stretch
        self.holds += 1
        if self.since is None:
            self.since = now
        self._note(State.HOLDING, self.until - now)

    def _note(self, state: State, seconds: float) -> None:
        self._journal.append(Change(self._label, state, self.reason, self.words, seconds))

    # What may be blamed.

    def fair(self, era: int) -> bool:
        """Whether the answer to a request that was sent in this era may blame somebody."""
        return era == self.era and self.state is not State.HOLDING

    @property
    def may_blame_invalid(self) -> bool:
        """Whether a refusal of the payload may be believed: the path accepted others, and few were blamed since."""
        return self.accepted_at > float("-inf") and self._invalid_blamed < INVALID_BUDGET

    def blame_invalid(self) -> None:
        """One was blamed."""
        self._invalid_blamed += 1

    @property
    def may_blame_suspect(self) -> bool:
        """Whether a suspect's refusal is still its own."""
        return self._suspects_blamed < SUSPECTS_BUDGET

    def blame_suspect(self) -> None:
        """One was blamed."""
        self._suspects_blamed += 1

    @property
    def reason(self) -> Reason:
        """Why it does not accept."""
        return Reason.REFUSED if refused_by_answer(self.last_refusal) else Reason.OUTAGE

    @property
    def words(self) -> str:
        """What the path said last, for people."""
        return describe(self.last_refusal) if self.last_refusal else "nothing was sent yet"


def refused_by_answer(reply: Reply | None) -> bool:
    """Whether the vendor answered that it will not: 3xx or 4xx."""
    return isinstance(reply, Answered) and reply.status < SERVER_ERROR
