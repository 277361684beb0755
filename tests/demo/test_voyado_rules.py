from typing import Any

import pytest

from processor.demo.rules import Accepted
from processor.demo.voyado_rules import admit_voyado, check_voyado, read_voyado

VIEW = "/api/v2/tracking/productview"
VIEWS = "/api/v2/tracking/productviews"
CART = "/api/v2/tracking/carts"
CARTS = "/api/v2/tracking/carts/batch"

GUID = "2e40a1de-0a0c-4be5-9f7e-1c1a0f2de22f"
TIME = "2026-11-22T09:31:07.120Z"

GOOD_VIEW = {"itemId": "10233", "contactId": GUID, "time": TIME}
GOOD_CART = {
    "cartReference": "c-1",
    "contactId": GUID,
    "time": TIME,
    "items": [{"sku": "10233", "quantity": 2}, {"sku": "10234", "quantity": 1}],
}

WANTS_CONTACT = "contactId must be a GUID, or 20 to 24 letters, digits, - and _"
WANTS_TIME = "time must be ISO 8601 with a time zone, such as 2026-11-22T09:31:07.120Z"
WANTS_LANGUAGE = "language must be a culture code, such as sv-SE"

HEADERS = {"apikey": "good", "User-Agent": "AcmeClickstream/1.0", "Content-Type": "application/json"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"contactId": GUID.upper()},
        {"contactId": "a" * 20},
        {"contactId": "A-_9" * 6},
        {"time": "2026-11-22T10:31:07+01:00"},
        {"category": "", "sessionId": "s", "newSession": True, "language": "sv-SE", "url": "https://x.example"},
        {"language": "sv"},
        {"externalReferrer": "https://www.google.com", "utm": [{"key": "source", "value": "mail"}]},
        {"utm": []},
    ],
)
def test_a_good_view_passes(fields: dict[str, Any]) -> None:
    """What the documentation allows is accepted, single and in a batch."""
    assert check_voyado(VIEW, GOOD_VIEW | fields) is None
    assert check_voyado(VIEWS, [GOOD_VIEW, GOOD_VIEW | fields]) is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"itemId": ""}, "itemId must be a string that is not empty"),
        ({"itemId": 10233}, "itemId must be a string that is not empty"),
        ({"contactId": None}, WANTS_CONTACT),
        ({"contactId": ""}, WANTS_CONTACT),
        ({"contactId": "a" * 19}, WANTS_CONTACT),
        ({"contactId": "a" * 25}, WANTS_CONTACT),
        ({"contactId": GUID.replace("-", "")}, WANTS_CONTACT),
        ({"contactId": f"{{{GUID}}}"}, WANTS_CONTACT),
        ({"contactId": f"{GUID}\n"}, WANTS_CONTACT),
        ({"contactId": "å" * 20}, WANTS_CONTACT),
        ({"time": None}, WANTS_TIME),
        ({"time": ""}, WANTS_TIME),
        ({"time": 1795339867120}, WANTS_TIME),
        ({"time": "2026-11-22T09:31:07"}, WANTS_TIME),
        ({"time": "2026-11-22"}, WANTS_TIME),
        ({"time": "2026-11-22 09:31:07Z"}, WANTS_TIME),
        ({"time": "2026-11-22T09:31Z"}, WANTS_TIME),
        ({"time": "2026-11-22T09:31:07+0100"}, WANTS_TIME),
        ({"time": "2026-02-30T09:31:07Z"}, WANTS_TIME),
        ({"time": "2026-11-22T09:31:07+25:00"}, WANTS_TIME),
        ({"category": ["Men", "Shoes"]}, "category must be a string"),
        ({"sessionId": 7}, "sessionId must be a string"),
        ({"newSession": "true"}, "newSession must be true or false"),
        ({"newSession": 1}, "newSession must be true or false"),
        ({"language": "Swedish"}, WANTS_LANGUAGE),
        ({"language": "SE"}, WANTS_LANGUAGE),
        ({"url": None}, "url must be a string"),
        ({"externalReferrer": None}, "externalReferrer must be a string"),
        ({"utm": {"source": "mail"}}, "utm must be an array"),
        ({"utm": [{"name": "source", "value": "mail"}]}, "utm [0] key is missing"),
        ({"utm": [{"key": "source", "value": None}]}, "utm [0] value must be a string"),
        ({"ItemId": "10233"}, "ItemId is not a field of this method"),
        ({"sku": "10233"}, "sku is not a field of this method"),
    ],
)
def test_a_bad_view_is_refused_with_the_reason(fields: dict[str, Any], wrong: str) -> None:
    """Each rule of a product view is enforced, single and in a batch."""
    assert check_voyado(VIEW, GOOD_VIEW | fields) == wrong
    assert check_voyado(VIEWS, [GOOD_VIEW, GOOD_VIEW | fields]) == f"[1] {wrong}"


