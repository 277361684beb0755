"""What is read as what: a writer's schema, and the reader's where there is one, resolved into one tree of shapes.

The rules are those of Avro 1.12, "Schema Resolution". Where each side has a logical type and they differ (millis and
micros, another scale), the specification would let a wrong number through; here they do not match.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from processor.decode.defaults import default_value
from processor.decode.logical import Conversion, conversion, logical_type, single
from processor.decode.shapes import (
    Array,
    Default,
    Enum,
    Fixed,
    Map,
    Names,
    Never,
    Record,
    Scalar,
    Schema,
    SchemaMismatchError,
    Shape,
    Union,
    called,
    expanded,
)

PROMOTIONS: Final[Mapping[tuple[str, str], Conversion | None]] = {
    ("int", "long"): None,
    ("int", "float"): single,
    ("int", "double"): float,
    ("long", "float"): single,
    ("long", "double"): float,
    ("float", "double"): None,
    ("string", "bytes"): str.encode,
    ("bytes", "string"): bytes.decode,
}
"""Writer's and reader's type, and how the value is carried over."""


def resolve(writer: Schema, reader: Schema, names: Names, reader_names: Names) -> Shape:
    """Match two schemas.

    Args:
        writer: what payloads are written with.
        reader: what they are to be read as; the writer's own schema where nothing else is wanted.
        names: what the writer's schema mentions by name.
        reader_names: what the reader's does.

    Raises:
        SchemaMismatchError: no payload of the one can be read as the other.
    """
    return _Resolver(names, reader_names).shape(writer, reader)


class _Resolver:
    def __init__(self, names: Names, reader_names: Names) -> None:
        self._names = names
        self._reader_names = reader_names
        self._records: dict[tuple[str, str], Record] = {}

    def shape(self, writer: Schema, reader: Schema) -> Shape:
        written, wanted = expanded(writer, self._names), expanded(reader, self._reader_names)
        if isinstance(written, list):
            return self._branches(written, wanted)
        if isinstance(wanted, list):
            return self._chosen(written, wanted)
        return self._promoted(written, wanted) if _kinds(written, wanted) in PROMOTIONS else self._same(written, wanted)

    def _branches(self, written: Sequence[Schema], wanted: Schema) -> Union:
        """A writer's union: each branch on its own; one that does not match is only its payloads' fault."""
        branches: list[Shape] = []
        for branch in written:
            try:
                branches.append(self.shape(branch, wanted))
            except SchemaMismatchError as mismatch:
                branches.append(Never(str(mismatch)))
        if written and all(isinstance(branch, Never) for branch in branches):
            raise SchemaMismatchError("; ".join(dict.fromkeys(str(getattr(each, "reason", "")) for each in branches)))
        return Union(branches)

    def _chosen(self, written: Schema, wanted: Sequence[Schema]) -> Shape:
        """A reader's union: the first branch of the same type and name, else the first that it can be promoted to."""
        candidates = [expanded(branch, self._reader_names) for branch in wanted]
        # Records match by the last part of their name; where several do, the one with the whole name is meant.
        candidates.sort(key=lambda branch: not _names_meet(written, branch))
        for way in (self._same, self._promoted):
            for branch in candidates:
                try:
                    return way(written, branch)
                except SchemaMismatchError:
                    if way == self._same and _names_meet(written, branch):
                        raise  # this one was meant, and what is in it does not match
        raise SchemaMismatchError(f"{called(written)} is none of {', '.join(map(called, candidates))}")

    def _same(self, written: Schema, wanted: Schema) -> Shape:
        """Two types of one kind; named ones by their names too."""
        if written["type"] != wanted["type"] or ("name" in written and not _alike(written, wanted)):
            raise _no_match(written, wanted)
        match written["type"]:
            case "array":
                return Array(self.shape(written["items"], wanted["items"]))
            case "map":
                return Map(self.shape(written["values"], wanted["values"]))
            case "record" | "error":
                return self._record(written, wanted)
            case "enum":
                return _enum(written, wanted)
            case "fixed":
                return Fixed(written["size"], _conversions(written, wanted))
            case kind:
                return Scalar(kind, _conversions(written, wanted))

    def _promoted(self, written: Schema, wanted: Schema) -> Scalar:
        """A type that another one has room for."""
        if _kinds(written, wanted) not in PROMOTIONS:
            raise _no_match(written, wanted)
        return Scalar(written["type"], _conversions(written, wanted))

    def _record(self, written: Schema, wanted: Schema) -> Record:
        pair = (written["name"], wanted["name"])
        if pair in self._records:
            return self._records[pair]
        before = self._records.copy()
        record = self._records[pair] = Record(written["name"])
        try:
            self._fields(record, written, wanted)
        except SchemaMismatchError:
            self._records = before  # those in between may contain this one, which is not whole
            raise
        return record

    def _fields(self, record: Record, written: Schema, wanted: Schema) -> None:
        targets = _targets(written, wanted)
        for each in written["fields"]:
            name, kind = each["name"], each["type"]
            target = targets.get(name)
            try:
                # What the reader does not want is read as it was written: it may be wrong like all else.
                shape = self.shape(kind, target["type"]) if target else resolve(kind, kind, self._names, self._names)
            except SchemaMismatchError as mismatch:
                raise SchemaMismatchError(f"{written['name']}.{name}: {mismatch}") from None
            record.fields.append((name, shape, target["name"] if target else None))
        read = {target["name"] for target in targets.values()}
        for each in wanted["fields"]:
            record.result[each["name"]] = None if each["name"] in read else self._default(each, written, wanted)

    def _default(self, each: Schema, written: Schema, wanted: Schema) -> Default:
        if "default" not in each:
            message = f"{wanted['name']}.{each['name']} has no default, and {written['name']} does not have it"
            raise SchemaMismatchError(message)
        return Default(default_value(each["type"], each["default"], self._reader_names))


