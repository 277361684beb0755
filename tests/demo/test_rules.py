from typing import Any

import pytest

from processor.demo.rules import Model, check_object, number_from, text, text_up_to, to_millis

MODEL = Model(required={"name": text}, optional={"note": text_up_to(3), "size": number_from(0)})


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"name": ""}, None),
        ({"name": "x", "note": "abc", "size": 0}, None),
        ({"name": "x", "size": 1.5}, None),
        ({}, "name is missing"),
        ({"name": None}, "name must be a string"),
        ({"name": "x", "note": None}, "note must be a string of 1 to 3 characters"),
        ({"name": "x", "note": "abcd"}, "note must be a string of 1 to 3 characters"),
        ({"name": "x", "size": True}, "size must be a number of 0 or more"),
        ({"name": "x", "size": "1"}, "size must be a number of 0 or more"),
        ({"name": "x", "Note": "abc"}, "Note is not a field of this method"),
        ([], "must be an object"),
        (None, "must be an object"),
    ],
)
def test_an_object_is_held_against_its_model(value: Any, wrong: str | None) -> None:
    """The reason names the field and what is wanted, and never repeats the value."""
    assert check_object(value, MODEL) == wrong


@pytest.mark.parametrize(
    ("written", "millis"),
    [
        ("2026-11-22T09:31:07Z", 1_795_339_867_000),
        ("2026-11-22T10:31:07+01:00", 1_795_339_867_000),
        ("2026-11-22T09:31:07.120Z", 1_795_339_867_120),
        ("2026-11-22T09:31:07.001Z", 1_795_339_867_001),
        (None, None),
    ],
)
def test_times_compare_whatever_their_form(written: str | None, millis: int | None) -> None:
    """The books keep milliseconds, so that equal times are equal."""
    assert to_millis(written) == millis
