"""Avro's binary encoding, byte by byte: what the compiled readers call where one byte does not tell all.

Numbers are variable-length and zigzag-coded (Avro 1.12, "Binary Encoding"). In the readers `n` is the first byte of
one and `i` the place behind it; most numbers of an event are one byte, so these functions are off the hot path.
"""

from collections.abc import Sequence
from typing import NoReturn

INT_BITS = 32
LONG_BITS = 64
MAX_DEPTH = 100
"""Records of recursive types that may be open at one time; Python's own stack ends at 1,000 calls."""
MAX_EMPTY_ITEMS = 10_000
"""Array items without bytes in one payload: three bytes can announce a million of them."""

TOO_SHORT = "the bytes end too early"


class MalformedError(Exception):
    """These bytes are no value of this schema; the message says what is wrong, and at which field.

    Never with a number out of the bytes: a thousand such records would seem to have a thousand causes.
    """


def _unsigned(payload: bytes, i: int, n: int, bits: int) -> tuple[int, int]:
    """Read the rest of a number; what it is before zigzag, and the place behind it.

    Raises:
        MalformedError: it has more bits than it may have.
        IndexError: the payload ends.
    """
    number, shift = n & 127, 7
    while n > 127:  # noqa: PLR2004 - the highest bit says that one more byte follows
        if shift >= bits:
            raise MalformedError(f"a number of more than {bits} bits")
        n = payload[i]
        i += 1
        number |= (n & 127) << shift
        shift += 7
    if number >> bits:
        raise MalformedError(f"a number of more than {bits} bits")
    return number, i


def index(payload: bytes, i: int, n: int) -> tuple[int, int]:
    """Read the rest of an enum's or union's index, as it is before zigzag."""
    return _unsigned(payload, i, n, INT_BITS)


def branch(payload: bytes, start: int, branches: int) -> tuple[int, int]:
    """Read a whole index of a union; which branch it is, and the place behind it.

    Raises:
        MalformedError: there is no such branch, or no index.
    """
    try:
        n, i = index(payload, start + 1, payload[start])
    except IndexError:
        ends()
    if n & 1 or n >> 1 >= branches:
        no_branch(branches)
    return n >> 1, i


def int_(payload: bytes, i: int, n: int) -> tuple[int, int]:
    """Read the rest of an `int`."""
    number, i = _unsigned(payload, i, n, INT_BITS)
    return (number >> 1) ^ -(number & 1), i


def long_(payload: bytes, i: int, n: int) -> tuple[int, int]:
    """Read the rest of a `long`."""
    number, i = _unsigned(payload, i, n, LONG_BITS)
    return (number >> 1) ^ -(number & 1), i


def length(payload: bytes, i: int, n: int) -> tuple[int, int]:
    """Read the rest of a length in bytes.

    Raises:
        MalformedError: it is negative, or more than is left.
    """
    size, i = long_(payload, i, n)
    if not 0 <= size <= len(payload) - i:
        raise MalformedError("a length below 0" if size < 0 else "a length of more bytes than are left")
    return size, i


def block(payload: bytes, i: int, n: int) -> tuple[int, int, int]:
    """Read the rest of a block's item count, and its size in bytes where the count is negative.

    Returns:
        How many items, the place behind it, and where the block must end; 0 where it does not say.
    """
    count, i = long_(payload, i, n)
    if count >= 0:
        return count, i, 0
    n = payload[i]
    size, i = length(payload, i + 1, n)
    return -count, i, i + size


def ends() -> NoReturn:
    """Refuse a payload that ends within a value."""
    raise MalformedError(TOO_SHORT)


def left_over(payload: bytes, i: int) -> NoReturn:
    """Refuse a payload that is longer than its schema says; `i` is beyond the end where it is shorter."""
    raise MalformedError("bytes are left over behind the record" if i < len(payload) else TOO_SHORT)


def too_many() -> NoReturn:
    """Refuse a count that cannot be: each item takes a byte at least."""
    raise MalformedError("more items than bytes are left")


def wrong_block() -> NoReturn:
    """Refuse a block whose size in bytes is not what its items took."""
    raise MalformedError("a block of items that says another size than it has")


def too_deep() -> NoReturn:
    """Refuse what is nested without end."""
    raise MalformedError(f"more than {MAX_DEPTH} records within each other")


def not_boolean() -> NoReturn:
    """Refuse a byte that is neither true nor false."""
    raise MalformedError("a boolean that is neither 0 nor 1")


def no_branch(branches: int) -> NoReturn:
    """Refuse a union's index."""
    raise MalformedError(f"none of the {branches} branches of a union")


class Symbols(dict[int, str]):
    """What an enum's symbols are read as, by their index as it is before zigzag.

    Args:
        written: the writer's symbols.
        read_as: what each is in the reader's schema; None where that has no such symbol.
    """

    def __init__(self, written: Sequence[str], read_as: Sequence[str | None]) -> None:
        super().__init__({at << 1: symbol for at, symbol in enumerate(read_as) if symbol is not None})
        self._written = written

    def __missing__(self, n: int) -> NoReturn:
        at = (n >> 1) ^ -(n & 1)
        if 0 <= at < len(self._written):
            raise MalformedError(f"symbol {self._written[at]}, which the reader's schema does not have")
        raise MalformedError(f"none of the {len(self._written)} symbols of an enum")


class EmptyItems:
    """Counts items that take no bytes, over one payload."""

    def __init__(self) -> None:
        self._left = MAX_EMPTY_ITEMS

    def take(self, count: int) -> None:
        """Allow so many more.

        Raises:
            MalformedError: they are too many.
        """
        self._left -= count
        if self._left < 0:
            raise MalformedError(f"more than {MAX_EMPTY_ITEMS} items that take no bytes")

    def start(self) -> None:
        """Begin the next payload."""
        self._left = MAX_EMPTY_ITEMS


CALLED = (
    *("index", "int_", "long_", "length", "block"),
    *("ends", "left_over", "too_many", "wrong_block", "too_deep", "not_boolean", "no_branch"),
)
"""What the generated source calls by name."""
