"""Python functions in the place of a mapping."""

import sys
from typing import Any

import pytest

from processor.map.values import hook_values
from processor.records import Filtered, FilterReason, Record
from tests.map.views import EVENT, GUID, Mapping, body, mapping, message, method_of

FIELDS = method_of("voyado.product_view").fields


def hooked(hook: Any) -> Mapping:
    """A mapping by a function."""
    return mapping(hook_values(hook, "acme.views.make", FIELDS))


def test_a_function_makes_the_payload() -> None:
    """From the event, the item and the record; what it gives is converted like anything else."""
    seen: list[Any] = []

    def make(event: dict[str, Any], item: Any, record: Record) -> dict[str, Any]:
        seen.append((event, item, record.assignment.topic))
        return {"itemId": 10233, "contactId": event["contactId"], "category": None}

    assert body(hooked(make).map(EVENT)) == {"itemId": "10233", "contactId": GUID}
    assert seen == [(EVENT, None, "clicks")]


def test_nothing_means_filtered() -> None:
    """The function's way to say that there is nothing to deliver."""
    assert hooked(lambda *_: None).map(EVENT) == Filtered(FilterReason.PYTHON, "views")


def test_a_function_that_fails_is_a_mapping_error() -> None:
    """It is named; the words of its exception may hold personal data, and are not told."""

    def fail(event: dict[str, Any], *_: object) -> dict[str, Any]:
        raise ValueError(event["contactId"])

    assert message(hooked(fail).map(EVENT)) == "acme.views.make failed: ValueError"


def test_a_function_that_would_end_the_process_is_a_mapping_error() -> None:
    """No record ends the process (invariant 10), not even by a hook that calls `sys.exit`."""
    assert message(hooked(lambda *_: sys.exit(3)).map(EVENT)) == "acme.views.make failed: SystemExit"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ([], "acme.views.make must give a dict or None, and gave list"),
        ({"itemId": "1"}, "contactId: required, but the mapping gives null"),
        ({"itemId": "", "contactId": GUID}, "itemId: the text is empty"),
        ({"itemId": "1", "contactId": GUID, "item": 1}, "item: the vendor knows no such field"),
    ],
)
def test_what_a_function_gives_is_checked(made: object, words: str) -> None:
    """Like what a mapping gives."""
    assert message(hooked(lambda *_: made).map(EVENT)) == words
