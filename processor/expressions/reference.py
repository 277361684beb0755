"""The page of all functions, and the event that its examples are about."""

from collections.abc import Iterable
from decimal import Decimal

import orjson

from processor.expressions.jmespath_functions import to_text
from processor.expressions.language import Language
from processor.expressions.signatures import Function
from processor.records import Assignment, Event, Record

WALL = 1795339879.465
"""When the examples are read, for `age`: 2026-11-22T09:31:19.465Z."""
TABLES = {"culture": {"SE": "sv-SE", "NO": "nb-NO"}}
"""What `lookup` finds in the examples."""
_FIELDS = {
    "market": "SE",
    "culture": None,
    "email": "Anna@Example.com",
    "phone": "+46 70-123 45 67",
    "phrase": " red shoes ",
    "visitorId": "8f14-e45f-ceea",
    "occurredAt": "2026-11-22T09:31:07.120Z",
    "placed": 1795339867120,
    "day": "22.11.2026 10:31",
    "discount": Decimal("1.50"),
    "page": {"url": "https://shop.example.com/men/shoes?utm_source=spring+mail"},
    "product": {"id": 10233, "sku": "SKU-10233", "price": Decimal("9.99"), "path": ["Men", "Shoes"]},
    "lines": [
        {"sku": "a-1", "price": Decimal("9.99"), "quantity": 2, "note": "gift"},
        {"sku": "b-2", "price": Decimal("20.01"), "quantity": 1, "note": None},
    ],
}

RULES = """\
Rendered from the declarations in `processor/expressions/`. An expression is [JMESPath](https://jmespath.org); what is
added to it are more functions, exact numbers, and errors where JMESPath would be silent.

- **Null in, null out**: one of our functions with a null argument gives null, except `default` and `concat`.
  JMESPath's own refuse null where they want a text, a number, an array or a record, as its specification says.
- **Numbers are exact**: 9.99 is nine and ninety-nine hundredths, and 0.1 + 0.2 is 0.3. A number without a fraction may
  come as an integer or as a decimal; they are equal.
- **Between backticks is JSON**: `` `5` ``, `` `true` ``, `` `["a", "b"]` ``. A text is written `'text'`. A name in
  double quotes is a field: `properties."odd name"`.
- **Truth**: null, false, and empty texts, arrays and records are false; all else is true, 0 too.
- **Order** (`<`, `<=`, `>`, `>=`) is one of numbers or of texts. With null on a side it gives null; anything else, such
  as a text against a number, is an error.
- `x?` may be left out, `…` may be repeated. A wrong kind of argument is an error that names the expression.
"""


def functions() -> Iterable[Function]:
    """Every function of the language, JMESPath's own last."""
    every = Language({}, lambda: WALL).functions.values()
    return sorted(every, key=lambda function: (function.strict, function.name))


def example_event() -> Event:
    """The event that every example is about, with its Kafka record."""
    headers: list[tuple[str, str | bytes | None]] = [("tenant", b"acme")]
    assignment = Assignment("shop.clickstream", 0, 1)
    record = Record(assignment, offset=0, timestamp=1795339867301, key=b"8f14", value=b"", headers=headers)
    return Event(record, "com.acme.shop.OrderPlaced", _FIELDS, 1)


def functions_markdown() -> str:
    """The page `docs/functions.md`."""
    every = list(functions())
    record = "its record has the key `8f14`, the header `tenant: acme` and the topic `shop.clickstream`"
    parts = [
        "# Functions\n",
        RULES,
        "## Ours\n",
        _table(function for function in every if not function.strict),
        "## JMESPath's own\n",
        _table(function for function in every if function.strict),
        "## The event of the examples\n",
        f"```json\n{_event_text()}\n```\n",
        f"Its time is 12.345 seconds ago; {record};",
        f"the file has `tables: {to_text(TABLES)}`.\n",
    ]
    return "\n".join(parts)


def _table(every: Iterable[Function]) -> str:
    head = ["| function | gives | meaning | example |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *map(_row, every), ""])


def _row(function: Function) -> str:
    expression, result = function.example
    example = f"{_code(expression)} → `{result}`"
    return f"| `{function.signature}` | {function.result} | {_cell(function.meaning)} | {example} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(expression: str) -> str:
    fence = "``" if "`" in expression else "`"
    space = " " if "`" in expression else ""
    return _cell(f"{fence}{space}{expression}{space}{fence}")


def _event_text() -> str:
    return orjson.dumps(orjson.loads(to_text(_FIELDS)), option=orjson.OPT_INDENT_2).decode()
