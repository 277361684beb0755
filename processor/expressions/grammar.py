"""From an expression's text to its syntax tree: the `jmespath` library's grammar, exact numbers, and words for people.

Refused although the library takes it, because it never means what it looks like: a text in double quotes and a bare
`true`, `false` or `null`, which name fields; a text without quotes between backticks (deprecated by JMESPath, and
`True` is one); arguments without a comma between them. A field that is called so is written `@."…"`.
"""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import jmespath
from jmespath.exceptions import EmptyExpressionError, ParseError

from processor.expressions.habits import habit, reason, shorten, tokens
from processor.expressions.source import ExpressionError
from processor.expressions.tree import Node
from processor.expressions.values import is_sensible

QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?|`(?P<json>(?:\\.|[^`\\])*)`""", re.DOTALL)


def parse(text: str) -> Node:
    """Parse an expression.

    Returns:
        The library's tree; numbers in its literals are int or Decimal.

    Raises:
        ExpressionError: it is none; one line, for who wrote it.
    """
    literals: list[Any] = []

    def numbered(match: re.Match[str]) -> str:
        if match["json"] is None:
            return match[0]
        literals.append(_literal(match["json"].replace("\\`", "`")))
        return f"`{len(literals) - 1}`"

    # The library would read 9.99 as a float, so it is shown the number of each literal in its place.
    placed = QUOTED.sub(numbered, text)
    try:
        if found := habit(tokens(text)):
            raise _refused(found)
        jmespath.compile(text)
    except (EmptyExpressionError, ParseError) as error:
        raise _refused(reason(error, text)) from None
    except ValueError:
        raise _refused("it has a number that is too long") from None
    tree: Node = _exact(jmespath.compile(placed).parsed, literals)
    return tree


def _refused(words: str) -> ExpressionError:
    return ExpressionError(f"is not an expression: {words}")


def _literal(written: str) -> Any:
    try:
        return json.loads(written, parse_float=_decimal, parse_int=_integer, parse_constant=_no_number)
    except (ValueError, RecursionError):
        short = shorten(written)
        words = f"`{short}` is not JSON; between backticks are numbers, true, false, null, lists and mappings"
        raise _refused(f"{words}, and a text is written '{short}'") from None


def _decimal(written: str) -> Decimal:
    number = Decimal(written)
    if not is_sensible(number):
        raise _refused(f"`{shorten(written)}` is too great or too small a number")
    return number


def _integer(written: str) -> int:
    return int(_decimal(written))


def _no_number(written: str) -> Any:
    raise ValueError(written)


def _exact(node: Any, literals: Sequence[Any]) -> Any:
    """The tree with its literals in their places; a text in it is one of `'…'`."""
    match node:
        case {"type": "literal", "value": int(at)}:
            return {**node, "value": literals[at]}
        case {"children": children}:
            return {**node, "children": [_exact(child, literals) for child in children]}
        case _:
            return node
