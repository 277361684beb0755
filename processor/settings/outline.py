"""Reads what can be read of a part that is wrong, so that its other faults are found in the same run."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from processor.settings.mapped import Constant, Expression, parse_map, parse_mapped
from processor.settings.models import DestinationSettings, RouteSettings
from processor.settings.texts import Targets

_TARGETS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Targets)


def outline_destination(kind: str, value: Mapping[str, Any]) -> DestinationSettings:
    """Give a destination of this type, with no more than the right fields of its `map`."""
    known: dict[str, Any] = {"type": kind, "map": _right_fields(value.get("map"))}
    return DestinationSettings.model_construct(**known)


def outline_route(value: object) -> RouteSettings | None:
    """Give a route, with no more than what it calls and the right fields of its `map`; None where either is unknown."""
    if not isinstance(value, Mapping):
        return None
    written = value.get("map")
    try:
        targets = _TARGETS.validate_python(value.get("to"))
        fields = _right_fields(written) if isinstance(written, Mapping) else parse_map(written)
    except (ValidationError, PydanticCustomError):
        return None
    return RouteSettings.model_construct(events=(), to=targets, map=fields)


def _right_fields(written: object) -> dict[str, Expression | Constant]:
    fields = {}
    for name, value in written.items() if isinstance(written, Mapping) else ():
        try:
            fields[str(name)] = parse_mapped(value)
        except PydanticCustomError:
            continue
    return fields
