from collections import Counter

import pytest

from processor.demo.clicks import Shop
from processor.demo.poison import REFUSES, UNMAPPED, Poisoner, wanted_letters
from processor.demo.vendor_stub import products

START = 1_795_339_867_000


def shop() -> Shop:
    """A shop that is open."""
    return Shop(5, START)


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_the_share_is_that_of_all_clicks(share: float) -> None:
    """Though only views are poisoned, one in a hundred is one in a hundred of all events."""
    poisoner = Poisoner(1, share)

    found = [poisoner.taint(click) for click in shop().clicks(20_000)]

    poisoned = [each for each in found if each]
    assert 0.8 * share < len(poisoned) / 20_000 < 1.2 * share
    assert set(Counter(each.error_class for each in poisoned)) == {"invalid", "unmapped"}


def test_without_poison_every_click_stays_as_it_is() -> None:
    """A share of nothing takes nothing."""
    poisoner = Poisoner(1, 0.0)

    assert not any(poisoner.taint(click) for click in shop().clicks(1_000))


def test_poison_is_refused_by_the_stubs_or_does_not_map() -> None:
    """What a vendor is to refuse names a product that the stubs know; the rest names none."""
    poisoner = Poisoner(1, 0.5)

    for click in shop().clicks(500):
        if poison := poisoner.taint(click):
            product = poison.click.value["product"]
            if poison.error_class == "invalid":
                body = [{"itemId": product["sku"]}, {"view": {"productId": product["id"]}}]
                assert all(not REFUSES.isdisjoint(products(each)) for each in body)
            else:
                assert product.items() >= UNMAPPED.items()


def test_the_shop_keeps_its_shelves() -> None:
    """A poisoned click has a product of its own; the same one of the catalogue stays sound for others."""
    poisoner = Poisoner(1, 0.5)
    for click in shop().clicks(2_000):
        poison = poisoner.taint(click)
        if "product" in click.value:
            assert click.value["product"]["id"] > 10_000
            assert click.value["product"]["sku"]
        assert poison is None or poison.click.key == click.key


def test_a_known_visitors_poison_is_two_letters() -> None:
    """One in each destination's topic; an unknown visitor's view is nothing to Voyado, poison or not."""
    poisoner = Poisoner(1, 0.5)
    for click in shop().clicks(500):
        if poison := poisoner.taint(click):
            letters = wanted_letters(poison, b"v")
            known = ["voyado"] if click.value["contactId"] else []
            assert [letter.destination for letter in letters] == [*known, "rocket"]
            assert {letter.error_class for letter in letters} == {poison.error_class}
            assert {letter.value for letter in letters} == {b"v"}
