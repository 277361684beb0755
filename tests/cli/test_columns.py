import pytest

from processor.cli.columns import columns, cut, grouped, printable, span


def test_columns() -> None:
    """Each as wide as its widest cell, numbers to the right, nothing behind the last."""
    rows = [("a", "n", "words"), ("long", "1 000", "w"), ("", "5", "")]

    assert list(columns(rows, right=(1,))) == ["a         n  words", "long  1 000  w", "          5"]


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (4127, "4 127"), (1_000_000, "1 000 000")])
def test_groups(number: int, text: str) -> None:
    """Thousands are set apart."""
    assert grouped(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (2 * 86400 + 4 * 3600 + 59, "2 d 4 h"),
        (86400 + 59, "1 d"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    """The two largest units."""
    assert span(seconds) == text


def test_cut() -> None:
    """One line, and a dash of dots where something is missing."""
    assert cut("a\n b", 3) == "a b"
    assert cut("abcd", 3) == "ab…"


def test_what_a_terminal_would_obey() -> None:
    """Lines stay lines, and no text moves the cursor or colours what follows."""
    assert printable("a\nb\tc") == "a b c"
    assert printable("\x1b[31mred\u202e") == "\ufffd[31mred\ufffd"
    assert list(columns([("\x1b", "x\ny")])) == ["\ufffd  x y"]
