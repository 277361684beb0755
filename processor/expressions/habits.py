"""What people write from habit in an expression, and what it is in JMESPath."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from jmespath.exceptions import EmptyExpressionError, IncompleteExpressionError, LexerError, ParseError
from jmespath.lexer import Lexer

SHORT = 40
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
CLOSERS = {"lparen": ")", "lbracket": "]", "filter": "]", "lbrace": "}"}
CLOSING = frozenset(("rparen", "rbracket", "rbrace"))

NAMES = frozenset(("unquoted_identifier", "quoted_identifier"))
STARTS = NAMES | {"literal", "current", "star"}
"""How an operand begins, where none has just ended."""
ENDS = STARTS | CLOSING | {"flatten"}
GOES_ON = frozenset(("dot", "colon", "lbracket", "flatten", "filter", "lparen"))
"""What makes the name before it part of a path, or a key."""

_QUOTES = "quotes are straight ones: 'text'"
INSTEAD = {
    "and": "`and` is written &&",
    "or": "`or` is written ||",
    "not": "`not` is written !",
    "is": "`is` is written ==",
    "in": "`x in list` is written contains(list, x)",
    "=": "`=` is written ==",
    "<>": "`<>` is written !=",
    "+": "a sum is written add(x, y)",
    "-": "a difference is written subtract(x, y)",
    "*": "a product is written multiply(x, y)",
    "/": "a quotient is written divide(x, y)",
    "$": "a path begins with the name of a field, without $",
    "?": "`a ? b : c` is written a && b || c",
    "“": _QUOTES,
    "”": _QUOTES,
    "‘": _QUOTES,  # noqa: RUF001 - that is what is wrong
    "’": _QUOTES,  # noqa: RUF001 - that is what is wrong
}


def shorten(text: str) -> str:
    """A text as a message has it: in one line, and not longer than that."""
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the library's lexer.

    Attributes:
        kind: the library's name of it.
        text: as it is written; a number with its fraction, which the library does not know outside of literals.
        start: 0-based.
    """

    kind: str
    text: str = ""
    start: int = 0


def tokens(text: str) -> list[Token]:
    """Cut a text into tokens; the last one is `eof`.

    Raises:
        LexerError, EmptyExpressionError: it cannot be.
    """
    raw = cast("list[dict[str, Any]]", list(Lexer().tokenize(text)))
    ends = [each["start"] for each in raw[1:]] + [len(text)]
    return [_token(each["type"], text, each["start"], end) for each, end in zip(raw, ends, strict=True)]


def _token(kind: str, text: str, start: int, end: int) -> Token:
    number = NUMBER.match(text, start) if kind == "number" else None
    return Token(kind, number[0] if number else shorten(text[start:end].strip()), start)


def habit(found: Sequence[Token]) -> str | None:
    """What is wrong with an expression that the library would take, or of which it would say it badly."""
    around = zip([Token("start"), *found], found, [*found[1:], Token("end")], strict=False)
    return next((words for each in around if (words := _wrong(*each))), None)


def _wrong(before: Token, token: Token, after: Token) -> str | None:
    if before.text + token.text == "<>":
        return INSTEAD["<>"]
    if after.kind == "lparen" and (words := _called(before, token)):
        return words
    if before.kind in ENDS and token.kind in STARTS:
        return _side_by_side(before, token)
    if token.kind == "number":
        return _number(before, token, after)
    if before.kind != "dot" and after.kind not in GOES_ON:
        return _no_field(token)
    return None


def _called(before: Token, token: Token) -> str | None:
    """What is wrong with what stands before a parenthesis."""
    if token.kind in ENDS - {"unquoted_identifier"}:
        return INSTEAD.get(token.text, f"before ( is the name of a function, without quotes, and not `{token.text}`")
    return None if before.kind == "dot" else INSTEAD.get(token.text)


def _side_by_side(left: Token, right: Token) -> str:
    for each in (left, right):
        if each.text.lower() in INSTEAD:
            return INSTEAD[each.text.lower()]
    both = f"{left.text} {right.text}"
    advice = f", or quotes round a text: '{both}'" if {left.kind, right.kind} == {"unquoted_identifier"} else ""
    return f"between the two of `{both}` an operator or a comma is missing{advice}"


def _number(before: Token, token: Token, after: Token) -> str | None:
    if before.kind in {"lbracket", "colon"} and after.kind in {"rbracket", "colon"}:
        return None
    if before.kind == "lbracket" and after.kind in {"dot", "eof"}:
        return f"after [{token.text} a ] is missing"
    if before.kind == "dot":
        return f"an item of an array is written [{token.text}], without a dot"
    return f"a number is written between backticks: `{token.text}`"


def _no_field(token: Token) -> str | None:
    """A name by itself that was meant as a text or a constant."""
    if token.kind == "quoted_identifier":
        inside = token.text[1:-1].replace("'", "\\'")
        return f"{token.text} names a field; the text is written '{inside}' (and the field @.{token.text})"
    if token.kind == "unquoted_identifier" and token.text.lower() in {"true", "false", "null"}:
        constant = token.text.lower()
        return f"{token.text} names a field; the constant is written between backticks: `{constant}`"
    return None


def reason(error: EmptyExpressionError | ParseError, text: str) -> str:
    """Why the library refuses a text, in words for a person and in one line."""
    match error:
        case EmptyExpressionError():
            return "it is empty"
        case LexerError():
            return _no_token(text, error.lex_position)
        case IncompleteExpressionError():
            return _incomplete(text)
        case ParseError():
            return _misplaced(tokens(text), error.lex_position)


def _no_token(text: str, at: int) -> str:
    sign, place = text[at], f"at character {at + 1}"
    if sign in "'\"`":
        ended = re.match(r"(.)(?:\\.|(?!\1).)*\1", text[at:], re.DOTALL)
        return f"the name {ended[0]} is not written as JSON has it" if ended else f"the {sign} {place} is not closed"
    return INSTEAD.get(sign, f"`{sign}` {place} stands for nothing")


def _incomplete(text: str) -> str:
    if not text.strip():
        return "it is empty"
    missing = "".join(CLOSERS[each.kind] for each in reversed(_open(tokens(text))))
    return f"at its end {missing} is missing" if missing else "it ends where a field or a value is expected"


def _open(found: Sequence[Token]) -> list[Token]:
    """The brackets that are not closed yet."""
    stack: list[Token] = []
    for token in found:
        if token.kind in CLOSERS:
            stack.append(token)
        elif token.kind in CLOSING and stack:
            stack.pop()
    return stack


def _misplaced(found: Sequence[Token], start: int) -> str:
    at = next(at for at, token in enumerate(found) if token.start == start)
    token, before = found[at], found[at - 1] if at else Token("start")
    around = _open(found[:at])
    place = f"at character {token.start + 1}"
    closer = CLOSERS[around[-1].kind] if around else ""
    if token.kind in CLOSING and closer != token.text:
        return f"{closer} is missing {place}" if closer else f"`{token.text}` {place} closes nothing"
    if before.kind == "dot":
        return f"after the dot {place} comes the name of a field"
    if around and around[-1].kind == "lbrace":
        return f"between {{ and }} are pairs, name: expression, with commas; {place} is `{token.text}`"
    if before.kind == "lbracket":
        return f"after a field, between [ and ] is a number, * or ?condition; {place} is `{token.text}`"
    return f"`{token.text}` is not expected {place}"
