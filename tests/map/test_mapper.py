import re
from decimal import Decimal

import orjson
import pytest

from tests.map.views import EVENT, GUID, body, mapper, message, view


def test_every_field_has_its_expression() -> None:
    """Plain paths and any other JMESPath, under the vendor's names."""
    fields = view(
        time="occurredAt",
        category="join(' > ', product.categoryPath)",
        url="page.url",
        utm="page.utm[].{key: name, value: value}",
    )

    assert body(mapper(fields).map(EVENT)) == {
        "itemId": "10233",
        "contactId": GUID,
        "time": "2026-11-22T09:31:07.120Z",
        "category": "Shoes > Winter > Boots",
        "url": "https://shop.example/p/10233",
        "utm": [{"key": "source", "value": "mail"}],
    }


@pytest.mark.parametrize("expression", ["nothing", "missing", "missing.deeper", "product.missing", "`null`"])
def test_null_and_missing_are_left_out(expression: str) -> None:
    """An optional field without a value is not sent, however it came to have none."""
    assert body(mapper(view(category=expression)).map(EVENT)) == {"itemId": "10233", "contactId": GUID}


@pytest.mark.parametrize("expression", ["nothing", "missing", "product.missing"])
def test_a_required_field_without_a_value_is_named(expression: str) -> None:
    """The letter says which one."""
    found = mapper(view(itemId=expression)).map(EVENT)

    assert message(found) == "itemId: required, but the mapping gives null"


def test_an_empty_text_is_no_null() -> None:
    """It is sent where the field is optional, and refused where it is required."""
    assert body(mapper(view(category="empty")).map(EVENT))["category"] == ""
    assert message(mapper(view(itemId="empty")).map(EVENT)) == "itemId: the text is empty"


def test_an_expression_that_fails_is_named() -> None:
    """Field, expression and kind of error; the value may be personal data."""
    found = mapper(view(category="join(', ', contactId)")).map(EVENT)

    assert message(found) == ("category: join(', ', contactId): join() wants an array of texts, and contactId is text")


def test_everything_that_is_wrong_with_a_payload_is_told() -> None:
    """One letter, one repair."""
    found = mapper(view(itemId="empty", contactId="market", time="market")).map(EVENT)

    assert [part.partition(":")[0] for part in message(found).split("; ")] == ["itemId", "contactId", "time"]
    assert not re.search(r"\bSE\b", message(found))


def test_nothing_of_one_event_is_in_the_next() -> None:
    """What the last event had and this one lacks is not sent again."""
    mapping = mapper(view(category="category"), constants={"language": "sv-SE"})
    mapping.map({**EVENT, "category": "Boots"})

    assert body(mapping.map(EVENT)) == {"itemId": "10233", "contactId": GUID, "language": "sv-SE"}


def test_the_event_is_left_as_it_was() -> None:
    """Other routes read it, too."""
    before = orjson.dumps(EVENT, default=str)
    mapping = mapper(view(utm="page.utm[].{key: name, value: value}"), constants={"category": "c"})
    mapping.map(EVENT)
    mapping.map(EVENT)

    assert orjson.dumps(EVENT, default=str) == before


def test_the_item_of_a_route_is_seen() -> None:
    """A mapping per order line reads the line and the order."""
    fields = {
        "sessionExternalId": "visitorId",
        "timestamp": "placedAt",
        "productId": "item.productId",
        "price": "item.unitPrice",
        "quantity": "item.quantity",
        "transaction": "orderNumber",
    }
    scope = {
        "visitorId": "v1",
        "placedAt": "2026-11-22T09:31:07.120Z",
        "orderNumber": "O-1",
        "item": {"productId": 10233, "unitPrice": Decimal("9.90"), "quantity": 2},
    }

    assert body(mapper(fields, to="retail_rocket.order").map(scope)) == {
        "sessionExternalId": "v1",
        "timestamp": "2026-11-22T09:31:07Z",
        "productId": 10233,
        "price": 9.9,
        "quantity": 2,
        "transaction": "O-1",
    }


# Constants.


def test_constants_are_sent_with_every_event() -> None:
    """Texts, flags, lists and records that are the same for all."""
    constants = {"category": "Boots", "newSession": False, "utm": [{"key": "source", "value": "app"}]}
    mapping = mapper(view(), constants=constants)

    for _ in range(2):
        assert body(mapping.map(EVENT)) == {"itemId": "10233", "contactId": GUID, **constants}


def test_an_empty_list_is_a_constant() -> None:
    """The emptied cart."""
    fields = {"cartReference": "sessionId", "contactId": "contactId"}

    assert body(mapper(fields, to="voyado.cart", constants={"items": []}).map(EVENT))["items"] == []
