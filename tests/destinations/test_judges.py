"""Whole payloads: what our fields let through together, the stub vendors take."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.destinations.feeds import FEEDS
from tests.destinations.mapping import GOOD, good, judged, method_of, sent
from tests.destinations.table import TABLE, No


@st.composite
def payloads(draw: st.DrawFn, method: str) -> dict[str, Any]:
    """A payload of any of its fields, from values that they take."""
    fields = [path for path in TABLE[method] if "." not in path]
    chosen = draw(st.sets(st.sampled_from(fields))) | method_of(method).required
    return {field: FEEDS[draw(st.sampled_from(accepted(method, field)))] for field in chosen}


def accepted(method: str, field: str) -> list[str]:
    """The values that a field takes."""
    return [name for name, cell in TABLE[method][field].items() if not isinstance(cell, No)]


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("method", GOOD)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_we_send_the_vendor_takes(method: str, batched: bool, data: st.DataObject) -> None:  # noqa: FBT001 - a column of a table
    """Whichever of the optional fields are there, alone or in a batch."""
    values = data.draw(payloads(method))

    assert judged(method, sent(method, **values), batched=batched) is None


@pytest.mark.parametrize("method", GOOD)
@pytest.mark.parametrize("batched", [False, True])
def test_good_payloads_are_sent_and_taken(method: str, batched: bool) -> None:  # noqa: FBT001 - a column of a table
    """With nothing but what is required."""
    assert sent(method) == good(method)
    assert judged(method, sent(method), batched=batched) is None


@pytest.mark.parametrize("method", GOOD)
def test_what_is_required_is_what_the_vendor_requires(method: str) -> None:
    """Each required field is one without which the vendor refuses; the cart's lines, which it does not, are ours."""
    for field in method_of(method).required - {"items"}:
        assert judged(method, good(method, **{field: None}), batched=False) == f"{field} is missing"
