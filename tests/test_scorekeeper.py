from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from processor.clock import ManualClock
from processor.holds import Change, Reason, State
from processor.metrics import DEAD_LETTERS, DELIVERIES, FILTERED, PREFIX, REQUESTS, Declaration, Metrics
from processor.records import (
    Channel,
    Delivery,
    ErrorClass,
    Failure,
    Filtered,
    FilterReason,
    Request,
    Stage,
)
from processor.scorekeeper import NEXT, ONCE, REPEAT_AFTER, Scorekeeper, Sometimes
from processor.send.replies import ReplyClass
from tests.support.logs import Lines
from tests.support.records import record

CART = Channel("cart", "/carts", batched=False)
RECORD = record(7)
UNMAPPED = Failure(Stage.MAP, ErrorClass.UNMAPPED, "itemId: text is not an integer")


class Score:
    """A pipeline's scorekeeper, with its clock, its metrics and its lines."""

    def __init__(self) -> None:
        self.clock = ManualClock(start=100.0, wall=5000.0)
        self.metrics = Metrics()
        self.lines = Lines()
        self.keeper = Scorekeeper(self.metrics, "voyado", self.clock, self.lines.log)

    def delivery(self, route: str = "carts", *, attempts: int = 1, **parts: Any) -> Delivery:
        """A delivery that was mapped at 90 and happened at 4990."""
        plain = Delivery(record(), 7, route, 0, CART, b"{}", None, 4990.0, 90.0, attempts)
        return replace(plain, **parts)

    def replied(self, words: str, reply_class: str = "accepted", *deliveries: Delivery, seconds: float = 2.0) -> None:
        """A request came back; what it carried was accepted if it says so."""
        accepted = deliveries if reply_class == "accepted" else ()
        self.keeper.replied(Request(CART, deliveries, b""), words, reply_class, accepted, seconds)

    def total(self, declaration: Declaration, **labels: str) -> int:
        """How many were counted."""
        return self.metrics.total(declaration, pipeline="voyado", **labels)

    def histogram(self, name: str) -> tuple[float, float]:
        """Count and sum of a histogram."""
        text = self.metrics.render().decode()
        values = {one.name: one.value for family in text_string_to_metric_families(text) for one in family.samples}
        return values[f"{PREFIX}{name}_count"], values[f"{PREFIX}{name}_sum"]


@pytest.fixture
def score() -> Score:
    """A score at zero."""
    return Score()


def test_a_filtered_event_is_counted_by_route_and_reason(score: Score) -> None:
    """What a rule filtered is told apart from what no route wants."""
    score.keeper.filtered(Filtered(FilterReason.WHEN, "carts"), RECORD)
    score.keeper.filtered(Filtered(FilterReason.NO_ROUTE), RECORD)

    assert score.total(FILTERED, route="carts", reason="when") == 1
    assert score.total(FILTERED, route="", reason="no_route") == 1


def test_an_accepted_batch_counts_each_delivery(score: Score) -> None:
    """One request, many deliveries, each by its own route, with their ages."""
    score.replied("status 200", "accepted", score.delivery(), score.delivery("orders", event_time=None))

    assert score.total(REQUESTS, method="cart", **{"class": "accepted"}) == 1
    assert score.total(DELIVERIES, route="carts", outcome="delivered") == 1
    assert score.total(DELIVERIES, route="orders", outcome="delivered") == 1
    assert score.histogram("end_to_end_seconds") == (1, 10)
    assert score.histogram("queue_seconds") == (2, 16)
    assert score.histogram("request_seconds") == (1, 2)


def test_an_event_of_the_future_has_no_age(score: Score) -> None:
    """Clocks differ, and leap: a sum that shrinks would look like a restart."""
    score.replied("status 200", "accepted", score.delivery(event_time=9000.0))

    assert score.histogram("end_to_end_seconds") == (1, 0)


def test_a_shadowed_request_is_told_apart_from_a_sent_one(score: Score) -> None:
    """It counts by outcome and as a request, has queued, and is neither an acceptance nor a refusal."""
    score.keeper.shadowed(Request(CART, [score.delivery(), score.delivery("orders")], b""), "not sent: mode shadow")

    assert score.total(REQUESTS, method="cart", **{"class": "shadowed"}) == 1
    assert score.total(DELIVERIES, route="carts", outcome="shadowed") == 1
    assert score.total(DELIVERIES, outcome="delivered") == 0
    assert score.histogram("queue_seconds") == (2, 20)
    assert score.histogram("end_to_end_seconds") == (0, 0)
    assert score.keeper.last_replies == {"cart": "not sent: mode shadow"}
    assert score.lines.events == []


