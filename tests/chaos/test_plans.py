"""What is done, and what replicas tell of it."""

from random import Random

from tests.chaos.everything import LASTS, drawn
from tests.chaos.faults import Fault, told
from tests.chaos.weather import LOST, POISON, Weather, dice, is_poison, poison, storms
from tests.reliability.vendor import Answer, Call, Sent, always

TIME = "2026-11-22T14:02:34.470000Z"


def call(*numbers: int) -> Call:
    """A request with these events."""
    return Call(0, 0, "/carts", "", [Sent("a", number, 0) for number in numbers])


def test_a_seed_draws_the_same_plan_each_time() -> None:
    """Everything is done before anything is done again, what begins and lasts also ends, in the order of time."""
    steps = drawn(1, 45)

    assert steps == drawn(1, 45) != drawn(2, 45)
    assert {step.what for step in steps} == LASTS.keys()
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    for what, (_, longest) in LASTS.items():
        begun = [step for step in steps if step.what == what and not step.ends]
        ended = [step for step in steps if step.what == what and step.ends]
        assert len(ended) == (len(begun) if longest else 0)


def test_the_first_layer_that_has_an_answer_gives_it() -> None:
    """Layers come and go."""
    weather = Weather({"poison": poison, "503": always(503)})

    assert weather(call(1, POISON // 2)) == Answer(400)
    assert weather(call(1)) == Answer(503)
    del weather.layers["503"]
    assert weather(call(1)) is None


def test_one_in_a_hundred_is_poison() -> None:
    """Wherever the events begin."""
    assert sum(map(is_poison, range(1, 10_001))) == 100


def test_dice_fall_as_often_as_they_should() -> None:
    """And the storms that may be drawn have names that plans know."""
    random = Random(1)  # noqa: S311 - the same each time
    fault = dice(random, 0.2, LOST)

    assert 150 < sum(fault(call(1)) is LOST for _ in range(1000)) < 250
    assert storms(random).keys() <= LASTS.keys()


def test_a_log_tells_what_was_lost_and_what_was_not_waited_for() -> None:
    """Nothing else of it is a cause of repeats."""
    lost = told("one", {"event": "partitions_lost", "timestamp": TIME})
    late = told("one", {"event": "holding", "reply": "no answer in time", "timestamp": TIME})

    assert lost == Fault("lost", 1795356154.47, 1795356154.47, "one")
    assert late == Fault("late", 1795356154.47, 1795356154.47, "one")
    assert told("one", {"event": "holding", "reply": "status 503", "timestamp": TIME}) is None
