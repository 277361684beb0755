"""What is settled beyond a partition's first gap, as the text that travels with the committed offset. Pure.

    clickstream/1 <topic id or -> <committed offset> <runs>

The runs are lengths: of the first gap, of the settled span behind it, of the next gap, and so on. Each is written in
Elias' gamma code (n needs 2⌊log₂ n⌋ + 1 bits), all of them together in base64. Most gaps are of one record, so that the
worst of all patterns, every other record, takes two bits a span: 8,800 spans in 3,000 bytes. With whole bytes for each
length it were 1,100, which one held method among two fills within 2,200 records; a bitmap pays for each record of the
long spans that a single slow lane leaves behind.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

LIMIT = 3000
"""Bytes of the text: brokers take 4,096 by default, and the rest is for whoever lowers that a little."""
VERSION = 1
MAX_OFFSET = 2**63 - 1

Spans = tuple[tuple[int, int], ...]
"""First offset, and the one behind the last; ascending, apart from each other."""

_ANY_VERSION = re.compile(r"clickstream/(\d{1,9}) ", re.ASCII)
_TEXT = re.compile(r"clickstream/\d+ ([\w+/-]{1,22}) (\d{1,19}) ([\w-]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a text says.

    Attributes:
        base: the committed offset that it was written with; beside any other one it means nothing.
        ahead: settled spans beyond it.
        topic_id: of the topic that the offsets are of; None where that was not known.
    """

    base: int
    ahead: Spans = ()
    topic_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a text says nothing."""

    why: str


def encode(settled: Settled, limit: int = LIMIT) -> str:
    """Write what is settled; where it does not fit, the lowest spans are written.

    Args:
        settled: its spans lie beyond its base.
        limit: bytes; the text is ASCII. Empty where nothing fits at all.
    """
    head = f"clickstream/{VERSION} {settled.topic_id or '-'} {settled.base} "
    if len(head) > limit:
        return ""
    bits = _fitting(settled, (limit - len(head)) * 3 // 4 * 8)
    packed = int(bits or "0", 2) << -len(bits) % 8
    runs = urlsafe_b64encode(packed.to_bytes((len(bits) + 7) // 8, "big"))
    return head + runs.decode().rstrip("=")


def decode(text: str) -> Settled | Unread:
    """Read a text, whoever wrote it."""
    version = _ANY_VERSION.match(text)
    if version is None:
        return Unread("it is not ours")
    if int(version[1]) != VERSION:
        return Unread(f"it is of version {version[1]}, and this release knows {VERSION}")
    parts = _TEXT.fullmatch(text)
    if parts is None:
        return Unread("it is damaged")
    base = int(parts[2])
    ahead = _spans(base, parts[3])
    if ahead is None:
        return Unread("it is damaged")
    return Settled(base, ahead, None if parts[1] == "-" else parts[1])


def _fitting(settled: Settled, most: int) -> str:
    """As many gaps and the spans behind them as fit, in gamma code."""
    coded: list[str] = []
    size, at = 0, settled.base
    for start, end in settled.ahead:
        pair = _gamma(start - at) + _gamma(end - start)
        size += len(pair)
        if size > most:
            break
        coded.append(pair)
        at = end
    return "".join(coded)


def _gamma(n: int) -> str:
    return SHORT[n] if n < len(SHORT) else _written(n)


def _written(n: int) -> str:
    """A number behind as many zeros as it has digits after its first."""
    return f"{n:0{2 * n.bit_length() - 1}b}"


SHORT = ("", *map(_written, range(1, 1024)))
"""Those that nearly all of a text consists of; without them writing takes five times as long."""


def _spans(base: int, text: str) -> Spans | None:
    """The other way; None where it is no run of pairs within what offsets can be."""
    if len(text) % 4 == 1:  # no bytes give that
        return None
    packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    lengths = list(_lengths(f"{int.from_bytes(packed, 'big'):0{8 * len(packed)}b}" if packed else ""))
    edges = [base]
    for length in lengths:
        edges.append(edges[-1] + length)
    if 0 in lengths or len(lengths) % 2 or edges[-1] > MAX_OFFSET:
        return None
    return tuple(list(pairwise(edges))[1::2])


def _lengths(bits: str) -> Iterator[int]:
    """Numbers in gamma code; zeros at the end fill the last byte, and a number that is cut off is 0."""
    at = 0
    while (first := bits.find("1", at)) >= 0:
        at = 2 * first - at + 1
        yield int(bits[first:at], 2) if at <= len(bits) else 0
