"""Why something is held, why it may not be moving, and whether the process lives."""

from dataclasses import replace

import pytest

from processor.consume.arrivals import RESET
from processor.consume.intake import Stall
from processor.consume.ports import Held, Snapshot
from processor.holds import MASS_FAILURE_FIX, Reason
from processor.metrics import HOLD, HOLD_SINCE
from processor.ops.health import POLL_LIMIT, PROGRESS_LIMIT
from processor.report import Hold, dead, holds, status, waiting_for
from processor.send.replies import Reply, describe
from processor.settle.letter_trouble import Trouble
from tests.report_bench import BEGIN, VIEW, Bench
from tests.send.parts import ACCEPTED, BAD_KEY, BROKEN, FORBIDDEN, LOST, TOO_FAST, channel, deliveries

ORDER = channel("order")


@pytest.fixture
def bench() -> Bench:
    """A healthy pipeline without limits."""
    return Bench()


# Holds.


def test_a_healthy_pipeline_holds_nothing(bench: Bench) -> None:
    """There is nothing to wait for, and no sample that says so."""
    bench.opened()

    assert (holds(bench.running), waiting_for(bench.running), dead(bench.running)) == ([], {}, None)
    assert HOLD not in bench.samples()


@pytest.mark.parametrize(
    ("reply", "reason"), [(BROKEN, Reason.OUTAGE), (LOST, Reason.OUTAGE), (FORBIDDEN, Reason.REFUSED)]
)
def test_a_gate_that_holds(bench: Bench, reply: Reply, reason: Reason) -> None:
    """It says the method, why, since when, and when it probes next."""
    bench.put("a")
    bench.clock.advance(2.0)
    bench.reply(bench.send(), reply)

    assert holds(bench.running) == [Hold("view", reason, describe(reply), BEGIN + 2.0, BEGIN + 12.0)]
    words = f"{reason} since 2027-01-15T08:00:02.000Z: {describe(reply)}; probed again in 10 s, nothing else is sent"
    assert waiting_for(bench.running) == {"vendor view": words}
    assert bench.samples()[HOLD] == [(("shop", "view", reason.value), 1)]
    assert bench.samples()[HOLD_SINCE] == [(("shop", "view", reason.value), BEGIN + 2.0)]


def test_a_gate_that_probes_after_a_hold_is_still_a_hold(bench: Bench) -> None:
    """The trouble lasts until something is accepted; when the next probe goes out nobody knows."""
    bench.put("a", "b")
    bench.reply(bench.send(), BROKEN)
    bench.clock.advance(10.0)
    request = bench.send()
    assert holds(bench.running) == [Hold("view", Reason.OUTAGE, "status 500", BEGIN, None)]
    words = "outage since 2027-01-15T08:00:00.000Z: status 500; it is probed now"
    assert waiting_for(bench.running) == {"vendor view": words}
    bench.reply(request, ACCEPTED)

    assert holds(bench.running) == []


def test_a_refused_key_is_one_hold_for_all_methods(bench: Bench) -> None:
    """What the gates' own state is then does not matter."""
    bench.opened()
    bench.put("a")
    bench.scheduler.add(deliveries(ORDER, "b"), 0.0)
    requests = [bench.send(), bench.send()]
    bench.reply(next(request for request in requests if request.channel is ORDER), BROKEN)
    bench.reply(next(request for request in requests if request.channel is VIEW), BAD_KEY)

    assert holds(bench.running) == [Hold("", Reason.CREDENTIAL, "the key is refused: status 401", BEGIN, BEGIN + 10.0)]
    words = waiting_for(bench.running)["vendor"]
    assert words.startswith(
        "credential since 2027-01-15T08:00:00.000Z: the key is refused: status 401; probed again in"
    )
    assert words.endswith("the key is wrong or revoked: change it and restart")
    bench.plan.key = object()
    words = waiting_for(bench.running)["vendor"]
    assert words.endswith("the key is wrong or revoked: its file is read again before each probe")


def test_a_registry_that_is_away(bench: Bench) -> None:
    """Each reason once, with the schemas that this pipeline waits for; others' schemas do not matter."""
    bench.awaited |= {
        ("clicks", 0): Stall(7, BEGIN - 20.0),
        ("clicks", 1): Stall(9, BEGIN - 30.0),
        ("clicks", 2): Stall(11, BEGIN - 90.0),
    }
    bench.troubles |= {7: "no connection", 9: "no connection", 99: "no connection"}

    words = "schema id 7, 9: no connection"
    assert holds(bench.running) == [Hold("", Reason.REGISTRY, words, BEGIN - 30.0)]
    assert waiting_for(bench.running) == {"registry": words}


