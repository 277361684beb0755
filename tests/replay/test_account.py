"""What became of all letters of a run, in numbers."""

from collections import Counter

import pytest

from processor.replay.account import Account, account_of, filed_counts, filed_lines, unfinished
from processor.replay.history import Outcomes
from processor.replay.outcomes import Outcome
from processor.replay.spans import Spans
from processor.replay.survey import Passed, Survey

ONE, TWO = ("dlq", 1), ("dlq", 2)
SURVEY = Survey(
    {ONE: Spans((0, 10)), TWO: Spans((5, 9))},
    Counter({Passed.NOT_SELECTED: 3, Passed.CLOSED: 2, Passed.TOMBSTONE: 0}),
    19,
)
DONE: Outcomes = {
    "delivered": {ONE: Spans((0, 6)), TWO: Spans((5, 7))},
    "failed": {ONE: Spans((6, 7))},
    "filtered": {TWO: Spans((7, 9))},
}


def test_everything_is_accounted_for() -> None:
    """Selected is what has an outcome and what is open; read is that and what was passed."""
    account = account_of(SURVEY, DONE)

    assert account == Account(
        19,
        SURVEY.passed,
        14,
        {Outcome.FAILED: 1, Outcome.DELIVERED: 8, Outcome.FILTERED: 2},
        3,
    )
    assert account.balanced


def test_a_letter_that_two_workers_told_of() -> None:
    """It counts once, as the first of what `Outcome` lists; the account still balances."""
    account = account_of(
        SURVEY,
        {
            "gone": {ONE: Spans((0, 4)), TWO: Spans((5, 6))},
            "delivered": {ONE: Spans((2, 8))},
            "failed": {ONE: Spans((7, 9)), TWO: Spans((5, 6))},
        },
    )

    assert account.outcomes == {Outcome.FAILED: 3, Outcome.DELIVERED: 5, Outcome.GONE: 2}
    assert (account.open, account.balanced) == (4, True)


def test_marks_of_what_the_run_is_not_about() -> None:
    """They count nowhere: neither other offsets nor other partitions."""
    account = account_of(SURVEY, {"delivered": {ONE: Spans((8, 30)), ("dlq", 7): Spans((0, 5))}})

    assert (account.outcomes[Outcome.DELIVERED], account.open, account.balanced) == (2, 12, True)


def test_the_survey_stays_as_it_is() -> None:
    """Accounts are made of it again and again."""
    account_of(SURVEY, DONE)
    unfinished(SURVEY.wanted, DONE)

    assert SURVEY.wanted == {ONE: Spans((0, 10)), TWO: Spans((5, 9))}


@pytest.mark.parametrize(
    "account",
    [
        Account(5, {}, 4, {Outcome.DELIVERED: 4}, 0),
        Account(4, {}, 4, {Outcome.DELIVERED: 4}, 1),
        Account(4, {Passed.CLOSED: 1}, 4, {Outcome.DELIVERED: 4}, 0),
        Account(4, {}, 4, {Outcome.DELIVERED: 2, Outcome.GONE: 3}, 0),
    ],
)
def test_what_does_not_add_up(account: Account) -> None:
    """It is never hidden."""
    assert not account.balanced
    assert list(account.lines())[-1].strip() == "NOT BALANCED: please report this"
    assert account.as_json()["balanced"] is False


def test_numbers_by_name() -> None:
    """All of them, also those that are 0, as JSON and as the audit has them."""
    account = account_of(SURVEY, DONE)
    counts = account.counts()

    assert counts == {
        "read": 19,
        "not_selected": 3,
        "elsewhere": 0,
        "not_a_letter": 0,
        "tombstone": 0,
        "closed": 2,
        "over_max_replays": 0,
        "route_gone": 0,
        "incomplete": 0,
        "beyond_max": 0,
        "selected": 14,
        "failed": 1,
        "delivered": 8,
        "too_old": 0,
        "filtered": 2,
        "gone": 0,
        "open": 3,
    }
    assert account.as_json(run="r") == {"type": "account", "balanced": True, "letters": counts, "run": "r"}


def test_lines_for_people() -> None:
    """A number each; zeros are left out but for what everybody looks for."""
    passed = {Passed.OVER_MAX_REPLAYS: 4127, Passed.CLOSED: 0}
    account = Account(1_004_129, passed, 1_000_002, {Outcome.DELIVERED: 1_000_001}, 1)

    assert list(account.lines()) == [
        "1 004 129  read",
        "    4 127    over --max-replays, still open",
        "1 000 002  selected",
        "        0    failed again",
        "1 000 001    delivered",
        "        1    still open",
        "           balanced",
    ]


def test_lines_of_a_dry_run() -> None:
    """They say what would be, as far as anybody can tell."""
    account = Account(3, {}, 3, {Outcome.DELIVERED: 1, Outcome.FAILED: 1, Outcome.TOO_OLD: 1}, 0)

    assert [line[11:].strip() for line in account.lines(would=True)] == [
        "read",
        "selected",
        "would fail again",
        "would be delivered, as far as the vendor takes them",
        "too old",
        "balanced",
    ]


def test_a_message_that_nobody_knows_of() -> None:
    """What was read is counted by itself, so a message that falls between all reasons is told."""
    assert not account_of(Survey({}, Counter(), 1), {}).balanced


def test_what_is_put_back() -> None:
    """The file's letters add up by themselves: those that are put back are what the run is about."""
    survey = Survey({ONE: Spans((0, 4_000))}, Counter({Passed.CLOSED: 8, Passed.NOT_SELECTED: 12}), 4_020)

    assert list(filed_lines(survey, would=False)) == [
        "    4 020  in the file",
        "       12    not selected",
        "        8    put back, replayed or discarded before",
        "    4 000    put back",
    ]
    assert list(filed_lines(survey, would=True))[-1] == "    4 000    would be put back"
    counts = filed_counts(survey)
    assert counts["read"] == sum(number for name, number in counts.items() if name != "read") == 4_020


def test_what_is_unfinished() -> None:
    """What no outcome names; partitions of which nothing is left are gone, others' marks are passed over."""
    left = unfinished(SURVEY.wanted, {**DONE, "gone": {("dlq", 7): Spans((0, 5))}})

    assert left == {ONE: Spans((7, 10))}
    assert unfinished(SURVEY.wanted, {}) == SURVEY.wanted
