"""Avro's schema resolution for the strict reader (specification 1.12, "Schema Resolution"), on data that are read.

Where the specification is loose the rules are: two types only match when all that is in them does, but for the symbols
of enums and the branches of a writer's union, which are a single payload's fault. Types with two different logical
types do not match, decimals of one scale do. Of a reader's union the branch with the whole name is taken, else the
first of the same kind, else the first that the writer's can be promoted to. A field's own name goes before aliases.
"""

import struct
from typing import Any

from tests.decode.strict_schema import NO_DEFAULT, Field, Type
from tests.decode.strict_values import Datum, RefusedError, plain, render

PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
Assumed = frozenset[tuple[Type, Type]]
"""Pairs of recursive types that are just being compared: they match unless something else does not."""
NOTHING: Assumed = frozenset()


def matches(writer: Type, reader: Type, assumed: Assumed = NOTHING) -> bool:
    """Whether there may be a payload of the one that can be read as the other."""
    if writer.kind == "union":
        return not writer.parts or any(matches(branch, reader, assumed) for branch in writer.parts)
    if reader.kind == "union":
        return _choose(writer, reader, assumed) is not None
    return _same(writer, reader, assumed) or _promotable(writer, reader)


def _same(writer: Type, reader: Type, assumed: Assumed) -> bool:
    if writer.kind != reader.kind or not _same_meaning(writer, reader):
        return False
    match writer.kind:
        case "array" | "map":
            return matches(writer.parts[0], reader.parts[0], assumed)
        case "record":
            return _alike(writer, reader) and _fields_match(writer, reader, assumed)
        case _:
            return _alike(writer, reader) and writer.size == reader.size


def _promotable(writer: Type, reader: Type) -> bool:
    return reader.kind in PROMOTIONS.get(writer.kind, ()) and _same_meaning(writer, reader)


def _same_meaning(writer: Type, reader: Type) -> bool:
    meanings = [(type_.logical, type_.scale) for type_ in (writer, reader) if type_.logical]
    return len(set(meanings)) < 2


def _same_whole_name(writer: Type, reader: Type) -> bool:
    return writer.name == reader.name or writer.name in reader.aliases


def _alike(writer: Type, reader: Type) -> bool:
    """By the last part of the name, or by alias; types without a name are all called the same."""
    return _same_whole_name(writer, reader) or writer.name.rpartition(".")[2] == reader.name.rpartition(".")[2]


def _fields_match(writer: Type, reader: Type, assumed: Assumed) -> bool:
    if (writer, reader) in assumed:
        return True
    types = {field.name: field.type for field in writer.fields}
    sources = _sources(list(types), reader)
    return all(
        matches(types[sources[field.name]], field.type, assumed | {(writer, reader)})
        if field.name in sources
        else _has_default(field)
        for field in reader.fields
    )


def _sources(written: list[str], reader: Type) -> dict[str, str]:
    """The writer's name of each of the reader's fields that the writer has."""
    sources = {field.name: field.name for field in reader.fields if field.name in written}
    for name in written:
        wanted = next((field.name for field in reader.fields if name in field.aliases), None)
        if wanted is not None and name not in sources.values():
            sources.setdefault(wanted, name)
    return sources


def _has_default(field: Field) -> bool:
    try:
        _rendered_default(field)
    except RefusedError:
        return False
    return True


def _choose(writer: Type, union: Type, assumed: Assumed) -> Type | None:
    namesake = next((branch for branch in union.parts if writer.name and _same_whole_name(writer, branch)), None)
    same = (branch for branch in ([namesake] if namesake else union.parts) if _same(writer, branch, assumed))
    return next(same, None) or next((branch for branch in union.parts if _promotable(writer, branch)), None)


def resolve(datum: Datum, reader: Type) -> Any:
    """The datum as the reader's schema wants it, as JSON types.

    Raises:
        RefusedError: there is no way.
    """
    writer, value = datum.type, datum.value
    if writer.kind == "union":
        return resolve(value, reader)
    if not matches(writer, reader):
        raise RefusedError(f"{writer.kind} {writer.name} cannot be read as {reader.kind} {reader.name}")
    chosen = _choose(writer, reader, NOTHING) if reader.kind == "union" else reader
    assert chosen
    match chosen.kind:
        case "array":
            result: Any = [resolve(item, chosen.parts[0]) for item in value]
        case "map":
            result = {key: resolve(item, chosen.parts[0]) for key, item in value}
        case "record":
            result = _record(value, chosen)
        case "enum":
            result = _symbol(value, chosen)
        case _:
            result = plain(chosen, promote(value, writer.kind, chosen.kind))
    return result