def test_a_schema_that_was_just_asked_for_is_no_hold(bench: Bench) -> None:
    """Only where the registry gave no answer."""
    bench.awaited[("clicks", 0)] = Stall(7, BEGIN)

    assert holds(bench.running) == []


def no_letter_topic(bench: Bench, waiting: int = 1) -> None:
    """So many letters wait for a topic that is not there."""
    bench.undertaker.trouble = Trouble("unknown topic", BEGIN - 60.0, "create it")
    bench.undertaker.waiting = waiting


def test_letters_that_are_not_acknowledged(bench: Bench) -> None:
    """Since the first of them was refused, with what to do."""
    no_letter_topic(bench)

    assert holds(bench.running) == [
        Hold("", Reason.DEAD_LETTER_TOPIC, "unknown topic", BEGIN - 60.0, fix="create it"),
    ]
    assert waiting_for(bench.running) == {"dead_letter_topic": "unknown topic; create it"}


def test_a_topic_that_no_letter_waits_for_holds_nothing(bench: Bench) -> None:
    """That it is missing is told, but it is no reason why something does not move."""
    no_letter_topic(bench, waiting=0)

    assert (holds(bench.running), waiting_for(bench.running)) == ([], {})
    assert status(bench.running)["dead_letters"] == {
        "topic": "shop.dlq",
        "waiting": 0,
        "trouble": {"words": "unknown topic", "since": "2027-01-15T07:59:00.000Z", "fix": "create it"},
    }


def too_many_failed(bench: Bench) -> None:
    """Most records cannot be mapped."""
    bench.pipeline.mass_failure = Held("50 of the last 50 records failed", BEGIN - 7.0)


def test_a_mass_failure(bench: Bench) -> None:
    """It is held as a whole, since when, and told with what to do about it."""
    too_many_failed(bench)

    assert holds(bench.running) == [
        Hold("", Reason.MASS_FAILURE, "50 of the last 50 records failed", BEGIN - 7.0),
    ]
    assert waiting_for(bench.running) == {"mass_failure": f"50 of the last 50 records failed; {MASS_FAILURE_FIX}"}
    assert bench.samples()[HOLD] == [(("shop", "", "mass_failure"), 1)]
    assert bench.samples()[HOLD_SINCE] == [(("shop", "", "mass_failure"), BEGIN - 7.0)]


def beyond_the_end(bench: Bench) -> None:
    """Two partitions' offsets are none of their logs', the second one since later; a third one's is not known."""
    held = {
        ("clicks", 5): Held("beyond the end", BEGIN - 10.0, RESET),
        ("clicks", 3): Held("beyond, too", BEGIN - 2.0, RESET),
        ("clicks", 4): Held("not known", BEGIN - 1.0, "ask again"),
    }
    before = bench.kafka.snapshot
    bench.kafka.snapshot = Snapshot(before.last_poll, assigned=True, partitions=before.partitions, held=held)


def test_offsets_that_somebody_has_to_put_right(bench: Bench) -> None:
    """One hold for all partitions, since the first of them; each is named, and each thing to do once."""
    beyond_the_end(bench)

    words, fix = "clicks[3]: beyond, too; clicks[4]: not known; clicks[5]: beyond the end", f"{RESET}; ask again"
    assert holds(bench.running) == [Hold("", Reason.OFFSETS, words, BEGIN - 10.0, fix=fix)]
    assert waiting_for(bench.running) == {"offsets": f"{words}; {fix}"}
    assert bench.samples()[HOLD] == [(("shop", "", "offsets"), 1)]
    assert bench.samples()[HOLD_SINCE] == [(("shop", "", "offsets"), BEGIN - 10.0)]


def test_a_paused_pipeline_holds_since_its_start() -> None:
    """The file says so."""
    bench = Bench(mode="paused")

    (hold,) = holds(bench.running)
    assert (hold.method, hold.reason, hold.since) == ("", Reason.PAUSED, BEGIN - 5.0)
    assert waiting_for(bench.running) == {"mode": hold.words}


