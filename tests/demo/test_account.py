from processor.demo.account import Account
from processor.demo.rules import Accepted


def view(lane: str, item: str = "1") -> Accepted:
    """A view of one visitor."""
    return Accepted("view", lane, item, 0)


def test_calls_are_counted_by_the_second_since_the_first() -> None:
    """The pace can be read whenever the first call came."""
    account = Account()

    for now in (100.5, 100.9, 101.4, 103.6):
        account.arrive(now)

    summary = account.summary()
    assert summary["requests"] == 4
    assert summary["per_second"] == [3, 0, 0, 1]
    assert summary["peak_per_second"] == 3


def test_the_most_calls_in_flight_are_remembered() -> None:
    """A call counts from its arrival to its answer."""
    account = Account()

    account.arrive(0)
    account.arrive(0)
    account.leave()
    account.arrive(0)

    assert account.max_in_flight == 2


def test_lanes_in_flight_are_told_apart() -> None:
    """Only calls that share a lane add up, and a closed one does not count any more."""
    account = Account()

    assert account.open_lanes({"a", "b"}) == 1
    assert account.open_lanes({"c"}) == 1
    assert account.open_lanes({"b", "d"}) == 2
    account.close_lanes({"a", "b"})
    assert account.open_lanes({"a", "b"}) == 2
    assert account.max_in_flight_per_lane == 2


def test_a_call_without_lanes_is_in_nobody_s_way() -> None:
    """Refused calls and uncounted bodies have no lanes."""
    assert Account().open_lanes(set()) == 0


def test_accepted_deliveries_are_kept_in_order_and_counted() -> None:
    """Loss, duplicates and order can be judged from what is kept."""
    account = Account()

    account.accept([view("a"), view("b")])
    account.accept([view("a", "2"), Accepted("order", "a", "t/1", 0)])

    assert account.accepted == [view("a"), view("b"), view("a", "2"), Accepted("order", "a", "t/1", 0)]
    assert account.deliveries == {"view": 3, "order": 1}


def test_the_summary_of_nothing_is_empty() -> None:
    """An account can be asked for at any time."""
    assert Account().summary() == {
        "requests": 0,
        "deliveries": {},
        "lanes": 0,
        "refused": [],
        "violations": {},
        "max_in_flight": 0,
        "max_in_flight_per_lane": 0,
        "peak_per_second": 0,
        "per_second": [],
    }


def test_refusals_are_listed_by_number() -> None:
    """The commonest reason comes first."""
    account = Account()
    account.refused.update([(400, "a"), (503, "b"), (503, "b")])

    assert account.summary()["refused"] == [
        {"status": 503, "reason": "b", "requests": 2},
        {"status": 400, "reason": "a", "requests": 1},
    ]


def test_what_is_taken_is_forgotten() -> None:
    """Whoever compares as it comes needs the books only once; the counts go on."""
    account = Account()
    account.accept([view("a"), view("b")])

    assert account.take() == [view("a"), view("b")]
    assert account.take() == []
    account.accept([view("c")])
    assert account.take() == [view("c")]
    assert account.deliveries["view"] == 3


def test_no_more_is_kept_than_was_asked_for() -> None:
    """A stub that runs for weeks must not fill its memory; the last ones are there."""
    account = Account(keep=10)
    for number in range(105):
        account.accept([view(str(number))])
        assert len(account.accepted) <= 20

    assert account.accepted[-10:] == [view(str(number)) for number in range(95, 105)]
    assert account.deliveries["view"] == 105
