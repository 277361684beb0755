"""Durations, sizes and rates as people write them, as types that the models use."""

import re
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

NUMBER = r"(?P<number>\d{1,12}(?:\.\d{1,9})?)"
SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
BYTES = {
    "": 1,
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
PERIODS = {"s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}


class Frozen(BaseModel):
    """A group of keys: unknown ones are refused, values never change, and no error shows what came in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def invalid(message: str, fix: str) -> PydanticCustomError:
    """Make the error of a validator: what is wrong with the value, as a predicate, and what to write instead.

    The value itself is put before the message where it is shown, unless it is a secret.
    """
    return PydanticCustomError("invalid", "{message}", {"message": message, "fix": fix})


def refuse_null(value: Any) -> Any:
    """Refuse a value that was left blank: a condition without its text must not let everything through.

    Raises:
        PydanticCustomError: it is null.
    """
    if value is None:
        raise invalid("has no value", "give it one, or remove the key")
    return value


def parse_duration(value: object) -> float:
    """Read `10s`, `200ms`, `1.5m`, `1h`, `2d` as seconds; a number passes as seconds.

    Raises:
        PydanticCustomError: it is no duration.
    """
    number, unit = _measure(value, SECONDS, "is not a duration", "a number with ms, s, m, h or d: 10s, 200ms, 1.5m")
    return float(number * SECONDS[unit])


def parse_stalemate(value: object) -> float | None:
    """Read a duration, and `never` as None.

    Raises:
        PydanticCustomError: it is neither. An empty value is none either, or a slip would wait for ever.
    """
    if value == "never":
        return None
    fix = "a number with ms, s, m, h or d: 5m; or `never`"
    number, unit = _measure(value, SECONDS, "is not a duration", fix)
    return float(number * SECONDS[unit])


def parse_flag(value: object) -> bool:
    """Read `true` and `false`; nothing else, so that a flag looks the same in every file.

    Raises:
        PydanticCustomError: it is neither.
    """
    match value:
        case bool():
            return value
        case "true" | "false":
            return value == "true"
        case _:
            raise invalid("is neither true nor false", "write one of them")


def parse_size(value: object) -> int:
    """Read `1MiB`, `64KiB`, `500kB`, `1048576` as bytes, rounded to whole ones; a number passes as bytes.

    Raises:
        PydanticCustomError: it is no size.
    """
    number, unit = _measure(value, BYTES, "is not a size", "bytes, or a number with kB, MB, GB, KiB, MiB, GiB: 1MiB")
    return round(number * BYTES[unit])


def parse_rate(value: object) -> float | None:
    """Read `50/s`, `3000/m`, `100/h` as a number per second, and `none` as None: no limit.

    Raises:
        PydanticCustomError: it is no rate. An empty value is none either, or a slip would lift the limit.
    """
    if value == "none":
        return None
    if isinstance(value, str) and "/" not in value:
        value = None
    number, period = _measure(value, PERIODS, "is not a rate", "a number per s, m or h: 50/s, 3000/m; or `none`", "/")
    return float(number / PERIODS[period])


def _measure(
    value: object, units: dict[str, Decimal] | dict[str, int], message: str, fix: str, between: str = ""
) -> tuple[Decimal, str]:
    """Split `1.5m` into number and unit; a plain number has the unit that counts one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value)), next(unit for unit, factor in units.items() if factor == 1)
    names = "|".join(units)
    match = re.fullmatch(f"{NUMBER}{between}(?P<unit>{names})", value) if isinstance(value, str) else None
    if match is None:
        raise invalid(message, fix)
    return Decimal(match["number"]), match["unit"]


Value = TypeVar("Value")
Given = Annotated[Value | None, BeforeValidator(refuse_null)]
"""What may be absent, which is None, but not null in the file."""

Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
"""Seconds, more than none."""

Flag = Annotated[bool, BeforeValidator(parse_flag)]

Wait = Annotated[float, BeforeValidator(parse_duration), Field(ge=0)]
"""Seconds, perhaps none."""

Stalemate = Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(parse_stalemate)]
"""Seconds, more than none, or None for never."""

Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]
"""Bytes, at least one."""

Rate = Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(parse_rate)]
"""A number per second, or None for no limit."""
