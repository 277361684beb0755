import pytest

from processor.records import ErrorClass, Failure, Stage
from processor.replay import stats
from processor.replay.history import State
from processor.replay.stats import Count, Tally
from tests.replay.letters import WRITTEN, as_letter


def failed(message: str, status: int | None = None) -> Failure:
    """One way to fail."""
    return Failure(Stage.SEND, ErrorClass.INVALID, message, status=status)


def add(tally: Tally, message: str, *states: State, written: int = WRITTEN, route: str = "orders") -> None:
    """Count one letter for each state, a second apart."""
    for number, state in enumerate(states):
        tally.add(as_letter(failure=failed(message, 400), written=written + 1000 * number, route=route), state)


def test_letters_by_cause() -> None:
    """Letters that say the same are counted together, those with most open ones first."""
    tally = Tally()
    add(tally, "price", State.OPEN, State.REPLAYED, State.OPEN)
    add(tally, "sku", State.DISCARDED, State.DISCARDED)
    add(tally, "sku", State.OPEN, written=WRITTEN - 5000, route="")

    causes, others, rest = tally.causes(10)

    assert [cause.as_json() for cause in causes] == [
        {
            "route": "orders",
            "stage": "send",
            "class": "invalid",
            "status": 400,
            "message": "price",
            "open": 2,
            "replayed": 1,
            "discarded": 0,
            "first": "2023-11-14T22:14:20.000Z",
            "last": "2023-11-14T22:14:22.000Z",
        },
        {
            "route": None,
            "stage": "send",
            "class": "invalid",
            "status": 400,
            "message": "sku",
            "open": 1,
            "replayed": 0,
            "discarded": 0,
            "first": "2023-11-14T22:14:15.000Z",
            "last": "2023-11-14T22:14:15.000Z",
        },
        {
            "route": "orders",
            "stage": "send",
            "class": "invalid",
            "status": 400,
            "message": "sku",
            "open": 0,
            "replayed": 0,
            "discarded": 2,
            "first": "2023-11-14T22:14:20.000Z",
            "last": "2023-11-14T22:14:21.000Z",
        },
    ]
    assert (others, rest) == (0, Count())
    assert tally.all.states == {State.OPEN: 3, State.REPLAYED: 1, State.DISCARDED: 2}
    assert tally.oldest == WRITTEN - 5000


@pytest.mark.parametrize(
    ("messages", "cause"),
    [
        (["items[0].sku: the text is empty", "items[12].sku: the text is empty"], "items[].sku: the text is empty"),
        (
            ["lines[0].tags[3]: null is not a text", "lines[1].tags[0]: null is not a text"],
            "lines[].tags[]: null is not a text",
        ),
        (
            ["a: is wrong; items[1].b: is wrong", "a: is wrong; items[2].b: is wrong"],
            "a: is wrong; items[].b: is wrong",
        ),
    ],
)
def test_one_cause_in_any_element(messages: list[str], cause: str) -> None:
    """A field of an array's elements is one field, whichever element it was."""
    tally = Tally()
    for message in messages:
        add(tally, message, State.OPEN)

    (found,), others, _ = tally.causes(10)

    assert (found.message, found.count.states[State.OPEN], others) == (cause, len(messages), 0)


@pytest.mark.parametrize(
    "messages",
    [
        ["items[].sku: the text is empty", "items[].name: the text is empty", "items[].sku: null is not a text"],
        ["address1: the text is empty", "address2: the text is empty"],
        ["a.View (schema id 7): sku: the bytes end too early", "a.View (schema id 8): sku: the bytes end too early"],
        ["the proxy answered 502", "the proxy answered 503"],
        ["sku: lines[0].sku: to_integer() wants a number", "sku: lines[1].sku: to_integer() wants a number"],
    ],
)
def test_what_are_several_causes(messages: list[str]) -> None:
    """Other fields, words, schemas and statuses are other causes; so are other expressions of the file."""
    tally = Tally()
    for message in messages:
        add(tally, message, State.OPEN)

    assert sorted(cause.message for cause in tally.causes(10)[0]) == sorted(messages)


def test_the_oldest_is_an_open_one() -> None:
    """What is closed may expire; without an open letter, or without times, there is no oldest."""
    tally = Tally()
    add(tally, "a", State.REPLAYED, State.DISCARDED, written=1000)
    add(tally, "a", State.OPEN, written=-1)
    assert tally.oldest is None

    add(tally, "a", State.OPEN, State.OPEN, written=WRITTEN)
    assert tally.oldest == WRITTEN


def test_other_causes() -> None:
    """Beyond the limit they are summed."""
    tally = Tally()
    for number in range(5):
        add(tally, str(number), *[State.OPEN] * (number + 1))

    causes, others, rest = tally.causes(3)

    assert [cause.message for cause in causes] == ["4", "3", "2"]
    assert others == 2
    assert rest.states == {State.OPEN: 3}
    assert (rest.first, rest.last) == (WRITTEN, WRITTEN + 1000)


def test_more_causes_than_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded where each letter says something else; every letter is still counted."""
    monkeypatch.setattr(stats, "KEPT", 3)
    tally = Tally()
    for number in range(10):
        add(tally, str(number), State.OPEN)
    add(tally, "0", State.OPEN)

    causes, others, rest = tally.causes(2)

    assert [(cause.message, cause.count.states.total()) for cause in causes] == [("0", 2), ("1", 1)]
    assert (others, rest.states) == (2, {State.OPEN: 8})
    assert tally.all.states == {State.OPEN: 11}
