"""Random reader's schemas for fuzzing: what becomes of a schema over the years, compatible or not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from tests.decode.random_schemas import SchemaMaker
from tests.decode.strict_schema import PRIMITIVES, RECORDS, Type, parse

PROMOTED = {
    "int": ["long", "float", "double"],
    "long": ["float", "double"],
    "float": ["double"],
    "string": ["bytes"],
    "bytes": ["string"],
}
DEFAULTS: Mapping[str, Sequence[Any]] = {
    "null": [None],
    "boolean": [True, False],
    "int": [0, 1, -5, 2**31 - 1, 19000],
    "long": [0, 1, 2**40, -(2**63), 1_795_343_467_120],
    "float": [0.0, 1.1, 3, -0.5],
    "double": [0.0, 1.1, 3, -0.5, 1e300],
    "bytes": ["", "\u00ff", "ab", "\0\1"],
    "string": ["", "text", "日本", "\u00ff"],
}
Place = tuple[Any, Any]
"""A container and the key or index under which a schema stands in it."""


def evolve(rng: Random, schema: Any) -> Any:
    """A reader's schema for what was written with a schema; not every one is valid."""
    root = [deepcopy(schema)]
    for number in range(rng.choice([0, 1, 1, 2, 3, 5])):
        container, key = rng.choice(list(places(root, 0)))
        change = rng.choice([*CHANGES.get(_kind(container[key]), []), *ANY_CHANGES])
        container[key] = change(rng, container[key], f"N{number}")
    return root[0]


def _kind(schema: Any) -> str:
    """The key in CHANGES; a type's name is none, whatever it is called."""
    if isinstance(schema, dict):
        return "record" if schema["type"] in RECORDS else schema["type"]
    return "union" if isinstance(schema, list) else schema if schema in PRIMITIVES else ""


def places(container: Any, key: Any) -> Iterator[Place]:
    """Where schemas stand, this place first."""
    yield container, key
    schema = container[key]
    if isinstance(schema, list):
        for index in range(len(schema)):
            yield from places(schema, index)
    elif isinstance(schema, dict):
        for part in schema.keys() & {"items", "values"}:
            yield from places(schema, part)
        for field in schema.get("fields", []):
            yield from places(field, "type")


def default(rng: Random, type_: Type) -> Any:
    """A default value of a type, as JSON."""
    count = rng.choice([0, 0, 1, 2])
    match type_.kind:
        case "array":
            value: Any = [default(rng, type_.parts[0]) for _ in range(count)]
        case "map":
            value = {f"k{number}": default(rng, type_.parts[0]) for number in range(count)}
        case "union":
            value = default(rng, rng.choice(type_.parts[:1] * 3 + type_.parts)) if type_.parts else None
        case "record":
            value = {} if type_.recursive else {field.name: default(rng, field.type) for field in type_.fields}
        case "enum":
            value = rng.choice(type_.symbols or ["UNKNOWN"])
        case "fixed":
            value = "".join(chr(rng.randrange(256)) for _ in range(type_.size))
        case kind:
            value = rng.choice(DEFAULTS[kind])
    return value


def _add_field(rng: Random, record: Any, name: str) -> Any:
    type_ = SchemaMaker(rng, prefix=name, depth=rng.choice([1, 3])).type()
    field = {"name": name, "type": type_}
    try:
        value = default(rng, parse(type_))
    except KeyError:
        return record
    if rng.random() < 0.9:
        field["default"] = value if rng.random() < 0.95 else rng.choice([None, 2**31, 1.5, "é€", [], {}, False, "x"])
    record["fields"].insert(rng.randint(0, len(record["fields"])), field)
    return record


def _remove_field(rng: Random, record: Any, _: str) -> Any:
    if record["fields"]:
        record["fields"].pop(rng.randrange(len(record["fields"])))
    return record


