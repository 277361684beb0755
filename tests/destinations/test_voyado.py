from typing import Any

import pytest

from processor.destinations import VENDORS
from processor.destinations.vendor import Wirings
from processor.destinations.voyado import Settings
from tests.destinations.mapping import GUID, method_of, refused, sent

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


def test_what_a_view_needs() -> None:
    """Without product or contact there is no view."""
    assert method_of("product_view").required == {"itemId", "contactId"}


def test_a_cart_is_sent_whole() -> None:
    """Reference, contact and all lines."""
    items = [{"sku": "10233", "quantity": 2}, {"sku": "10234", "quantity": 0}]

    assert sent("cart", items=items) == {"cartReference": "c-1", "contactId": GUID, "items": items}


def test_an_empty_cart_is_sent() -> None:
    """It says that the cart was bought or emptied; without it the shopper gets a wrong mail."""
    assert sent("cart", items=[])["items"] == []


def test_what_a_cart_needs() -> None:
    """Missing lines are an error, for a slip in a mapping must not empty carts."""
    assert method_of("cart").required == {"cartReference", "contactId", "items"}


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([{"sku": "a"}], "items[0].quantity"),
        ([{"quantity": 1}], "items[0].sku"),
        ([{"sku": None, "quantity": 1}], "items[0].sku"),
        ([{"sku": "", "quantity": 1}], "items[0].sku"),
        ([{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": "many"}], "items[1].quantity"),
        ([{"sku": "a", "quantity": 1, "price": 9}], "items[0]"),
        (["a"], "items[0]"),
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


@pytest.mark.parametrize("value", [GUID, GUID.upper(), "a" * 20, "A-_9" * 6, "x" * 22])
def test_a_contact_is_a_guid_or_a_short_one(value: str) -> None:
    """It is sent as it is."""
    assert sent("product_view", contactId=value)["contactId"] == value
    assert sent("cart", contactId=value)["contactId"] == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a" * 19,
        "a" * 25,
        GUID.replace("-", ""),
        GUID + "\n",
        "a" * 20 + "\n",
        "å" * 20,
        "anna@example.com",
        10**20,
        5,
        True,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_contact_is_refused(value: object) -> None:
    """Voyado would drop it without a word."""
    assert refused("product_view", contactId=value).startswith("contactId: ")
    assert refused("cart", contactId=value).startswith("contactId: ")


@pytest.mark.parametrize("value", ["sv", "sv-SE", "zh-Hant-TW", "es-419", "sr-Latn-RS"])
def test_a_language_is_a_culture_code(value: str) -> None:
    """With or without region and script."""
    assert sent("cart", language=value)["language"] == value


@pytest.mark.parametrize("value", ["", "SE", "sv_SE", "SV-se", "svenska", "sv-", "sv-SE\n", "s", 46])
def test_what_is_no_culture_code_is_refused(value: object) -> None:
    """Voyado would filter the event out later, and nobody would know why."""
    assert refused("cart", language=value).startswith("language: ")


def test_views_have_no_order_and_carts_that_of_their_reference() -> None:
    """The last state of a cart must be the last to arrive; views count each for itself."""
    methods = VENDORS["voyado"].methods

    assert {name: method.order_key for name, method in methods.items()} == {
        "product_view": None,
        "cart": "cartReference",
    }
    assert {method.time for method in methods.values()} == {"time"}


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
    wiring = Wirings(batched=batched).wire(method_of(method))

    assert (wiring.channel.path, wiring.channel.batched, wiring.channel.label) == (path, batched, method)
    assert (wiring.prefix, wiring.suffix) == (b"", b"")


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
