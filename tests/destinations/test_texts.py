from decimal import Decimal

import pytest

from processor.destinations.texts import letters_and_digits, text, text_like
from tests.destinations.mapping import GUID

ANY = text()
SHORT = text(shortest=1, longest=50)


@pytest.mark.parametrize("value", ["", "x", " ", "x" * 10_000, "ö" * 50, "😀", "a\n", "\x00"])
def test_a_text_stays_as_it_is(value: str) -> None:
    """Nothing is trimmed, cut or replaced."""
    assert ANY(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (10233, "10233"),
        (-5, "-5"),
        (2**63 - 1, "9223372036854775807"),
        (-(10**39), "-1" + "0" * 39),
        (3.0, "3"),
        (-0.0, "0"),
        (9.5, "9.5"),
        (1e-7, "0.0000001"),
        (float(2**53 - 1), "9007199254740991"),
        (Decimal(12), "12"),
        (Decimal("9.90"), "9.90"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1"), "0.1"),
        (Decimal(123456789012345678901234567890), "123456789012345678901234567890"),
    ],
)
def test_a_number_becomes_its_digits(value: object, expected: str) -> None:
    """A catalogue's ids are numbers in one system and text in another; no digit is lost and none is made up."""
    assert ANY(value) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "boolean is not a text"),
        (None, "null is not a text"),
        (["a"], "array is not a text"),
        ({"a": "b"}, "record is not a text"),
        (b"a", "bytes is not a text"),
        *[(value, "NaN and infinity are no text") for value in (float("nan"), -float("inf"), Decimal("sNaN"))],
        (2.0**53, "the number is beyond 9007199254740991, where its last digits are not known"),
        *[(value, "the number has more than 40 digits") for value in (1e300, 1e-300, 10**40, -(10**5000))],
        *[(Decimal(value), "the number has more than 40 digits") for value in ("1E+1000000", "1E-1000000", "0E+99")],
        *[
            (value, "the text has half of a surrogate pair, which is no character")
            for value in ("\ud83d", "a\ude00", "\ude00\ud83d")
        ],
    ],
    ids=lambda value: ascii(value)[:20] if not isinstance(value, int) or abs(value) < 10**50 else "huge",
)
def test_what_is_no_text_is_refused(value: object, words: str) -> None:
    """Nobody wants to read what a program makes of them, and JSON in UTF-8 has no halves of characters."""
    with pytest.raises(ValueError, match=f"^{words}$"):
        ANY(value)


@pytest.mark.parametrize("value", ["x", "x" * 50, "ö" * 50, "😀" * 50, "👨‍👩‍👧" * 10])
def test_short_texts_have_up_to_fifty_characters(value: str) -> None:
    """Characters, not bytes or halves of surrogate pairs; an emoji made of several counts as several."""
    assert SHORT(value) == value


@pytest.mark.parametrize("value", ["x" * 51, "😀" * 51, "👨‍👩‍👧" * 11, "9" * 60])
def test_longer_texts_are_refused(value: str) -> None:
    """They are not cut, and the message says how long one may be."""
    with pytest.raises(ValueError, match=r"^the text has more than 50 characters$"):
        SHORT(value)


def test_an_empty_text_is_refused_where_one_is_wanted() -> None:
    """It would look like a payload and mean nothing."""
    with pytest.raises(ValueError, match=r"^the text is empty$"):
        SHORT("")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (GUID, GUID.replace("-", "")),
        (GUID.upper(), GUID.upper().replace("-", "")),
        ("a", "a"),
        ("A1" * 25, "A1" * 25),
        (12, "12"),
        (3.0, "3"),
        (Decimal(12), "12"),
    ],
)
def test_an_identifier_is_letters_and_digits(value: object, expected: str) -> None:
    """A UUID's hyphens are dropped, because the vendor advises UUIDs and forbids hyphens."""
    assert letters_and_digits(value) == expected


STRANGE = "the text has other characters than letters and digits"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a" * 51, "the text has more than 50 characters"),
        ("a" * 60, "the text has more than 50 characters"),
        ("", "the text is empty"),
        *[(value, STRANGE) for value in ("a-b", "a_b", "a b", "användare", "a\n", "\ud83d", "²", "１")],
        *[(value, STRANGE) for value in (GUID + "\n", GUID[:-1], "{" + GUID + "}", -12, 9.5, Decimal("9.90"))],
        (True, "boolean is not a text"),
        (None, "null is not a text"),
        ([1], "array is not a text"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_no_identifier_is_refused(value: object, words: str) -> None:
    """Nothing is cut or replaced to fit: two visitors could become one."""
    with pytest.raises(ValueError, match=f"^{words}$"):
        letters_and_digits(value)


def test_a_text_of_one_form() -> None:
    """The whole text has it, ASCII only; what it should be is said."""
    convert = text_like(r"\d{3}", "a number of three digits")

    assert convert("123") == "123"
    for value in ("12", "1234", "123\n", "１２３"):
        with pytest.raises(ValueError, match=r"^the text is not a number of three digits$"):
            convert(value)
    with pytest.raises(ValueError, match=r"^the text is empty$"):
        convert("")


def test_a_number_has_the_form_only_where_it_may() -> None:
    """A phone number may come as a number; a customer's number is no GUID, whatever its length."""
    assert text_like(r"\d{3}", "of three digits", numbers=True)(123) == "123"
    with pytest.raises(ValueError, match=r"^integer is not a text$"):
        text_like(r"\d{3}", "of three digits")(123)
    with pytest.raises(ValueError, match=r"^boolean is not a text$"):
        text_like(r"\d{3}", "of three digits", numbers=True)(True)  # noqa: FBT003 - it is what is tested
