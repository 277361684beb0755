from collections import Counter, defaultdict
from itertools import islice, pairwise

import pytest

from processor.demo.clicks import CART_LINES, KNOWN, MIX, STEP, VISITORS, Click, Shop
from processor.demo.schemas import NAMESPACE

START = 1_795_339_867_000


@pytest.fixture(scope="module")
def clicks() -> list[Click]:
    """Enough clicks for every visitor to have some."""
    return list(Shop(1, START).clicks(30_000))


def of_type(clicks: list[Click], name: str) -> list[Click]:
    """The clicks of one record type."""
    return [click for click in clicks if click.record_name == f"{NAMESPACE}.{name}"]


def test_the_same_seed_makes_the_same_clicks() -> None:
    """A run can be repeated, in one go or in parts."""
    again = Shop(7, START)

    assert list(Shop(7, START).clicks(500)) == [*again.clicks(200), *again.clicks(300)]


def test_another_seed_makes_other_clicks() -> None:
    """Runs with different seeds can be told apart."""
    assert list(Shop(7, START).clicks(10)) != list(Shop(8, START).clicks(10))


def test_the_mix_is_a_shop_s(clicks: list[Click]) -> None:
    """Each record type has about its share."""
    seen = Counter(click.record_name.removeprefix(f"{NAMESPACE}.") for click in clicks)

    assert set(seen) == set(MIX)
    assert sum(MIX.values()) == 100
    for name, share in MIX.items():
        assert seen[name] / len(clicks) * 100 == pytest.approx(share, rel=0.2)


@pytest.mark.parametrize("name", sorted(MIX))
def test_one_type_can_be_asked_for(name: str) -> None:
    """A benchmark measures one kind of event."""
    assert {click.record_name for click in Shop(1, START, name).clicks(50)} == {f"{NAMESPACE}.{name}"}


def test_a_type_that_is_not_there_is_named() -> None:
    """The message lists what may be asked for."""
    with pytest.raises(ValueError, match=r"no record type PageScrolled.*ProductViewed"):
        Shop(1, START, "PageScrolled")


def test_visitors_are_many_and_unequal(clicks: list[Click]) -> None:
    """There are some 1,900, of whom some click much more than others."""
    seen = Counter(click.key for click in clicks)

    assert len(seen) == VISITORS
    assert seen.most_common(1)[0][1] > 5 * len(clicks) / VISITORS


def test_most_visitors_are_known(clicks: list[Click]) -> None:
    """About 60 % of events have a contact id, and a visitor keeps it."""
    known = [click for click in clicks if click.value["contactId"]]
    contacts = defaultdict(set)
    for click in clicks:
        if click.record_name != f"{NAMESPACE}.ContactIdentified":
            contacts[click.key].add(click.value["contactId"])

    assert len(known) / len(clicks) == pytest.approx(KNOWN, abs=0.05)
    assert all(len(ids) == 1 for ids in contacts.values())


def test_who_is_identified_is_known(clicks: list[Click]) -> None:
    """ContactIdentified never comes without the contact's id."""
    assert all(click.value["contactId"] for click in of_type(clicks, "ContactIdentified"))


def test_the_key_is_the_visitor(clicks: list[Click]) -> None:
    """Kafka keeps a visitor's clicks in order, for they have one key."""
    assert all(click.key == click.value["visitorId"].encode() for click in clicks)


def test_a_visitor_s_clicks_are_a_second_apart(clicks: list[Click]) -> None:
    """Order and duplicates can be told even where a vendor keeps whole seconds."""
    times = defaultdict(list)
    for click in clicks:
        times[click.key].append(click.value["occurredAt"])

    assert all(later - earlier >= 1000 for mine in times.values() for earlier, later in pairwise(mine))


def test_time_passes_as_promised(clicks: list[Click]) -> None:
    """The shop's clock starts where it was told and moves 10 ms a click, on average."""
    assert clicks[0].value["occurredAt"] == pytest.approx(START, abs=2 * STEP)
    assert clicks[-1].value["occurredAt"] == pytest.approx(START + len(clicks) * STEP, rel=0, abs=60_000)


def test_every_event_has_its_own_id(clicks: list[Click]) -> None:
    """No two events are taken for the same one."""
    assert len({click.value["eventId"] for click in clicks}) == len(clicks)


def test_an_order_is_the_cart_as_it_was(clicks: list[Click]) -> None:
    """An order has one to four lines, each of another article, and their sum."""
    for click in of_type(clicks, "OrderPlaced"):
        lines = click.value["lines"]
        assert 1 <= len(lines) <= CART_LINES
        assert len({line["productId"] for line in lines}) == len(lines)
        assert click.value["total"] == sum(line["unitPrice"] * line["quantity"] for line in lines)


def test_order_numbers_are_unique(clicks: list[Click]) -> None:
    """Orders can be told apart at the vendor."""
    numbers = [click.value["orderNumber"] for click in of_type(clicks, "OrderPlaced")]

    assert len(set(numbers)) == len(numbers)


def test_a_bought_cart_is_not_used_again(clicks: list[Click]) -> None:
    """After an order the visitor has a new cart, or the vendor would mail about a bought one."""
    bought: set[str] = set()
    for click in clicks:
        assert click.value.get("cartId") not in bought
        if click.record_name == f"{NAMESPACE}.OrderPlaced":
            bought.add(click.value["cartId"])


def test_carts_change_in_every_way(clicks: list[Click]) -> None:
    """Articles come, go and multiply, and some carts end up empty."""
    updates = of_type(clicks, "CartUpdated")

    assert {click.value["change"] for click in updates} == {"ADDED", "REMOVED", "QUANTITY_CHANGED"}
    assert {bool(click.value["items"]) for click in updates} == {True, False}
    assert max(len(click.value["items"]) for click in updates) == CART_LINES


def test_clicks_are_made_as_they_are_asked_for() -> None:
    """A million clicks need no more memory than one."""
    assert len(list(islice(Shop(1, START).clicks(10**9), 3))) == 3