def test_what_is_too_old_is_filtered_by_its_route(score: Score) -> None:
    """Found when it was mapped it counts as made, too; one that expired while it waited was counted before."""
    score.keeper.filtered(Filtered(FilterReason.TOO_OLD, "carts"), RECORD)
    score.keeper.filtered(Filtered(FilterReason.WHEN, "carts"), RECORD)
    assert score.keeper.made == 1

    score.keeper.expired([score.delivery(), score.delivery("orders")])

    assert score.total(FILTERED, route="carts", reason="too_old") == 2
    assert score.total(FILTERED, route="orders", reason="too_old") == 1
    assert score.keeper.made == 1


def test_a_retry_did_not_queue_again(score: Score) -> None:
    """Only a delivery's first request tells how long it had queued, however that was answered."""
    delivery = score.delivery(attempts=1, first_attempt=5000.0, last_attempt=5000.0)
    score.replied("status 503", "transient", delivery)
    delivery.last_attempt = 5002.0
    score.replied("status 429", "throttled", delivery)
    score.replied("status 200", "accepted", delivery)

    assert score.histogram("queue_seconds") == (1, 8)
    assert score.histogram("request_seconds") == (3, 6)
    assert score.total(DELIVERIES) == 1


def test_a_batch_that_was_refused_has_queued(score: Score) -> None:
    """It was its deliveries' first request, though nobody's attempt."""
    first, second = (score.delivery(attempts=0, first_attempt=5000.0, last_attempt=5000.0) for _ in range(2))
    score.replied("status 400", "invalid", first, second)

    assert score.histogram("queue_seconds") == (2, 16)


def test_cooling_is_measured_apart(score: Score) -> None:
    """A wait between two attempts is neither queueing nor the request."""
    score.keeper.cooled(10.0)

    assert score.histogram("cooling_seconds") == (1, 10)


def test_the_last_reply_of_a_method_is_kept(score: Score) -> None:
    """For `/status`; a refusal is logged with what happens next."""
    score.replied("status 403", "forbidden", score.delivery())
    assert score.keeper.last_replies == {"cart": "status 403"}
    score.replied("status 200", "accepted", score.delivery())

    assert score.keeper.last_replies == {"cart": "status 200"}
    assert score.lines.events == ["refused"]
    assert score.lines("refused")[0]["next"] == NEXT["forbidden"]


def test_every_refusal_says_what_happens_next() -> None:
    """No class of replies is without words; throttled ones are told as the pause that they ask for."""
    assert set(NEXT) == {each.value for each in ReplyClass} - {"accepted", "shadowed", "throttled"}


def test_the_same_refusal_is_logged_once(score: Score) -> None:
    """An outage of hours is one line for each change of what the vendor says, not one for each request."""
    for words in ("status 500", "status 500", "time-out", "status 500"):
        score.replied(words, "transient", score.delivery())

    assert [line["reply"] for line in score.lines("refused")] == ["status 500", "time-out"]
    assert score.total(REQUESTS, **{"class": "transient"}) == 4


def test_what_may_reach_a_shopper_is_not_sent_again(score: Score) -> None:
    """A transient reply to it means something else."""
    welcome = Channel("welcome", "/welcome", batched=False, once=True)
    score.keeper.replied(Request(welcome, [score.delivery()], b""), "status 500", "transient", [], 1.0)
    score.keeper.replied(Request(welcome, [score.delivery()], b""), "status 403", "forbidden", [], 1.0)

    assert [line["next"] for line in score.lines("refused")] == [ONCE, NEXT["forbidden"]]


def held(seconds: float, method: str = "cart") -> Change:
    """A path holds for so long."""
    return Change(method, State.HOLDING, Reason.OUTAGE, "no answer in time", seconds)


def accepting(method: str = "cart") -> Change:
    """A path accepts again."""
    return Change(method, State.ACCEPTING, Reason.OUTAGE, "no answer in time", 75.06)


def test_a_gate_s_changes_are_logged_with_what_happens_next(score: Score) -> None:
    """Closing, holding with the time of the next probe, and opening with how long it took."""
    score.keeper.changed([Change("cart", State.PROBING, Reason.OUTAGE, "status 500", 0.0), held(11.24), accepting()])

    assert score.lines.events == ["probing", "holding", "accepting"]
    [probing], [holding], [opened] = (score.lines(event) for event in score.lines.events)
    assert (probing["method"], probing["reason"], probing["reply"]) == ("cart", "outage", "status 500")
    assert (holding["reply"], holding["probe_in_s"]) == ("no answer in time", 11.2)
    assert (opened["after_s"], opened["log_level"]) == (75.1, "info")
    assert all(line["next"] for line in (probing, holding, opened))


def test_a_refused_key_is_of_all_methods(score: Score) -> None:
    """It has no method of its own."""
    score.keeper.changed([Change("", State.HOLDING, Reason.CREDENTIAL, "status 401", 10.0)])

    [line] = score.lines("holding")
    assert (line["method"], line["reason"]) == ("all", "credential")


