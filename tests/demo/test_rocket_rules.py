from typing import Any

import pytest

from processor.demo.rocket_rules import ROCKET_PATHS, VISITOR_EVENTS, admit_rocket, check_rocket, read_rocket
from processor.demo.rules import Accepted

SESSION = "0acada4a4dd4d5a9b27b4ab2b8f3b05d"
HEAD = {"sessionExternalId": SESSION, "timestamp": "2026-11-22T09:31:07Z"}
MILLIS = 1_795_339_867_000

GOOD: dict[str, dict[str, Any]] = {
    "view": HEAD | {"productId": 10233},
    "groupView": HEAD | {"groupId": 5, "productIds": [10233, 10234]},
    "addToBasket": HEAD | {"productId": 10233},
    "order": HEAD | {"productId": 10233, "price": 99.5, "quantity": 2, "transaction": "A100001"},
    "categoryView": HEAD | {"categoryId": 101},
    "search": HEAD | {"searchPhrase": "gåva till pappa"},
    "setContact": HEAD | {"contactExternalId": "C1"},
    "emailClick": HEAD | {"mailTrackingId": "m-1"},
    "recomBlockViewed": HEAD | {"recomBlockId": "568da4f6-7952-49b1-afd3-9ac44d6e78c7"},
    "recomTap": HEAD | {"productId": 10233, "recomBlockId": "b"},
    "recomAddToBasket": HEAD | {"productId": 10233, "recomBlockId": "b"},
    "impressionContentViewed": HEAD | {"impressionContentId": "568da4f6-7952-49b1-afd3-9ac44d6e78c7"},
    "impressionContentClicked": HEAD | {"impressionContentId": "i"},
}
SINGLE: dict[str, dict[str, Any]] = {
    "categoryViewByCategoryPath": HEAD | {"categoryPath": "Skor/Vinter"},
    "welcomeSequence": HEAD | {"email": "anna@example.com"},
}
"""Methods that no batch holds."""

WANTS_ID = "must be an integer from 1 to 9007199254740991"
WANTS_SHORT = "must be a string of 1 to 50 characters"
WANTS_STOCK = "must be a string of at most 50 characters"
WANTS_MAIL = "must be an e-mail address"
WANTS_PHONE = "must be a phone number in E.164, such as +46701234567"
WANTS_FILLED = "must be a string that is not empty"
WANTS_SCALARS = "must be an object of strings, numbers and booleans under names that are not empty"
WANTS_SESSION = "sessionExternalId must be 1 to 50 letters and digits"
WANTS_TIME = "timestamp must be ISO 8601 in whole seconds with a time zone, such as 2026-11-22T09:31:07Z"

BAD_EVERYWHERE = [
    ({"sessionExternalId": None}, WANTS_SESSION),
    ({"sessionExternalId": ""}, WANTS_SESSION),
    ({"sessionExternalId": "a" * 51}, WANTS_SESSION),
    ({"sessionExternalId": "0acada4a-4dd4"}, WANTS_SESSION),
    ({"sessionExternalId": "åäö"}, WANTS_SESSION),
    ({"sessionExternalId": 7}, WANTS_SESSION),
    ({"timestamp": "2026-11-22T09:31:07.120Z"}, WANTS_TIME),
    ({"timestamp": "2026-11-22T09:31:07"}, WANTS_TIME),
    ({"timestamp": "2026-11-22T09:31:07+0100"}, WANTS_TIME),
    ({"timestamp": "2026-13-22T09:31:07Z"}, WANTS_TIME),
    ({"timestamp": 1795339867}, WANTS_TIME),
    ({"timestamp": None}, WANTS_TIME),
    ({"SessionExternalId": SESSION}, "SessionExternalId is not a field of this method"),
    ({"contactId": "me"}, "contactId is not a field of this method"),
]

BAD_IDS = [None, "10233", "SKU-1", True, 0, -1, 2**53, 10233.0]


@pytest.mark.parametrize("method", sorted(GOOD))
def test_a_good_call_passes(method: str) -> None:
    """What the documentation allows is accepted, single and in an envelope."""
    assert check_rocket(f"/1.0/{method}", GOOD[method]) is None
    assert check_rocket(VISITOR_EVENTS, [{method: GOOD[method]}]) is None


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("view", {"stockId": "s" * 50}),
        ("view", {"productId": 1}),
        ("view", {"productId": 2**53 - 1}),
        ("view", {"sessionExternalId": "A"}),
        ("view", {"timestamp": "2026-11-22T10:31:07+01:00"}),
        ("groupView", {"stockId": "s"}),
        ("order", {"price": 0}),
        ("order", {"price": 0.0}),
        ("order", {"quantity": 1, "stockId": "s"}),
        ("order", {"transaction": "t" * 50}),
        ("search", {"searchPhrase": "x" * 50}),
        ("setContact", {"email": "a@b", "phone": "+46701234567", "stockId": "", "customData": {}}),
        ("setContact", {"phone": "123456789012345", "customData": {"a": "", "b": 0, "c": False, "d": -1.5}}),
        ("emailClick", {"customData": {"a": "b"}}),
        ("recomAddToBasket", {"recomBlockId": "b" * 50, "stockId": "s"}),
    ],
)
def test_the_bounds_are_allowed(method: str, fields: dict[str, Any]) -> None:
    """The last good value of each rule passes."""
    assert check_rocket(f"/1.0/{method}", GOOD[method] | fields) is None