@pytest.mark.parametrize("field", ["itemId", "contactId"])
def test_a_view_needs_its_product_and_its_contact(field: str) -> None:
    """Without them Voyado cannot use a view."""
    view = {name: value for name, value in GOOD_VIEW.items() if name != field}

    assert check_voyado(VIEW, view) == f"{field} is missing"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"items": []},
        {"items": [{"sku": "1", "quantity": 2**40}]},
        {"language": "nb-NO", "url": "https://x.example/cart"},
    ],
)
def test_a_good_cart_passes(fields: dict[str, Any]) -> None:
    """What the documentation allows is accepted, the emptied cart too."""
    assert check_voyado(CART, GOOD_CART | fields) is None
    assert check_voyado(CARTS, [GOOD_CART, GOOD_CART | fields]) is None


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"cartReference": ""}, "cartReference must be a string that is not empty"),
        ({"cartReference": 7}, "cartReference must be a string that is not empty"),
        ({"contactId": "me"}, WANTS_CONTACT),
        ({"time": "yesterday"}, WANTS_TIME),
        ({"language": ""}, WANTS_LANGUAGE),
        ({"url": 1}, "url must be a string"),
        ({"items": None}, "items must be an array"),
        ({"items": {"sku": "1", "quantity": 1}}, "items must be an array"),
        ({"items": ["1"]}, "items [0] must be an object"),
        ({"items": [{"sku": 10233, "quantity": 1}]}, "items [0] sku must be a string that is not empty"),
        ({"items": [{"sku": "1", "quantity": "1"}]}, "items [0] quantity must be an integer"),
        ({"items": [{"sku": "1", "quantity": 1.0}]}, "items [0] quantity must be an integer"),
        ({"items": [{"sku": "1", "quantity": True}]}, "items [0] quantity must be an integer"),
        ({"items": [{"sku": "1", "price": 9.5}]}, "items [0] price is not a field of this method"),
        ({"CartReference": "c"}, "CartReference is not a field of this method"),
        ({"itemId": "1"}, "itemId is not a field of this method"),
    ],
)
def test_a_bad_cart_is_refused_with_the_reason(fields: dict[str, Any], wrong: str) -> None:
    """Each rule of a cart is enforced, single and in a batch."""
    assert check_voyado(CART, GOOD_CART | fields) == wrong
    assert check_voyado(CARTS, [GOOD_CART | fields, GOOD_CART]) == f"[0] {wrong}"


@pytest.mark.parametrize("field", ["cartReference", "contactId"])
def test_a_cart_needs_its_reference_and_its_contact(field: str) -> None:
    """Without them Voyado cannot use a cart."""
    cart = {name: value for name, value in GOOD_CART.items() if name != field}

    assert check_voyado(CART, cart) == f"{field} is missing"


def test_a_batch_is_an_array_and_a_single_call_an_object() -> None:
    """The two forms are not mixed up."""
    assert check_voyado(VIEWS, GOOD_VIEW) == "must be an array"
    assert check_voyado(CARTS, GOOD_CART) == "must be an array"
    assert check_voyado(VIEW, [GOOD_VIEW]) == "must be an object"
    assert check_voyado(CART, [GOOD_CART]) == "must be an object"


def test_deliveries_are_noted_with_their_lanes() -> None:
    """Views go by contact, carts by cart; a cart's lines and an emptied cart can be told apart."""
    assert read_voyado(VIEW, GOOD_VIEW) == [Accepted("product_view", GUID, "10233", 1_795_339_867_120)]
    assert read_voyado(VIEWS, [{"itemId": "1", "contactId": GUID}]) == [Accepted("product_view", GUID, "1", None)]
    assert read_voyado(CARTS, [GOOD_CART, GOOD_CART | {"items": []}]) == [
        Accepted("cart", "c-1", "10233*2 10234*1", 1_795_339_867_120),
        Accepted("cart", "c-1", "", 1_795_339_867_120),
    ]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"Content-Type": "application/json; charset=utf-8"}, None),
        ({"User-Agent": "Acme/1.0 (clickstream)"}, None),
        ({"apikey": "bad"}, 401),
        ({"apikey": ""}, 401),
        ({"User-Agent": "Acme"}, 400),
        ({"User-Agent": "Acme /1"}, 400),
        ({"User-Agent": ""}, 400),
        ({"Content-Type": "text/plain"}, 500),
        ({"Content-Type": ""}, 500),
    ],
)
def test_headers_are_judged_before_the_body(headers: dict[str, str], status: int | None) -> None:
    """Key, user agent and content type each have their own answer."""
    refusal = admit_voyado(HEADERS | headers, "good")

    assert (refusal and refusal.status) == status


def test_a_key_is_needed() -> None:
    """A call without any key is refused like one with a wrong key."""
    refusal = admit_voyado({"User-Agent": "Acme/1.0", "Content-Type": "application/json"}, "good")

    assert refusal is not None
    assert refusal.status == 401


def test_the_500_says_what_voyado_says() -> None:
    """A missing content type gets Voyado's own words, which explain nothing."""
    refusal = admit_voyado({"apikey": "good", "User-Agent": "Acme/1.0"}, "good")

    assert refusal is not None
    assert (refusal.status, refusal.message) == (500, "An error has occurred")
