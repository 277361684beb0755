"""What becomes of a value in a field of numbers or times: what is sent, or why not. Tables by kind."""

from decimal import Decimal

import pytest

from processor.records import Payload
from tests.destinations.mapping import good, mapped, refused, sent

LIMIT = 2**53 - 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (LIMIT, LIMIT),
        ("12", 12),
        ("0012", 12),
        (str(LIMIT), LIMIT),
        (3.0, 3),
        (Decimal(3), 3),
        (Decimal("3.00"), 3),
        (Decimal("1E+3"), 1000),
    ],
)
def test_an_integer_is_made_of_what_is_one(value: object, expected: int) -> None:
    """Digits, and numbers without a fraction; as a JSON integer, never as text."""
    found = sent("view", productId=value)["productId"]

    assert (found, type(found)) == (expected, int)


@pytest.mark.parametrize(
    "value",
    [
        "SKU-1",
        "",
        " 12",
        "12 ",
        "+12",
        "1_000",
        "１２",
        "3.0",
        "1e3",
        "0x10",
        "9" * 5000,
        3.5,
        Decimal("3.01"),
        float("nan"),
        float("inf"),
        1e300,
        Decimal("1" * 29),
        Decimal("1" * 38 + ".5"),
        True,
        False,
        b"12",
        [12],
        {"id": 12},
        0,
        -1,
        "-1",
        LIMIT + 1,
        str(LIMIT + 1),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_catalogue_id_is_refused(value: object) -> None:
    """Whatever would lose something, or is beyond 1 to 2^53 - 1, goes to the dead letters with the field's name."""
    assert refused("view", productId=value).startswith("productId: ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, True), (1, True), (Decimal(2), True), ("2", True), (-1, False), (1.5, False), (True, False)],
)
def test_the_quantity_in_a_cart(value: object, expected: bool) -> None:  # noqa: FBT001 - a column of a table
    """Zero pieces are a line that was emptied; less is nonsense."""
    found = mapped("cart", good("cart", items=[{"sku": "10233", "quantity": value}]))

    assert isinstance(found, Payload) is expected


@pytest.mark.parametrize(("value", "expected"), [(1, True), ("7", True), (3.0, True), (0, False), (-1, False)])
def test_the_quantity_in_an_order(value: object, expected: bool) -> None:  # noqa: FBT001 - a column of a table
    """Nobody orders nothing: Retail Rocket wants more than zero."""
    assert isinstance(mapped("order", good("order", quantity=value)), Payload) is expected


@pytest.mark.parametrize(
    ("value", "on_wire"),
    [
        (0, b"0"),
        (10, b"10"),
        (9.99, b"9.99"),
        (0.1, b"0.1"),
        (Decimal("9.99"), b"9.99"),
        (Decimal("0.30"), b"0.3"),
        (Decimal("1234567890.12"), b"1234567890.12"),
        (Decimal("0.1") + Decimal("0.2"), b"0.3"),
        ("9.99", b"9.99"),
        (Decimal("100.00"), b"100.0"),
    ],
)
def test_a_price_travels_without_float_noise(value: object, on_wire: bytes) -> None:
    """The JSON number is the value itself, digit for digit."""
    found = mapped("order", good("order", price=value))

    assert isinstance(found, Payload)
    assert b'"price":' + on_wire + b"," in found.body


@pytest.mark.parametrize(
    "value",
    [
        -1,
        -0.01,
        Decimal("-0.01"),
        "-5",
        "free",
        "",
        "9,99",
        "NaN",
        "Infinity",
        "1e400",
        True,
        b"9.99",
        [9.99],
        float("nan"),
        float("inf"),
        Decimal("12345678901234567.89"),
        Decimal("0.12345678901234567890"),
        Decimal("1" * 40),
        10**40,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_price_is_refused(value: object) -> None:
    """Negative, not a number, or with more digits than a JSON number keeps."""
    assert refused("order", price=value).startswith("price: ")


@pytest.mark.parametrize(
    ("value", "millis", "seconds"),
    [
        ("2026-11-22T09:31:07Z", "2026-11-22T09:31:07Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.120Z", "2026-11-22T09:31:07.120Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.999999Z", "2026-11-22T09:31:07.999Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.1Z", "2026-11-22T09:31:07.1Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T09:31:07.123456789Z", "2026-11-22T09:31:07.123Z", "2026-11-22T09:31:07Z"),
        ("2026-11-22T10:31:07.120+01:00", "2026-11-22T10:31:07.120+01:00", "2026-11-22T10:31:07+01:00"),
        ("2026-11-22T04:01:07-05:30", "2026-11-22T04:01:07-05:30", "2026-11-22T04:01:07-05:30"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"),
    ],
)
def test_times_keep_their_zone_and_what_the_vendor_reads(value: str, millis: str, seconds: str) -> None:
    """Voyado keeps milliseconds, Retail Rocket whole seconds; what is cut is cut, not rounded."""
    assert sent("product_view", time=value)["time"] == millis
    assert sent("view", timestamp=value)["timestamp"] == seconds


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T10:31:07",
        "2026-11-22T10:31:07.120",
        "2026-11-22 10:31:07Z",
        "2026-11-22T10:31Z",
        "2026-11-22",
        "2026-11-22T10:31:07z",
        "2026-11-22T10:31:07+0100",
        "2026-11-22T10:31:07+01",
        "2026-11-22T10:31:07.Z",
        "2026-11-22T10:31:07,5Z",
        "2026-13-22T10:31:07Z",
        "2026-02-29T10:31:07Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:31:60Z",
        "0000-11-22T10:31:07Z",
        "2026-11-22T10:31:07+24:00",
        "2026-11-22T10:31:07+99:99",
        "２０２６-11-22T10:31:07Z",
        "2026-11-22T10:31:07.１２Z",
        "2026-11-22T10:31:07+０１:00",
        "2026-11-22T10:31:07Z\n",
        " 2026-11-22T10:31:07Z",
        "yesterday",
        "",
        1_795_343_467_120,
        1_795_343_467.12,
        True,
        ["2026-11-22T10:31:07Z"],
    ],
)
def test_what_is_no_time_with_a_zone_is_refused(value: object) -> None:
    """Nobody can say when a bare local time was; numbers are not guessed at."""
    assert refused("product_view", time=value).startswith("time: ")
    assert refused("view", timestamp=value).startswith("timestamp: ")
