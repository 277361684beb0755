"""Defaults of fields that a writer does not have, as an event has them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from processor.decode.logical import base64_text, conversion, single
from processor.decode.shapes import Names, Schema, SchemaMismatchError, called, expanded
from processor.decode.wire import INT_BITS, LONG_BITS


def default_value(schema: Schema, default: Any, names: Names) -> Any:
    """A field's default as an event has it.

    Args:
        schema: the field's type.
        default: as the schema has it (Avro 1.12, "field default values": bytes are text of the code points 0 to 255).
        names: definitions of the named types that the type mentions.

    Raises:
        SchemaMismatchError: it is no value of this type.
    """
    kind = expanded(schema, names)
    if isinstance(kind, list):
        for branch in kind:
            try:
                return default_value(branch, default, names)
            except SchemaMismatchError:
                continue
        raise SchemaMismatchError(f"the default {default!r} is none of {', '.join(map(called, kind))}")
    try:
        return _DEFAULTS[kind["type"]](kind, default, names)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise SchemaMismatchError(f"the default {default!r} is no {called(kind)}") from error


def _default_scalar(*kinds: type) -> Callable[[Schema, Any, Names], Any]:
    """A default that JSON has as it is."""

    def value(schema: Schema, default: Any, _: Names) -> Any:
        if type(default) not in kinds:
            raise TypeError
        converted = float(default) if float in kinds else default
        own = conversion(schema)
        return own(converted) if own else converted

    return value


def _default_single(schema: Schema, default: Any, names: Names) -> Any:
    return single(_default_scalar(int, float)(schema, default, names))


def _default_integer(bits: int) -> Callable[[Schema, Any, Names], Any]:
    """A whole number that the type has room for."""
    plain = _default_scalar(int)

    def value(schema: Schema, default: Any, names: Names) -> Any:
        if not -(2 ** (bits - 1)) <= default < 2 ** (bits - 1):
            raise ValueError
        return plain(schema, default, names)

    return value


def _default_bytes(schema: Schema, default: str, _: Names) -> Any:
    binary = default.encode("latin-1")
    if len(binary) != schema.get("size", len(binary)):
        raise ValueError
    own = conversion(schema)
    return own(binary) if own else base64_text(binary)


def _default_enum(schema: Schema, default: str, _: Names) -> str:
    return schema["symbols"][schema["symbols"].index(default)]  # type: ignore[no-any-return]


def _default_array(schema: Schema, default: Sequence[Any], names: Names) -> list[Any]:
    if not isinstance(default, list):
        raise TypeError
    return [default_value(schema["items"], item, names) for item in default]


def _default_map(schema: Schema, default: Mapping[str, Any], names: Names) -> dict[str, Any]:
    return {key: default_value(schema["values"], value, names) for key, value in _record(default).items()}


def _record(default: Any) -> dict[str, Any]:
    if not isinstance(default, dict):
        raise TypeError
    return default


def _default_record(schema: Schema, default: Mapping[str, Any], names: Names) -> dict[str, Any]:
    given = {each["name"]: each["default"] for each in schema["fields"] if "default" in each} | _record(default)
    return {each["name"]: default_value(each["type"], given[each["name"]], names) for each in schema["fields"]}


_DEFAULTS: Final[Mapping[str, Callable[[Schema, Any, Names], Any]]] = {
    "null": _default_scalar(type(None)),
    "boolean": _default_scalar(bool),
    "int": _default_integer(INT_BITS),
    "long": _default_integer(LONG_BITS),
    "float": _default_single,
    "double": _default_scalar(int, float),
    "string": _default_scalar(str),
    "bytes": _default_bytes,
    "fixed": _default_bytes,
    "enum": _default_enum,
    "array": _default_array,
    "map": _default_map,
    "record": _default_record,
    "error": _default_record,
}