@pytest.mark.parametrize("method", sorted(GOOD))
@pytest.mark.parametrize(("fields", "wrong"), BAD_EVERYWHERE)
def test_session_time_and_names_are_judged_in_every_method(method: str, fields: dict[str, Any], wrong: str) -> None:
    """The common rules hold for all methods, single and in an envelope."""
    payload = GOOD[method] | fields

    assert check_rocket(f"/1.0/{method}", payload) == wrong
    assert check_rocket(VISITOR_EVENTS, [{method: payload}]) == f"[0] {method}.{wrong}"


@pytest.mark.parametrize("value", BAD_IDS)
@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("view", "productId"),
        ("addToBasket", "productId"),
        ("order", "productId"),
        ("groupView", "groupId"),
        ("categoryView", "categoryId"),
        ("recomTap", "productId"),
        ("recomAddToBasket", "productId"),
    ],
)
def test_an_id_is_a_json_integer(method: str, field: str, value: object) -> None:
    """Neither text nor true nor a float nor anything that JavaScript cannot hold is an id."""
    assert check_rocket(f"/1.0/{method}", GOOD[method] | {field: value}) == f"{field} {WANTS_ID}"


@pytest.mark.parametrize(
    ("method", "fields", "wrong"),
    [
        ("view", {"stockId": "s" * 51}, f"stockId {WANTS_STOCK}"),
        ("view", {"stockId": None}, f"stockId {WANTS_STOCK}"),
        ("view", {"quantity": 1}, "quantity is not a field of this method"),
        ("addToBasket", {"quantity": 1}, "quantity is not a field of this method"),
        ("groupView", {"productIds": []}, "productIds must be an array that is not empty"),
        ("groupView", {"productIds": None}, "productIds must be an array that is not empty"),
        ("groupView", {"productIds": 10233}, "productIds must be an array"),
        ("groupView", {"productIds": [1, "2"]}, f"productIds [1] {WANTS_ID}"),
        ("groupView", {"productId": 1}, "productId is not a field of this method"),
        ("order", {"price": -0.01}, "price must be a number of 0 or more"),
        ("order", {"price": "99.50"}, "price must be a number of 0 or more"),
        ("order", {"price": None}, "price must be a number of 0 or more"),
        ("order", {"quantity": 0}, "quantity must be an integer from 1 to 9223372036854775807"),
        ("order", {"quantity": 1.5}, "quantity must be an integer from 1 to 9223372036854775807"),
        ("order", {"quantity": True}, "quantity must be an integer from 1 to 9223372036854775807"),
        ("order", {"transaction": ""}, f"transaction {WANTS_SHORT}"),
        ("order", {"transaction": "t" * 51}, f"transaction {WANTS_SHORT}"),
        ("order", {"transaction": 100001}, f"transaction {WANTS_SHORT}"),
        ("categoryView", {"stockId": "s"}, "stockId is not a field of this method"),
        ("search", {"searchPhrase": ""}, f"searchPhrase {WANTS_SHORT}"),
        ("search", {"searchPhrase": "x" * 51}, f"searchPhrase {WANTS_SHORT}"),
        ("setContact", {"contactExternalId": "a-b"}, "contactExternalId must be 1 to 50 letters and digits"),
        ("setContact", {"contactExternalId": 7}, "contactExternalId must be 1 to 50 letters and digits"),
        ("setContact", {"email": "anna"}, f"email {WANTS_MAIL}"),
        ("setContact", {"email": ""}, f"email {WANTS_MAIL}"),
        ("setContact", {"phone": "070-123"}, f"phone {WANTS_PHONE}"),
        ("setContact", {"phone": 46_701_234_567}, f"phone {WANTS_PHONE}"),
        ("setContact", {"customData": "{}"}, f"customData {WANTS_SCALARS}"),
        ("setContact", {"customData": {"a": None}}, f"customData {WANTS_SCALARS}"),
        ("emailClick", {"customData": {"": 1}}, f"customData {WANTS_SCALARS}"),
        ("emailClick", {"mailTrackingId": ""}, f"mailTrackingId {WANTS_FILLED}"),
        ("emailClick", {"stockId": "s"}, "stockId is not a field of this method"),
        ("recomBlockViewed", {"recomBlockId": "b" * 51}, f"recomBlockId {WANTS_SHORT}"),
        ("recomBlockViewed", {"productId": 1}, "productId is not a field of this method"),
        ("recomTap", {"recomBlockId": ""}, f"recomBlockId {WANTS_SHORT}"),
        ("impressionContentViewed", {"impressionContentId": 5}, f"impressionContentId {WANTS_FILLED}"),
    ],
)
def test_a_method_s_own_rules_are_enforced(method: str, fields: dict[str, Any], wrong: str) -> None:
    """Each method's fields are judged, single and in an envelope."""
    payload = GOOD[method] | fields

    assert check_rocket(f"/1.0/{method}", payload) == wrong
    assert check_rocket(VISITOR_EVENTS, [{"view": GOOD["view"]}, {method: payload}]) == f"[1] {method}.{wrong}"


