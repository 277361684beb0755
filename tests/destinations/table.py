"""What every field of every method makes of every kind of value: what is sent, or why not.

A table has one cell per value of `feeds.FEEDS`: what is sent, or the words of the refusal. Tables are made of each
other with `|`, the later cells over the earlier ones, so each says what is particular about its fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.destinations.feeds import (
    ARRAYS,
    BOOLEANS,
    DATES,
    DECIMALS,
    EMPTY,
    FEEDS,
    FLOATS,
    INTEGERS,
    LOCAL_TIMES,
    RECORDS,
    SHORT_GUIDS,
    TEXTS,
    TIMES_WITH_A_ZONE,
    TOO_LONG,
    UUIDS,
)
from tests.destinations.mapping import GUID

LIMIT = 2**53 - 1


@dataclass(frozen=True, slots=True)
class No:
    """It is not sent, for this reason."""

    words: str


Table = dict[str, Any]


def same(feeds: Iterable[str]) -> Table:
    """These are sent as they are."""
    return {name: FEEDS[name] for name in feeds}


def no(words: str, *groups: Iterable[str]) -> Table:
    """These are refused with the same words."""
    return {name: No(words) for group in groups for name in group}


def kinds(words: str) -> Table:
    """Everything is refused, by its kind: `integer` and the words."""
    return (
        no(f"boolean {words}", BOOLEANS)
        | no(f"integer {words}", INTEGERS)
        | no(f"number {words}", FLOATS)
        | no(f"decimal {words}", DECIMALS)
        | no(f"text {words}", TEXTS)
        | no(f"array {words}", ARRAYS)
        | no(f"record {words}", RECORDS)
    )


NOT_FINITE = ["double NaN", "double infinity", "float -infinity"]

# Texts.

DIGITS_OF_NUMBERS: Table = {
    **{name: str(value) for name, value in INTEGERS.items()},
    "float 9.5": "9.5",
    "float 0.1": "0.10000000149011612",  # what a float of 32 bits holds; nobody can know that 0.1 was meant
    "double 10233.0": "10233",
    "double 9.99": "9.99",
    "double -0.5": "-0.5",
    "double 1e-7": "0.0000001",
    **no("the number is beyond 9007199254740991, where its last digits are not known", ["double 2^53"]),
    **no("the number has more than 40 digits", ["double 1e300"]),
    **no("NaN and infinity are no text", NOT_FINITE),
    "decimal 12": "12",
    "decimal 10233.00": "10233.00",
    "decimal 9.90": "9.90",
    "decimal 9.90 fixed": "9.90",
    "decimal 0.1": "0.1",
    "decimal -5.00": "-5.00",
    "decimal of 30 digits": "1234567890123456789012345678.90",
    "decimal of 38 digits": "1" + "0" * 37,
    "number 1E+3": "1000",
}
TEXT = kinds("is not a text") | DIGITS_OF_NUMBERS | same(TEXTS)
FILLED_TEXT = TEXT | no("the text is empty", EMPTY)
AT_MOST_50 = TEXT | no("the text has more than 50 characters", TOO_LONG)
ONE_TO_50 = AT_MOST_50 | no("the text is empty", EMPTY)

STRANGE = "the text has other characters than letters and digits"
IDENTIFIER = (
    TEXT
    | no(STRANGE, (name for name, cell in TEXT.items() if isinstance(cell, str)))
    | {name: str(value) for name, value in INTEGERS.items() if value >= 0}
    | {"double 10233.0": "10233", "decimal 12": "12", "decimal of 38 digits": "1" + "0" * 37, "number 1E+3": "1000"}
    | {"uuid": GUID.replace("-", ""), "uuid fixed": GUID.replace("-", "")}
    | {"string GUID in capitals": GUID.upper().replace("-", "")}
    | same(["string 10233", "string 0012", "string 0", "string 2^53 - 1", "string 2^53", "string 24 letters"])
    | same(["string a", "string 1e3", "string true", "string sv", "string of 50 letters", "enum"])
    | no("the text has more than 50 characters", TOO_LONG)
    | no("the text is empty", EMPTY)
)


def form(wanted: str, accepted: Table) -> Table:
    """A text of one form; all others are refused."""
    return kinds("is not a text") | no(f"the text is not {wanted}", TEXTS) | no("the text is empty", EMPTY) | accepted


CONTACT_ID = form("a GUID or a short GUID", same(UUIDS) | same(SHORT_GUIDS))
CULTURE = form("a culture code like sv-SE", same(["string sv-SE", "string sv"]))
MAIL = form("an e-mail address", same(["string mail"]))
NO_PHONE = "the text is not a phone number in E.164, like +46701234567"
PHONE = (
    TEXT
    | no(NO_PHONE, (name for name, cell in TEXT.items() if isinstance(cell, str)))
    | no("the text is empty", EMPTY)
    | same(["string phone"])
    | {name: str(INTEGERS[name]) for name in ("int 2^31 - 1", "long phone", "long epoch millis")}
)

# Numbers.

INTEGER = (
    kinds("is not an integer")
    | same(INTEGERS)
    | no("the number has a fraction", ["float 9.5", "float 0.1", "double 9.99", "double -0.5", "double 1e-7"])
    | no("the number has a fraction", ["decimal 9.90", "decimal 9.90 fixed", "decimal 0.1", "decimal of 30 digits"])
    | no("the number has more than 40 digits", ["double 1e300"])
    | no("NaN and infinity are no JSON numbers", NOT_FINITE)
    | no(f"the number is above {LIMIT}", ["long 2^53", "long 2^53 + 1", "long 2^63 - 1", "double 2^53", "string 2^53"])
    | no(f"the number is above {LIMIT}", ["decimal of 38 digits"])
    | {"double 10233.0": 10233, "decimal 12": 12, "decimal 10233.00": 10233, "number 1E+3": 1000}
    | {"string 10233": 10233, "string 0012": 12, "string 0": 0, "string 2^53 - 1": LIMIT}
)
NEGATIVE = ["int -10233", "long -2^63", "decimal -5.00", "string -5"]
FROM_0 = INTEGER | no("the number is below 0", NEGATIVE)
FROM_1 = INTEGER | no("the number is below 1", NEGATIVE, ["int 0", "string 0"])
PRICE = (
    kinds("is not a number")
    | same(INTEGERS)
    | same(["float 9.5", "float 0.1", "double 10233.0", "double 9.99", "double 1e-7"])
    | {"decimal 12": 12.0, "decimal 10233.00": 10233.0, "decimal 9.90": 9.9, "decimal 9.90 fixed": 9.9}
    | {"decimal 0.1": 0.1, "number 1E+3": 1000.0}
    | {"string 10233": 10233.0, "string 0012": 12.0, "string 0": 0.0, "string 9.90": 9.9}
    | {"string 2^53 - 1": float(LIMIT)}
    | no("NaN and infinity are no JSON numbers", NOT_FINITE)
    | no("the number is below 0", [*NEGATIVE, "double -0.5"])
    | no(f"the number is above {LIMIT}", ["long 2^53", "long 2^53 + 1", "long 2^63 - 1", "string 2^53"])
    | no(f"the number is above {LIMIT}", ["double 2^53", "double 1e300"])
    | no(f"the number is above {LIMIT}", ["decimal of 30 digits", "decimal of 38 digits"])
)
FLAG = kinds("is not true or false") | same(BOOLEANS)

# Times.

TIME = kinds("is no ISO 8601 time with a zone, like 2026-11-22T10:31:07Z") | (
    no("the time has no zone, so nobody can say when it was", LOCAL_TIMES)
    | no("a date is no point in time", DATES)
    | same(TIMES_WITH_A_ZONE)
)
TIME_IN_MILLISECONDS = TIME | {
    "timestamp-micros": "2026-11-22T10:31:07.120Z",
    "timestamp-nanos": "2026-11-22T10:31:07.120Z",
}
TIME_IN_SECONDS = TIME | {
    "timestamp-millis": "2026-11-22T10:31:07Z",
    "timestamp-millis -1": "1969-12-31T23:59:59Z",
    "timestamp-millis in 1955": "1955-11-05T00:00:00Z",
    "timestamp-millis before the clocks change": "2026-10-25T00:59:59Z",
    "timestamp-millis as the clocks change": "2026-10-25T01:00:00Z",
    "timestamp-micros": "2026-11-22T10:31:07Z",
    "timestamp-nanos": "2026-11-22T10:31:07Z",
    "string time in winter": "2026-10-25T02:30:00+01:00",
}

# Lists and records.

IDS = kinds("is not an array") | {
    "array empty": No("the array is empty"),
    "array of longs": [10233, 10234],
    "array of strings": [12, 10234],
    "array with null": No("[1]: null is not an integer"),
    "array of lines": No("[0]: record is not an integer"),
    "array of pairs": No("[0]: record is not an integer"),
}


def list_of_records(fields: str, accepted: Table) -> Table:
    """A list of records with these fields."""
    unknown = f"[0]: the record has a field that the vendor does not know; there are {fields}"
    return (
        kinds("is not an array")
        | no("[0]: integer is not a record", ["array of longs", "array with null"])
        | no("[0]: text is not a record", ["array of strings"])
        | no(unknown, ["array of lines", "array of pairs"])
        | {"array empty": []}
        | accepted
    )


LINES = list_of_records("sku, quantity", {"array of lines": [{"sku": "10233", "quantity": 2}]})
PAIRS = list_of_records("key, value", {"array of pairs": [{"key": "source", "value": "mail"}]})
PROPERTIES = kinds("is not a record") | {
    "map empty": {},
    "map": {"tier": "gold"},
    "map with null": {"vip": True},
    "map of arrays": No("array is no property; texts, numbers, true and false are"),
    "record": {"sku": 10233, "quantity": 2.0},
}

# Methods.

VISIT = {"sessionExternalId": IDENTIFIER, "timestamp": TIME_IN_SECONDS}
PRODUCT = {**VISIT, "productId": FROM_1, "stockId": AT_MOST_50}
TABLE: Mapping[str, Mapping[str, Table]] = {
    "product_view": {
        "itemId": FILLED_TEXT,
        "contactId": CONTACT_ID,
        "time": TIME_IN_MILLISECONDS,
        "category": TEXT,
        "sessionId": TEXT,
        "newSession": FLAG,
        "language": CULTURE,
        "url": TEXT,
        "externalReferrer": TEXT,
        "utm": PAIRS,
        "utm.key": TEXT,
        "utm.value": TEXT,
    },
    "cart": {
        "cartReference": FILLED_TEXT,
        "contactId": CONTACT_ID,
        "time": TIME_IN_MILLISECONDS,
        "language": CULTURE,
        "url": TEXT,
        "items": LINES,
        "items.sku": FILLED_TEXT,
        "items.quantity": FROM_0,
    },
    "view": PRODUCT,
    "group_view": {**VISIT, "groupId": FROM_1, "productIds": IDS, "stockId": AT_MOST_50},
    "add_to_basket": PRODUCT,
    "category_view": {**VISIT, "categoryId": FROM_1},
    "category_view_by_category_path": {**VISIT, "categoryPath": FILLED_TEXT},
    "order": {**PRODUCT, "price": PRICE, "quantity": FROM_1, "transaction": ONE_TO_50},
    "search": {**VISIT, "searchPhrase": ONE_TO_50, "stockId": AT_MOST_50},
    "set_contact": {
        **VISIT,
        "contactExternalId": IDENTIFIER,
        "email": MAIL,
        "phone": PHONE,
        "stockId": AT_MOST_50,
        "customData": PROPERTIES,
    },
    "welcome_sequence": {**VISIT, "email": MAIL},
    "email_click": {**VISIT, "mailTrackingId": FILLED_TEXT, "customData": PROPERTIES},
    "recom_block_viewed": {**VISIT, "recomBlockId": ONE_TO_50},
    "recom_tap": {**PRODUCT, "recomBlockId": ONE_TO_50},
    "recom_add_to_basket": {**PRODUCT, "recomBlockId": ONE_TO_50},
    "impression_content_viewed": {**VISIT, "impressionContentId": FILLED_TEXT},
    "impression_content_clicked": {**VISIT, "impressionContentId": FILLED_TEXT},
}
