from base64 import urlsafe_b64encode
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.settle.metadata import LIMIT, MAX_OFFSET, Settled, Unread, decode, encode

ID = "Jx54JTyZTyaqH/U1gDbRUQ"
LENGTHS = st.lists(st.tuples(*[st.integers(1, 9) | st.integers(1, 10**6)] * 2), max_size=300)


def settled(base: int, runs: Sequence[tuple[int, int]], topic_id: str | None = None) -> Settled:
    """Spans from the lengths of gaps and spans."""
    spans, at = [], base
    for gap, length in runs:
        spans.append((at + gap, at + gap + length))
        at += gap + length
    return Settled(base, tuple(spans), topic_id)


@given(st.integers(0, 2**40), LENGTHS, st.sampled_from([None, ID]))
def test_what_is_written_is_read(base: int, runs: list[tuple[int, int]], topic_id: str | None) -> None:
    """Any spans come back as they were."""
    what = settled(base, runs, topic_id)

    assert decode(encode(what, 10**6)) == what


@given(st.integers(0, 2**40), LENGTHS, st.integers(0, 500))
def test_what_does_not_fit_is_left_out_from_the_end(base: int, runs: list[tuple[int, int]], limit: int) -> None:
    """The text stays within its limit and names the lowest spans; where nothing fits it is empty."""
    text = encode(settled(base, runs), limit)

    assert len(text) <= limit
    if text:
        read = decode(text)
        assert isinstance(read, Settled)
        assert read == settled(base, runs[: len(read.ahead)])
        more = encode(settled(base, runs[: len(read.ahead) + 1]), 10**6)
        assert len(read.ahead) == len(runs) or len(more) > limit
    else:
        assert len(encode(settled(base, []), 10**6)) > limit


def test_the_limit_holds_many_spans() -> None:
    """Every other record settled: 8,800 spans fit beside the largest head; long spans take some 20 bits each."""
    base = MAX_OFFSET - 10**9
    text = encode(settled(base, [(1, 1)] * 10_000, ID))

    dense, sparse = decode(text), decode(encode(settled(base, [(1, 1000)] * 10_000, ID)))

    assert isinstance(dense, Settled)
    assert isinstance(sparse, Settled)
    assert len(dense.ahead) >= 8_700
    assert len(sparse.ahead) >= 850
    assert len(text) <= LIMIT


TEXT = encode(settled(100, [(1, 1), (5, 20), (1, 400)], ID))


def runs_of(bits: str) -> str:
    """A text with these bits for runs."""
    bits += "0" * (-len(bits) % 8)
    packed = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return f"clickstream/1 - 5 {urlsafe_b64encode(packed).decode().rstrip('=')}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not ours"),
        ("checkpoint=17", "not ours"),
        ('{"offset": 5}', "not ours"),
        ("clickstream/ - 5 ", "not ours"),
        (TEXT.replace("/1 ", "/2 "), "of version 2, and this release knows 1"),
        ("clickstream/17 whatever comes then", "of version 17"),
        ("clickstream/1 ", "damaged"),
        ("clickstream/1 - 5", "damaged"),
        ("clickstream/1 - minus ", "damaged"),
        ("clickstream/1 - 5 äö", "damaged"),
        ("clickstream/1 - 5 A", "damaged"),
        ("clickstream/1 - 5 AAAAA", "damaged"),
        (TEXT + " ", "damaged"),
        (runs_of("1"), "damaged"),
        (runs_of("1" + "00001"), "damaged"),
        (runs_of("1" + "0" * 63 + "1" * 64), "damaged"),
    ],
    ids=range(16),
)
def test_what_says_nothing(text: str, why: str) -> None:
    """Another tool's text, a future release's and a damaged one are told apart in words."""
    read = decode(text)

    assert isinstance(read, Unread)
    assert why in read.why


@given(
    st.text(max_size=200) | st.text("clickstream/1 -Ab_0", max_size=60).map(lambda text: "clickstream/1 - 7 " + text)
)
def test_garbage_never_raises(text: str) -> None:
    """Whatever is there, it is read or it is not; spans are ascending, apart, and beyond the base."""
    read = decode(text)

    if isinstance(read, Settled):
        edges = [read.base, *(edge for span in read.ahead for edge in span)]
        assert edges == sorted(set(edges))
        assert edges[-1] <= MAX_OFFSET


@given(st.integers(0, len(TEXT) - 1), st.integers(0, 255))
def test_a_damaged_text_never_raises(at: int, byte: int) -> None:
    """One wrong character gives other spans at worst, never a failure."""
    assert isinstance(decode(TEXT[:at] + chr(byte) + TEXT[at + 1 :]), Settled | Unread)