def test_a_hold_is_told_again_when_it_has_become_longer(score: Score) -> None:
    """Jitter is no news, and an outage of hours does not fill the log; each method is told by itself."""
    score.keeper.changed([held(seconds) for seconds in (10.0, 12.0, 30.0, 35.0, 300.0, 310.0)])
    score.keeper.changed([held(10.0, "view")])

    told = [(line["method"], line["probe_in_s"]) for line in score.lines("holding")]
    assert told == [("cart", 10.0), ("cart", 30.0), ("cart", 300.0), ("view", 10.0)]


def test_what_flaps_is_told_once_a_minute(score: Score) -> None:
    """And the end of a hold only where its beginning was told."""
    for _ in range(5):
        score.keeper.changed([held(10.0), accepting()])
        score.clock.advance(REPEAT_AFTER / 4)

    assert score.lines.events == ["holding", "accepting"] * 2


def test_a_pause_is_told_once_a_minute(score: Score) -> None:
    """With its length, and how many were held back since."""
    for seconds in (0.0, 10.0, REPEAT_AFTER):
        score.clock.advance(seconds)
        score.keeper.changed([Change("cart", State.PAUSED, None, "status 429", 1.04)])

    lines = [(line["method"], line["reply"], line["pause_s"], line["also"]) for line in score.lines("throttled")]
    assert lines == [("cart", "status 429", 1.0, 0), ("cart", "status 429", 1.0, 1)]


def test_acceptance_alone_is_nothing_to_log(score: Score) -> None:
    """A healthy vendor is not worth a line."""
    for words in ("status 200", "status 202", "status 200"):
        score.replied(words, "accepted", score.delivery())

    assert score.lines.events == []


def test_a_dead_letter_is_told_once_a_minute(score: Score) -> None:
    """The first of a kind is logged with its reason; the next one a minute later says how many were held back."""
    for seconds in (0.0, 1.0, 1.0, REPEAT_AFTER):
        score.clock.advance(seconds)
        score.keeper.failed(RECORD, "carts", 0, UNMAPPED)

    first, later = score.lines("dead_letter")
    assert (first["also"], later["also"]) == (0, 2)
    assert (first["route"], first["stage"], first["error_class"]) == ("carts", "map", "unmapped")
    assert (first["reason"], first["delivery"]) == (UNMAPPED.message, "clicks:0:7:carts:0")


def test_different_failures_do_not_hide_each_other(score: Score) -> None:
    """Each route, stage and class is a kind of its own."""
    score.keeper.failed(RECORD, "carts", 0, UNMAPPED)
    score.keeper.failed(RECORD, "orders", None, UNMAPPED)
    score.keeper.failed(RECORD, "carts", 2, replace(UNMAPPED, stage=Stage.SEND, error_class=ErrorClass.INVALID))

    told = [line["delivery"] for line in score.lines("dead_letter")]
    assert told == ["clicks:0:7:carts:0", "clicks:0:7:orders:0", "clicks:0:7:carts:2"]


def test_a_buried_letter_is_an_ended_delivery(score: Score) -> None:
    """It counts as a delivery's end and as a letter, by stage and class."""
    score.keeper.buried("carts", UNMAPPED)

    assert score.total(DELIVERIES, route="carts", outcome="dead_lettered") == 1
    assert score.total(DEAD_LETTERS, route="carts", stage="map", **{"class": "unmapped"}) == 1


def test_stale_deliveries_are_counted(score: Score) -> None:
    """What another replica will send is neither delivered nor lost."""
    score.keeper.stale([score.delivery(), score.delivery("orders")])

    assert score.total(DELIVERIES, outcome="stale") == 2


def test_a_defect_is_told_without_its_words(score: Score) -> None:
    """An exception of ours is said with its place; its words may hold a visitor's data."""
    try:
        raise ValueError("secret@example.com")  # noqa: TRY301 - it has to have a traceback
    except ValueError as error:
        score.keeper.unexpected(error)
        score.keeper.unexpected(error)

    (line,) = score.lines("defect")
    assert line["exception"] == "ValueError"
    assert "test_scorekeeper.py:" in line["where"]
    assert "secret@example.com" not in str(line)


def test_sometimes_is_at_first_and_after_a_minute() -> None:
    """A fact comes through at once, then not for a minute, whatever other facts do."""
    clock = ManualClock()
    sometimes = Sometimes(clock)
    answers = [sometimes.ask("a"), sometimes.ask("a"), sometimes.ask("b"), sometimes.ask("a")]

    clock.advance(REPEAT_AFTER - 0.1)
    answers.append(sometimes.ask("a"))
    clock.advance(0.1)
    answers += [sometimes.ask("a"), sometimes.ask("b"), sometimes.ask("a")]

    assert answers == [0, None, 0, None, None, 3, 0, None]
