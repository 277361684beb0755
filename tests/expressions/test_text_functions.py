import hashlib
import subprocess
import sys
from decimal import Decimal

import pytest

from processor.expressions.language import ExpressionError
from tests.expressions.evaluate import LANGUAGE, evaluate, event

FAMILY = "👨‍👩‍👧"
URL = "https://shop.example.com/m%C3%A4n/shoes;v=1?q=red+shoes%20%26%20bags&empty=&q=second&flag&%C3%A5=%C3%B6&bad=%FF#x?q=no"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("truncate('abc', `2`)", "ab"),
        ("truncate('abc', `0`)", ""),
        ("truncate('abc', `3`)", "abc"),
        ("truncate('', `3`)", ""),
        ("truncate(emoji, `1`)", "👨"),
        ("truncate(combined, `1`)", "e"),
        ("default(nothing, 'x')", "x"),
        ("default('', 'x')", ""),
        ("default(`false`, 'x')", False),
        ("default(nothing, nothing)", None),
        ("concat('a', nothing, 'b')", "ab"),
        ("concat(nothing)", ""),
        ("concat(`1`, `2.50`, `true`, 'é')", "12.50trueé"),
        ("concat(price, ' ', currency)", "9.90 SEK"),
        ('concat(`[1, "a"]`, `{"a": null}`)', '[1,"a"]{"a":null}'),
        ("concat(long)", "1180591620717411303424"),
        ("split('a,,b', ',')", ["a", "", "b"]),
        ("split('', ',')", [""]),
        ("split('a > b', ' > ')", ["a", "b"]),
        ("replace('a.b.c', '.', '')", "abc"),
        ("replace('aaa', 'aa', 'b')", "ba"),
        ("trim(' \t\n\u00a0é ')", "é"),
        ("lower('ÅSA İ ẞ')", "åsa i̇ ß"),
        ("upper('straße ﬁ')", "STRASSE FI"),
        ("alnum('Åsa 8f-14_é!')", "sa8f14"),
        ("alnum(emoji)", ""),
        ("alnum(combined)", "e"),
        ("alnum('٣ⅷ²A1')", "A1"),
        ("sha256('')", hashlib.sha256(b"").hexdigest()),
        ("sha256('åsa')", hashlib.sha256("åsa".encode()).hexdigest()),
    ],
)
def test_texts(expression: str, expected: object) -> None:
    """Characters are Unicode's code points; nulls and numbers in a text are as people write them."""
    given = evaluate(
        expression, emoji=FAMILY, combined="e\u0301", price=Decimal("9.90"), currency="SEK", long=2**70, nothing=None
    )

    assert given == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("regex_match('SKU-10233', '[0-9]+')", True),
        ("regex_match('SKU-10233', '^[0-9]+$')", False),
        ("regex_match('ÅSA', '(?i)^åsa$')", True),
        ("regex_match('', '')", True),
        ("regex_extract('SKU-10233', 'SKU-([0-9]+)')", "10233"),
        ("regex_extract('SKU-10233', '[0-9]+')", "10233"),
        ("regex_extract('a=1;b=2', '(?:a|b)=([0-9])')", "1"),
        ("regex_extract('b', '(a)|b')", None),
        ("regex_extract('x', '(y)')", None),
        ("regex_extract('2026-11', '(?<year>[0-9]{4})-(?<month>[0-9]{2})')", "2026"),
        ("regex_replace('a1b22', '[0-9]+', '#')", "a#b#"),
        ("regex_replace('Anna Berg', '([a-zA-Z]+) ([a-zA-Z]+)', '\\2, \\1')", "Berg, Anna"),
        ("regex_replace('ab', '(x)?b', '[\\1]')", "a[]"),
        ("regex_replace('abc', 'x', 'y')", "abc"),
        ("regex_match('\\d', '\\\\d')", True),
    ],
)
def test_patterns(expression: str, expected: object) -> None:
    """A pattern is searched for anywhere; the first group counts where there is one; no match is null."""
    assert evaluate(expression) == expected


@pytest.mark.parametrize("call", ["regex_match(t, p)", "regex_extract(t, p)", "regex_replace(t, p, 'x')"])
def test_a_hostile_text_ends_a_search(call: str) -> None:
    """A pattern that would take years for one text is given up after a tenth of a second, and the message says why."""
    hostile = "a" * 60 + "!"
    with pytest.raises(ExpressionError, match=r"not through with the text after 0\.1 s; make it simpler$") as caught:
        evaluate(call, t=hostile, p="^(a|aa)+$")

    assert hostile not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("truncate('abc', `-1`)", "truncate() wants a length of 0 or more"),
        ("split('abc', '')", "split() wants a separator that is not empty"),
        ("bucket('abc', `0`)", "bucket() wants at least one bucket"),
        ("bucket('abc', `-3`)", "bucket() wants at least one bucket"),
        ("url_path('http://[::1')", "this text is no URL"),
        ("query_param('http://[anna', 'a')", "this text is no URL"),
        ("regex_match('anna', dynamic)", "the pattern is no regular expression: missing ) at position 5"),
        ("regex_replace('anna', 'a', '\\1')", "regex_replace() cannot put in what it should: invalid group reference"),
        ("regex_replace('anna', 'a', '\\g<b>')", "regex_replace() cannot put in what it should: unknown group"),
    ],
)
def test_what_a_text_function_refuses(expression: str, words: str) -> None:
    """It is said in words, without the text."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, dynamic="(anna")

    assert str(caught.value) == f"{expression}: {words}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("q", "red shoes & bags"),
        ("empty", ""),
        ("flag", ""),
        ("å", "ö"),
        ("bad", "\ufffd"),
        ("missing", None),
        ("Q", None),
    ],
)
def test_query_param(name: str, expected: str | None) -> None:
    """The first one, decoded, + as a blank; what follows the # is no parameter."""
    assert evaluate("query_param(url, name)", url=URL, name=name) == expected


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (URL, "/m%C3%A4n/shoes;v=1"),
        ("https://shop.example.com", ""),
        ("https://shop.example.com/?a=1", "/"),
        ("/men/shoes?a=/b", "/men/shoes"),
        ("men/shoes", "men/shoes"),
        ("", ""),
        ("no url at all", "no url at all"),
    ],
)
def test_url_path(url: str, path: str) -> None:
    """As it is written in the address, of addresses with and without a host."""
    assert evaluate("url_path(url)", url=url) == path


@pytest.mark.parametrize(
    ("text", "expected"), [("", 52), ("a", 50), ("8f14e45f", 42), ("anna@example.com", 68), ("åsa 👟", 53)]
)
def test_a_bucket_is_the_same_in_every_process(text: str, expected: int) -> None:
    """These figures hold for ever: a visitor stays in his group over restarts and versions."""
    assert evaluate("bucket(text, `100`)", text=text) == expected


def test_a_bucket_depends_on_no_seed_of_the_process() -> None:
    """Python's own hash would differ from process to process."""
    code = "from processor.expressions.text_functions import _bucket; print(_bucket('8f14e45f', 1000))"
    env = {"PYTHONHASHSEED": "7"}

    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)

    assert int(other.stdout) == evaluate("bucket('8f14e45f', `1000`)")


def test_buckets_are_about_equal() -> None:
    """Each of ten has a tenth of the texts, within a fifth of it."""
    compiled = LANGUAGE.compile("bucket(text, `10`)")
    found = [compiled({"text": f"visitor-{number}"}, event()) for number in range(5000)]

    assert all(400 < found.count(bucket) < 600 for bucket in range(10))
