"""What became of all letters that a run looked at, in numbers that must add up."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from processor.records import Key
from processor.replay.history import Outcomes
from processor.replay.outcomes import Outcome
from processor.replay.spans import Spans
from processor.replay.survey import Passed, Survey

WORDS = {
    Passed.NOT_SELECTED: "not selected",
    Passed.ELSEWHERE: "of other destinations",
    Passed.NOT_A_LETTER: "no letters",
    Passed.TOMBSTONE: "tombstones",
    Passed.CLOSED: "replayed or discarded before",
    Passed.OVER_MAX_REPLAYS: "over --max-replays, still open",
    Passed.ROUTE_GONE: "of a route that the file has no more, still open",
    Passed.INCOMPLETE: "not whole in the topic, still open; `replay --source` reads them where they were",
    Passed.BEYOND_MAX: "beyond --max, still open",
    Outcome.FAILED: "failed again",
    Outcome.DELIVERED: "delivered",
    Outcome.TOO_OLD: "too old",
    Outcome.FILTERED: "filtered",
    Outcome.GONE: "deleted by Kafka before they were sent",
}

WOULD = {Outcome.FAILED: "would fail again", Outcome.DELIVERED: "would be delivered, as far as the vendor takes them"}
"""The same in a dry run."""


@dataclass(frozen=True, slots=True)
class Account:
    """A run's account.

    Attributes:
        read: messages between the run's begins and ends.
        passed: those that it was not about, by reason.
        outcomes: what became of those that it was about.
        open: those of them that nothing became of yet.
    """

    read: int
    passed: Mapping[Passed, int]
    selected: int
    outcomes: Mapping[Outcome, int]
    open: int

    @property
    def balanced(self) -> bool:
        """Whether every message is accounted for, once."""
        told = self.selected == sum(self.outcomes.values()) + self.open
        return told and self.read == self.selected + sum(self.passed.values())

    def counts(self) -> dict[str, int]:
        """All numbers by name, for JSON and for the audit."""
        passed = {each.value: self.passed.get(each, 0) for each in Passed}
        outcomes = {each.value: self.outcomes.get(each, 0) for each in Outcome}
        return {"read": self.read, **passed, "selected": self.selected, **outcomes, "open": self.open}

    def as_json(self, **more: Any) -> dict[str, Any]:
        """As `--format json` prints it."""
        return {"type": "account", "balanced": self.balanced, "letters": self.counts(), **more}

    def lines(self, *, would: bool = False) -> Iterator[str]:
        """For people, a number each; what is 0 is left out, but for what everybody looks for.

        Args:
            would: of a dry run.
        """
        words = WORDS | (WOULD if would else {})
        yield _line(self.read, "read")
        yield from (_line(self.passed[each], f"  {WORDS[each]}") for each in Passed if self.passed.get(each))
        yield _line(self.selected, "selected")
        for outcome in Outcome:
            if self.outcomes.get(outcome) or outcome in {Outcome.DELIVERED, Outcome.FAILED}:
                yield _line(self.outcomes.get(outcome, 0), f"  {words[outcome]}")
        if self.open:
            yield _line(self.open, "  still open")
        yield f"{'':11}{'balanced' if self.balanced else 'NOT BALANCED: please report this'}"


def filed_lines(survey: Survey, *, would: bool) -> Iterator[str]:
    """What becomes of a file's letters before they are replayed, for people.

    Args:
        survey: of the file.
        would: of a dry run.
    """
    yield _line(survey.read, "in the file")
    words = WORDS | {Passed.CLOSED: "put back, replayed or discarded before"}
    yield from (_line(survey.passed[each], f"  {words[each]}") for each in Passed if survey.passed.get(each))
    yield _line(survey.selected, "  would be put back" if would else "  put back")


def filed_counts(survey: Survey) -> dict[str, int]:
    """The same by name, for JSON."""
    return {
        "read": survey.read,
        **{each.value: survey.passed.get(each, 0) for each in Passed},
        "put_back": survey.selected,
    }


def _line(number: int, words: str) -> str:
    return f"{f'{number:,}'.replace(',', ' '):>9}  {words}"


def account_of(survey: Survey, outcomes: Outcomes) -> Account:
    """Add up what the audit topic tells of a run.

    A letter that two workers have told of counts as the first of what `Outcome` lists.
    """
    told: Counter[Outcome] = Counter()
    left = dict(survey.wanted)
    for outcome in Outcome:
        for key, spans in outcomes.get(outcome, {}).items():
            before = left.get(key, Spans())
            after = before.minus(spans)
            told[outcome] += len(before) - len(after)
            left[key] = after
    return Account(survey.read, dict(survey.passed), survey.selected, dict(told), sum(map(len, left.values())))


def unfinished(wanted: Mapping[Key, Spans], outcomes: Outcomes) -> dict[Key, Spans]:
    """What nothing is told of yet."""
    left = dict(wanted)
    for told in outcomes.values():
        for key, spans in told.items():
            if key in left:
                left[key] = left[key].minus(spans)
    return {key: spans for key, spans in left.items() if spans}
