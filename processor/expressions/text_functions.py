"""Texts: parts of them, patterns, addresses, hashes."""

import hashlib
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import regex

from processor.expressions.jmespath_functions import to_text
from processor.expressions.signatures import ANY, INTEGER, TEXT, Function
from processor.expressions.values import WrongValueError

PATTERN_TIMEOUT = 0.1
"""Seconds for one search: some patterns take longer than the world stands for some texts, and visitors write those."""


def _truncate(text: str, length: int) -> str:
    if length < 0:
        raise WrongValueError("truncate() wants a length of 0 or more")
    return text[:length]


def _default(value: Any, other: Any) -> Any:
    return other if value is None else value


def _concat(*parts: Any) -> str:
    return "".join(to_text(part) for part in parts if part is not None)


def _split(text: str, separator: str) -> list[str]:
    if not separator:
        raise WrongValueError("split() wants a separator that is not empty")
    return text.split(separator)


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """Compile a regular expression.

    Raises:
        WrongValueError: it is none.
    """
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise WrongValueError(f"the pattern is no regular expression: {error}") from None


def _search(text: str, pattern: str) -> Any:
    try:
        return compile_pattern(pattern).search(text, timeout=PATTERN_TIMEOUT)
    except TimeoutError:
        raise _endless() from None


def _endless() -> WrongValueError:
    return WrongValueError(f"the pattern was not through with the text after {PATTERN_TIMEOUT:g} s; make it simpler")


def _regex_match(text: str, pattern: str) -> bool:
    return _search(text, pattern) is not None


def _regex_extract(text: str, pattern: str) -> str | None:
    found = _search(text, pattern)
    if found is None:
        return None
    group: str | None = found[1] if found.re.groups else found[0]
    return group


def _regex_replace(text: str, pattern: str, by: str) -> str:
    try:
        replaced: str = compile_pattern(pattern).sub(by, text, timeout=PATTERN_TIMEOUT)
    except TimeoutError:
        raise _endless() from None
    except (regex.error, IndexError) as error:
        raise WrongValueError(f"regex_replace() cannot put in what it should: {error}") from None
    return replaced


def _alnum(text: str) -> str:
    return "".join(filter(str.isalnum, text.encode("ascii", "ignore").decode()))


def _url_path(url: str) -> str:
    path: str = _parts(url).path
    return path


def _query_param(url: str, name: str) -> str | None:
    pairs = parse_qsl(_parts(url).query, keep_blank_values=True)
    return next((value for key, value in pairs if key == name), None)


def _parts(url: str) -> Any:
    try:
        return urlsplit(url)
    except ValueError:
        raise WrongValueError("this text is no URL") from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _bucket(text: str, count: int) -> int:
    if count < 1:
        raise WrongValueError("bucket() wants at least one bucket")
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % count


_TEXT = [("text", TEXT)]
_PATTERN = [("text", TEXT), ("pattern", TEXT)]
TEXT_FUNCTIONS = (
    Function("truncate", [("text", TEXT), ("n", INTEGER)], "text", "The first n characters.",
             _truncate, example=("truncate(email, `4`)", '"Anna"')),
    Function("default", [("x", ANY), ("y", ANY)], "any", "x, or y where x is null.",
             _default, takes_null=True, example=("default(culture, 'sv-SE')", '"sv-SE"')),
    Function("concat", [("x", ANY)], "text", "All as one text; nulls count as empty, numbers as they are written.",
             _concat, repeated=True, takes_null=True, example=("concat(market, '-', product.id)", '"SE-10233"')),
    Function("split", [("text", TEXT), ("separator", TEXT)], "array", "The texts between the separators.",
             _split, example=("split(product.sku, '-')", '["SKU", "10233"]')),
    Function("replace", [("text", TEXT), ("old", TEXT), ("new", TEXT)], "text", "Every old one is a new one.",
             str.replace, example=("replace(product.sku, '-', ' ')", '"SKU 10233"')),
    Function("regex_match", _PATTERN, "boolean", "Whether the pattern is found anywhere in the text.",
             _regex_match, example=("regex_match(product.sku, '^SKU-[0-9]+$')", "true")),
    Function("regex_extract", _PATTERN, "text",
             "What the pattern's first group found, or all of it where it has none; null without a match.",
             _regex_extract, example=("regex_extract(product.sku, '([0-9]+)')", '"10233"')),
    Function("regex_replace", [*_PATTERN, ("by", TEXT)], "text", "Every match replaced; \\1 is its first group.",
             _regex_replace, example=("regex_replace(phone, '[^0-9+]', '')", '"+46701234567"')),
    Function("trim", _TEXT, "text", "Without white space at both ends.",
             str.strip, example=("trim(phrase)", '"red shoes"')),
    Function("lower", _TEXT, "text", "In small letters.",
             str.lower, example=("lower(email)", '"anna@example.com"')),
    Function("upper", _TEXT, "text", "In capital letters.",
             str.upper, example=("upper(product.path[0])", '"MEN"')),
    Function("alnum", _TEXT, "text", "Only its letters A to Z, a to z, and digits.",
             _alnum, example=("alnum(visitorId)", '"8f14e45fceea"')),
    Function("url_path", [("url", TEXT)], "text", "The path of an address, as it is written there.",
             _url_path, example=("url_path(page.url)", '"/men/shoes"')),
    Function("query_param", [("url", TEXT), ("name", TEXT)], "text",
             "The first parameter of that name, decoded; null without one.",
             _query_param, example=("query_param(page.url, 'utm_source')", '"spring mail"')),
    Function("sha256", _TEXT, "text", "The hash of its UTF-8 bytes, in 64 hexadecimal digits.",
             _sha256, example=("truncate(sha256(lower(email)), `8`)", '"f7d54c22"')),
    Function("bucket", [("text", TEXT), ("n", INTEGER)], "integer",
             "One of 0 to n-1, by a hash: always the same one for the same text.",
             _bucket, example=("bucket(visitorId, `10`)", "9")),
)  # fmt: skip
