from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.demo.accounting import NOTHING, DestinationAccount
from processor.demo.conditions import REASONS, Condition, Held, Observer, held_of, waits_of
from processor.holds import Reason
from processor.send.replies import Answered
from tests.report_bench import Bench
from tests.send.parts import ACCEPTED, channel, deliveries


def condition(**changes: Any) -> Condition:
    """A healthy pipeline, changed."""
    healthy: dict[str, Any] = {"name": "rocket", "delivered": 9_000, "rate": 1_204.4, "dead_lettered": 0}
    return Condition(**{**healthy, "backlog": 12, "cooling": 0, "held": None, "waits": "", **changes})


HELD = Held("outage", (), 14.2, 2.3)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "1 204/s delivered   0 dlq   lag 12"),
        ({"cooling": 3, "dead_lettered": 7}, "1 204/s delivered   7 dlq   lag 12   3 refused, sent again"),
        ({"held": HELD, "backlog": 8_412}, "HELD 00:14 outage, next probe 3 s, 0 dlq, backlog 8 412"),
        (
            {"held": Held("key refused (401)", (), 125.0, None), "backlog": 1},
            "HELD 02:05 key refused (401), probing now, 0 dlq, backlog 1",
        ),
        (
            {"held": Held("outage", ("cart",), 3.0, 0.0)},
            "HELD 00:03 outage (cart), probing now, 1 204/s of the others, 0 dlq, backlog 12",
        ),
        (
            {"waits": "WAITS: the vendor asked for a pause (429), next request in 2 s"},
            "WAITS: the vendor asked for a pause (429), next request in 2 s, 0 dlq, backlog 12",
        ),
    ],
)
def test_a_condition_is_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    """Whoever reads it knows whether it moves, why not, and when it is tried again."""
    assert condition(**changes).sentence == sentence


def test_scripts_read_the_same() -> None:
    """The reason is a word of its own, and the sentence has no gaps."""
    found = condition(held=HELD).as_json()

    assert found["held"] == "outage"
    assert found["delivered"] == 9_000
    assert "  " not in found["sentence"]


def test_every_reason_has_words() -> None:
    """A hold that is added must be told here, too."""
    assert REASONS.keys() == set(Reason)


def refuse(bench: Bench, status: int, times: int = 2) -> None:
    """So many requests of different lanes are answered so."""
    bench.put(*"abcdef"[:times])
    for request in [bench.send() for _ in range(times)]:
        bench.reply(request, Answered(status, "", None))


def test_an_outage_is_held_until_its_probe() -> None:
    """What the gate says is what is told, in seconds from now."""
    bench = Bench()
    bench.opened()
    assert held_of(bench.running) is None

    refuse(bench, 503)
    bench.reply(bench.send(), Answered(503, "", None))
    bench.clock.advance(4.0)

    held = held_of(bench.running)
    assert held is not None
    assert (held.reason, held.methods) == ("outage", ())
    assert held.seconds == pytest.approx(4.0)
    assert held.probe is not None
    assert held.probe > 0


def test_a_refused_key_is_told_as_that() -> None:
    """One 401 holds everything."""
    bench = Bench()
    bench.opened()
    refuse(bench, 401, times=1)

    held = held_of(bench.running)

    assert held is not None
    assert held.reason == "key refused (401)"


def test_a_method_that_is_held_alone_is_named() -> None:
    """The others go on, so it must not look as if all stood still."""
    bench = Bench()
    bench.opened()
    bench.scheduler.add(deliveries(channel("cart"), None, of=bench.assignment, first=800), bench.clock.now())
    bench.reply(bench.send(), ACCEPTED)
    refuse(bench, 503)
    bench.reply(bench.send(), Answered(503, "", None))

    held = held_of(bench.running)

    assert held is not None
    assert held.methods == ("view",)


def test_a_mass_failure_says_what_ends_it() -> None:
    """No probe comes by itself."""
    bench = Bench()
    bench.pipeline.mass_failure = SimpleNamespace(words="all fail", since=bench.clock.wall())

    held = held_of(bench.running)

    assert held is not None
    assert "only a restart ends it" in held.reason
    assert held.probe is None


def test_a_pause_is_told_with_its_end() -> None:
    """The vendor said when it wants more."""
    bench = Bench()
    bench.opened()
    assert waits_of(bench.running) == ""

    bench.put("a")
    bench.reply(bench.send(), Answered(429, "", 7.0))

    assert waits_of(bench.running) == "WAITS: the vendor asked for a pause (429), next request in 7 s"


def test_a_kafka_in_trouble_is_told() -> None:
    """Nothing comes, and that is not the vendor's fault."""
    bench = Bench()
    bench.kafka.snapshot = cast("Any", bench.kafka.snapshot.__class__(0.0, assigned=True, trouble="brokers away"))

    assert waits_of(bench.running) == "WAITS for kafka: brokers away"


def books(delivered: int) -> DestinationAccount:
    """So many were delivered."""
    return NOTHING + DestinationAccount(0, 0, delivered, delivered, 0, 0)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """What was long ago is not now; the first look knows no rate."""
    bench, observer = Bench(), Observer("rocket")

    rates = [observer.look(bench.running, books(number * 10), 0, number / 10).rate for number in range(50)]

    assert rates[0] == 0.0
    assert rates[-1] == pytest.approx(100.0)
    assert observer.look(bench.running, books(490), 0, 60.0).rate < 1.0


def test_while_the_service_is_started_again_it_has_no_pipeline() -> None:
    """That is said, and the books go on."""
    found = Observer("rocket").look(None, books(10), 5, 0.0)

    assert found.sentence == "RESTARTS: commits, leaves its group, joins it again, 0 dlq, backlog 5"