@pytest.mark.parametrize("method", sorted(SINGLE))
def test_some_methods_are_single_calls_only(method: str) -> None:
    """A category's path has no envelope, and a mail to a shopper must not be sent again with its batch."""
    assert check_rocket(f"/1.0/{method}", SINGLE[method]) is None
    assert check_rocket(VISITOR_EVENTS, [{method: SINGLE[method]}]) == f"[0] {method} is not a method of this batch"
    for field in SINGLE[method]:
        payload = {name: value for name, value in SINGLE[method].items() if name != field}
        assert check_rocket(f"/1.0/{method}", payload) == f"{field} is missing"


@pytest.mark.parametrize("method", sorted(GOOD))
def test_every_field_of_a_method_but_the_stock_is_required(method: str) -> None:
    """A call without one of them is refused, the time included."""
    for field in GOOD[method]:
        payload = {name: value for name, value in GOOD[method].items() if name != field}

        assert check_rocket(f"/1.0/{method}", payload) == f"{field} is missing"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"view": GOOD["view"]}, "must be an array"),
        ([GOOD["view"]], "[0] must be an object with one key, the method"),
        ([{}], "[0] must be an object with one key, the method"),
        ([[]], "[0] must be an object with one key, the method"),
        (
            [{"view": GOOD["view"], "search": GOOD["search"]}],
            "[0] must be an object with one key, the method",
        ),
        ([{"View": GOOD["view"]}], "[0] View is not a method of this batch"),
        ([{"visitorEvents": []}], "[0] visitorEvents is not a method of this batch"),
    ],
)
def test_a_batch_is_an_array_of_one_key_envelopes(body: Any, wrong: str) -> None:
    """The form of `visitorEvents` is judged before its payloads."""
    assert check_rocket(VISITOR_EVENTS, body) == wrong


def test_deliveries_are_noted_in_the_order_of_the_batch() -> None:
    """Each is in its session's lane, under the method's name in a route, with what it is about."""
    body = [{method: payload} for method, payload in GOOD.items()]

    assert read_rocket(VISITOR_EVENTS, body) == [
        Accepted("view", SESSION, "10233", MILLIS),
        Accepted("group_view", SESSION, "5", MILLIS),
        Accepted("add_to_basket", SESSION, "10233", MILLIS),
        Accepted("order", SESSION, "A100001/10233", MILLIS),
        Accepted("category_view", SESSION, "101", MILLIS),
        Accepted("search", SESSION, "gåva till pappa", MILLIS),
        Accepted("set_contact", SESSION, "C1", MILLIS),
        Accepted("email_click", SESSION, "m-1", MILLIS),
        Accepted("recom_block_viewed", SESSION, "568da4f6-7952-49b1-afd3-9ac44d6e78c7", MILLIS),
        Accepted("recom_tap", SESSION, "b/10233", MILLIS),
        Accepted("recom_add_to_basket", SESSION, "b/10233", MILLIS),
        Accepted("impression_content_viewed", SESSION, "568da4f6-7952-49b1-afd3-9ac44d6e78c7", MILLIS),
        Accepted("impression_content_clicked", SESSION, "i", MILLIS),
    ]


def test_single_calls_are_noted_alike() -> None:
    """The books do not tell a single call from an envelope."""
    for method, payload in GOOD.items():
        assert f"/1.0/{method}" in ROCKET_PATHS
        assert read_rocket(f"/1.0/{method}", payload) == read_rocket(VISITOR_EVENTS, [{method: payload}])
    assert [read_rocket(f"/1.0/{method}", payload) for method, payload in SINGLE.items()] == [
        [Accepted("category_view_by_category_path", SESSION, "Skor/Vinter", MILLIS)],
        [Accepted("welcome_sequence", SESSION, "anna@example.com", MILLIS)],
    ]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({}, {}, None),
        ({"apiKey": "bad"}, {}, 401),
        ({"partnerId": "another"}, {}, 401),
        ({}, {"Content-Type": "text/plain"}, 400),
        ({"apiKey": "bad"}, {"Content-Type": "text/plain"}, 401),
    ],
)
def test_query_and_headers_are_judged_before_the_body(
    query: dict[str, str], headers: dict[str, str], status: int | None
) -> None:
    """Key and shop must belong together, and the body must be declared as JSON."""
    refusal = admit_rocket(
        {"Content-Type": "application/json"} | headers,
        {"apiKey": "good", "partnerId": "shop"} | query,
        key="good",
        partner="shop",
    )

    assert (refusal and refusal.status) == status


def test_key_and_shop_are_needed() -> None:
    """A call without a query is refused like one with a wrong key."""
    refusal = admit_rocket({"Content-Type": "application/json"}, {}, key="good", partner="shop")

    assert refusal is not None
    assert refusal.status == 401
