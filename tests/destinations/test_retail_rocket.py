from typing import Any

import pytest

from processor.destinations import VENDORS
from processor.destinations.retail_rocket import Settings
from processor.destinations.vendor import Wirings
from tests.destinations.mapping import GOOD, GUID, ROCKET, VISIT, method_of, refused, sent

ACCOUNT: dict[str, Any] = {
    "type": "retail_rocket",
    "partner_id": "5ba1feda97a5252320437f20",
    "api_key": "s3cr3t",
    "user_agent": "AcmeClickstream/1.0",
}
WIRE_NAMES = {
    "view": "view",
    "group_view": "groupView",
    "add_to_basket": "addToBasket",
    "category_view": "categoryView",
    "category_view_by_category_path": "categoryViewByCategoryPath",
    "order": "order",
    "search": "search",
    "set_contact": "setContact",
    "welcome_sequence": "welcomeSequence",
    "email_click": "emailClick",
    "recom_block_viewed": "recomBlockViewed",
    "recom_tap": "recomTap",
    "recom_add_to_basket": "recomAddToBasket",
    "impression_content_viewed": "impressionContentViewed",
    "impression_content_clicked": "impressionContentClicked",
}
SINGLE = ("category_view_by_category_path", "welcome_sequence")
"""What is never in a batch: the one has no envelope, the other reaches a shopper."""
STOCKED = ("view", "group_view", "add_to_basket", "order", "search", "set_contact", "recom_tap", "recom_add_to_basket")


@pytest.mark.parametrize("method", ROCKET)
def test_what_a_method_needs(method: str) -> None:
    """Its own fields, the session, and the time, for which the vendor would take that of the call instead."""
    assert method_of(method).required == {*VISIT, *GOOD[method]}


@pytest.mark.parametrize("method", ROCKET)
def test_what_else_a_method_takes(method: str) -> None:
    """A stock where the vendor's page names one; what is known of a contact; and the data of the shop's own."""
    optional = {"stockId"} if method in STOCKED else set()
    optional |= {"set_contact": {"email", "phone", "customData"}, "email_click": {"customData"}}.get(method, set())

    assert method_of(method).fields.keys() - method_of(method).required == optional


def test_a_full_contact() -> None:
    """Every field of it, and a UUID without its hyphens as everywhere."""
    custom = {"tier": "gold", "points": 12, "vip": True}
    found = sent(
        "set_contact",
        contactExternalId=GUID,
        email="anna+shop@exämple.com",
        phone=46_701_234_567,
        stockId="Malmö",
        customData={**custom, "old": None},
    )

    assert found == {
        **VISIT,
        "contactExternalId": GUID.replace("-", ""),
        "email": "anna+shop@exämple.com",
        "phone": "46701234567",
        "stockId": "Malmö",
        "customData": custom,
    }


@pytest.mark.parametrize("value", ["", "anna", "anna@", "@example.com", "a b@example.com", "a@b@c", "a@b\n", 5, True])
def test_what_is_no_address_is_refused(value: object) -> None:
    """Where it is optional, too: a contact without one has null."""
    assert refused("set_contact", email=value).startswith("email: ")
    assert refused("welcome_sequence", email=value).startswith("email: ")


@pytest.mark.parametrize("value", ["+46701234567", "46701234567", "123456789012345", 46_701_234_567])
def test_a_phone_number_has_its_country(value: object) -> None:
    """With or without the plus, as the vendor's own examples."""
    assert sent("set_contact", phone=value)["phone"] == str(value)


@pytest.mark.parametrize("value", ["", "0701234567", "+46 70-123 45 67", "++46701234567", "1234567890123456", "+46", 7])
def test_what_is_no_phone_number_is_refused(value: object) -> None:
    """Nothing is guessed: neither a country nor what to leave out."""
    assert refused("set_contact", phone=value).startswith("phone: ")


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "productIds"),
        (["x"], "productIds[0]"),
        ([1, 0], "productIds[1]"),
        ([1, 2, None], "productIds[2]"),
        ("12", "productIds"),
        (12, "productIds"),
    ],
)
def test_the_products_of_a_group_are_ids(value: object, field: str) -> None:
    """All of the group, at least one; the first bad one is named by its position."""
    assert refused("group_view", productIds=value).startswith(f"{field}: ")