def _rename_field(rng: Random, record: Any, name: str) -> Any:
    if record["fields"]:
        field = rng.choice(record["fields"])
        field["aliases"] = rng.choice(
            [[field["name"]], [field["name"], "nobody"], ["nobody", field["name"]], ["nobody"]]
        )
        field["name"] = f"renamed{name}"
    return record


def _reorder(rng: Random, record: Any, _: str) -> Any:
    """Other order; definitions that come behind their use make an invalid schema."""
    rng.shuffle(record["fields"])
    return record


def _rename(rng: Random, named: Any, name: str) -> Any:
    alias = named["name"] if rng.random() < 0.7 else f"{named.get('namespace', 'a')}.{named['name']}"
    named["aliases"] = [alias] if rng.random() < 0.9 else []
    namespace, dot, _ = named["name"].rpartition(".")
    return {**named, "name": f"{namespace}{dot}New{name}"}


def _move(rng: Random, named: Any, _: str) -> Any:
    return {**named, "namespace": rng.choice(["", "moved", "a.b"])}


def _change_symbols(rng: Random, enum: Any, _: str) -> Any:
    symbols = [symbol for symbol in enum["symbols"] if rng.random() < 0.7] + rng.choice([[], ["NEW"]])
    rng.shuffle(symbols)
    enum["symbols"] = symbols
    if symbols and rng.random() < 0.6:
        enum["default"] = rng.choice(symbols)
    return enum


def _resize(rng: Random, fixed: Any, _: str) -> Any:
    return {**fixed, "size": fixed["size"] + rng.choice([0, 1])}


def _change_branches(rng: Random, union: Any, name: str) -> Any:
    choice = rng.random()
    if choice < 0.3 and union:
        union.pop(rng.randrange(len(union)))
    elif choice < 0.6:
        rng.shuffle(union)
    elif choice < 0.8 and union:
        return rng.choice(union)
    else:
        branch = SchemaMaker(rng, prefix=name, depth=4).type()
        taken = {str(one["type"] if isinstance(one, dict) else one) for one in union}
        if not isinstance(branch, list) and str(branch["type"] if isinstance(branch, dict) else branch) not in taken:
            union.insert(rng.randint(0, len(union)), branch)
    return union


def _promote(rng: Random, schema: Any, _: str) -> Any:
    kind = schema["type"] if isinstance(schema, dict) else schema
    promoted = rng.choice(PROMOTED.get(kind, [kind]))
    return {**schema, "type": promoted} if isinstance(schema, dict) and rng.random() < 0.5 else promoted


def _other_logical(rng: Random, schema: Any, _: str) -> Any:
    kind = schema["type"] if isinstance(schema, dict) else schema
    logical = rng.choice(
        ["date", "time-millis", "timestamp-millis", "timestamp-nanos", "time-micros", "uuid", "decimal"]
    )
    return {"type": kind, "logicalType": logical, "precision": 3, "scale": rng.choice([0, 2])}


def _wrap(rng: Random, schema: Any, _: str) -> Any:
    """A union round it."""
    if isinstance(schema, list) or schema == "null":
        return schema
    return rng.choice([["null", schema], [schema, "null"], [schema]])


def _replace(rng: Random, _: Any, name: str) -> Any:
    return SchemaMaker(rng, prefix=name, depth=4).type()


def _alias(rng: Random, record: Any, _: str) -> Any:
    """An alias that another field has as its name."""
    if record["fields"]:
        rng.choice(record["fields"])["aliases"] = [rng.choice(record["fields"])["name"]]
    return record


Change = Callable[[Random, Any, str], Any]
ANY_CHANGES: list[Change] = [_wrap, _wrap, _replace]
CHANGES: dict[str, list[Change]] = {
    "record": [_add_field] * 6 + [_remove_field] * 3 + [_rename_field] * 4 + [_reorder] * 3 + [_rename, _move, _alias],
    "enum": [_change_symbols] * 6 + [_rename, _rename, _move],
    "fixed": [_rename, _move, _resize],
    "union": [_change_branches] * 6,
    **{kind: [_promote] * 3 + [_other_logical] for kind in PRIMITIVES},
}
