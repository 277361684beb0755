"""What the undertaker makes of its client: refusals, fatal errors, a client that cannot be made."""

import time
from itertools import groupby
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from processor.settle import undertaker as module
from processor.settle.letters import VALUE_OMITTED
from tests.settle.undertakers import Burial, Scripted, letter_of
from tests.support.records import record
from tests.support.waiting import eventually_sync


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused letters are tried again at once."""
    monkeypatch.setattr(module, "BACK_OFF", (0.05,))


@pytest.mark.usefixtures("soon")
def test_a_fatal_error_makes_a_new_client() -> None:
    """After a fatal error everything goes to a new client, and nothing is lost (invariant 10)."""
    fatal = KafkaError(KafkaError._FATAL, "fenced", fatal=True)
    made: list[Scripted] = []

    def make_producer() -> Producer:
        made.append(Scripted([fatal] if not made else []))
        return cast("Producer", made[-1])

    burial = Burial("letters", make_producer)
    burial.bury(letter_of(record(0)), letter_of(record(1)))
    burial.await_burials(2)
    burial.undertaker.stop(1)

    assert [one.purged for one in made] == [True, False]
    assert {one.record.offset for one in burial.buried} == {0, 1}


@pytest.mark.usefixtures("soon")
def test_a_client_that_breaks_while_it_is_asked_is_replaced() -> None:
    """A fatal error may be raised where nobody asked about a letter; what it held is not lost (invariant 10)."""
    made: list[Scripted] = []

    def make_producer() -> Producer:
        made.append(Scripted([]))
        if len(made) == 1:
            made[0].poll = made[0].flush = broken  # type: ignore[method-assign] # a script, not a class for each
        return cast("Producer", made[-1])

    def broken(_: float) -> None:
        if made[0].unanswered:
            raise KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "not allowed", fatal=True))

    burial = Burial("letters", make_producer)
    burial.bury(letter_of(record(0)), letter_of(record(1)))
    burial.await_burials(2)
    for late in made[0].unanswered:
        late(None, None)
    burial.undertaker.stop(1)

    assert len(burial.buried) == 2
    assert burial.undertaker.waiting == 0
    assert "kafka-acls.sh" in burial.lines("dead_letter_refused")[0]["fix"]


@pytest.mark.usefixtures("soon")
def test_what_the_client_refuses_at_once_is_tried_again() -> None:
    """An error that `produce` itself raises, like a topic that is known to be missing, costs a delay and no letter."""
    refusing = Scripted([])
    produce, refusals = refusing.produce, [KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC)), BufferError()]

    def refuse_first(*arguments: Any, **named: Any) -> None:
        if refusals:
            raise refusals.pop(0)
        produce(*arguments, **named)

    refusing.produce = refuse_first  # type: ignore[method-assign] # a script, not a class for each
    burial = Burial("letters", lambda: cast("Producer", refusing))
    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    assert burial.lines.events == ["dead_letter_refused", "dead_letter_topic_back"]


def test_refusals_are_tried_again_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal of a letter waits longer, up to the last delay; what repeats is not logged again."""
    monkeypatch.setattr(module, "BACK_OFF", (0.01, 0.02, 0.03))
    unknown, late = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), KafkaError(KafkaError._MSG_TIMED_OUT)
    script = Scripted([unknown, late, unknown, unknown, late])
    burial = Burial("letters", lambda: cast("Producer", script))

    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    waits = [line["next"].split(" s ")[0] for line in burial.lines("dead_letter_refused")]
    assert waits == [f"tried again in {seconds}" for seconds in (0.01, 0.02, 0.03, 0.03)]


