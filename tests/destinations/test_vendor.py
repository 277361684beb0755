import pytest

from processor.destinations import VENDORS
from processor.destinations.vendor import Method, Wirings


def test_the_catalogue() -> None:
    """The vendors and the methods that a file may name."""
    assert {name: set(vendor.methods) for name, vendor in VENDORS.items()} == {
        "voyado": {"product_view", "cart"},
        "retail_rocket": {"view", "group_view", "add_to_basket", "order", "category_view", "search"},
    }


METHODS = [method for vendor in VENDORS.values() for method in vendor.methods.values()]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_s_own_fields_are_fields(method: Method) -> None:
    """What keeps the order, what says the time, and what is required are fields of the payload."""
    assert {method.time, method.order_key or method.time} <= method.fields
    assert method.required <= method.fields


def test_methods_with_one_path_share_a_channel() -> None:
    """So that they share a gate, a queue and a batch."""
    methods = VENDORS["retail_rocket"].methods.values()
    wirings = Wirings(batched=True)

    assert len({wirings.wire(method).channel for method in methods}) == 1


def test_methods_with_paths_of_their_own_share_nothing() -> None:
    """Views never wait for carts."""
    for batched in (True, False):
        wirings = Wirings(batched=batched)
        methods = VENDORS["voyado"].methods.values()

        assert len({wirings.wire(method).channel for method in methods}) == 2


def test_a_method_wired_twice_has_one_channel() -> None:
    """Two routes to one method share its requests."""
    method = VENDORS["voyado"].methods["cart"]
    wirings = Wirings(batched=True)

    assert wirings.wire(method).channel is wirings.wire(method).channel


def test_two_accounts_share_nothing() -> None:
    """Two shops at one vendor have channels of their own."""
    method = VENDORS["voyado"].methods["cart"]

    assert Wirings(batched=True).wire(method).channel is not Wirings(batched=True).wire(method).channel
