"""What becomes of a value in a field of text: identifiers, short texts, flags; and what messages show."""

from typing import Any

import pytest

from tests.destinations.mapping import GUID, refused, sent


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (GUID, GUID.replace("-", "")),
        (GUID.upper(), GUID.upper().replace("-", "")),
        ("a", "a"),
        ("A1" * 25, "A1" * 25),
        (12, "12"),
    ],
)
def test_a_session_is_letters_and_digits(value: object, expected: str) -> None:
    """A UUID's hyphens are dropped, because the vendor advises UUIDs and forbids hyphens."""
    assert sent("view", sessionExternalId=value)["sessionExternalId"] == expected


@pytest.mark.parametrize(
    "value",
    [
        "a" * 51,
        "a" * 60,
        "",
        "a-b",
        "a_b",
        "a b",
        "användare",
        "a\n",
        GUID + "\n",
        GUID[:-1],
        "{" + GUID + "}",
        True,
        [1],
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_session_is_refused(value: object) -> None:
    """Nothing is cut to fit: two visitors could become one."""
    assert refused("view", sessionExternalId=value).startswith("sessionExternalId: ")


def test_a_session_of_sixty_characters_says_how_many_are_allowed() -> None:
    """People can see from the letter alone what is wrong."""
    message = "sessionExternalId: the text has 60 characters, at most 50 are allowed"

    assert refused("view", sessionExternalId="a" * 60) == message


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


@pytest.mark.parametrize("value", ["x", "x" * 50, "ö" * 50, "😀" * 50, "👨‍👩‍👧" * 10, 5])
def test_short_texts_have_up_to_fifty_characters(value: object) -> None:
    """Characters, not bytes; an emoji of several counts as several."""
    assert sent("search", searchPhrase=value)["searchPhrase"] == str(value)


@pytest.mark.parametrize("value", ["x" * 51, "😀" * 51, "👨‍👩‍👧" * 11])
def test_longer_texts_are_refused(value: str) -> None:
    """They are not cut, and the message says how long it was."""
    message = f"the text has {len(value)} characters, at most 50 are allowed"

    assert refused("search", searchPhrase=value) == f"searchPhrase: {message}"
    assert refused("order", transaction=value) == f"transaction: {message}"
    assert refused("view", stockId=value) == f"stockId: {message}"


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("product_view", "itemId"),
        ("cart", "cartReference"),
        ("search", "searchPhrase"),
        ("order", "transaction"),
    ],
)
def test_an_empty_text_is_refused_where_one_is_required(method: str, field: str) -> None:
    """It would look like a payload and mean nothing."""
    assert refused(method, **{field: ""}) == f"{field}: the text is empty"


@pytest.mark.parametrize("value", ["10233", 10233])
def test_texts_may_come_as_numbers(value: object) -> None:
    """A catalogue's ids are numbers in one system and text in another."""
    assert sent("product_view", itemId=value)["itemId"] == "10233"


@pytest.mark.parametrize("value", [True, ["a"], {"a": "b"}])
def test_what_is_no_text_is_refused(value: object) -> None:
    """Nobody wants to read what a program makes of them."""
    assert refused("product_view", itemId=value).startswith("itemId: ")
    assert refused("product_view", category=value).startswith("category: ")


@pytest.mark.parametrize("value", [True, False])
def test_a_flag_is_true_or_false(value: bool) -> None:  # noqa: FBT001 - it is what is tested
    """False is sent, too."""
    assert sent("product_view", newSession=value)["newSession"] is value


@pytest.mark.parametrize("value", ["true", "yes", "", 1, 0, 1.0, []])
def test_nothing_else_is_a_flag(value: object) -> None:
    """`when`-like truth has no place in a payload."""
    assert refused("product_view", newSession=value).startswith("newSession: ")


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("view", {"productId": "anna@example.com"}),
        ("view", {"timestamp": "anna@example.com"}),
        ("view", {"timestamp": "2026-11-22T10:31:07+０１:00"}),
        ("view", {"sessionExternalId": "anna@example.com"}),
        ("product_view", {"contactId": "anna@example.com"}),
        ("product_view", {"newSession": "anna@example.com"}),
        ("product_view", {"utm": ["anna@example.com"]}),
        ("order", {"price": "anna@example.com"}),
        ("order", {"transaction": "anna@example.com" * 9}),
        ("cart", {"items": "anna@example.com"}),
    ],
)
def test_a_message_never_shows_the_value(method: str, changes: dict[str, Any]) -> None:
    """It may be personal data, and letters' headers are read by many."""
    message = refused(method, **changes)

    assert "anna" not in message
    assert "2026" not in message.replace("2026-11-22T10:31:07Z", "")
