"""Texts as the vendors read them; a number becomes text where its digits say the same."""

import re
from decimal import Decimal
from string import ascii_lowercase, ascii_uppercase
from sys import maxsize
from typing import Any, Final

from processor.destinations.numbers import MAX_DIGITS, MAX_INTEGER
from processor.fields import Converter, Quick
from processor.kinds import kind

LONGEST_IDENTIFIER: Final = 50
"""Characters of Retail Rocket's identifiers."""

EMPTY: Final = "the text is empty"

_UUID: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BEYOND: Final = 10**MAX_DIGITS


def _like(example: str, table: bytes) -> str:
    """When a text looks like an example, once its characters are translated; source for `Quick`.

    This costs a third of a regular expression.
    """
    return f"v.__class__ is str and v.isascii() and v.encode().translate({table!r}) == {example.encode()!r}"


_HEX_AS_0: Final = bytes.maketrans(b"123456789abcdefABCDEF", b"0" * 21)
_LETTERS_AS_A: Final = bytes.maketrans((ascii_lowercase + ascii_uppercase).encode(), b"a" * 26 + b"A" * 26)
UUID: Final = _like("00000000-0000-0000-0000-000000000000", _HEX_AS_0)
"""When a text is a UUID, for `text_like`."""
CULTURE: Final = _like("aa-AA", _LETTERS_AS_A)
"""When a text is a language and a country, like sv-SE, for `text_like`."""


def text(shortest: int = 0, longest: int = maxsize) -> Converter:
    """Make a converter to a text of so many characters: code points, whatever their bytes.

    Args:
        shortest: 0, or 1 where the text must not be empty.
        longest: longer ones are refused, not cut: two texts could become one.
    """

    def convert(value: Any) -> str:
        found = _as_text(value)
        if shortest <= len(found) <= longest:
            return found
        raise ValueError(_wrong_length(found, longest))

    least = f" and len(v) >= {shortest}" if shortest else ""
    most = f" and len(v) <= {longest}" if longest < maxsize else ""
    return Quick(convert, f"v.__class__ is str and v.isascii(){least}{most}")


def text_like(pattern: str, wanted: str, *, numbers: bool = False, usual: str = "") -> Converter:
    """Make a converter to a text of one form.

    Args:
        pattern: regular expression that the whole text must match; ASCII.
        wanted: the form in words, after "the text is not".
        numbers: whether a number's digits may be the text.
        usual: when a text is what nearly all are, which match: `UUID`.
    """
    matches = re.compile(pattern, re.ASCII).fullmatch

    def convert(value: Any) -> str:
        if type(value) is str:
            found = value
        elif numbers:
            found = _as_text(value)
        else:
            raise ValueError(f"{kind(value)} is not a text")
        if matches(found):
            return found
        raise ValueError(f"the text is not {wanted}" if found else EMPTY)

    return Quick(convert, usual) if usual else convert


def letters_and_digits(value: Any) -> str:
    """An identifier of 1 to 50 letters and digits; a UUID loses its hyphens.

    Raises:
        ValueError: it is something else.
    """
    found: str = value if type(value) is str else _as_text(value)
    if found.isalnum() and found.isascii() and len(found) <= LONGEST_IDENTIFIER:
        return found
    if _UUID.fullmatch(found):
        return found.replace("-", "")
    if not found or len(found) > LONGEST_IDENTIFIER:
        raise ValueError(_wrong_length(found, LONGEST_IDENTIFIER))
    raise ValueError("the text has other characters than letters and digits")


def _wrong_length(found: str, longest: int) -> str:
    return f"the text has more than {longest} characters" if found else EMPTY


def _as_text(value: Any) -> str:
    if type(value) is str:
        return _checked(value)
    if type(value) is int and -_BEYOND < value < _BEYOND:
        return str(value)
    if type(value) is float or type(value) is Decimal:
        return _digits(value)
    if type(value) is int:
        raise ValueError(f"the number has more than {MAX_DIGITS} digits")
    raise ValueError(f"{kind(value)} is not a text")


def _checked(value: str) -> str:
    """Refuse halves of characters, which a text in a mapping can have and JSON in UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        # The library's words show the value.
        raise ValueError("the text has half of a surrogate pair, which is no character") from None
    return value


def _digits(value: float | Decimal) -> str:
    """A number as people write it, without an exponent: 3.0 is `3`, a decimal keeps its zeros: `9.90`."""
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if not exact.is_finite():
        raise ValueError("NaN and infinity are no text")
    if abs(exact.adjusted()) > MAX_DIGITS:
        raise ValueError(f"the number has more than {MAX_DIGITS} digits")
    if isinstance(value, Decimal) or not value.is_integer():
        return f"{exact:f}"
    if abs(value) > MAX_INTEGER:
        raise ValueError(f"the number is beyond {MAX_INTEGER}, where its last digits are not known")
    return str(int(value))
