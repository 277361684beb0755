from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from processor.settings.values import Duration, Rate, Size, Stalemate, Wait, parse_flag


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (Duration, "10s", 10.0),
        (Duration, "200ms", 0.2),
        (Duration, "1.5m", 90.0),
        (Duration, "1h", 3600.0),
        (Duration, "72h", 259_200.0),
        (Duration, "2d", 172_800.0),
        (Duration, "0.1s", 0.1),
        (Duration, 3, 3.0),
        (Wait, "0s", 0.0),
        (Size, "1MiB", 1_048_576),
        (Size, "64KiB", 65_536),
        (Size, "500kB", 500_000),
        (Size, "1048576", 1_048_576),
        (Size, "1.5MiB", 1_572_864),
        (Size, "2GB", 2_000_000_000),
        (Size, "7B", 7),
        (Size, 4096, 4096),
        (Rate, "50/s", 50.0),
        (Rate, "3000/m", 50.0),
        (Rate, "90/h", 0.025),
        (Rate, "0.5/s", 0.5),
        (Rate, "none", None),
        (Rate, 2.5, 2.5),
        (Stalemate, "5m", 300.0),
        (Stalemate, "never", None),
        (Stalemate, 300.0, 300.0),
    ],
)
def test_values_as_people_write_them(kind: Any, written: object, value: object) -> None:
    """Each way of writing gives this value, in seconds, bytes, or per second."""
    assert TypeAdapter(kind).validate_python(written) == value


@pytest.mark.parametrize("written", ["10", "10 s", "s", "-1s", "1e3s", "1m30s", "10S", "1.s", "9" * 20 + "s", "", None])
def test_what_is_no_duration(written: object) -> None:
    """Anything else is refused with the units that there are."""
    with pytest.raises(ValidationError, match="is not a duration"):
        TypeAdapter(Duration).validate_python(written)


@pytest.mark.parametrize("written", ["", None, "null", "Never", "none", "5", True])
def test_what_is_no_stalemate(written: object) -> None:
    """Nothing but `never` waits for ever, an empty value least of all."""
    with pytest.raises(ValidationError, match="is not a duration"):
        TypeAdapter(Stalemate).validate_python(written)


@pytest.mark.parametrize("written", ["1mb", "1Mi", "1 MiB", "MiB", "-1", "1,5MiB", None, [1]])
def test_what_is_no_size(written: object) -> None:
    """Anything else is refused; units are as exact as they look."""
    with pytest.raises(ValidationError, match="is not a size"):
        TypeAdapter(Size).validate_python(written)


@pytest.mark.parametrize("written", ["50", "50/d", "/s", "50 /s", "None", "50s", "", None, True])
def test_what_is_no_rate(written: object) -> None:
    """Anything else is refused; an empty value above all, or a slip would lift the limit."""
    with pytest.raises(ValidationError, match="is not a rate"):
        TypeAdapter(Rate).validate_python(written)


@pytest.mark.parametrize(("kind", "written"), [(Duration, "0s"), (Size, "0"), (Rate, "0/s"), (Size, "0.1B")])
def test_nothing_is_too_little(kind: Any, written: str) -> None:
    """A time-out, a size or a rate of nothing would stop everything."""
    with pytest.raises(ValidationError, match="greater than 0"):
        TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize(("written", "value"), [("true", True), ("false", False), (True, True), (False, False)])
def test_flags(written: object, value: object) -> None:
    """A flag is written in one way."""
    assert parse_flag(written) is value


@pytest.mark.parametrize("written", ["True", "on", "yes", "1", 1, 0, None, "", ["true"]])
def test_other_words_are_no_flags(written: object) -> None:
    """What YAML 1.1 would take for a boolean is refused."""
    with pytest.raises(PydanticCustomError, match="is neither true nor false"):
        parse_flag(written)
