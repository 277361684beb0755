"""Conditions under which a compiled mapping sends a value as it is, without asking the converter."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processor.destinations import VENDORS
from processor.fields import Field, Quick
from tests.destinations.feeds import FEEDS
from tests.destinations.mapping import GUID


def quick(fields: Mapping[str, Field]) -> Iterator[Quick]:
    """Those of these fields, nested ones included."""
    for field in fields.values():
        if isinstance(field.convert, Quick):
            yield field.convert
        yield from quick(field.fields)


CONVERTERS = {
    found.unchanged: found
    for vendor in VENDORS.values()
    for method in vendor.methods.values()
    for found in quick(method.fields)
}


def holds(condition: str, value: object) -> bool:
    """Whether the condition is true of a value."""
    return bool(eval(condition, {"v": value}))  # noqa: S307 - our own source


@pytest.mark.parametrize("condition", CONVERTERS)
@settings(deadline=None)
@given(value=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.from_regex(r"[0-9A-Za-z_-]{1,36}")))
@example(GUID)
@example(GUID.upper())
@example(GUID[:-1] + "g")
@example(GUID.replace("-", "0"))
@example("sv-SE")
@example("SV-se")
@example("aa-AA")
@example("é" * 36)
@example("\ud83d")
@example(2**53)
@example(float("nan"))
def test_what_is_sent_unchanged_the_converter_would_not_change(condition: str, value: Any) -> None:
    """A short cut past the converter is none past its rules."""
    if holds(condition, value):
        assert CONVERTERS[condition](value) is value


@pytest.mark.parametrize("condition", CONVERTERS)
@pytest.mark.parametrize("feed", FEEDS)
def test_no_kind_of_value_slips_through(condition: str, feed: str) -> None:
    """Over everything that an event may feed into a field."""
    value = FEEDS[feed]
    if holds(condition, value):
        assert CONVERTERS[condition](value) is value


@pytest.mark.parametrize(("field", "value"), [("contactId", GUID), ("contactId", GUID.upper()), ("language", "sv-SE")])
def test_usual_texts_take_the_short_cut(field: str, value: str) -> None:
    """Those of a form, too; otherwise it would save nothing."""
    convert = VENDORS["voyado"].methods["product_view"].fields[field].convert

    assert isinstance(convert, Quick)
    assert holds(convert.unchanged, value)
