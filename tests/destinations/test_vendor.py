import pytest

from processor.destinations import VENDORS
from processor.destinations.vendor import Method, Wirings
from processor.fields import Field

ROCKET_METHODS = {
    "view",
    "group_view",
    "add_to_basket",
    "category_view",
    "category_view_by_category_path",
    "order",
    "search",
    "set_contact",
    "welcome_sequence",
    "email_click",
    "recom_block_viewed",
    "recom_tap",
    "recom_add_to_basket",
    "impression_content_viewed",
    "impression_content_clicked",
}


def test_the_catalogue() -> None:
    """The vendors and the methods that a file may name."""
    assert {name: set(vendor.methods) for name, vendor in VENDORS.items()} == {
        "voyado": {"product_view", "cart"},
        "retail_rocket": ROCKET_METHODS,
    }


METHODS = [method for vendor in VENDORS.values() for method in vendor.methods.values()]
FIELDS = [
    pytest.param(each, id=f"{method.name}-{path}")
    for method in METHODS
    for name, field in method.fields.items()
    for path, each in ((name, field), *((f"{name}.{inner}", found) for inner, found in field.fields.items()))
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_s_own_fields_are_fields(method: Method) -> None:
    """What keeps the order, what says the time, what never ages, and what is required are fields of the payload."""
    named = {method.time, method.order_key or method.time, method.never_old or method.time}

    assert named <= method.fields.keys()
    assert method.required <= method.fields.keys()
    assert method.order_key is None or method.order_key in method.required


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_method_says_what_it_tells_the_vendor(method: Method) -> None:
    """In one sentence."""
    assert method.summary.endswith(".")
    assert method.summary.count(". ") == 0


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_says_all_that_people_ask(field: Field) -> None:
    """What is sent, what the vendor wants of it, and where the vendor says so."""
    assert field.type
    assert field.rule.endswith(".")
    assert field.source.startswith(("Voyado", "Retail Rocket"))


def test_what_reaches_a_shopper_is_sent_once() -> None:
    """Never in a batch, whose retry would send it again; its channel says so to the sender."""
    once = [method for method in METHODS if method.once]

    assert [method.name for method in once] == ["welcome_sequence"]
    for batched in (False, True):
        channels = {method.name: Wirings(batched=batched).wire(method).channel for method in METHODS}
        assert [name for name, channel in channels.items() if channel.once] == ["welcome_sequence"]
        assert not channels["welcome_sequence"].batched


def test_an_emptied_cart_is_never_too_old() -> None:
    """Without it the shopper gets a false mail, however late it is; nothing else is timeless."""
    assert {method.name: method.never_old for method in METHODS if method.never_old} == {"cart": "items"}


def test_methods_with_one_path_share_a_channel() -> None:
    """So that they share a gate, a queue and a batch."""
    methods = [method for method in VENDORS["retail_rocket"].methods.values() if method.batch]
    wirings = Wirings(batched=True)

    assert len(methods) == len(ROCKET_METHODS) - 2
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
