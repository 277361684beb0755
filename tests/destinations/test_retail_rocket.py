from typing import Any

import orjson
import pytest

from processor.destinations import VENDORS
from processor.destinations.retail_rocket import Settings
from processor.records import Payload
from tests.destinations.mapping import GOOD, ROCKET, SESSION, VISIT, good, mapped, refused, sent

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
    "order": "order",
    "category_view": "categoryView",
    "search": "search",
}


@pytest.mark.parametrize("method", ROCKET)
def test_a_payload_is_sent_with_the_vendor_s_names(method: str) -> None:
    """What every method needs, and what its own fields are."""
    assert sent(method) == {**VISIT, **GOOD[method]}


@pytest.mark.parametrize("method", [method for method in ROCKET if method != "category_view"])
def test_a_stock_may_be_named(method: str) -> None:
    """Where the shop has several."""
    assert sent(method, stockId="Malmö")["stockId"] == "Malmö"


def test_a_category_view_has_no_stock() -> None:
    """The vendor's page names none for it."""
    assert "stockId" not in VENDORS["retail_rocket"].methods["category_view"].fields


@pytest.mark.parametrize(
    ("method", "field"),
    [(method, field) for method in ROCKET for field in (*VISIT, *GOOD[method])],
)
def test_every_field_of_a_method_is_needed(method: str, field: str) -> None:
    """Also the time: the vendor would take that of the call instead."""
    assert refused(method, **{field: None}) == f"{field}: required, but the mapping gives null"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "productIds"),
        (["x"], "productIds.0"),
        ([1, 0], "productIds.1"),
        ([1, 2, None], "productIds.2"),
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
    found = mapped(method, good(method))

    assert isinstance(found, Payload)
    assert found.lane == SESSION
    assert found.event_time == 1_795_339_867.0


@pytest.mark.parametrize(("method", "name"), WIRE_NAMES.items())
def test_a_single_call_goes_to_its_own_path(method: str, name: str) -> None:
    """The method's name in the vendor's writing."""
    found = mapped(method, good(method))

    assert isinstance(found, Payload)
    assert (found.channel.path, found.channel.batched, found.channel.label) == (f"/{name}", False, method)


@pytest.mark.parametrize(("method", "name"), WIRE_NAMES.items())
def test_in_a_batch_each_has_its_envelope(method: str, name: str) -> None:
    """All methods share one path, and one key names each element's method."""
    found = mapped(method, good(method), batched=True)

    assert isinstance(found, Payload)
    assert (found.channel.path, found.channel.batched) == ("/visitorEvents", True)
    assert found.channel.label == "visitor_events"
    assert orjson.loads(found.body) == {name: {**VISIT, **GOOD[method]}}


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