def test_all_holds_are_told_together() -> None:
    """One trouble does not hide another."""
    bench = Bench(mode="paused")
    bench.awaited[("clicks", 0)] = Stall(7, BEGIN)
    bench.troubles[7] = "no connection"
    no_letter_topic(bench)
    beyond_the_end(bench)
    too_many_failed(bench)
    bench.put("a")
    bench.reply(bench.send(), BROKEN)

    reasons = [hold.reason.value for hold in holds(bench.running)]
    assert reasons == ["paused", "mass_failure", "registry", "dead_letter_topic", "offsets", "outage"]
    assert len(bench.samples()[HOLD]) == 6


def test_holds_in_the_status(bench: Bench) -> None:
    """With times that people can read."""
    bench.put("a")
    bench.reply(bench.send(), BROKEN)
    no_letter_topic(bench)

    assert status(bench.running)["holds"] == [
        {
            "method": "",
            "reason": "dead_letter_topic",
            "last_reply": "unknown topic",
            "since": "2027-01-15T07:59:00.000Z",
            "next_probe": None,
        },
        {
            "method": "view",
            "reason": "outage",
            "last_reply": "status 500",
            "since": "2027-01-15T08:00:00.000Z",
            "next_probe": "2027-01-15T08:00:10.000Z",
        },
    ]


# Why something may not be moving.


def test_kafka_in_trouble(bench: Bench) -> None:
    """What the thread says is told as it is."""
    bench.kafka.snapshot = Snapshot(0.0, trouble="all brokers are down")

    assert waiting_for(bench.running) == {"kafka": "all brokers are down"}


def test_deliveries_that_cool_before_an_open_gate_are_told(bench: Bench) -> None:
    """Nothing holds, but these wait: how many, and what was said last."""
    bench.opened()
    bench.put("a")
    bench.reply(bench.send(), BROKEN)

    words = "1 refused, each is sent again after its delay: status 500"
    assert (holds(bench.running), waiting_for(bench.running)) == ([], {"vendor view": words})


def test_a_pause_that_the_vendor_asked_for_is_told(bench: Bench) -> None:
    """With the seconds that are left of it."""
    bench.opened()
    bench.put("a")
    bench.reply(bench.send(), TOO_FAST)

    assert waiting_for(bench.running) == {
        "rate": "the vendor asked for a pause; the next request goes out in 1 s",
    }


# Whether it lives.


def test_a_thread_that_does_not_poll_is_dead(bench: Bench) -> None:
    """After its limit, and not before."""
    bench.clock.advance(POLL_LIMIT)
    assert dead(bench.running) is None
    bench.clock.advance(1.0)

    assert dead(bench.running) == f"shop: the Kafka thread has not polled for {POLL_LIMIT + 1:.0f} s"


def stands_still(bench: Bench) -> str | None:
    """The partition makes no progress for as long as may be, while the thread polls."""
    bench.unsettled(5)
    dead(bench.running)
    bench.clock.advance(PROGRESS_LIMIT)
    bench.kafka.snapshot = replace(bench.kafka.snapshot, last_poll=bench.clock.now())
    return dead(bench.running)


def test_no_progress_without_a_reason_is_dead(bench: Bench) -> None:
    """It names the partition."""
    assert stands_still(bench) == "shop: no progress and no reason for it: clicks[3]"


def test_a_partition_that_is_not_read_is_no_excuse_for_another(bench: Bench) -> None:
    """Somebody may take days to put its offset right."""
    bench.unsettled(5)
    beyond_the_end(bench)

    assert stands_still(bench) == "shop: no progress and no reason for it: clicks[3]"


def test_a_mass_failure_is_a_reason(bench: Bench) -> None:
    """A restart by itself mends nothing, and costs more letters."""
    too_many_failed(bench)

    assert stands_still(bench) is None


def test_a_low_rate_is_a_reason() -> None:
    """The next request goes out when its time comes, and a restart would only put that off."""
    bench = Bench(rate=1 / (2 * PROGRESS_LIMIT))
    bench.opened()
    bench.put("a")

    assert stands_still(bench) is None


def test_a_rate_at_which_it_would_be_done_is_no_reason() -> None:
    """That the limit is reached is none either, for with much to do it always is; nor is one that nothing waits for."""
    swift, slow = Bench(rate=1.0), Bench(rate=1 / (2 * PROGRESS_LIMIT))
    swift.opened()
    for lane in "abc":
        swift.put(lane)
    slow.opened()

    for bench in (swift, slow):
        assert stands_still(bench) == "shop: no progress and no reason for it: clicks[3]"


def test_a_hold_is_a_reason(bench: Bench) -> None:
    """An outage elsewhere never fails the process."""
    bench.put("a")
    bench.reply(bench.send(), BROKEN)

    assert stands_still(bench) is None