@pytest.mark.usefixtures("soon")
def test_trouble_is_told_since_its_beginning() -> None:
    """What the broker says may change meanwhile; for how long letters have waited counts from the first refusal."""
    unknown, late = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), KafkaError(KafkaError._MSG_TIMED_OUT)
    script = Scripted([unknown, late])
    poll = script.poll
    seen: list[Any] = []
    burials: list[Burial] = []

    def watched(seconds: float) -> None:
        poll(seconds)
        seen.extend(each.undertaker.trouble for each in burials)

    script.poll = watched  # type: ignore[assignment, method-assign] # a script, not a class for each
    burial = Burial("letters", lambda: cast("Producer", script))
    burials.append(burial)
    begun = time.time()
    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    troubles = [trouble for trouble in seen if trouble]
    assert [words for words, _ in groupby(trouble.words for trouble in troubles)] == [unknown.str(), late.str()]
    assert len({trouble.since for trouble in troubles}) == 1
    assert begun <= troubles[0].since <= time.time()


@pytest.mark.usefixtures("soon")
def test_a_letter_is_made_smaller_only_where_it_is_alone() -> None:
    """What is refused as too large goes once more as it is; then nothing is omitted twice, and no delay is waited."""
    too_large = [KafkaError(KafkaError.MSG_SIZE_TOO_LARGE) for _ in range(3)]
    burial = Burial("letters", lambda: cast("Producer", Scripted(too_large)))

    burial.bury(letter_of(record(0)), letter_of(record(1)))
    burial.await_burials(2)
    burial.undertaker.stop(1)

    assert burial.lines("dead_letter_refused") == []
    cut = {one.record.offset: [name for name, _ in one.headers].count(VALUE_OMITTED) for one in burial.buried}
    assert cut == {0: 1, 1: 0}


@pytest.mark.usefixtures("soon")
def test_a_letter_that_does_not_fit_at_all_is_trouble() -> None:
    """That is said, and it is tried again as a whole: somebody may have let the topic take more."""
    script = Scripted([KafkaError(KafkaError.MSG_SIZE_TOO_LARGE) for _ in range(4)])
    burial = Burial("letters", lambda: cast("Producer", script))

    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    assert "max.message.bytes" in burial.lines("dead_letter_refused")[0]["fix"]
    assert burial.buried[0].value == b"vv"
    assert burial.lines.events == ["dead_letter_refused", "dead_letter_topic_back"]


def test_a_stop_does_not_wait_for_ever() -> None:
    """Letters that nobody acknowledges do not keep the process: their offsets stay, and they are read again."""
    silent = Scripted([])
    silent.poll = lambda _: None  # type: ignore[method-assign] # a broker that never answers
    burial = Burial("letters", lambda: cast("Producer", silent))
    burial.bury(letter_of(record(0)))

    burial.undertaker.stop(0.05)

    assert not burial.undertaker._thread.is_alive()
    assert (burial.buried, burial.undertaker.waiting) == ([], 1)


@pytest.mark.usefixtures("soon")
def test_a_client_that_cannot_be_made_is_made_later() -> None:
    """Without a login there is no client; letters wait for it, that is said once, and it is no trouble afterwards."""
    refusal = KafkaError(KafkaError._AUTHENTICATION, "no AWS credentials were found")
    failures = [KafkaException(refusal), KafkaException(refusal)]
    script = Scripted([])

    def make_producer() -> Producer:
        if failures:
            raise failures.pop()
        return cast("Producer", script)

    burial = Burial("letters", make_producer)
    burial.bury(letter_of(record(0)))
    burial.await_burials(1)
    burial.undertaker.stop(1)

    assert burial.lines.events == ["dead_letter_producer_failed"]
    assert burial.lines("dead_letter_producer_failed")[0]["reason"] == refusal.str()
    assert burial.undertaker.trouble is None


def test_a_stop_does_not_wait_for_a_client() -> None:
    """A service without a login ends like any other."""

    def make_producer() -> Producer:
        raise KafkaException(KafkaError(KafkaError._AUTHENTICATION, "no login"))

    burial = Burial("letters", make_producer)
    burial.bury(letter_of(record(0)))
    trouble = eventually_sync(lambda: burial.undertaker.trouble)
    burial.undertaker.stop(5)

    assert trouble.words == "no login"
    assert not burial.undertaker._thread.is_alive()
    assert burial.undertaker.waiting == 1
