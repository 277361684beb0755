"""Values of the settings as a person would write them in the file."""

from decimal import Decimal
from typing import Any, get_args

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from processor.settings.values import BYTES, SECONDS, Frozen, parse_duration, parse_rate, parse_size, parse_stalemate


def as_written(value: object, info: FieldInfo) -> Any:
    """Give a field's value in the JSON types that stand for it in the file.

    Args:
        value: of the field, as the model holds it.
        info: the field; its type tells seconds from bytes.
    """
    match value:
        case Frozen():
            fields = type(value).model_fields
            return {name: as_written(getattr(value, name), field) for name, field in fields.items()}
        case tuple():
            return [_text(item, info) for item in value]
        case _:
            return _text(value, info)


def _text(value: Any, info: FieldInfo) -> Any:
    """Write one value in the unit that its reader wants."""
    readers = _readers(info)
    if parse_rate in readers:
        return "none" if value is None else f"{_plain(Decimal(str(value)))}/s"
    if parse_stalemate in readers and value is None:
        return "never"
    if value is not None and {parse_duration, parse_stalemate} & set(readers):
        return _largest(
            Decimal(str(value)), {unit: factor for unit, factor in SECONDS.items() if unit in {"ms", "s", "m"}}
        )
    if value is not None and parse_size in readers:
        return _largest(Decimal(value), {unit: Decimal(BYTES[unit]) for unit in ("B", "KiB", "MiB", "GiB")})
    return value


def _readers(info: FieldInfo) -> list[object]:
    """List the functions that read the field, or the items of its list."""
    inner = [metadata for arg in get_args(info.annotation) for metadata in getattr(arg, "__metadata__", ())]
    return [item.func for item in (*info.metadata, *inner) if isinstance(item, BeforeValidator)]


def _largest(value: Decimal, units: dict[str, Decimal]) -> str:
    """Write a value in the largest unit of which it is a whole number."""
    whole = [unit for unit, factor in units.items() if value % factor == 0] or list(units)[:1]
    return f"{_plain(value / units[whole[-1]])}{whole[-1]}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