def test_ids_in_a_list_are_converted_too() -> None:
    """As everywhere else."""
    assert sent("group_view", productIds=["0012", 3.0, 4])["productIds"] == [12, 3, 4]


@pytest.mark.parametrize("method", ROCKET)
def test_order_is_kept_per_session(method: str) -> None:
    """The lane is the session as it is sent."""
    assert (method_of(method).order_key, method_of(method).time) == ("sessionExternalId", "timestamp")


@pytest.mark.parametrize(("method", "name"), WIRE_NAMES.items())
def test_a_single_call_goes_to_its_own_path(method: str, name: str) -> None:
    """The method's name in the vendor's writing."""
    channel = Wirings(batched=False).wire(method_of(method)).channel

    assert (channel.path, channel.batched, channel.label) == (f"/{name}", False, method)


@pytest.mark.parametrize("method", [method for method in ROCKET if method not in SINGLE])
def test_in_a_batch_each_has_its_envelope(method: str) -> None:
    """All methods share one path, and one key names each element's method."""
    wiring = Wirings(batched=True).wire(method_of(method))

    assert (wiring.channel.path, wiring.channel.batched) == ("/visitorEvents", True)
    assert wiring.channel.label == "visitor_events"
    assert (wiring.prefix, wiring.suffix) == (b'{"%s":' % WIRE_NAMES[method].encode(), b"}")


@pytest.mark.parametrize("method", SINGLE)
def test_some_stay_single(method: str) -> None:
    """Also where the account sends batches."""
    wiring = Wirings(batched=True).wire(method_of(method))

    assert (wiring.channel.path, wiring.channel.batched) == (f"/{WIRE_NAMES[method]}", False)
    assert (wiring.prefix, wiring.suffix) == (b"", b"")


def test_how_a_request_is_addressed() -> None:
    """Key and shop in the query, because the vendor takes them nowhere else."""
    address = VENDORS["retail_rocket"].address(Settings.model_validate(ACCOUNT))
    url = address.url("/addToBasket")

    assert str(url.with_query(None)) == "https://apptracking.retailrocket.net/1.0/addToBasket"
    assert dict(url.query) == {"apiKey": "s3cr3t", "partnerId": "5ba1feda97a5252320437f20"}
    assert dict(address.headers) == {"User-Agent": "AcmeClickstream/1.0", "Content-Type": "application/json"}


@pytest.mark.parametrize("key", ["a/b+c==", "a&b=c", "50%25", "#?;@"])
def test_any_key_arrives_as_it_is(key: str) -> None:
    """Signs that mean something in a URL are written so that they mean nothing."""
    settings = Settings.model_validate({**ACCOUNT, "api_key": key})
    url = VENDORS["retail_rocket"].address(settings).url("/view")

    assert url.query["apiKey"] == key
    assert url.query["partnerId"] == ACCOUNT["partner_id"]
    assert not url.fragment


@pytest.mark.parametrize("base", ["https://rr.example/1.0", "https://rr.example/1.0/"])
def test_another_base_is_used(base: str) -> None:
    """With or without a slash at its end."""
    settings = Settings.model_validate({**ACCOUNT, "base_url": base})
    url = VENDORS["retail_rocket"].address(settings).url("/view")

    assert str(url.with_query(None)) == "https://rr.example/1.0/view"


def test_the_documented_limits_are_the_defaults() -> None:
    """A hundred requests a second, single calls; and the key is not shown."""
    settings = Settings.model_validate(ACCOUNT)

    assert settings.rate == 100.0
    assert settings.batch is None
    assert "s3cr3t" not in repr(settings)