def promote(value: Any, writer: str, reader: str) -> Any:
    """A value of one type as the other type has it.

    Raises:
        RefusedError: bytes that are to be a string are no text.
    """
    if reader == "float" and writer != "float":
        return single(value)
    if reader == "double":
        return float(value)
    if reader == "bytes" and writer == "string":
        return value.encode("utf-8")
    if reader == "string" and writer == "bytes":
        try:
            return value.decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            raise RefusedError(str(error)) from error
    return value


def single(number: float) -> float:
    """The nearest number that four bytes can hold: of whole numbers the first 24 bits, half to even.

    Raises:
        OverflowError: there is none.
    """
    if isinstance(number, int) and abs(number) >= 2**24:
        step = 2 ** (abs(number).bit_length() - 24)
        count, rest = divmod(abs(number), step)
        count += 2 * rest > step or (2 * rest == step and count % 2 == 1)
        number = count * step if number > 0 else -count * step
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def _symbol(symbol: str, reader: Type) -> str:
    if symbol in reader.symbols:
        return symbol
    if reader.default is None:
        raise RefusedError(f"{reader.name} has no symbol {symbol}")
    return reader.default


def _record(value: dict[str, Datum], reader: Type) -> dict[str, Any]:
    sources = _sources(list(value), reader)
    for name in value.keys() - set(sources.values()):
        render(value[name])  # a field that nobody reads must be valid as well
    return {
        field.name: resolve(value[sources[field.name]], field.type)
        if field.name in sources
        else _rendered_default(field)
        for field in reader.fields
    }


def _rendered_default(field: Field) -> Any:
    """What the field is where the writer does not have it.

    Raises:
        RefusedError: it has no default of its type.
    """
    datum = None if field.default is NO_DEFAULT else from_json(field.default, field.type)
    if datum is None:
        raise RefusedError(f"{field.name} has no default")
    return render(datum)


def from_json(value: Any, type_: Type) -> Datum | None:
    """The datum that a default value means; None where it does not fit the type."""
    match type_.kind, value:
        case "union", _:
            branches = (from_json(value, branch) for branch in type_.parts)
            meant: Any = next((branch for branch in branches if branch is not None), None)
        case "array", list():
            meant = _all([from_json(item, type_.parts[0]) for item in value])
        case "map", dict():
            values = _all({key: from_json(item, type_.parts[0]) for key, item in value.items()})
            meant = None if values is None else list(values.items())
        case "record", dict():
            given = {field.name: value.get(field.name, field.default) for field in type_.fields}
            meant = _all({field.name: from_json(given[field.name], field.type) for field in type_.fields})
        case "bytes" | "fixed", str() if _fits(value, type_):
            meant = bytes(ord(character) for character in value)
        case "float" | "double", _ if _fits(value, type_):
            meant = _number(value, type_.kind)
        case _:
            return Datum(type_, value) if _fits(value, type_) else None
    return None if meant is None else Datum(type_, meant)


def _number(value: float, kind: str) -> float | None:
    try:
        return single(value) if kind == "float" else float(value)
    except OverflowError:
        return None


def _all(parts: Any) -> Any:
    """The parts of an array, map or record; None where one of them is None."""
    return None if None in (parts.values() if isinstance(parts, dict) else parts) else parts


def _fits(value: Any, type_: Type) -> bool:
    if value is None or isinstance(value, bool):
        return type_.kind == ("null" if value is None else "boolean")
    if isinstance(value, int) and type_.kind in {"int", "long"}:
        half = 2**31 if type_.kind == "int" else 2**63
        return -half <= value < half
    if isinstance(value, int | float):
        return type_.kind in {"float", "double"}
    return isinstance(value, str) and _text_fits(value, type_)


def _text_fits(value: str, type_: Type) -> bool:
    if type_.kind in {"bytes", "fixed"}:
        is_latin = all(ord(character) < 256 for character in value)
        return is_latin and (type_.kind == "bytes" or len(value) == type_.size)
    return type_.kind == "string" or value in type_.symbols
