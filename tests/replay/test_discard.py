"""Which letters are discarded, and when they count as such."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.clock import SystemClock
from processor.errors import FatalError
from processor.expressions.language import Language
from processor.replay import discard as module
from processor.replay.discard import Account, discard, find
from processor.replay.history import History, Marks
from processor.replay.selectors import Selection, Selectors
from processor.replay.spans import Spans
from processor.replay.survey import Survey
from processor.replay.walk import Walk
from tests.replay.audits import audited, desk
from tests.replay.letters import ORIGIN, buried
from tests.support.broker import Broker
from tests.support.records import record
from tests.support.topics import TopicFactory


def candidates(history: History, *offsets: int, **selectors: Any) -> Survey:
    """What is found in a topic with letters at these offsets, and two messages of others."""
    walk = Walk(Selection(Selectors(**selectors), ORIGIN.destination, Language({}, lambda: 0.0)), lambda _: None)
    messages = [buried(offset) for offset in offsets]
    return find(walk, [messages, [record(90, value=None, headers=[]), record(91, headers=[])]], history)[0]


def told(**outcomes: Any) -> History:
    """What the audit topic tells of partition 3, where the letters lie."""
    history = History("dlq", "")
    history._mark(Marks(run="1", topic="dlq", partition=3, outcomes=outcomes))
    return history


def test_only_open_letters_are_meant() -> None:
    """What was replayed or discarded before is counted; the account adds up before and after."""
    found = candidates(told(delivered=[(1, 2)], discarded=[(2, 3)]), 0, 1, 2, 3, 5)

    assert found.wanted == {("dlq", 3): Spans((0, 1), (3, 4), (5, 6))}
    for discarded in (0, 3):
        account = Account(found, discarded)
        assert account.balanced
        assert account.counts() == {
            "read": 7,
            "not_a_letter": 1,
            "tombstone": 1,
            "not_selected": 0,
            "closed": 2,
            "selected": 3,
            "discarded": discarded,
            "open": 3 - discarded,
        }


def test_letters_that_are_not_selected() -> None:
    """They are counted as such, whatever became of them."""
    found = candidates(told(delivered=[(1, 2)]), 0, 1, routes=("other",))

    account = Account(found)
    assert (found.selected, account.counts()["not_selected"], account.balanced) == (0, 2, True)


@pytest.mark.parametrize("account", [Account(Survey({}, Counter(), 1)), Account(Survey({}, Counter(), 0), 1)])
def test_an_account_that_does_not_add_up(account: Account) -> None:
    """A message that nobody knows of, or more that is discarded than was found, is a defect that is told."""
    assert not account.balanced


def test_an_audit_topic_that_stops_taking_marks(
    broker: Broker, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not said that they are discarded; the reason is told, and that the command may be run again."""
    monkeypatch.setattr(module, "RUN_TIMEOUT", 0.1)
    found = candidates(History("dlq", ""), 0, 1)
    with desk(broker, audited(broker, topic)) as here:

        def refused(*_: object) -> None:
            here.writer.trouble = "not enough replicas"

        monkeypatch.setattr(here.writer, "mark", refused)
        access = cast("Any", SimpleNamespace(audit=here.audit, topic=here.topic))

        with pytest.raises(FatalError) as caught:
            discard(access, found, here.run(kind="discard"), here.writer, SystemClock())

        assert "did not take all of run" in str(caught.value)
        assert "not enough replicas. What it has taken is discarded; run the command again" in str(caught.value)
        (run,) = here.history.runs.values()
        assert run.ended is None
