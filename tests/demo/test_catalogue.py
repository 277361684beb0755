from random import Random

from processor.demo.catalogue import VARIANTS_PER_GROUP, Catalogue, make_catalogue

MAX_ID = 2**53 - 1


def catalogue_of_seed(seed: int) -> Catalogue:
    """The shelves of one shop."""
    return make_catalogue(Random(seed))  # noqa: S311 - it is to be repeated


def test_articles_have_their_own_numbers() -> None:
    """Neither ids nor article numbers repeat, and every id fits both vendors."""
    catalogue = catalogue_of_seed(1)

    ids = [seen.shown["id"] for seen in (*catalogue.products, *catalogue.groups, *catalogue.categories)]
    assert len(set(ids)) == len(ids)
    assert all(0 < number <= MAX_ID for number in ids)
    assert len({seen.shown["sku"] for seen in catalogue.products}) == len(catalogue.products)


def test_groups_consist_of_articles() -> None:
    """What a group page shows can be found in the catalogue."""
    catalogue = catalogue_of_seed(1)
    products = {seen.shown["id"] for seen in catalogue.products}

    assert all(len(seen.shown["productIds"]) == VARIANTS_PER_GROUP for seen in catalogue.groups)
    assert products == {number for seen in catalogue.groups for number in seen.shown["productIds"]}


def test_pages_are_of_all_kinds() -> None:
    """Null and set, empty and filled parts all occur, so that mappings meet them."""
    catalogue = catalogue_of_seed(1)

    assert {seen.page["referrer"] is None for seen in catalogue.products} == {True, False}
    assert {bool(seen.page["utm"]) for seen in catalogue.products} == {True, False}
    assert {seen.shown["brand"] is None for seen in catalogue.products} == {True, False}
