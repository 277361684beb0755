from typing import Any

import pytest

from processor.destinations import VENDORS
from processor.destinations.voyado import Settings
from processor.records import Payload
from tests.destinations.mapping import GUID, good, mapped, refused, sent

ACCOUNT: dict[str, Any] = {
    "type": "voyado",
    "base_url": "https://acme.voyado.com",
    "api_key": "s3cr3t",
    "user_agent": "AcmeClickstream/1.0",
}


def test_a_full_view_is_sent_with_the_vendor_s_names() -> None:
    """Every field of the model, as the swagger has it."""
    full = {
        "itemId": "10233",
        "contactId": GUID,
        "time": "2026-11-22T09:31:07.120Z",
        "category": "Shoes > Winter > Boots",
        "sessionId": "s-1",
        "newSession": True,
        "language": "sv-SE",
        "url": "https://shop.example/p/10233",
        "externalReferrer": "https://www.google.com",
        "utm": [{"key": "source", "value": "mail"}],
    }

    assert sent("product_view", **full) == full


def test_what_is_absent_is_left_out() -> None:
    """Null is not sent; whether Voyado takes it is not documented."""
    assert sent("product_view", category=None) == {"itemId": "10233", "contactId": GUID}


@pytest.mark.parametrize("field", ["itemId", "contactId"])
def test_a_view_needs(field: str) -> None:
    """Without product or contact there is no view."""
    assert refused("product_view", **{field: None}) == f"{field}: required, but the mapping gives null"


def test_a_cart_is_sent_whole() -> None:
    """Reference, contact and all lines."""
    items = [{"sku": "10233", "quantity": 2}, {"sku": "10234", "quantity": 0}]

    assert sent("cart", items=items) == {"cartReference": "c-1", "contactId": GUID, "items": items}


def test_an_empty_cart_is_sent() -> None:
    """It says that the cart was bought or emptied; without it the shopper gets a wrong mail."""
    assert sent("cart", items=[])["items"] == []


@pytest.mark.parametrize("field", ["cartReference", "contactId", "items"])
def test_a_cart_needs(field: str) -> None:
    """Missing lines are an error, for a slip in a mapping must not empty carts."""
    assert refused("cart", **{field: None}) == f"{field}: required, but the mapping gives null"


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([{"sku": "a"}], "items.0.quantity"),
        ([{"quantity": 1}], "items.0.sku"),
        ([{"sku": None, "quantity": 1}], "items.0.sku"),
        ([{"sku": "", "quantity": 1}], "items.0.sku"),
        ([{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": "many"}], "items.1.quantity"),
        ([{"sku": "a", "quantity": 1, "price": 9}], "items.0.price"),
        (["a"], "items.0"),
        ("a", "items"),
        ({"sku": "a", "quantity": 1}, "items"),
    ],
)
def test_a_bad_line_is_named(items: object, field: str) -> None:
    """Which line and which field of it, counted from 0."""
    assert refused("cart", items=items).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "utm", [[{"key": "a", "value": None}], [{"key": "a"}], [{"name": "a", "value": "b"}], "a", [1]]
)
def test_campaign_parameters_are_pairs_of_texts(utm: object) -> None:
    """Anything else is named."""
    assert refused("product_view", utm=utm).startswith("utm")


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One letter, one repair."""
    message = refused("product_view", itemId="", contactId="x", time="now")

    assert [part.partition(":")[0] for part in message.split("; ")] == ["itemId", "contactId", "time"]


def test_views_have_no_order_and_carts_that_of_their_reference() -> None:
    """The last state of a cart must be the last to arrive; views count each for itself."""
    view, cart = mapped("product_view", good("product_view")), mapped("cart", good("cart"))

    assert isinstance(view, Payload)
    assert isinstance(cart, Payload)
    assert (view.lane, cart.lane) == (None, "c-1")


@pytest.mark.parametrize("method", ["product_view", "cart"])
def test_the_payload_s_time_is_the_event_s(method: str) -> None:
    """Seconds since 1970, with fractions; nothing where the payload has none."""
    timed, timeless = mapped(method, good(method, time="2026-11-22T10:31:07.120+01:00")), mapped(method, good(method))

    assert isinstance(timed, Payload)
    assert isinstance(timeless, Payload)
    assert timed.event_time == pytest.approx(1_795_339_867.120)
    assert timeless.event_time is None


@pytest.mark.parametrize(
    ("method", "batched", "path"),
    [
        ("product_view", False, "/api/v2/tracking/productview"),
        ("product_view", True, "/api/v2/tracking/productviews"),
        ("cart", False, "/api/v2/tracking/carts"),
        ("cart", True, "/api/v2/tracking/carts/batch"),
    ],
)
def test_where_payloads_go(method: str, batched: bool, path: str) -> None:  # noqa: FBT001 - a column of a table
    """Single and batched calls have paths of their own; a batch's elements are bare."""
    found = mapped(method, good(method), batched=batched)

    assert isinstance(found, Payload)
    assert (found.channel.path, found.channel.batched, found.channel.label) == (path, batched, method)
    assert found.body.startswith(b'{"')


def test_how_a_request_is_addressed() -> None:
    """The key in a header, the product and version of the client, JSON (without which the answer is a 500)."""
    address = VENDORS["voyado"].address(Settings.model_validate(ACCOUNT))

    assert str(address.url("/api/v2/tracking/carts")) == "https://acme.voyado.com/api/v2/tracking/carts"
    assert dict(address.headers) == {
        "apikey": "s3cr3t",
        "User-Agent": "AcmeClickstream/1.0",
        "Content-Type": "application/json",
    }


def test_the_key_s_header_may_have_another_name() -> None:
    """Voyado's own pages disagree on it."""
    settings = Settings.model_validate({**ACCOUNT, "key_header": "x-api-key"})

    assert VENDORS["voyado"].address(settings).headers["x-api-key"] == "s3cr3t"
    assert "apikey" not in VENDORS["voyado"].address(settings).headers


def test_a_base_with_a_path_keeps_it() -> None:
    """An account behind a gateway of the company's own."""
    settings = Settings.model_validate({**ACCOUNT, "base_url": "https://gateway.example/voyado/"})
    url = VENDORS["voyado"].address(settings).url("/api/v2/tracking/carts")

    assert str(url) == "https://gateway.example/voyado/api/v2/tracking/carts"


def test_the_advised_limits_are_the_defaults() -> None:
    """Fifty requests a second, batches, and the delays that the vendor recommends."""
    settings = Settings.model_validate(ACCOUNT)

    assert settings.rate == 50.0
    assert settings.batch is not None
    assert settings.retry.delays == (10.0, 30.0, 60.0, 300.0)
    assert "s3cr3t" not in repr(settings)