def _targets(written: Schema, wanted: Schema) -> Mapping[str, Schema]:
    """The reader's field for each of the writer's by name: the one of its name, else the first with that alias."""
    aliased = {alias: each for each in reversed(wanted["fields"]) for alias in each.get("aliases", ())}
    named = {each["name"]: each for each in wanted["fields"]}
    ours = [each["name"] for each in written["fields"]]
    targets = {name: named[name] for name in ours if name in named}
    taken = set(targets)
    for name in ours:
        target = aliased.get(name)
        if name not in targets and target and target["name"] not in taken:
            taken.add(target["name"])
            targets[name] = target
    return targets


def _kinds(written: Schema, wanted: Schema) -> tuple[str, str]:
    return written["type"], wanted["type"]


def _no_match(written: Schema, wanted: Schema) -> SchemaMismatchError:
    return SchemaMismatchError(f"{called(written)} cannot be read as {called(wanted)}")


def _alike(written: Schema, wanted: Schema) -> bool:
    """Whether two named types match: the names without their namespaces, or an alias; a fixed in its size too."""
    named = _last(written["name"]) == _last(wanted["name"]) or written["name"] in aliases(wanted)
    return named and written.get("size") == wanted.get("size")


def _names_meet(written: Schema, wanted: Schema) -> bool:
    """Whether two types have the same whole name, or an alias."""
    return "name" in written and written["name"] in {wanted.get("name"), *aliases(wanted)}


def aliases(schema: Schema) -> tuple[str, ...]:
    """A named type's aliases as full names; a short one is of the type's own namespace."""
    namespace = schema.get("name", "").rpartition(".")[0]
    return tuple(
        alias if "." in alias or not namespace else f"{namespace}.{alias}" for alias in schema.get("aliases", ())
    )


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _enum(written: Schema, wanted: Schema) -> Enum:
    symbols = set(wanted["symbols"])
    return Enum(
        written["symbols"],
        [symbol if symbol in symbols else wanted.get("default") for symbol in written["symbols"]],
    )


def _conversions(written: Schema, wanted: Schema) -> Sequence[Conversion]:
    """How a value is carried over to the reader's type, and then to a JSON type.

    Raises:
        SchemaMismatchError: the two mean different things.
    """
    before, after = logical_type(written), logical_type(wanted)
    if before and after and before != after:
        raise _no_match(written, wanted)
    promotion = PROMOTIONS.get(_kinds(written, wanted))
    return [step for step in (promotion, conversion(wanted)) if step is not None]
