from hypothesis import given
from hypothesis import strategies as st

from processor.demo.clicks import Click, Shop
from processor.demo.expected import expected_deliveries, judge
from processor.demo.judging import REMEMBERED, Judge, Matching, VendorJudge
from processor.demo.poison import Poison, wanted_letters
from processor.demo.rules import Accepted

DELIVERIES = st.builds(
    Accepted,
    method=st.just("view"),
    lane=st.sampled_from("ab"),
    item=st.sampled_from("12"),
    time=st.integers(0, 3),
)


@given(asked=st.sets(DELIVERIES), came=st.lists(DELIVERIES))
def test_judging_as_it_comes_is_judging_afterwards(asked: set[Accepted], came: list[Accepted]) -> None:
    """Whatever is asked for and whatever comes, the verdict is that of the books as a whole."""
    vendor = VendorJudge()
    for click, delivery in enumerate(asked):
        vendor.deliveries.ask(delivery, click)

    for delivery in came:
        vendor.enter([delivery])

    whole = judge(asked, came)
    found = vendor.judgement
    assert (found.expected, found.accepted, found.lost) == (whole.expected, whole.accepted, whole.lost)
    if not whole.unexpected:
        assert found == whole


def test_what_nobody_asked_for_is_counted_each_time_it_comes() -> None:
    """It is never taken for a repeat."""
    books: Matching[str] = Matching()

    assert [books.come("x"), books.come("x")] == [False, False]
    assert (books.first, books.again, books.unasked) == (0, 0, 2)


def test_a_repeat_is_known_while_it_is_remembered() -> None:
    """So much later that it cannot come from a restart it counts as never asked for: the account fails then."""
    books: Matching[int] = Matching()
    for number in range(3 * REMEMBERED):
        books.ask(number, number)
        books.come(number)

    books.come(3 * REMEMBERED - 1)
    books.come(0)

    assert (books.again, books.unasked) == (1, 1)


def test_what_is_asked_for_twice_must_come_twice() -> None:
    """Two clicks may ask for the same delivery."""
    books: Matching[str] = Matching()
    books.ask("x", 1)
    books.ask("x", 2)

    books.come("x")

    assert len(books.missing) == 1
    assert books.come("x")
    assert books.missing == set()


def clicks(count: int, record: str | None = None) -> list[Click]:
    """Clicks of a shop."""
    return list(Shop(3, 1_795_339_867_000, record).clicks(count))


def test_a_click_is_accounted_for_when_all_vendors_have_it() -> None:
    """A click of which one delivery is missing is not, however many of it came."""
    judge = Judge(("voyado", "rocket"))
    for click in clicks(50):
        judge.clicked(click)
    for click in clicks(50):
        for each in expected_deliveries(click):
            judge.vendors[each.destination].enter([each.delivery])

    assert judge.unaccounted == 0
    assert (judge.clicks, judge.poisoned) == (50, 0)
    assert len(judge.visitors) == len({click.key for click in clicks(50)})

    for click in clicks(51)[-1:]:
        judge.clicked(click)
    assert judge.unaccounted == 1


def test_a_poisoned_click_is_accounted_for_by_its_letters() -> None:
    """It asks no vendor for anything; each delivery that it would have been must be a letter with the same value."""
    judge = Judge(("voyado", "rocket"))
    poison = Poison(clicks(1, "ProductViewed")[0], "invalid")

    judge.spoiled(poison, b"value")

    assert judge.unaccounted == judge.poisoned == 1
    assert all(each.judgement.expected == 0 for each in judge.vendors.values())
    for letter in wanted_letters(poison, b"value"):
        judge.letters.come(letter._replace(value=b"another"))
        assert judge.unaccounted == 1
        judge.letters.come(letter)
    assert judge.unaccounted == 0
    assert judge.letters.unasked == judge.letters.first
