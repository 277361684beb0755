"""What people read in a terminal: columns, numbers, spans of time."""

from collections.abc import Collection, Iterator, Sequence

NONE = "–"  # noqa: RUF001 - a dash for what is not known
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
"""Seconds of each."""


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Rows in columns; the last one is as long as it is.

    Args:
        rows: of equal length.
        right: columns that are aligned at their right side.
    """
    plain = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*plain, strict=True)]
    for row in plain:
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def grouped(number: int) -> str:
    """4127 as `4 127`."""
    return f"{number:,}".replace(",", " ")


def span(seconds: float) -> str:
    """`2 d 4 h`, `3 min 20 s`: the two largest units."""
    left = max(int(seconds), 0)
    parts: list[str] = []
    for size, unit in UNITS:
        number, left = divmod(left, size)
        if number or (unit == "s" and not parts):
            parts.append(f"{number} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def printable(text: str) -> str:
    """One line that no terminal takes for a command: others wrote it."""
    return "".join(each if each.isprintable() else " " if each.isspace() else "\ufffd" for each in text)


def cut(text: str, limit: int) -> str:
    """One line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
